"""The published totals all breakdowns share: moved, as few as may be, until each breakdown has a solution under them.

The totals begin as the tree alone is rounded. A breakdown that has no solution says by cuts which sums of totals it
needs; the cuts of all of them are solved together as an integer program (HiGHS), and so on until nobody complains. The
same counts give the same totals. Where no totals suit everybody, the last declared of those that complain holds on to
less of what was told the month before, and in the end is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from layers.cells import Cut, Ints, Net, Table
from layers.privacy import BASE, round_tree

Floats = NDArray[np.float64]

_ROUNDS, _PATIENCE = 24, 6
_FIRM = 20.0
"""Draw, up or down, of a total that should stay: no other leans as much."""
_OPTIONS = {"mip_rel_gap": 1e-3, "node_limit": 2000}
"""A limit of nodes, not of seconds: the answer must not hang on how busy the machine is."""


def share_totals(
    parents: Ints, counts: Ints, noise: Floats, tables: Mapping[str, Table], stay: Ints | None = None
) -> tuple[Ints, dict[str, Ints | None]]:
    """Find totals under which as many breakdowns as possible have a solution, and the solutions.

    Parameters
    ----------
    parents
        Position of each node's parent, -1 for a root.
    counts
        True totals.
    noise
        Draw of each total in [0, 1), from `fixed_noise`.
    tables
        Breakdowns in the order of their weight: the last is the first to be left out.
    stay
        Published totals that should stay, -1 where they are free.

    Returns
    -------
    tuple
        Published totals, and of each breakdown its figures, None where it has no solution.
    """
    if stay is not None:
        noise = np.where(stay < 0, noise, np.where(stay > counts, -_FIRM, _FIRM))
    asked = {key: _Asked(table) for key, table in tables.items()}
    first = round_tree(parents, counts, noise)
    search = _Search(parents, counts, noise, first)
    totals, best = first, (first, dict[str, Ints | None]())
    n_rounds = 0
    while n_rounds < _ROUNDS + len(asked):
        parts = {key: one.round(totals) for key, one in asked.items()}
        if not best[1] or _missing(parts) < _missing(best[1]):
            best = totals, parts
        if not any(one.complains for one in asked.values()):
            break
        n_rounds += 1
        if n_rounds % _PATIENCE == 0:
            n_rounds -= sum(one.give_way() for one in asked.values() if one.complains)
        while (found := search.under([cut for one in asked.values() for cut in one.cuts])) is None:
            last = [one for one in asked.values() if one.cuts]
            if not any(one.give_way() for one in reversed(last)):
                last[-1].leave_out()
        totals = found
    return best


class _Asked:
    """A breakdown while totals are sought: the cuts it asks for, and how much of what was told it holds on to."""

    def __init__(self, table: Table) -> None:
        self.table, self.n_given, self.is_left_out = table, 0, False
        self.cuts: list[Cut] = []
        self.complains = False
        self.net = self._net()

    def _net(self) -> Net:
        stays = self.table.stays
        if self.n_given < len(stays):
            return Net(self.table, stay=stays[self.n_given])
        return Net(self.table, lean=stays[-1] if stays else None)

    def round(self, totals: Ints) -> Ints | None:
        """Find figures under totals; where there are none, it complains."""
        figures, new = self.net.round(totals)
        self.complains = bool(new) and not self.is_left_out
        if self.complains:
            self.cuts += new
        return figures

    def give_way(self) -> bool:
        """Hold on to less of what was told; False where nothing is left to give."""
        if self.n_given >= len(self.table.stays):
            return False
        self.n_given += 1
        self.net, self.cuts = self._net(), []
        return True

    def leave_out(self) -> None:
        """Ask for nothing more."""
        self.is_left_out, self.cuts = True, []


def _missing(parts: Mapping[str, Ints | None]) -> tuple[int, ...]:
    """How many have no solution, and which: less where it is the later ones."""
    missing = [int(one is None) for one in parts.values()]
    return sum(missing), *missing


class _Search:
    """The integer program: multiples below or above, children that add up, and the cuts."""

    def __init__(self, parents: Ints, counts: Ints, noise: Floats, first: Ints) -> None:
        self.parents, self.first, n = parents, first, len(parents)
        below = np.flatnonzero(parents >= 0)
        self.is_leaf = np.bincount(parents[below], minlength=n) == 0
        self.above = _above(parents)
        inner = np.flatnonzero(~self.is_leaf)
        row = np.zeros(n, dtype=np.int64)
        row[inner] = np.arange(len(inner))
        rows, columns = np.concatenate([row[inner], row[parents[below]]]), np.concatenate([inner, below])
        signs = np.concatenate([np.ones(len(inner)), -np.ones(len(below))])
        self.adds_up = LinearConstraint(csr_array((signs, (rows, columns)), shape=(len(inner), n)), 0, 0)
        low = counts // BASE
        self.bounds = Bounds(low, low + (counts % BASE > 0))
        # moving a total costs 1 and the more the farther it is from what it leans to
        cost = 1 + np.abs(counts % BASE / BASE - noise)
        self.cost = np.where(self.is_leaf, np.where(first // BASE > low, -cost, cost), 0)

    def under(self, cuts: Sequence[Cut]) -> Ints | None:
        """Find the totals nearest to the first ones that keep all cuts."""
        if not cuts:
            return self.first
        low, high = (np.array(sums) // BASE for sums in zip(*((one.low, one.high) for one in cuts), strict=True))
        kept = LinearConstraint(self._rows(cuts), low, high)
        found = milp(
            self.cost,
            constraints=[self.adds_up, kept],
            integrality=self.is_leaf.astype(np.int64),
            bounds=self.bounds,
            options=_OPTIONS,
        )
        return None if found.x is None else np.round(found.x).astype(np.int64) * BASE

    def _rows(self, cuts: Sequence[Cut]) -> csr_array:
        """Write each sum of leaves by whole grids where most of their leaves are in it, so that the rows are short."""
        sizes = [len(one.leaves) for one in cuts]
        leaves = np.concatenate([one.leaves for one in cuts])
        of_cuts = _ones(leaves, np.repeat(np.arange(len(cuts)), sizes), (len(self.parents), len(cuts)))
        inside = (self.above @ of_cuts).tocoo()
        rows, columns = inside.coords
        is_most = 2 * inside.data > (self.above @ self.is_leaf.astype(np.int64))[rows]
        most = _ones(rows[is_most], columns[is_most], inside.shape)
        below = np.flatnonzero(self.parents >= 0)
        return csr_array((most - _ones(below, self.parents[below], self.above.shape) @ most).T)


def _ones(rows: Ints, columns: Ints, shape: tuple[int, int]) -> csr_array:
    return csr_array((np.ones(len(rows), dtype=np.int64), (rows, columns)), shape=shape)


def _above(parents: Ints) -> csr_array:
    """Which nodes are above which, themselves included: a row is the upper one."""
    of = np.arange(len(parents))
    upper, lower, at = [of], [of], of
    while (found := parents[at] >= 0).any():
        of, at = of[found], parents[at[found]]
        upper.append(at)
        lower.append(of)
    return _ones(np.concatenate(upper), np.concatenate(lower), (len(parents), len(parents)))
