"""The release gate: attacks what is about to be published, and says which breakdowns must not go out at which level.

The attacker knows the method, all figures ever published, and in which grids nothing has changed since; not the key.
Two attacks are made. Breakdowns that share a dimension speak of the same people twice; at every grid, each cell is held
between what the two say. Then linear programming (HiGHS) is let loose on families, a grid with its children, with every
breakdown and total. A finding is a count shown as 0 or 10 that can be held to less than the whole of 1 to 9.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array, vstack

from layers.declare.records import Breakdown
from layers.privacy import BASE

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_NEAR = BASE - 1
_SLACK = 1e-6


class Seen(NamedTuple):
    """Figures as an attacker sees them, and between what he knows the counts to lie."""

    figures: Ints
    low: Ints
    high: Ints

    def at(self, rows: Ints | int) -> Seen:
        """Those of some rows."""
        return Seen(self.figures[rows], self.low[rows], self.high[rows])


def seen(figures: Ints, least: Ints | None = None, most: Ints | None = None) -> Seen:
    """Say between what counts lie by what is shown of them, and was since they are what they are.

    Parameters
    ----------
    figures
        What is shown.
    least, most
        Lowest and highest figure shown of the same count before; -1 where there is none.
    """
    low, high = figures, figures
    if least is not None and most is not None:
        low, high = np.maximum(figures, most), np.where(least < 0, figures, np.minimum(figures, least))
    return Seen(figures, np.maximum(low - _NEAR, 0), high + _NEAR)


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


def narrowed(one: Seen, other: Seen, pairs: Sequence[tuple[Ints, Ints]]) -> NDArray[np.bool_]:
    """Return the rows (grids) at which two overlapping breakdowns narrow a small count of either.

    Parameters
    ----------
    one, other
        What is seen of each, grids by cells.
    pairs
        Cells of both that hold the same people, from `margins`.
    """
    found = np.zeros(len(one.figures), dtype=bool)
    for cells_1, cells_2 in pairs:
        for this, that, mine_at, others_at in ((one, other, cells_1, cells_2), (other, one, cells_2, cells_1)):
            mine, low, high = this.figures[:, mine_at], this.low[:, mine_at], this.high[:, mine_at]
            low_all, high_all = that.low[:, others_at], that.high[:, others_at]
            most = high_all.sum(axis=1, keepdims=True) - (low.sum(axis=1, keepdims=True) - low)
            least = low_all.sum(axis=1, keepdims=True) - (high.sum(axis=1, keepdims=True) - high)
            is_small = mine <= BASE
            found |= (is_small & ((most < _NEAR) | (least > 1))).any(axis=1)
    return found


def attack(
    breakdowns: Sequence[Breakdown],
    children: Mapping[str, Seen],
    parent: Mapping[str, Seen],
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
        What is seen of each breakdown, children by cells; a rest is one of the children, with what can be worked out.
    parent
        What is seen of the grid above, one for each cell.
    targets
        Cells to attack.
    exactly
        Return those alone that were recovered: held to one count.
    """
    if not targets:
        return []
    program = _Program(breakdowns, children, parent)
    return [target for target in targets if (program.recovers if exactly else program.narrows)(*target)]


class _Program:
    """What an attacker knows of a family, as a linear program over the true counts."""

    def __init__(
        self, breakdowns: Sequence[Breakdown], children: Mapping[str, Seen], parent: Mapping[str, Seen]
    ) -> None:
        self.at: dict[str, Ints] = {}
        start = 0
        for one in breakdowns:
            shape = children[one.key].figures.shape
            self.at[one.key] = start + np.arange(shape[0] * shape[1]).reshape(shape)
            start += shape[0] * shape[1]
        self.n = start
        bounds = np.zeros((start, 2))
        equal: list[tuple[Ints, Ints]] = []
        limited: list[tuple[Ints, int, int]] = []
        for one in breakdowns:
            at, (figures, low, high) = self.at[one.key], children[one.key]
            bounds[at, 0], bounds[at, 1] = low, high
            above = parent[one.key]
            limited += list(zip(at.T, above.low.tolist(), above.high.tolist(), strict=True))
            totals = figures.sum(axis=1)
            limited += list(zip(at, (totals - _NEAR).tolist(), (totals + _NEAR).tolist(), strict=True))
        for one, other in combinations(breakdowns, 2):
            for cells_1, cells_2 in margins(one, other):
                equal += list(zip(self.at[one.key][:, cells_1], self.at[other.key][:, cells_2], strict=True))
        for one, other in pairwise(breakdowns):
            equal += list(zip(self.at[one.key], self.at[other.key], strict=True))
        self.bounds = bounds
        self.equal = self._rows([plus for plus, _ in equal]) - self._rows([minus for _, minus in equal])
        sums = self._rows([cells for cells, _, _ in limited])
        low, high = (np.array([one[at] for one in limited], dtype=float) for at in (1, 2))
        self.sums = vstack([sums, -sums])
        self.limits = np.concatenate([high, -low])

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
