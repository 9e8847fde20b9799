"""The release gate: attacks what is about to be published, and says which breakdowns must not go out at which level.

The attacker knows the method, all figures ever published, and in which grids nothing has changed since; not the key.
Two attacks are made. Breakdowns that share a dimension speak of the same people twice; at every grid, each cell is held
between what the two say. Then linear programming (HiGHS) is let loose on families, a grid with its children, with every
breakdown and total. A finding is a count shown as 0 or 10 that may be one of 1 to 9, and not each of them; or that is 0
for certain. That a count is 10 or more is no finding: so two breakdowns may show the same 19 people as 10 and as 20.
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

    def of_cells(self, cells: Sequence[int]) -> Seen:
        """Those of some cells."""
        return Seen(self.figures[:, cells], self.low[:, cells], self.high[:, cells])


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
    shared = one.shares(other)
    if not shared:
        return
    groups_1, groups_2 = _groups(one, other, shared), _groups(other, one, shared)
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
            found |= ((mine <= BASE) & _is_told(least, most)).any(axis=1)
    return found


def homes_narrowed(homes: Seen, sizes: Seen, breakdown: Breakdown) -> NDArray[np.bool_]:
    """Return the rows (grids) at which how many households there are and how many people by size narrow a small count.

    Parameters
    ----------
    homes
        What is seen of one person of each household and of all others, grids by 2.
    sizes
        What is seen of a breakdown by the size of the household alone, grids by cells; those of none known are last.
    breakdown
        That breakdown, whose bands say between how many people a household of a cell has.
    """
    first = np.array(breakdown.sizes, dtype=float)
    last = np.append(first[1:] - 1, np.inf)
    low, high = (one[:, : len(first)] for one in (sizes.low, sizes.high))
    fewest, most_homes = low / last, high / first
    some, more = fewest.sum(axis=1), most_homes.sum(axis=1)
    least = first * (homes.low[:, :1] - (more[:, None] - most_homes))
    most = last * (homes.high[:, :1] - (some[:, None] - fewest))
    # whoever is not the one of a household, or has none that is known, is among the others
    least_alone = homes.low[:, 1] - (high - high / last).sum(axis=1)
    most_alone = homes.high[:, 1] - (low - low / first).sum(axis=1)
    is_told = np.column_stack([_is_told(least, most), _is_told(least_alone, most_alone), _is_told(some, more)])
    figures = np.column_stack([sizes.figures[:, : len(first)], sizes.figures[:, -1], homes.figures[:, 0]])
    return np.asarray(np.logical_and(figures <= BASE, is_told).any(axis=1))


def _is_told(least: Ints | Floats, most: Ints | Floats) -> NDArray[np.bool_]:
    """Say where counts that may be 1 to 9 cannot be all of these; solver's answers are a little off."""
    found: NDArray[np.bool_] = (most < _NEAR - _SLACK) | ((least > 1 + _SLACK) & (least < BASE - _SLACK))
    return found


class View(NamedTuple):
    """What is seen of a family in one month."""

    breakdowns: Sequence[Breakdown]
    """Those published at the level of the children."""
    children: Mapping[str, Seen]
    """Of each breakdown, children by cells; a rest is one of the children, with what can be worked out."""
    parent: Mapping[str, Seen]
    """Of the grid above, one for each cell."""
    totals: Seen | None = None
    """Of the totals of the children, where more is known than this month's figures."""


def attack(
    now: View,
    targets: Sequence[tuple[str, int, int]],
    *,
    then: View | None = None,
    same: Sequence[int] = (),
) -> list[tuple[str, int, int]]:
    """Attack a family by linear programming; return the targets (breakdown, child, cell) that were narrowed.

    Parameters
    ----------
    now
        What is seen of the family.
    targets
        Cells to attack.
    then
        What was seen of it in the release before.
    same
        Children in which nothing has changed since.
    """
    if not targets:
        return []
    return _Program(now, then, same).narrowed(targets)


class _Program:
    """What an attacker knows of a family, as a linear program over the true counts of one month or two."""

    def __init__(self, now: View, then: View | None, same: Sequence[int]) -> None:
        self.n = 0
        self.bounds: list[Floats] = []
        self.equals: list[tuple[Ints, Ints]] = []
        self.limited: list[tuple[Ints, int, int]] = []
        self.at = self._see(now)
        if then is not None:
            before = self._see(then)
            for key in set(before) & set(self.at):
                pairs = zip(before[key][same].ravel(), self.at[key][same].ravel(), strict=True)
                self.equals += [(np.array([one]), np.array([other])) for one, other in pairs]
        self.equal = self._rows([plus for plus, _ in self.equals]) - self._rows([minus for _, minus in self.equals])
        sums = self._rows([cells for cells, _, _ in self.limited])
        low, high = (np.array([one[at] for one in self.limited], dtype=float) for at in (1, 2))
        self.sums = vstack([sums, -sums])
        self.limits = np.concatenate([high, -low])
        self.limits_of_cells = np.concatenate(self.bounds)

    def _see(self, view: View) -> dict[str, Ints]:
        """Take in the counts of a month; return where those of each breakdown are."""
        places: dict[str, Ints] = {}
        for one in view.breakdowns:
            figures, low, high = view.children[one.key]
            at = places[one.key] = self.n + np.arange(figures.size).reshape(figures.shape)
            self.n += figures.size
            self.bounds.append(np.stack([low.ravel(), high.ravel()], axis=1).astype(float))
            above = view.parent[one.key]
            _, least, most = view.totals or seen(figures.sum(axis=1))
            self.limited += zip(at.T, above.low.tolist(), above.high.tolist(), strict=True)
            self.limited += zip(at, least.tolist(), most.tolist(), strict=True)
        for one, other in combinations(view.breakdowns, 2):
            for cells_1, cells_2 in margins(one, other):
                self.equals += zip(places[one.key][:, cells_1], places[other.key][:, cells_2], strict=True)
        for one, other in pairwise(view.breakdowns):
            self.equals += zip(places[one.key], places[other.key], strict=True)
        return places

    def _rows(self, cells: Sequence[Ints]) -> coo_array:
        rows = np.repeat(np.arange(len(cells)), [len(one) for one in cells])
        columns = np.concatenate(cells) if cells else np.array([], dtype=np.int64)
        return coo_array((np.ones(len(columns)), (rows, columns)), shape=(len(cells), self.n)).tocsr()

    def _least(self, aim: Floats, bounds: Floats | None = None) -> Floats | None:
        """Find counts that fit and make an aim least; None where there are none."""
        has_equal = self.equal.shape[0] > 0
        found = linprog(
            aim,
            A_ub=self.sums,
            b_ub=self.limits,
            A_eq=self.equal if has_equal else None,
            b_eq=np.zeros(self.equal.shape[0]) if has_equal else None,
            bounds=self.limits_of_cells if bounds is None else bounds,
            method="highs",
        )
        return found.x if found.status == 0 else None

    def narrowed(self, targets: Sequence[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
        """Return those that may be 1 to 9 and cannot be all of these."""
        at = np.array([self.at[key][child, cell] for key, child, cell in targets])
        doubted = self._not_together(at, 1) | self._not_together(at, _NEAR)
        found = [target for target, doubt in zip(targets, doubted, strict=True) if doubt]
        return [one for one in found if bool(_is_told(*map(np.array, self._range(*one))))]

    def _not_together(self, at: Ints, count: int) -> NDArray[np.bool_]:
        """Say which counts are not seen to be able to be 1, or 9, when many are asked for it together."""
        left = np.ones(len(at), dtype=bool)
        while left.any():
            aim, bounds = np.zeros(self.n), self.limits_of_cells.copy()
            is_low = count == 1
            aim[at[left]] = 1 if is_low else -1
            bound = bounds[at[left], 0 if is_low else 1]
            bounds[at[left], 0 if is_low else 1] = np.maximum(bound, count) if is_low else np.minimum(bound, count)
            if (bounds[:, 0] > bounds[:, 1]).any() or (counts := self._least(aim, bounds)) is None:
                return left
            can = left & ((counts[at] <= count + _SLACK) if is_low else (counts[at] >= count - _SLACK))
            if not can.any():
                return left
            left &= ~can
        return left

    def _range(self, breakdown: str, child: int, cell: int) -> tuple[float, float]:
        """Least and most a count can be; nothing at all where no counts fit."""
        aim = np.zeros(self.n)
        at = self.at[breakdown][child, cell]
        aim[at] = 1
        least, most = self._least(aim), self._least(-aim)
        return (np.inf, -np.inf) if least is None or most is None else (float(least[at]), float(most[at]))


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
