"""Whole columns turned into PostgreSQL's binary COPY format, without touching a single row in Python.

A row is its number of fields, then for each field a length and the bytes. Arrow joins the pieces of all rows at once;
what stands side by side and is never missing is put together beforehand as one block of fixed width. Integers are
big-endian; points are EWKB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.masks import missing, plain

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

_EPOCH_US = 946_684_800_000_000
_EPOCH_DAYS = 10_957
_POINT = np.frombuffer(b"\x01\x01\x00\x00\x20" + (4490).to_bytes(4, "little"), np.uint8)


@dataclass(frozen=True)
class Fixed:
    """A column whose values all have the same width; `gone` marks NULLs."""

    cells: np.ndarray
    gone: np.ndarray | None = None


@dataclass(frozen=True)
class Varying:
    """A column of byte strings; null is NULL. `head` stands before each value."""

    values: pa.Array
    head: bytes = b""


Field = Fixed | Varying


def integer(values: np.ndarray, width: int, gone: np.ndarray | None = None) -> Fixed:
    """Encode integers of 2, 4 or 8 bytes."""
    return Fixed(_cells(values.astype(f">i{width}")), _some(gone))


def double(values: np.ndarray, gone: np.ndarray | None = None) -> Fixed:
    """Encode double precision numbers."""
    return Fixed(_cells(values.astype(">f8")), _some(gone))


def boolean(values: np.ndarray, gone: np.ndarray | None = None) -> Fixed:
    """Encode booleans."""
    return Fixed(_cells(values.astype(np.uint8)), _some(gone))


def moments(values: pa.Array) -> Fixed:
    """Encode moments (microseconds, UTC) as timestamptz."""
    since_1970 = values.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    return Fixed(_cells((plain(since_1970) - _EPOCH_US).astype(">i8")), _some(missing(values)))


def days(values: pa.Array) -> Fixed:
    """Encode days as date."""
    since_1970 = values.cast(pa.date32()).cast(pa.int32())
    return Fixed(_cells((plain(since_1970) - _EPOCH_DAYS).astype(">i4")), _some(missing(values)))


def text(values: pa.Array) -> Varying:
    """Encode text, or bytes."""
    return Varying(values.cast(pa.binary()) if not pa.types.is_binary(values.type) else values)


def constant(value: str, n: int) -> Fixed:
    """Encode the same text for all rows."""
    return Fixed(np.broadcast_to(np.frombuffer(value.encode(), np.uint8), (n, len(value.encode()))))


def fixed_text(values: np.ndarray) -> Fixed:
    """Encode text of ASCII characters that all have the same length, from an array of bytes (`S9`)."""
    return Fixed(_cells(values))


def json(values: pa.Array) -> Varying:
    """Encode JSON text as jsonb."""
    return Varying(values.cast(pa.binary()), b"\x01")


def points(lon: np.ndarray, lat: np.ndarray) -> Fixed:
    """Encode points, EPSG:4490, as EWKB; NULL where the longitude is NaN."""
    cells = np.empty((len(lon), 25), np.uint8)
    cells[:, :9] = _POINT
    cells[:, 9:17] = _cells(lon.astype("<f8"))
    cells[:, 17:25] = _cells(lat.astype("<f8"))
    return Fixed(cells, _some(np.isnan(lon)))


def text_lists(values: pa.ListArray) -> Varying:
    """Encode lists of text as text[]; null lists are empty."""
    child = values.values
    encoded = _join(_pieces(text(child), len(child)))
    ends = np.frombuffer(encoded.buffers()[1], np.int32, len(encoded) + 1, encoded.offset * 4)
    offsets = values.offsets.to_numpy()
    n = np.diff(offsets).astype(">i4")
    head = np.zeros((len(values), 20), np.uint8)
    head[:, 3] = 1
    head[:, 11] = 25
    head[:, 12:16] = _cells(n)
    head[:, 19] = 1
    empty = n == 0
    heads = _fixed_array(head)
    none = pa.scalar(bytes(8) + (25).to_bytes(4, "big"), pa.binary())
    bodies = pa.Array.from_buffers(
        pa.binary(), len(values), [None, pa.py_buffer(ends[offsets].astype(np.int32)), encoded.buffers()[2]]
    )
    return Varying(_join([pc.if_else(pa.array(empty), none, heads), bodies]))


def encode(fields: Sequence[Field], n: int) -> memoryview:
    """Encode `n` rows of these fields, in order; goes between `HEADER` and `TRAILER`."""
    if not n:
        return memoryview(b"")
    pieces: list[pa.Array] = []
    block = [_cells(np.full(n, len(fields), ">i2"))]
    for field in fields:
        if isinstance(field, Fixed) and field.gone is None:
            width = field.cells.shape[1]
            block += [np.broadcast_to(_cells(np.array([width], ">i4")), (n, 4)), field.cells]
            continue
        head, *rest = _pieces(field, n)
        block.append(head)
        pieces.append(_fixed_array(np.concatenate(block, axis=1)))
        pieces += rest
        block = []
    if block:
        pieces.append(_fixed_array(np.concatenate(block, axis=1)))
    return memoryview(_values(_join(pieces)))


def _pieces(field: Field, n: int) -> list:  # type: ignore[type-arg]
    """Lengths of a field as cells, then its values with nothing where they are NULL."""
    if isinstance(field, Fixed):
        gone = field.gone if field.gone is not None else np.zeros(n, bool)
        length = np.where(gone, -1, field.cells.shape[1])
        values = _fixed_array(field.cells)
        values = pc.if_else(pa.array(gone), pa.scalar(b"", pa.binary()), values)
        return [_cells(length.astype(">i4")), values]
    values = field.values
    length = plain(pc.binary_length(values), -1)
    if field.head:
        length = np.where(length < 0, -1, length + len(field.head))
        values = pc.binary_join_element_wise(pa.scalar(field.head, pa.binary()), values, pa.scalar(b"", pa.binary()))
    return [_cells(length.astype(">i4")), pc.fill_null(values, b"") if values.null_count else values]


def _join(pieces: list) -> pa.Array:  # type: ignore[type-arg]
    arrays = [_fixed_array(p) if isinstance(p, np.ndarray) else p for p in pieces]
    return arrays[0] if len(arrays) == 1 else pc.binary_join_element_wise(*arrays, pa.scalar(b"", pa.binary()))


def _fixed_array(cells: np.ndarray) -> pa.Array:
    n, width = cells.shape
    offsets = np.arange(n + 1, dtype=np.int32) * np.int32(width)
    data = np.ascontiguousarray(cells)
    return pa.Array.from_buffers(pa.binary(), n, [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def _values(array: pa.Array) -> pa.Buffer:
    offsets = np.frombuffer(array.buffers()[1], np.int32, len(array) + 1, array.offset * 4)
    return array.buffers()[2].slice(int(offsets[0]), int(offsets[-1] - offsets[0]))


def _cells(values: np.ndarray) -> np.ndarray:
    values = np.ascontiguousarray(values)
    return values.view(np.uint8).reshape(len(values), values.dtype.itemsize)


def _some(gone: np.ndarray | None) -> np.ndarray | None:
    return gone if gone is not None and gone.any() else None
