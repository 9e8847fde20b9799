"""The release gate: attacks what is about to be published, and says which breakdowns must not go out at which level.

The attacker knows the method and all figures ever published, not the key. Two attacks are made. Breakdowns that share
a dimension speak of the same people twice; at every grid, each cell is held between what the two say, and said last
month. Then linear programming (HiGHS) is let loose on families, a grid with its children, with every breakdown, total
and last month. A finding is a count shown as 0 or 10 that can be held to less than the whole of 1 to 9.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array, vstack

from layers.declare.records import Breakdown
from layers.privacy import BASE

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Told = tuple[Ints, Ints | None]
"""Figures of a breakdown now and the month before."""
_NEAR = BASE - 1
_SLACK = 1e-6


def margins(one: Breakdown, other: Breakdown) -> Iterator[tuple[Ints, Ints]]:
    """Yield pairs of cells of two breakdowns, by position, that hold the same people.

    They are the values of the dimensions both have, and of bands the coarsest that both tell apart.
    """
    shared = [d for d in one.by if d in other.by and _is_same(one, other, d)]
    if not shared:
        return
    groups_1, groups_2 = (_groups(this, that, shared) for this, that in ((one, other), (other, one)))
    for group in sorted(set(groups_1) | set(groups_2)):
        yield np.array(groups_1.get(group, []), dtype=np.int64), np.array(groups_2.get(group, []), dtype=np.int64)


def narrowed(one: Told, other: Told, pairs: Sequence[tuple[Ints, Ints]]) -> NDArray[np.bool_]:
    """Return the rows (grids) at which two overlapping breakdowns narrow a small count of either.

    Parameters
    ----------
    one, other
        Figures of each, grids by cells, and those of the month before where they are believed to be of the same people:
        -1 where there are none, None where there are none at all.
    pairs
        Cells of both that hold the same people, from `margins`.
    """
    found = np.zeros(len(one[0]), dtype=bool)
    bounds_1, bounds_2 = _believed(*one), _believed(*other)
    for cells_1, cells_2 in pairs:
        for figures, (low_1, high_1), (low_2, high_2), mine_at, others_at in (
            (one[0], bounds_1, bounds_2, cells_1, cells_2),
            (other[0], bounds_2, bounds_1, cells_2, cells_1),
        ):
            mine, low, high = figures[:, mine_at], low_1[:, mine_at], high_1[:, mine_at]
            low_all, high_all = low_2[:, others_at], high_2[:, others_at]
            most = high_all.sum(axis=1, keepdims=True) - (low.sum(axis=1, keepdims=True) - low)
            least = low_all.sum(axis=1, keepdims=True) - (high.sum(axis=1, keepdims=True) - high)
            is_small = mine <= BASE
            found |= (is_small & ((most < _NEAR) | (least > 1))).any(axis=1)
    return found


def attack(
    breakdowns: Sequence[Breakdown],
    children: Mapping[str, Ints],
    parent: Mapping[str, Ints],
    last: Mapping[str, Ints],
    targets: Sequence[tuple[str, int, int]],
    *,
    exactly: bool = False,
) -> list[tuple[str, int, int]]:
    """Attack a family by linear programming; return the targets (breakdown, child, cell) that were narrowed.

    Parameters
    ----------
    breakdowns
        Those published at the level of the children.
    children
        Figures of each breakdown, children by cells; a rest is one of the children, with what can be worked out.
    parent
        Figures of the grid above, one for each cell.
    last
        Figures of the children in the month before, believed to be of the same people; -1 where
        there are none.
    targets
        Cells to attack.
    exactly
        Return those alone that were recovered: held to one count.
    """
    if not targets:
        return []
    program = _Program(breakdowns, children, parent, last)
    if not program.is_possible():
        program = _Program(breakdowns, children, parent, {})  # people did move: the attacker learns he was wrong
    return [target for target in targets if (program.recovers if exactly else program.narrows)(*target)]


class _Program:
    """What an attacker knows of a family, as a linear program over the true counts."""

    def __init__(
        self,
        breakdowns: Sequence[Breakdown],
        children: Mapping[str, Ints],
        parent: Mapping[str, Ints],
        last: Mapping[str, Ints],
    ) -> None:
        self.at: dict[str, Ints] = {}
        start = 0
        for one in breakdowns:
            shape = children[one.key].shape
            self.at[one.key] = start + np.arange(shape[0] * shape[1]).reshape(shape)
            start += shape[0] * shape[1]
        self.n = start
        low, high = np.zeros(start), np.zeros(start)
        equal: list[tuple[Ints, Ints]] = []
        limited: list[tuple[Ints, int]] = []
        for one in breakdowns:
            at, figures = self.at[one.key], children[one.key]
            low[at], high[at] = _bounds(figures)
            if one.key in last:
                low_then, high_then = _bounds(last[one.key])
                told = last[one.key] >= 0
                low[at] = np.where(told, np.maximum(low[at], low_then), low[at])
                high[at] = np.where(told, np.minimum(high[at], high_then), high[at])
            limited += [(at[:, cell], int(n)) for cell, n in enumerate(parent[one.key])]
            limited += [(row, int(n)) for row, n in zip(at, figures.sum(axis=1), strict=True)]
        for one, other in combinations(breakdowns, 2):
            for cells_1, cells_2 in margins(one, other):
                equal += list(zip(self.at[one.key][:, cells_1], self.at[other.key][:, cells_2], strict=True))
        for one, other in pairwise(breakdowns):
            equal += list(zip(self.at[one.key], self.at[other.key], strict=True))
        self.bounds = np.stack([low, high], axis=1)
        self.equal = self._rows([plus for plus, _ in equal]) - self._rows([minus for _, minus in equal])
        sums, figure = self._rows([cells for cells, _ in limited]), np.array([n for _, n in limited], dtype=float)
        self.sums = vstack([sums, -sums])
        self.limits = np.concatenate([figure + _NEAR, _NEAR - figure])

    def _rows(self, cells: Sequence[Ints]) -> coo_array:
        rows = np.repeat(np.arange(len(cells)), [len(one) for one in cells])
        columns = np.concatenate(cells) if cells else np.array([], dtype=np.int64)
        return coo_array((np.ones(len(columns)), (rows, columns)), shape=(len(cells), self.n)).tocsr()

    def _least(self, aim: Floats) -> float | None:
        has_equal = self.equal.shape[0] > 0
        found = linprog(
            aim,
            A_ub=self.sums,
            b_ub=self.limits,
            A_eq=self.equal if has_equal else None,
            b_eq=np.zeros(self.equal.shape[0]) if has_equal else None,
            bounds=self.bounds,
            method="highs",
        )
        return float(found.fun) if found.status == 0 else None

    def is_possible(self) -> bool:
        """Whether any counts at all fit what is believed."""
        return bool((self.bounds[:, 0] <= self.bounds[:, 1]).all()) and self._least(np.zeros(self.n)) is not None

    def narrows(self, breakdown: str, child: int, cell: int) -> bool:
        """Whether a count can be held to less than the whole of 1 to 9."""
        least, most = self._range(breakdown, child, cell)
        return least > 1 + _SLACK or most < _NEAR - _SLACK

    def recovers(self, breakdown: str, child: int, cell: int) -> bool:
        """Whether a count can be held to less than two counts."""
        least, most = self._range(breakdown, child, cell)
        return most - least < 1 - _SLACK

    def _range(self, breakdown: str, child: int, cell: int) -> tuple[float, float]:
        """Least and most a count can be; nothing at all where no counts fit."""
        aim = np.zeros(self.n)
        aim[self.at[breakdown][child, cell]] = 1
        least, most = self._least(aim), self._least(-aim)
        return (np.inf, -np.inf) if least is None or most is None else (least, -most)


def _believed(figures: Ints, then: Ints | None) -> tuple[Ints, Ints]:
    """Bounds of counts by what is shown and by what was: where the two contradict each other, by what is shown."""
    low, high = _bounds(figures)
    if then is None:
        return low, high
    low_then, high_then = _bounds(then)
    fits = (then >= 0) & (np.maximum(low, low_then) <= np.minimum(high, high_then))
    return np.where(fits, np.maximum(low, low_then), low), np.where(fits, np.minimum(high, high_then), high)


def _bounds(figures: Ints) -> tuple[Ints, Ints]:
    return np.maximum(figures - _NEAR, 0), figures + _NEAR


def _is_same(one: Breakdown, other: Breakdown, dimension: str) -> bool:
    keys = {"register": ("register",), "near": ("near", "within_m")}.get(dimension, ())
    return all(getattr(one, key) == getattr(other, key) for key in keys)


def _groups(this: Breakdown, that: Breakdown, shared: Sequence[str]) -> dict[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = {}
    for at, cell in enumerate(this.cells):
        values = dict(zip(this.by, cell.split("."), strict=True))
        found.setdefault(tuple(_coarse(values[one], this, that, one) for one in shared), []).append(at)
    return found


def _coarse(value: str, this: Breakdown, that: Breakdown, dimension: str) -> str:
    """Return the last beginning of a band at or below this one that both breakdowns have."""
    if dimension not in ("age", "household_size") or not value.isdigit():
        return value
    both = set(this.values_of(dimension)) & set(that.values_of(dimension))
    return str(max(int(one) for one in both if one.isdigit() and int(one) <= int(value)))
