"""Parquet, and GeoParquet with its geometry in any encoding of its standard; read without GDAL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from shapely.errors import ShapelyError

from etl.masks import present
from etl.sources.batch import RawBatch, arrow_texts, shapes_of
from etl.sources.request import Request
from layers.errors import DeliveryError

BATCH_ROWS = 65_536
WKB = "WKB"
ENCODINGS = (WKB, "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon")
_MAGIC = b"PAR1"


@dataclass(frozen=True)
class ParquetSource:
    """An opened Parquet file; `geometry` is the column that has the geometries, in the `encoding` its metadata say."""

    file: Any
    name: str
    geometry: str | None
    encoding: str = WKB
    notes: tuple[str, ...] = ()

    @property
    def has_geometry(self) -> bool:
        """Whether its rows have geometries."""
        return self.geometry is not None

    @property
    def headings(self) -> tuple[str, ...]:
        """Names of the columns but the geometry."""
        return tuple(name for name in self.file.schema_arrow.names if name != self.geometry)

    def batches(self, wanted: tuple[str, ...]) -> Iterator[RawBatch]:
        """Read the rows batch by batch; row i, counted from 0, stands on line i + 1."""
        names = [h for h in self.headings if h in wanted]
        line = 1
        try:
            read = [*names, self.geometry] if self.geometry else names
            for batch in self.file.iter_batches(BATCH_ROWS, columns=read, use_threads=False):
                geometry = self._shapes(batch.column(self.geometry)) if self.geometry else None
                columns = {name: arrow_texts(batch.column(name)) for name in names}
                lines = np.arange(line, line + batch.num_rows, dtype=np.int64)
                yield RawBatch(columns, lines, geometry)
                line += batch.num_rows
        except (pa.ArrowException, ShapelyError, OSError, ValueError, TypeError, KeyError) as error:
            raise _unreadable(self.name, error) from error

    def _shapes(self, column: pa.Array) -> np.ndarray:
        if self.encoding == WKB:
            return shapes_of(column)
        parts, offsets = column, list[np.ndarray]()
        while pa.types.is_list(parts.type):
            offsets.insert(0, np.asarray(parts.offsets))
            parts = parts.values
        points = np.column_stack([parts.field(axis) for axis in ("x", "y")])
        kind = shapely.GeometryType[self.encoding.upper()]
        shapes: np.ndarray = shapely.from_ragged_array(kind, points, tuple(offsets) or None)
        shapes[~present(column)] = None
        return shapes


def open_parquet(path: Path, request: Request) -> ParquetSource:
    """Open a Parquet file, with its geometry when that is asked for.

    Raises
    ------
    DeliveryError
        It is no Parquet file, or its geometry is not there or in no encoding of the standard.
    """
    name = request.path.name
    with path.open("rb") as stream:
        if stream.read(4) != _MAGIC:
            raise DeliveryError(
                f"{name} is no {request.format} file.", "Export it again, or mend `format` in its [source]."
            )
    try:
        file = pq.ParquetFile(path)
        geometry, encoding = _geometry(file, name) if request.format == "geoparquet" else (None, WKB)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(name, error) from error
    return ParquetSource(file, name, geometry, encoding)


def _geometry(file: Any, name: str) -> tuple[str, str]:
    said = (file.schema_arrow.metadata or {}).get(b"geo")
    if said is None:
        raise DeliveryError(
            f"{name} has no geometry: it is Parquet, but not GeoParquet.",
            'Export it as GeoParquet, or state format = "parquet" in the dataset\'s [source].',
        )
    geo = json.loads(said)
    column = str(geo["primary_column"])
    encoding = str(geo["columns"][column]["encoding"])
    if encoding not in ENCODINGS or column not in file.schema_arrow.names:
        raise DeliveryError(
            f"{name} has its geometry in an encoding that GeoParquet does not know: {encoding[:40]}.",
            "Export it with geometries encoded as WKB.",
        )
    return column, encoding


def _unreadable(name: str, error: Exception) -> DeliveryError:
    said = str(error).splitlines()[0][:200] if str(error) else "it is cut short"
    return DeliveryError(f"{name} cannot be read as Parquet: {said}.", "Export it again.")
