"""Comparison: the values of an indicator beside those of another period, or beside the mean of the siblings.

The mean of the siblings is that of the other grids with the same parent. Of a rate it is their numerators summed and
divided by their denominators summed, never a mean of rates; of a count, the mean count.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layers.codes import LENGTHS, level_of, parent_of
from layers.periods import Period

Against = Literal["none", "previous", "year", "siblings"]

AGAINSTS: tuple[Against, ...] = get_args(Against)
"""What values can be compared with: nothing, the period before, the same period a year before, the siblings."""


def period_before(period: Period, against: Against) -> Period | None:
    """Period to compare one with; None where the comparison is not with a period."""
    if against not in ("previous", "year"):
        return None
    if period.step == "year":
        return Period(period.number - 1)
    if period.step == "day":
        return None
    year, month = divmod(period.number, 100)
    if against == "year":
        return Period((year - 1) * 100 + month)
    return Period(year * 100 + month - 1 if month > 1 else (year - 1) * 100 + 12)


def siblings_mean(frame: pd.DataFrame, factor: float) -> NDArray[np.float64]:
    """Mean of the siblings of each grid; NaN where it has none with data.

    Parameters
    ----------
    frame
        As `layers.indicators.values` gives it: grids of one level, with all of their siblings.
    factor
        The indicator's.
    """
    if not len(frame):
        return np.empty(0)
    above = parent_of(str(frame["grid_code"].iloc[0]))
    digits = 0 if above is None else LENGTHS[level_of(above)]
    parent = frame["grid_code"].str[:digits]
    over = frame["numerator"].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    under = frame["denominator"].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    is_rate = bool(np.isfinite(under).any())
    known = np.isfinite(over) & (np.isfinite(under) if is_rate else True)
    parts = pd.DataFrame({"over": np.where(known, over, 0), "under": np.where(known, under, 0) if is_rate else known})
    parts = parts.astype("float64")
    others = parts.groupby(parent.to_numpy()).transform("sum") - parts
    found = np.full(len(frame), np.nan)
    np.divide(others["over"] * factor, others["under"], out=found, where=(others["under"] > 1e-9).to_numpy())
    return found


def change_breaks(change: NDArray[np.float64], digits: int, n: int = 3) -> NDArray[np.float64]:
    """Breaks of the classes of changes: `n` below nought and `n` above it, as far apart on both sides, one between."""
    size = np.abs(change[np.isfinite(change) & (change != 0)])
    if not len(size):
        return np.empty(0)
    least = 10.0**-digits
    marks = np.unique(np.maximum(np.round(np.quantile(size, np.arange(n) / n), digits), least))
    return np.concatenate([-marks[::-1] + least / 2, marks - least / 2])
