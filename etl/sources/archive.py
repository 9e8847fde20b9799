"""Gzipped and zipped deliveries, unpacked into a folder of ours within bounds and under names of ours."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from gzip import GzipFile
from pathlib import Path, PurePosixPath
from typing import Any

from etl.sources.request import Limits, Request
from layers.errors import DeliveryError

SUFFIXES = {
    "csv": (".csv", ".tsv", ".txt"),
    "xlsx": (".xlsx",),
    "xls": (".xls",),
    "ods": (".ods",),
    "parquet": (".parquet",),
    "geoparquet": (".parquet", ".geoparquet"),
    "shapefile": (".shp",),
    "geopackage": (".gpkg",),
    "geojson": (".geojson", ".json"),
    "geojsonseq": (".geojsonl", ".geojsons", ".ndjson", ".jsonl", ".geojson", ".json"),
    "kml": (".kml",),
    "flatgeobuf": (".fgb",),
}
"""How files of a format are called; in an archive the first suffix that any file has is the one looked for."""

SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".cpg", ".prj")

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_IS_ZIP = ("xlsx", "xls", "ods")
"""Formats whose files may be zip archives by themselves."""
_NESTED = (".zip", ".gz", ".tgz", ".tar", ".7z", ".rar", ".bz2", ".xz", ".zst", ".kmz")
_CHUNK = 1 << 20
_MEMBERS, _RATIO, _RATIO_FROM = 10_000, 200, 16 << 20
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def unpack(request: Request, folder: Path) -> Path:
    """Give the file to read: the delivered one, or what was in it, unpacked into the folder.

    Raises
    ------
    DeliveryError
        The archive is damaged, unpacks to too much, holds names or things that have no place in a delivery, or holds
        no file of the format, or several.
    """
    path = request.path
    with path.open("rb") as stream:
        head = stream.read(4)
    try:
        if head.startswith(_GZIP) or path.suffix.lower() == ".gz":
            return _gunzip(request, folder)
        if head == _ZIP and (request.format not in _IS_ZIP or path.suffix.lower() == ".zip"):
            return _unzip(request, folder)
        if head == _ZIP:
            with zipfile.ZipFile(path) as archive:
                _check(archive, path, request.limits)
    except _BROKEN as error:
        raise DeliveryError(
            f"{path.name} cannot be unpacked: {str(error)[:200] or 'it is cut short'}.",
            "It is damaged: ask the department to send it again, without a password.",
        ) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise DeliveryError(f"{path.name} cannot be unpacked: {error}.", "Ask for it to be sent again.") from error
    return path


def _gunzip(request: Request, folder: Path) -> Path:
    target = folder / f"delivered{SUFFIXES[request.format][0]}"
    with request.path.open("rb") as packed, GzipFile(fileobj=packed) as stream:
        _copy(stream, target, request, request.path.stat().st_size)
    with target.open("rb") as unpacked:
        if unpacked.read(4)[:2] == _GZIP:
            raise _refused(request.path, "holds another archive")
    return target


def _unzip(request: Request, folder: Path) -> Path:
    path, suffixes = request.path, SUFFIXES[request.format]
    with zipfile.ZipFile(path) as archive:
        members = list(_check(archive, path, request.limits))
        nested = [m for m in members if m.filename.lower().endswith(_NESTED)]
        if nested:
            raise _refused(path, f"holds another archive, {PurePosixPath(nested[0].filename).name!r}")
        found: list[zipfile.ZipInfo] = []
        for suffix in suffixes:
            found = found or [m for m in members if m.filename.lower().endswith(suffix)]
        if len(found) != 1:
            holds = f"{len(found)} files" if found else "no file"
            raise DeliveryError(
                f"{path.name} holds {holds} of the format {request.format} ({', '.join(suffixes)}).",
                "Deliver each file in an archive of its own, or mend `format` in the dataset's [source].",
            )
        parts = _parts(found[0], members) if request.format == "shapefile" else found
        for part in parts:
            with archive.open(part) as stream:
                _copy(stream, folder / f"delivered{_suffix(part)}", request, part.compress_size)
    return folder / f"delivered{_suffix(found[0])}"


def _suffix(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(member.filename).suffix.lower()


def _parts(shape: zipfile.ZipInfo, members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    stem = PurePosixPath(shape.filename).with_suffix("")
    return [m for m in members if _suffix(m) in SHAPEFILE_PARTS and PurePosixPath(m.filename).with_suffix("") == stem]


def _check(archive: zipfile.ZipFile, path: Path, limits: Limits) -> Iterator[zipfile.ZipInfo]:
    """Check all that an archive says of itself; give its files without what programs put beside them."""
    members = archive.infolist()
    if len(members) > _MEMBERS:
        raise _refused(path, f"holds {len(members):,} files, more than {_MEMBERS:,}")
    _keep_bounds(path, sum(m.file_size for m in members), sum(m.compress_size for m in members), limits)
    kept = []
    for member in members:
        name = PurePosixPath(member.filename.replace("\\", "/"))
        kind = stat.S_IFMT(member.external_attr >> 16)
        if name.is_absolute() or ".." in name.parts or ":" in name.parts[0:1] or "\x00" in member.orig_filename:
            raise _refused(path, f"holds a file that would lie outside of it, {member.filename[:80]!r}")
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _refused(path, f"holds a link or device, {member.filename[:80]!r}")
        if member.flag_bits & 1:
            raise _refused(path, "is locked with a password")
        if not member.is_dir() and not name.name.startswith(".") and "__MACOSX" not in name.parts:
            kept.append(member)
    return iter(kept)


def _copy(stream: Any, target: Path, request: Request, n_packed: int) -> None:
    """Copy what is unpacked, counting what really comes: an archive may lie about its sizes."""
    total = 0
    with target.open("wb") as out:
        while chunk := stream.read(_CHUNK):
            total += len(chunk)
            _keep_bounds(request.path, total, n_packed, request.limits)
            out.write(chunk)


def _keep_bounds(path: Path, n_unpacked: int, n_packed: int, limits: Limits) -> None:
    if n_unpacked > limits.unpacked_mb << 20:
        raise DeliveryError(
            f"{path.name} unpacks to more than {limits.unpacked_mb} MB.",
            "Deliver it in several smaller files, or allow more by the setting READ_UNPACKED_MB.",
        )
    if n_unpacked > _RATIO_FROM and n_unpacked > _RATIO * max(n_packed, 1):
        raise _refused(path, f"unpacks to more than {_RATIO} times its size")


def _refused(path: Path, why: str) -> DeliveryError:
    return DeliveryError(
        f"{path.name} {why}.", "Deliver the file as it is, or in a plain zip archive that holds nothing else."
    )
