"""Unmoved: figures of grids in which nothing has changed are brought back to what was told of them, if they can be.

Flows find figures quickly, but of one breakdown at a time and under totals found before. Where they move a figure that
should stay, one integer program (HiGHS) seeks the totals and all breakdowns together, over the part of the tree around
it. What lies above that part keeps its figures, so that there always is a solution: the one that was there before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, kron, vstack

from layers.cells import Ints, Table
from layers.privacy import BASE, levels

Floats = NDArray[np.float64]

_FIGURES = 12_000
"""A part of the tree has at most as many."""
_FIRM, _LIKED, _LEANS, _TOTAL = 100.0, 1.0, 0.02, 8.0
"""What it costs to move a figure that must stay, or one that should, and to go where the noise does not; and how many
times as much where it is a total, which is never withheld."""
_OPTIONS = {"mip_rel_gap": 1e-6, "node_limit": 500}


class Unmoved:
    """The integer program: the totals as a table of one cell, beside it the breakdowns, whose cells add up to it."""

    def __init__(self, tables: Sequence[Table], wanted: Ints) -> None:
        """Lay out the program.

        Parameters
        ----------
        tables
            Of the totals, and of each breakdown.
        wanted
            Figures that must stay, nodes by cells of all tables, -1 where they are free.
        """
        self.parents, self.wanted = tables[0].parents, wanted
        self.counts, self.noise = (np.hstack([getattr(one, part) for one in tables]) for part in ("counts", "noise"))
        free = np.full(self.counts.shape, -1)
        self.liked = np.hstack([one.stays[0] if one.stays else free[:, : one.counts.shape[1]] for one in tables])
        self.table = np.repeat(np.arange(len(tables)), [one.counts.shape[1] for one in tables])
        self.total = np.where(self.table == 0, _TOTAL, 1.0)
        self.firm = np.full(self.counts.shape, _FIRM) * self.total
        """What it costs to move each."""
        self.top = self._tops()

    def first(self, figures: Ints) -> NDArray[np.bool_]:
        """Say around which nodes to begin: where figures have moved, and anywhere in a tree that is one part."""
        if (self.top >= 0).all():
            return np.ones(len(self.top), dtype=bool)
        found: NDArray[np.bool_] = np.any(self.moved(figures), axis=1)
        return found

    def moved(self, figures: Ints) -> NDArray[np.bool_]:
        """Where figures are not what they must be, nodes by cells."""
        found: NDArray[np.bool_] = np.where(self.wanted >= 0, figures != self.wanted, False)
        return found

    def hold(self, figures: Ints, around: NDArray[np.bool_]) -> Ints:
        """Find figures of which as few as may be have moved, in the parts of the tree around some nodes.

        Parameters
        ----------
        figures
            A solution, nodes by cells of all tables.
        around
            Whether a node is one of those.
        """
        figures = figures.copy()
        for top in np.setdiff1d(self.top[around], [-1]):
            nodes = np.flatnonzero(self.top == top)
            found = self._solve(nodes, figures[nodes])
            if found is not None:
                figures[nodes] = found
        return figures

    def _tops(self) -> Ints:
        """Say for each node which is the top of its part: the highest with few enough below it, -1 for none."""
        size = np.ones(len(self.parents), dtype=np.int64)
        order = list(levels(self.parents))
        for nodes in reversed(order):
            np.add.at(size, self.parents[nodes], size[nodes])
        fits = size * self.counts.shape[1] <= _FIGURES
        top = np.where(fits, np.arange(len(self.parents)), -1)
        for nodes in order:
            top[nodes] = np.where(fits[self.parents[nodes]], top[self.parents[nodes]], top[nodes])
        return top

    def _solve(self, nodes: Ints, figures: Ints) -> Ints | None:
        counts, noise = self.counts[nodes], self.noise[nodes]
        low, movable = counts // BASE, counts % BASE > 0
        high = low + movable
        is_top = ~np.isin(self.parents[nodes], nodes)
        if self.parents[nodes[is_top]][0] >= 0:
            low[is_top] = high[is_top] = figures[is_top] // BASE
        eager = counts % BASE / BASE - noise
        cost = -_LEANS * np.sign(eager) * (0.05 + np.abs(eager))
        for stay, price in ((self.liked[nodes], _LIKED * self.total), (self.wanted[nodes], self.firm[nodes])):
            cost += np.where(stay < 0, 0, np.where(stay > counts, -price, price))
        found = milp(
            np.where(movable, cost, 0).ravel(),
            constraints=[LinearConstraint(self._sums(nodes), 0, 0)],
            integrality=np.ones(cost.size),
            bounds=Bounds(low.ravel(), high.ravel()),
            options=_OPTIONS,
        )
        return None if found.x is None else np.round(found.x).astype(np.int64).reshape(counts.shape) * BASE

    def _sums(self, nodes: Ints) -> csr_array:
        """Say that children add up to their parent, and the cells of each breakdown to the total."""
        n, k = len(nodes), len(self.table)
        above = np.searchsorted(nodes, self.parents[nodes])
        below = np.flatnonzero(np.isin(self.parents[nodes], nodes))
        inner = np.unique(above[below])
        of_family = csr_array(
            (
                np.concatenate([np.ones(len(inner)), -np.ones(len(below))]),
                (np.searchsorted(inner, np.concatenate([inner, above[below]])), np.concatenate([inner, below])),
            ),
            shape=(len(inner), n),
        )
        of_total = (self.table == np.arange(1, self.table[-1] + 1)[:, None]).astype(float)
        of_total[:, 0] = -1
        return csr_array(vstack([kron(of_family, eye_array(k)), kron(eye_array(n), csr_array(of_total))]))
