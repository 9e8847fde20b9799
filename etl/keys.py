"""Hashes of whole columns, and what is remembered of a file's keys while it is read.

Hashes are 64 bits, keyed by a seed, made eight bytes of text at a time for all rows at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.masks import missing

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S32 = np.uint64(32)
_KEEP = np.array([0, *((1 << (8 * k)) - 1 for k in range(1, 8)), 0xFFFFFFFFFFFFFFFF], np.uint64)
_CHUNK = 16_384
"""Rows hashed at a time: what is worked on stays in the processor's cache."""
_PIECE = 64
"""Bytes of a value hashed as one; of a longer one the hashes of its pieces are added up, so that few cost little."""
_SHARES = np.arange(1, 16, dtype=np.uint64) << np.uint64(60)
"""Where the shares of remembered hashes begin, but for the first."""
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)


def hash_rows(columns: Sequence[pa.Array], n: int, seed: int) -> np.ndarray:
    """Hash rows over all their columns; missing differs from empty, and the order of columns counts."""
    total = np.full(n, np.uint64(seed & 0xFFFFFFFFFFFFFFFF))
    for start in range(0, n, _CHUNK):
        part = slice(start, start + _CHUNK)
        for column in columns:
            total[part] = _mix((total[part] ^ hash_column(column[part])) * _MIX_1 + _GOLDEN)
    return total


def join_hashes(hashes: Sequence[np.ndarray], n: int, seed: int) -> np.ndarray:
    """Hash rows as `hash_rows` does, from the hashes that `hash_column` made of their columns."""
    total = np.full(n, np.uint64(seed & 0xFFFFFFFFFFFFFFFF))
    for hashed in hashes:
        total = _mix((total ^ hashed) * _MIX_1 + _GOLDEN)
    return total


def hash_column(column: pa.Array) -> np.ndarray:
    """Hash every value of a column."""
    kind = column.type
    if pa.types.is_list(kind):
        column = pc.binary_join(column, ",")
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        hashed = _hash_bytes(column)
    else:
        if pa.types.is_boolean(kind):
            column = column.cast(pa.int8())
        plain = pc.fill_null(column, 0) if column.null_count and not pa.types.is_temporal(kind) else column
        if pa.types.is_temporal(kind):
            width = pa.int32() if pa.types.is_date32(kind) else pa.int64()
            plain = pc.fill_null(column.cast(width), 0)
        values = plain.to_numpy(zero_copy_only=False)
        bits = values.view(np.uint64) if values.dtype.itemsize == 8 else values.astype(np.int64).view(np.uint64)
        hashed = _mix(bits + _GOLDEN)
    if column.null_count:
        hashed[missing(column)] = np.uint64(0)
    return hashed


def _mix(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> _S30)) * _MIX_1
    x ^= x >> _S27
    x *= _MIX_2
    x ^= x >> _S31
    return x


def _hash_bytes(column: pa.Array) -> np.ndarray:
    offsets = np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, column.offset * 4).astype(np.int64)
    first = int(offsets[0]) if len(offsets) else 0
    start, length = offsets[:-1] - first, np.diff(offsets)
    size = int(length.sum())
    padded = np.zeros(size + 8, np.uint8)
    if size:
        padded[:size] = np.frombuffer(column.buffers()[2], np.uint8, size, first)
    # every address read as eight bytes, whatever its alignment
    words = np.lib.stride_tricks.as_strided(padded[:8].view(np.uint64), (size + 1,), (1,))
    if length.max(initial=0) <= _PIECE:
        return _hash_pieces(words, start, length)
    n_pieces = np.maximum(-(-length // _PIECE), 1)
    first = np.cumsum(n_pieces) - n_pieces
    number = np.arange(int(n_pieces.sum())) - np.repeat(first, n_pieces)
    before = number * _PIECE
    own = np.minimum(np.repeat(length, n_pieces) - before, _PIECE)
    hashed = _hash_pieces(words, np.repeat(start, n_pieces) + before, own)
    later = np.flatnonzero(number)
    hashed[later] = _mix(hashed[later] + number[later].astype(np.uint64) * _GOLDEN)
    return np.asarray(np.add.reduceat(hashed, first))


def _hash_pieces(words: np.ndarray, start: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Hash pieces of text by where they start and how long they are."""
    total = (length + 1).astype(np.uint64) * _GOLDEN
    rows: Any = slice(None)
    for at in range(0, int(length.max(initial=1)), 8):  # the first eight bytes of nothing too
        if at:
            rows = np.flatnonzero(length > at)
        word = words[start[rows] + at] & _KEEP[np.minimum(length[rows] - at, 8)]
        mixed = (total[rows] ^ word) * _MIX_2
        total[rows] = mixed ^ (mixed >> _S32)
    return _mix(total)


class SeenKeys:
    """Keys met so far in one file, as sorted hashes: 8 bytes a key, few searches a batch.

    They lie in shares by their first bits, so that joining what was met takes the room of one share more and no copy of
    all of it.
    """

    def __init__(self) -> None:
        self._shares: list[list[np.ndarray]] = [[] for _ in range(len(_SHARES) + 1)]

    def repeated(self, hashes: np.ndarray) -> np.ndarray:
        """Mark the keys that stood earlier in this batch or in one before, and remember the others."""
        order = np.argsort(hashes, kind="stable")
        ranked = hashes[order]
        again = np.zeros(len(hashes), bool)
        again[1:] = ranked[1:] == ranked[:-1]
        bounds = [0, *np.searchsorted(ranked, _SHARES), len(ranked)]
        for runs, (start, end) in zip(self._shares, pairwise(bounds), strict=True):
            for run in runs:
                again[start:end] |= _among(ranked[start:end], run)
            _keep(runs, ranked[start:end][~again[start:end]])
        marked = np.zeros(len(hashes), bool)
        marked[order] = again
        return marked

    def copy(self) -> SeenKeys:
        """Remember the same, apart from this one."""
        other = SeenKeys()
        other._shares = [list(runs) for runs in self._shares]
        return other


def _keep(runs: list[np.ndarray], run: np.ndarray) -> None:
    """Add a sorted run, joined with those before it that are not much longer, so that runs stay few."""
    while runs and len(runs[-1]) <= 2 * len(run):
        run = np.concatenate([runs.pop(), run])
        run.sort()
    runs.append(run)


class Ordinals:
    """How often each hash was met so far in one file: keeps repeats of a whole row apart by their ordinal."""

    def __init__(self) -> None:
        self._hashes = np.zeros(0, np.uint64)
        self._counts = np.zeros(0, np.int64)

    def take(self, hashes: np.ndarray) -> np.ndarray:
        """Number each hash: 1 for the first time it is met, 2 for the second, through all batches."""
        values, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        before = np.zeros(len(values), np.int64)
        if len(self._hashes):
            at = np.minimum(np.searchsorted(self._hashes, values), len(self._hashes) - 1)
            known = self._hashes[at] == values
            before[known] = self._counts[at[known]]
        order = np.argsort(inverse, kind="stable")
        first = np.cumsum(counts) - counts
        rank = np.empty(len(hashes), np.int64)
        rank[order] = np.arange(len(hashes)) - np.repeat(first, counts)
        joined = np.concatenate([self._hashes, values])
        total = np.concatenate([self._counts, counts])
        self._hashes, inverse_all = np.unique(joined, return_inverse=True)
        self._counts = np.bincount(inverse_all, total, len(self._hashes)).astype(np.int64)
        return rank + before[inverse] + 1

    def copy(self) -> Ordinals:
        """Remember the same, apart from this one."""
        other = Ordinals()
        other._hashes, other._counts = self._hashes, self._counts
        return other


def _among(ranked: np.ndarray, run: np.ndarray) -> np.ndarray:
    if not len(run):
        return np.zeros(len(ranked), bool)
    found: np.ndarray = run[np.minimum(np.searchsorted(run, ranked), len(run) - 1)] == ranked
    return found


def among(hashes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mark the hashes that are among the sorted known ones."""
    order = np.argsort(hashes, kind="stable")
    found = np.zeros(len(hashes), bool)
    found[order] = _among(hashes[order], known)
    return found
