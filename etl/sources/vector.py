"""Shapefile, GeoPackage, GeoJSON, KML and FlatGeobuf, read through GDAL as Arrow.

Only a file whose first bytes are those of its format reaches GDAL, which has no driver but that of the format
(`etl.sources.jail`), so that nothing delivered can make it open a virtual file or an address elsewhere.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np
import pyarrow as pa
import pyogrio
from pyogrio.errors import DataSourceError

from etl.sources.batch import RawBatch, arrow_texts, shapes_of
from etl.sources.request import Request
from layers.errors import DeliveryError

BATCH_ROWS = 65_536

_MAGIC = {
    "shapefile": (b"\x00\x00\x27\x0a",),
    "geopackage": (b"SQLite format 3\x00",),
    "geojson": (b"{",),
    "geojsonseq": (b"{", b"\x1e"),
    "kml": (b"<",),
    "flatgeobuf": (b"fgb\x03",),
}
_WITH_LAYERS = ("geopackage", "kml")
_PREFIX = {"geojsonseq": "GeoJSONSeq:"}
_UNREADABLE = (
    DataSourceError,
    pyogrio.errors.DataLayerError,
    OSError,
    EOFError,
    pa.ArrowException,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True)
class VectorSource:
    """An opened layer of a vector file; `name` is what it was delivered as."""

    path: str
    name: str
    layer: str | None
    encoding: str | None
    headings: tuple[str, ...]
    has_geometry: bool = True
    notes: tuple[str, ...] = ()

    def batches(self, wanted: tuple[str, ...]) -> Iterator[RawBatch]:
        """Read the features batch by batch; feature i, counted from 0, stands on line i + 1."""
        line = 1
        try:
            with (
                _without_warnings(),
                pyogrio.open_arrow(
                    self.path,
                    layer=self.layer,
                    encoding=self.encoding,
                    columns=[h for h in self.headings if h in wanted],
                    batch_size=BATCH_ROWS,
                    use_pyarrow=True,
                ) as (meta, reader),
            ):
                geometry_name = meta["geometry_name"] or "wkb_geometry"
                for batch in reader:
                    yield _raw(batch, geometry_name, line)
                    line += batch.num_rows
        except _UNREADABLE as error:
            raise _unreadable(self.name, error) from error


def open_vector(path: Path, request: Request) -> VectorSource:
    """Open a layer of a vector file.

    Raises
    ------
    DeliveryError
        It is not of that kind, cannot be read, or has no such layer.
    """
    name, kind = request.path.name, request.format
    with path.open("rb") as stream:
        head = stream.read(512).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head.startswith(_MAGIC[kind]):
        raise DeliveryError(f"{name} is no {kind} file.", "Export it again, or mend `format` in its [source].")
    encoding = request.encoding
    if kind == "kml":
        _check_kml(path, name)
    if kind == "shapefile":
        _whole_shapefile(path, name)
        # without a stated encoding GDAL takes the one in the .cpg or .dbf, and Latin-1 when there is none
        encoding = encoding or _dbf_encoding(path)
    try:
        opened = f"{_PREFIX.get(kind, '')}{path}"
        layer = _layer(opened, name, request.layer) if kind in _WITH_LAYERS else None
        with _without_warnings():
            info = pyogrio.read_info(opened, layer=layer, encoding=encoding)
    except _UNREADABLE as error:
        raise _unreadable(name, error) from error
    return VectorSource(opened, name, layer, encoding, tuple(str(f) for f in info["fields"]))


def _raw(batch: pa.RecordBatch, geometry_name: str, line: int) -> RawBatch:
    columns: dict[str, pa.Array] = {}
    geometry = np.full(batch.num_rows, None, object)
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name == geometry_name:
            geometry = shapes_of(column)
        else:
            columns[name] = arrow_texts(column)
    return RawBatch(columns, np.arange(line, line + batch.num_rows, dtype=np.int64), geometry)


def _check_kml(path: Path, name: str) -> None:
    """Refuse what is no KML, and any document type: entities declared there may name files or grow without end."""
    root: list[str] = []
    parser = expat.ParserCreate()

    def refuse(*_: Any) -> None:
        raise DeliveryError(
            f"{name} declares a document type, which KML has no use for.",
            "Export it again from the mapping program, without a DOCTYPE line.",
        )

    def begin(tag: str, _: dict[str, str]) -> None:
        root.append(tag.rpartition(":")[2])

    parser.StartDoctypeDeclHandler, parser.StartElementHandler = refuse, begin
    with path.open("rb") as stream:
        try:
            while not root and (chunk := stream.read(1 << 16)):
                parser.Parse(chunk, False)
        except expat.ExpatError as error:
            raise DeliveryError(f"{name} is no kml file: {error}.", "Export it again.") from error
    if root[:1] != ["kml"]:
        raise DeliveryError(f"{name} is no kml file.", "Export it again, or mend `format` in its [source].")


def _beside(path: Path, suffix: str) -> Path | None:
    return next((p for p in (path.with_suffix(suffix), path.with_suffix(suffix.upper())) if p.is_file()), None)


def _whole_shapefile(path: Path, name: str) -> None:
    for suffix in (".shx", ".dbf"):
        if _beside(path, suffix) is None:
            raise DeliveryError(
                f"{name} came without its {Path(name).stem}{suffix}.",
                "A Shapefile is at least three files, .shp, .shx and .dbf: deliver them together.",
            )


def _dbf_encoding(path: Path) -> str | None:
    """Encoding of the table: what the .cpg says, unless the text cannot be that; else UTF-8 or GB18030."""
    table, page = _beside(path, ".dbf"), _beside(path, ".cpg")
    assert table is not None
    with table.open("rb") as stream:
        data = stream.read(_DBF_BYTES)[32:]
    text = data.decode("utf-8", "replace")
    n_bad = text.count("\ufffd")  # a field may end in the middle of a character: a few do no harm
    is_utf8 = n_bad * 20 <= len(text) - len(text.encode("ascii", "ignore"))
    if page is not None:
        said = page.read_bytes()[:100].decode("ascii", "replace").strip().lower().replace("-", "")
        if said not in ("utf8", "65001") or is_utf8:
            return None
    return "utf-8" if is_utf8 else "gb18030"


_DBF_BYTES = 16 << 20
"""Of a table so much is looked at."""


def _layer(path: str, name: str, layer: str | None) -> str:
    with _without_warnings():
        names = [str(n) for n, kind in pyogrio.list_layers(path) if kind is not None]
    if layer is None and len(names) == 1:
        return names[0]
    if layer not in names:
        raise DeliveryError(
            f"{name} has no layer {layer!r}." if layer else f"{name} has {len(names)} layers.",
            f"Its layers are {', '.join(names)}: mend `layer` in the dataset's [source].",
        )
    return str(layer)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep GDAL's remarks on a file to itself: what matters comes as an error, or is found by our own checks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def _unreadable(name: str, error: Any) -> DeliveryError:
    return DeliveryError(
        f"{name} cannot be read: {str(error).splitlines()[0][:200] if str(error) else 'it is cut short'}.",
        "Export it again and check that it opens in a mapping program.",
    )
