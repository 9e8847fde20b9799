"""Colour classes: the one place where values become classes, for the map's legend and for a notebook alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.declare.records import Indicator

NO_DATA = 0
"""Class of a grid without data; the others count from 1, low to high."""

_DISTINCT_MAX = 512
"""So many different values are told apart by natural breaks; more are first put together by rank."""


def classes(values: ArrayLike, indicator: Indicator) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Put values into the colour classes an indicator declares; a class is a half-open span of values.

    Parameters
    ----------
    values
        One for each grid; NaN where there is no data.
    indicator
        Its `classes`, `n_classes`, `breaks` and `digits` are used.

    Returns
    -------
    breaks
        Lower ends of the second class and of those after it, rising, rounded to the indicator's digits. Fewer than
        declared where the values do not differ enough; none when they are all the same, or there are none.
    classes
        One for each value: 0 for no data, else 1 + the number of breaks not above it.
    """
    given = np.asarray(values, dtype=np.float64)
    known = given[np.isfinite(given)]
    breaks = _breaks(known, indicator)
    found = np.where(np.isfinite(given), 1 + np.searchsorted(breaks, given, side="right"), NO_DATA)
    return breaks, found.astype(np.uint8)


def _breaks(known: NDArray[np.float64], indicator: Indicator) -> NDArray[np.float64]:
    if indicator.classes == "fixed":
        return np.asarray(indicator.breaks, dtype=np.float64)
    if not len(known) or known.min() == known.max():
        return np.empty(0)
    low, high, n = known.min(), known.max(), indicator.n_classes
    match indicator.classes:
        case "equal":
            raw = np.linspace(low, high, n + 1)[1:-1]
        case "natural":
            raw = natural_breaks(known, n)
        case _:
            raw = np.quantile(known, np.arange(1, n) / n)
    raw = np.unique(raw[raw > low])
    rounded = np.unique(np.round(raw, indicator.digits))
    rounded = rounded[(rounded > low) & (rounded <= high)]
    return rounded if len(rounded) else raw


def natural_breaks(known: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Find the breaks that make the values inside each class differ least (Jenks), by dynamic programming.

    Exact for up to 512 different values; more are put together by rank first, which moves a break by one such step.

    Returns
    -------
    The lowest value of each class but the first; fewer than `n` - 1 when there are fewer than `n` different values.
    """
    value, weight = np.unique(known, return_counts=True)
    start = value
    if len(value) > _DISTINCT_MAX:
        first = np.unique(np.linspace(0, len(value), _DISTINCT_MAX, endpoint=False).astype(np.int64))
        start, total = value[first], np.add.reduceat(value * weight, first)
        weight = np.add.reduceat(weight, first)
        value = total / weight
    n = min(n, len(value))
    value = value - value.mean()
    counts, sums, squares = (np.concatenate([[0.0], np.cumsum(weight * value**power)]) for power in (0, 1, 2))
    # spread[i, j]: sum of squared distances from their mean of the values i .. j-1
    width = np.maximum(counts[None, :] - counts[:, None], 1.0)
    spread = (squares[None, :] - squares[:, None]) - (sums[None, :] - sums[:, None]) ** 2 / width
    spread[np.tril_indices(len(counts), -1)] = np.inf
    best, cuts = spread[0], []
    for _ in range(n - 1):
        through = best[:, None] + spread
        np.fill_diagonal(through, np.inf)  # no class is empty
        cuts.append(through.argmin(axis=0))
        best = through.min(axis=0)
    at, found = len(value), []
    for cut in reversed(cuts):
        at = int(cut[at])
        found.append(start[at])
    return np.array(found[::-1])
