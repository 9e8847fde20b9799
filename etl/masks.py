"""From Arrow columns to numpy and back: masks and plain values."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]


def flags(values: pa.Array) -> Mask:
    """Boolean column as a mask; missing is False."""
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), dtype=np.bool_)


def present(values: pa.Array) -> Mask:
    """Which values are there."""
    if not values.null_count:
        return np.ones(len(values), bool)
    return np.asarray(values.is_valid().to_numpy(zero_copy_only=False), dtype=np.bool_)


def missing(values: pa.Array) -> Mask:
    """Which values are not there."""
    return ~present(values)


def matches(values: pa.Array, pattern: str) -> Mask:
    """Which texts match a pattern; missing ones do not."""
    return flags(pc.match_substring_regex(values, pattern))


def plain(values: pa.Array, nothing: Any = 0) -> npt.NDArray[Any]:
    """Values as numpy, `nothing` where they are missing."""
    filled = pc.fill_null(values, nothing) if values.null_count else values
    return np.asarray(filled.to_numpy(zero_copy_only=False))


def where(values: pa.Array, mask: Mask) -> pa.Array:
    """The values inside a mask, null outside."""
    return values if mask.all() else pc.if_else(pa.array(mask), values, pa.scalar(None, values.type))
