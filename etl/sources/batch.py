"""What a reader gives: batches of rows whose values are all still text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from etl.masks import present

BLANK = ("", "NULL", "null", "\\N", "N/A", "NaN", "nan", "None")
"""Values that mean nothing is there; every reader gives them as null."""

UNBUILT = shapely.LinearRing()
"""Stands for a shape that is there but cannot be built, such as an area of two points; no file can hold one."""


@dataclass(frozen=True)
class RawBatch:
    """Rows as delivered: text columns by heading, the line each row stands on, geometry where the format has one.

    A geometry is None where there is none, and `UNBUILT` where there is one that cannot be built.

    `broken` lists (line, text) of the rows that could not be split into the columns of the heading.
    `answers` has, in a correction, the number in the quarantine that each row answers, 0 for none.
    """

    columns: Mapping[str, pa.Array]
    lines: np.ndarray
    geometry: np.ndarray | None = None
    broken: tuple[tuple[int, str], ...] = field(default=())
    answers: np.ndarray | None = None

    @property
    def n(self) -> int:
        """Rows in the batch, broken ones not counted."""
        return len(self.lines)


class Source(Protocol):
    """An opened delivery: its headings at once, its rows batch by batch."""

    @property
    def headings(self) -> tuple[str, ...]:
        """Headings of the file, in its order."""

    @property
    def has_geometry(self) -> bool:
        """Whether its rows have geometries."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what of the file was left alone."""

    def batches(self, wanted: tuple[str, ...]) -> Iterator[RawBatch]:
        """Read the rows, only the `wanted` headings of them."""


_CAST_BY_ARROW = (
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_integer,
    pa.types.is_date,
    pa.types.is_timestamp,
    pa.types.is_decimal,
)


def shapes_of(wkb: pa.Array) -> np.ndarray:
    """Build shapes out of WKB: rings are closed, None where nothing is there, `UNBUILT` where none can be built."""
    wkb = wkb.storage if isinstance(wkb, pa.ExtensionArray) else wkb
    shapes: np.ndarray = shapely.from_wkb(wkb.to_numpy(zero_copy_only=False), on_invalid="fix")
    shapes[shapely.is_missing(shapes) & present(wkb)] = UNBUILT
    return shapes


def arrow_texts(column: pa.Array) -> pa.Array:
    """Make a text column out of a typed one: whole numbers without a point, moments in ISO form, "" as missing."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_floating(kind):
        return _float_texts(column.cast(pa.float64()))
    if any(is_kind(kind) for is_kind in _CAST_BY_ARROW):
        column = column.cast(pa.string())
    if pa.types.is_string(column.type):
        blank = pc.is_in(column, pa.array(BLANK))
        return pc.if_else(blank, pa.scalar(None, pa.string()), column)
    return text_column(column.to_pylist())


def _float_texts(column: pa.Array) -> pa.Array:
    """Shortest text that means the same number, as Python writes it; whole numbers below 1e17 without a point.

    Arrow writes most of them; where it would choose another form, Python does, one by one.
    """
    size = pc.abs(column)
    is_whole = pc.fill_null(pc.and_(pc.equal(column, pc.trunc(column)), pc.less(size, 1e17)), False)
    is_plain = pc.fill_null(pc.and_(pc.greater_equal(size, 1e-4), pc.less(size, 1e10)), False)
    whole = pc.if_else(is_whole, column, 0.0).cast(pa.int64()).cast(pa.string())
    texts = pc.if_else(is_whole, whole, column.cast(pa.string()))
    rest = pc.and_(pc.invert(pc.or_(is_whole, is_plain)), column.is_valid())
    if pc.any(rest).as_py():
        texts = pc.replace_with_mask(texts, rest, text_column(column.filter(rest).to_pylist()))
    return texts


def text_column(values: list[Any]) -> pa.Array:
    """Make a text column out of Python values: whole numbers without a point, moments in ISO form, "" as missing."""
    return pa.array([_text(v) for v in values], pa.string())


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and value in BLANK):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e17:
        return str(int(value))
    return str(value)
