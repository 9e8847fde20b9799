"""Whole columns turned into PostgreSQL's binary COPY format, without touching a single row in Python.

A row is its number of fields, then for each field a length and the bytes. Arrow joins the pieces of all rows at once;
what stands side by side and is never missing is put together beforehand as one block of fixed width. Integers are
big-endian; points are EWKB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.masks import missing, plain

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

_EPOCH_US = 946_684_800_000_000
_EPOCH_DAYS = 10_957
_POINT = np.void(b"\x01\x01\x00\x00\x20" + (4490).to_bytes(4, "little"))


@dataclass(frozen=True)
class Fixed:
    """A column whose values all have the same width, in the byte order of the wire; `gone` marks NULLs."""

    values: np.ndarray
    gone: np.ndarray | None = None

    def part(self, start: int, stop: int) -> Fixed:
        """Rows from `start` to before `stop`; a constant stays one."""
        if len(self.values) == 1:
            return self
        return Fixed(self.values[start:stop], _some(None if self.gone is None else self.gone[start:stop]))


@dataclass(frozen=True)
class Varying:
    """A column of byte strings; null is NULL. `head` stands before each value."""

    values: pa.Array
    head: bytes = b""

    def part(self, start: int, stop: int) -> Varying:
        """Rows from `start` to before `stop`."""
        return Varying(self.values[start:stop], self.head)


Field = Fixed | Varying


def integer(values: np.ndarray, width: int, gone: np.ndarray | None = None) -> Fixed:
    """Encode integers of 2, 4 or 8 bytes."""
    return Fixed(values.astype(f">i{width}"), _some(gone))


def double(values: np.ndarray, gone: np.ndarray | None = None) -> Fixed:
    """Encode double precision numbers."""
    return Fixed(values.astype(">f8"), _some(gone))


def boolean(values: np.ndarray, gone: np.ndarray | None = None) -> Fixed:
    """Encode booleans."""
    return Fixed(values.astype(np.uint8), _some(gone))


def moments(values: pa.Array) -> Fixed:
    """Encode moments (microseconds, UTC) as timestamptz."""
    since_1970 = values.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    return Fixed((plain(since_1970) - _EPOCH_US).astype(">i8"), _some(missing(values)))


def days(values: pa.Array) -> Fixed:
    """Encode days as date."""
    since_1970 = values.cast(pa.date32()).cast(pa.int32())
    return Fixed((plain(since_1970) - _EPOCH_DAYS).astype(">i4"), _some(missing(values)))


def text(values: pa.Array) -> Varying:
    """Encode text, or bytes."""
    return Varying(values.cast(pa.binary()) if not pa.types.is_binary(values.type) else values)


def constant(value: str, n: int) -> Fixed:
    """Encode the same text for all rows."""
    return Fixed(np.full(n, value.encode()))


def fixed_text(values: np.ndarray) -> Fixed:
    """Encode text of ASCII characters that all have the same length, from an array of bytes (`S9`)."""
    return Fixed(values)


def json(values: pa.Array) -> Varying:
    """Encode JSON text as jsonb."""
    return Varying(values.cast(pa.binary()), b"\x01")


def points(lon: np.ndarray, lat: np.ndarray) -> Fixed:
    """Encode points, EPSG:4490, as EWKB; NULL where the longitude is NaN."""
    values = np.empty(len(lon), np.dtype([("head", "V9"), ("x", "<f8"), ("y", "<f8")]))
    values["head"], values["x"], values["y"] = _POINT, lon, lat
    return Fixed(values, _some(np.isnan(lon)))


def text_lists(values: pa.ListArray) -> Varying:
    """Encode lists of text as text[]; a null list is an empty one."""
    child = values.values
    length, content = _apart(text(child), len(child))
    encoded = _join([_block([length], len(child)), content])
    ends = np.frombuffer(encoded.buffers()[1], np.int32, len(encoded) + 1, encoded.offset * 4)
    offsets = values.offsets.to_numpy()
    n = np.diff(offsets)
    one = np.array([[1, 0, 25, 0, 1]], ">i4").repeat(len(n), axis=0)
    one[:, 3] = n
    heads = _block([one.view("V20").reshape(-1)], len(n))
    none = pa.scalar(np.array([0, 0, 25], ">i4").tobytes(), pa.binary())
    bodies = pa.Array.from_buffers(
        pa.binary(), len(n), [None, pa.py_buffer(ends[offsets].astype(np.int32)), encoded.buffers()[2]]
    )
    return Varying(_join([pc.if_else(pa.array(n == 0), none, heads), bodies]))


def encode(fields: Sequence[Field], n: int) -> memoryview:
    """Encode `n` rows of these fields, in order; goes between `HEADER` and `TRAILER`."""
    if not n:
        return memoryview(b"")
    pieces: list[pa.Array] = []
    block: list[Any] = [np.array([len(fields)], ">i2")]
    for field in fields:
        if isinstance(field, Fixed) and field.gone is None:
            block += [np.array([field.values.itemsize], ">i4"), field.values]
            continue
        length, values = _apart(field, n)
        pieces += [_block([*block, length], n), values]
        block = []
    if block:
        pieces.append(_block(block, n))
    return memoryview(_values(_join(pieces)))


def _apart(field: Field, n: int) -> tuple[np.ndarray, pa.Array]:
    """Lengths of a field, -1 for NULL, and its values with nothing where they are NULL."""
    if isinstance(field, Fixed):
        gone = field.gone if field.gone is not None else np.zeros(n, bool)
        values = pc.if_else(pa.array(gone), pa.scalar(b"", pa.binary()), _block([field.values], n))
        return np.where(gone, -1, field.values.itemsize).astype(">i4"), values
    length = plain(pc.binary_length(field.values), -1)
    values = pc.fill_null(field.values, b"") if field.values.null_count else field.values
    if field.head:
        length = np.where(length < 0, -1, length + len(field.head))
        head = pc.if_else(field.values.is_valid(), pa.scalar(field.head), pa.scalar(b""))
        values = _join([head, values])
    return length.astype(">i4"), values


def _join(pieces: list[pa.Array]) -> pa.Array:
    return pieces[0] if len(pieces) == 1 else pc.binary_join_element_wise(*pieces, pa.scalar(b"", pa.binary()))


def _block(columns: list[Any], n: int) -> pa.Array:
    """Put columns of fixed width side by side; one of a single value is repeated."""
    rows = np.empty(n, np.dtype([(f"f{i}", column.dtype) for i, column in enumerate(columns)]))
    for i, column in enumerate(columns):
        rows[f"f{i}"] = column
    offsets = np.arange(n + 1, dtype=np.int32) * np.int32(rows.itemsize)
    return pa.Array.from_buffers(pa.binary(), n, [None, pa.py_buffer(offsets), pa.py_buffer(rows)])


def _values(array: pa.Array) -> pa.Buffer:
    offsets = np.frombuffer(array.buffers()[1], np.int32, len(array) + 1, array.offset * 4)
    return array.buffers()[2].slice(int(offsets[0]), int(offsets[-1] - offsets[0]))


def _some(gone: np.ndarray | None) -> np.ndarray | None:
    return gone if gone is not None and gone.any() else None
