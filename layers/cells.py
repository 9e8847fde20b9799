"""Counts of people by the cells of a breakdown, rounded so that cells add up to the total and children to parents.

Every figure goes to the multiple of the base below or above. Which of them go up is a flow: people run from the cells
of the whole tree down to the grids, and from there into the totals. A flow of whole tens is found whenever there is
one; where there is none, the smallest cut of the network says which totals do not fit, and between what they must lie.

Source: rounding of tables by network flow (Cox and Ernst 1982; Bacharach 1966).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow

from layers.privacy import BASE, sums_of_children

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Table:
    """Counts of a tree of grids by the cells of one breakdown; a row is a node."""

    parents: Ints
    """Position of each node's parent, -1 for a root."""
    counts: Ints
    """True counts, nodes by cells; children add up to their parent."""
    noise: NDArray[np.float64]
    """Draw of each count in [0, 1), from `fixed_noise`."""
    stays: Sequence[Ints] = ()
    """Figures counts should stay at, nodes by cells, -1 where they are free: what is wanted most is first."""


@dataclass(frozen=True)
class Cut:
    """What totals must keep for a breakdown to have a solution: those of some leaves together lie between two sums."""

    leaves: Ints
    """Positions of the nodes."""
    low: int
    high: int


class Net:
    """The network of one breakdown: a vertex for each node and cell, one for the total of each leaf, and a root."""

    def __init__(self, table: Table, *, stay: Ints | None = None, lean: Ints | None = None) -> None:
        """Lay out the network.

        Parameters
        ----------
        table
            Counts.
        stay
            Figures that do not move, nodes by cells, -1 where they may.
        lean
            Figures that move only where nothing else will do.
        """
        self.parents, counts = table.parents, table.counts
        self.shape = n, k = counts.shape
        free = np.full(counts.shape, -1)
        stay, lean = (free if one is None else one for one in (stay, lean))
        held = np.maximum(stay, lean)
        self.floor = np.where(held >= 0, held, counts) // BASE
        movable = (counts % BASE > 0) & (stay < 0)
        self.rises, self.falls = movable & (held <= counts), movable & (held > counts)
        goes_up = movable & (held < 0) & (counts % BASE / BASE > table.noise)
        never = np.zeros(counts.shape, dtype=bool)
        self.tiers = [(goes_up, never), (movable & (held < 0), never)]
        if (lean >= 0).any():
            self.tiers.append((self.rises, self.falls))
        self.is_leaf: Flags = np.bincount(self.parents[self.parents >= 0], minlength=n) == 0
        self.leaves = np.flatnonzero(self.is_leaf)
        self.supply = np.where(self.is_leaf[:, None], 0, self.floor - sums_of_children(self.parents, self.floor))
        self.inside = n * k + len(self.leaves)
        root, self.source, self.sink = self.inside, self.inside + 1, self.inside + 2
        cell, total = np.arange(n * k).reshape(n, k), n * k + np.arange(len(self.leaves))
        above = np.where((self.parents >= 0)[:, None], cell[self.parents], root)
        # cells from the cells above them and back, totals from the cells of leaves; then what flows in, and out
        all_of = np.arange(self.inside + 1)
        lowest, into = cell[self.leaves].ravel(), np.repeat(total, k)
        outside = np.full(len(all_of), self.source), np.full(len(all_of), self.sink)
        self.begin = np.concatenate([above.ravel(), cell.ravel(), lowest, into, outside[0], all_of])
        self.end = np.concatenate([cell.ravel(), above.ravel(), into, lowest, all_of, outside[1]])

    def round(self, totals: Ints) -> tuple[Ints | None, list[Cut]]:
        """Find the figures, nodes by cells, that add up to published totals; or what the totals do not keep.

        Parameters
        ----------
        totals
            Published total of each node: the multiple below or above the true one; children add up to their parent.
        """
        (n, k), whole = self.shape, totals // BASE
        demand = whole[self.leaves] - self.floor[self.leaves].sum(axis=1)
        rest = int((whole - self.floor.sum(axis=1))[self.parents < 0].sum())
        flows_in = np.concatenate([self.supply.ravel(), -demand, [rest]])
        fixed = [np.maximum(flows_in, 0), np.maximum(-flows_in, 0)]
        wanted, n_moved, moved = int(np.maximum(flows_in, 0).sum()), 0, None
        # those the noise would send up go first, the others where these do not suffice
        for rises, falls in self.tiers:
            left = self._graph([*self._open(rises, falls), *fixed])
            left = left if moved is None else csr_array(left - moved, dtype=np.int32)
            more = maximum_flow(left, self.source, self.sink)
            moved, n_moved = more.flow if moved is None else csr_array(moved + more.flow), n_moved + more.flow_value
            if n_moved == wanted:
                up = np.asarray(moved[self.begin[: n * k], self.end[: n * k]]).ravel().astype(np.int64)
                return (self.floor + up.reshape(n, k)) * BASE, []
        return None, self._cuts(csr_array(left - more.flow), demand)

    def _open(self, rises: Flags, falls: Flags) -> list[Flags]:
        """Say which arcs a flow may take when some counts may rise and some may fall."""
        every = np.ones(len(self.leaves) * self.shape[1], dtype=bool)
        return [rises.ravel(), falls.ravel(), every, falls[self.leaves].ravel()]

    def _graph(self, capacities: Sequence[NDArray[Any]]) -> csr_array:
        capacity = np.concatenate(capacities).astype(np.int32)
        some = capacity > 0
        size = (self.sink + 1, self.sink + 1)
        return csr_array((capacity[some], (self.begin[some], self.end[some])), shape=size)

    def _cuts(self, left: csr_array, demand: Ints) -> list[Cut]:
        """Take the smallest and the largest of the least cuts apart into pieces, and keep those that do not fit."""
        left.eliminate_zeros()
        found: list[Cut] = []
        for graph, start in ((left, self.source), (csr_array(left.T), self.sink)):
            side = np.zeros(self.sink + 1, dtype=bool)
            side[breadth_first_order(graph, start, return_predecessors=False)] = True
            found += self._pieces(side, demand)
        return found

    def _pieces(self, side: Flags, demand: Ints) -> list[Cut]:
        """Find the pieces of a cut whose totals take less or more than can flow into them.

        That is the supply of the piece, less what may leave it, or plus what may enter. A piece is connected on one
        side of the cut, the root apart.
        """
        n, k = self.shape
        is_open = np.concatenate(self._open(self.rises, self.falls))
        begin, end = self.begin[: len(is_open)], self.end[: len(is_open)]
        below, ends_below = begin < self.inside, end < self.inside
        joined = is_open & below & ends_below & (side[begin] == side[end])
        graph = csr_array((np.ones(joined.sum()), (begin[joined], end[joined])), shape=(self.inside, self.inside))
        n_pieces, piece = connected_components(graph, directed=False)
        from_piece = np.where(below, piece[np.where(below, begin, 0)], -1)
        to_piece = np.where(ends_below, piece[np.where(ends_below, end, 0)], -1)
        crosses = is_open & (from_piece != to_piece)
        supply = np.bincount(piece[: n * k], self.supply.ravel(), n_pieces).astype(np.int64)
        low = supply - np.bincount(from_piece[crosses & below], minlength=n_pieces)
        high = supply + np.bincount(to_piece[crosses & ends_below], minlength=n_pieces)
        of_leaf = piece[n * k :]
        flows = np.bincount(of_leaf, demand, n_pieces).astype(np.int64)
        found = []
        for one in np.flatnonzero((flows < low) | (flows > high)):
            leaves = self.leaves[of_leaf == one]
            floor = int(self.floor[leaves].sum())
            found.append(Cut(leaves, (int(low[one]) + floor) * BASE, (int(high[one]) + floor) * BASE))
        return found
