"""Shapefile, GeoPackage and GeoJSON (also gzipped), read through GDAL as Arrow.

Only a file whose first bytes are those of its format reaches GDAL, so that nothing delivered can make it open a
virtual file or an address elsewhere.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
import shapely
from pyogrio.errors import DataSourceError

from etl.masks import present
from etl.sources.batch import BLANK, UNBUILT, RawBatch, text_column
from etl.sources.encoding import open_bytes
from layers.errors import DeliveryError

BATCH_ROWS = 65_536

_MAGIC = {"shapefile": b"\x00\x00\x27\x0a", "geopackage": b"SQLite format 3\x00", "geojson": b"{"}
_UNREADABLE = (DataSourceError, pyogrio.errors.DataLayerError, OSError, EOFError, pa.ArrowException, RuntimeError)


@dataclass(frozen=True)
class VectorSource:
    """An opened layer of a vector file."""

    path: Path
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
                    _gdal_path(self.path),
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
            raise _unreadable(self.path, error) from error


def open_vector(path: Path, kind: str, layer: str | None = None, encoding: str | None = None) -> VectorSource:
    """Open a vector file of one kind: shapefile, geopackage or geojson.

    Raises
    ------
    DeliveryError
        It is not of that kind, cannot be read, or has no such layer.
    """
    try:
        with open_bytes(path) as stream:
            head = stream.read(512).removeprefix(b"\xef\xbb\xbf").lstrip()
    except (OSError, EOFError) as error:
        raise _unreadable(path, error) from error
    if not head.startswith(_MAGIC[kind]):
        raise DeliveryError(f"{path.name} is no {kind} file.", "Export it again, or mend `format` in its [source].")
    if kind == "shapefile":
        _whole_shapefile(path)
    if kind == "geopackage":
        layer = _layer(path, layer)
    try:
        # without a stated encoding GDAL takes the one in the .cpg or .dbf, and Latin-1 when there is none
        encoding = encoding or (_dbf_encoding(path) if kind == "shapefile" else None)
        with _without_warnings():
            info = pyogrio.read_info(_gdal_path(path), layer=layer, encoding=encoding)
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error
    return VectorSource(path, layer, encoding, tuple(str(f) for f in info["fields"]))


def _raw(batch: pa.RecordBatch, geometry_name: str, line: int) -> RawBatch:
    columns: dict[str, pa.Array] = {}
    geometry = None
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name == geometry_name:
            wkb = column.storage if isinstance(column, pa.ExtensionArray) else column
            geometry = shapely.from_wkb(wkb.to_numpy(zero_copy_only=False), on_invalid="fix")
            geometry[shapely.is_missing(geometry) & present(wkb)] = UNBUILT
        else:
            columns[name] = _as_text(column)
    return RawBatch(columns, np.arange(line, line + batch.num_rows, dtype=np.int64), geometry)


def _as_text(column: pa.Array) -> pa.Array:
    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    if pa.types.is_large_string(column.type) or pa.types.is_integer(column.type):
        column = column.cast(pa.string())
    if pa.types.is_string(column.type):
        blank = pc.is_in(column, pa.array(BLANK))
        return pc.if_else(blank, pa.scalar(None, pa.string()), column)
    return text_column(column.to_pylist())


def _gdal_path(path: Path) -> str:
    return f"/vsigzip/{path.resolve()}" if path.suffix == ".gz" else str(path.resolve())


def _whole_shapefile(path: Path) -> None:
    for suffix in (".shx", ".dbf"):
        if not any(path.with_suffix(s).exists() for s in (suffix, suffix.upper())):
            raise DeliveryError(
                f"{path.name} came without its {path.stem}{suffix}.",
                "A Shapefile is at least three files, .shp, .shx and .dbf: deliver them together.",
            )


def _dbf_encoding(path: Path) -> str | None:
    if any(path.with_suffix(s).exists() for s in (".cpg", ".CPG")):
        return None
    dbf = next(path.with_suffix(s) for s in (".dbf", ".DBF") if path.with_suffix(s).exists())
    data = dbf.read_bytes()[32:]
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _layer(path: Path, layer: str | None) -> str:
    try:
        with _without_warnings():
            names = [str(n) for n, kind in pyogrio.list_layers(path) if kind is not None]
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error
    if layer is None and len(names) == 1:
        return names[0]
    if layer not in names:
        raise DeliveryError(
            f"{path.name} has no layer {layer!r}." if layer else f"{path.name} has {len(names)} layers.",
            f"Its layers are {', '.join(names)}: mend `layer` in the dataset's [source].",
        )
    return str(layer)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep GDAL's remarks on a file to itself: what matters comes as an error, or is found by our own checks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def _unreadable(path: Path, error: Any) -> DeliveryError:
    return DeliveryError(
        f"{path.name} cannot be read: {str(error).splitlines()[0][:200] if str(error) else 'it is cut short'}.",
        "Export it again and check that it opens in a mapping program.",
    )
