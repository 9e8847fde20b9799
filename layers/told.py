"""Told: what earlier releases have told of the counts of people, and of which counts it still speaks.

Somebody who knows that in a grid nobody came, went or aged may lay all releases together. So a release needs what was
published before, and the true counts it was made from: where these are what they were, the figures should stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from layers.cube import Cube, Ints

TOTAL = "all"
"""Breakdown and cell of all people together."""
NONE = -1
"""Figure of what was not published, and count of what was not known."""


@dataclass(frozen=True)
class Told:
    """What was told of a tree of nodes by breakdown, nodes by cells; `NONE` where there is nothing."""

    counts: Mapping[str, Ints] = field(default_factory=dict)
    """True counts when the last release was made."""
    figures: Mapping[str, Ints] = field(default_factory=dict)
    """What it published."""
    least: Mapping[str, Ints] = field(default_factory=dict)
    """Lowest figure published while the node was in all counts what it was then."""
    most: Mapping[str, Ints] = field(default_factory=dict)
    """Highest such figure."""

    def same_cells(self, cube: Cube, key: str) -> NDArray[np.bool_]:
        """Where a count is what it was, and has a figure."""
        now = counts_of(cube, key)
        if key not in self.counts:
            return np.zeros(now.shape, dtype=bool)
        same: NDArray[np.bool_] = (self.counts[key] == now) & (self.figures[key] != NONE)
        return same

    def same_nodes(self, cube: Cube) -> NDArray[np.bool_]:
        """Where all counts that were known are what they were."""
        same = np.zeros(len(cube.names), dtype=bool)
        if TOTAL in self.counts:
            same |= (self.counts[TOTAL] == counts_of(cube, TOTAL))[:, 0]
        for key in cube.parts:
            if key in self.counts:
                was = self.counts[key]
                same &= ((was == cube.parts[key]) | (was == NONE)).all(axis=1)
        return same

    def unmoved(self, cube: Cube, key: str) -> Ints:
        """Figures that must stay, of nodes in which nothing has changed: the last one shown, or the one before.

        Not those of merged grids, which were never shown themselves: what can be told of them is not between figures.
        """
        if key not in self.figures:
            return np.full(counts_of(cube, key).shape, NONE, dtype=np.int64)
        figures, least, most = self.figures[key], self.least[key], self.most[key]
        shown = np.where(
            figures == NONE, np.where(least == most, least, NONE), np.where(least <= figures, figures, NONE)
        )
        return np.where(self.same_nodes(cube)[:, None], shown, NONE)


def counts_of(cube: Cube, key: str) -> Ints:
    """Return the counts of a breakdown, or the totals as its only cell."""
    return cube.totals[:, None] if key == TOTAL else cube.parts[key]


def told_with(told: Told, cube: Cube, figures: Mapping[str, Ints]) -> Told:
    """Return what is told after a release.

    Parameters
    ----------
    told
        What was told before, of the nodes of the cube.
    cube
        True counts.
    figures
        What is published of each breakdown and of the total, `NONE` where it is withheld.
    """
    same = told.same_nodes(cube)[:, None]
    least, most = {}, {}
    for key, shown in figures.items():
        was = told.least.get(key), told.most.get(key)
        low, high = (np.full_like(shown, NONE) if one is None else np.where(same, one, NONE) for one in was)
        least[key] = np.where((low == NONE) | ((shown != NONE) & (shown < low)), shown, low)
        most[key] = np.where(shown > high, shown, high)
    return Told({key: counts_of(cube, key) for key in figures}, dict(figures), least, most)


def placed(told: Told, names: Sequence[str], wanted: Sequence[str]) -> Told:
    """Bring what was told of some nodes into the order of others; what is new has nothing told."""
    position = {name: at for at, name in enumerate(names)}
    at = np.array([position.get(name, len(names)) for name in wanted], dtype=np.int64)

    def moved(parts: Mapping[str, Ints]) -> dict[str, Ints]:
        return {key: np.vstack([one, np.full((1, one.shape[1]), NONE)])[at] for key, one in parts.items()}

    return Told(moved(told.counts), moved(told.figures), moved(told.least), moved(told.most))
