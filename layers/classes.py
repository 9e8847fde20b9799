"""Colour classes: the one place where values become classes, for the map's legend and for a notebook alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.declare.records import Indicator

NO_DATA = 0
"""Class of a grid without data; the others count from 1, low to high."""

_DISTINCT_MAX = 512
"""Among so many places the best natural breaks are sought at once."""


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
            raw = _quantiles(known, n)
    raw = np.unique(raw[raw > low])
    rounded = np.unique(np.round(raw, indicator.digits))
    rounded = rounded[(rounded > low) & (rounded <= high)]
    return rounded if len(rounded) else raw


def _quantiles(known: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Breaks between classes of equally many values.

    Where one class could not hold all the lowest values, most often noughts, they are a class of their own, and the
    others share the rest: a city in which little happened is not drawn in two colours.
    """
    rest = known[known > known.min()]
    if n < 3 or len(known) - len(rest) <= len(known) / n:
        return np.quantile(known, np.arange(1, n) / n)
    return np.append(rest.min(), np.quantile(rest, np.arange(1, n - 1) / (n - 1)))


def natural_breaks(known: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Find the breaks that make the values inside each class differ least (Jenks), by dynamic programming.

    Exact for up to 512 different values. Of more, breaks are first sought between runs of equally many values, then
    among all values next to the ones found.

    Returns
    -------
    The lowest value of each class but the first; fewer than `n` - 1 when there are fewer than `n` different values.
    """
    value, weight = np.unique(known, return_counts=True)
    n, step = min(n, len(value)), -(-len(value) // _DISTINCT_MAX)
    found = _cut(value, weight, np.arange(0, len(value), step), n)
    if step > 1:
        near = found[:, None] + np.arange(-step, step + 1)[None, :]
        found = _cut(value, weight, np.unique(np.concatenate([[0], near.ravel().clip(0, len(value) - 1)])), n)
    return value[found]


def _cut(value: NDArray[np.float64], weight: NDArray[np.int64], starts: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Choose where classes begin among `starts`, positions in rising values; the first, 0, is not given back."""
    away = value - np.average(value, weights=weight)
    ends = np.append(starts, len(value))
    counts, sums, squares = (np.append(0.0, np.cumsum(weight * away**power))[ends] for power in (0, 1, 2))
    # spread[i, j]: squared distances from their mean of all values from start i up to start j
    width = np.maximum(counts[None, :] - counts[:, None], 1.0)
    spread = (squares[None, :] - squares[:, None]) - (sums[None, :] - sums[:, None]) ** 2 / width
    spread[np.tril_indices(len(ends))] = np.inf  # no class is empty
    best, steps = spread[0], []
    for _ in range(n - 1):
        through = best[:, None] + spread
        steps.append(through.argmin(axis=0))
        best = through.min(axis=0)
    at, found = len(starts), []
    for before in reversed(steps):
        at = int(before[at])
        found.append(starts[at])
    return np.array(found[::-1], dtype=np.int64)
