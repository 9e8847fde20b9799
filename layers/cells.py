"""Counts of people by the cells of a breakdown, rounded so that cells add up to the total and children to parents.

Every figure goes to the multiple of the base below or above. Which of them go up is a flow: people run from the cells
of the whole tree down to the grids, and from there back up as totals of grids. A flow of whole tens is found whenever
there is one, so breakdowns that share their totals can each be solved by itself.

Source: rounding of tables by network flow (Cox and Ernst 1982; Bacharach 1966).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from layers.privacy import BASE, sums_of_children

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Table:
    """Counts of a tree of grids by the cells of one breakdown; a row is a node."""

    parents: Ints
    """Position of each node's parent, -1 for a root."""
    counts: Ints
    """True counts, nodes by cells; children add up to their parent."""
    noise: NDArray[np.float64]
    """Draw of each count in [0, 1), from `fixed_noise`."""


def round_cells(table: Table, totals: Ints, *, may_move: bool) -> tuple[Ints, Ints] | None:
    """Round a breakdown under published totals.

    Parameters
    ----------
    table
        What is to be rounded.
    totals
        Published total of each node; children add up to their parent.
    may_move
        Whether a total may go to its other multiple where the breakdown needs it.

    Returns
    -------
    tuple or None
        Figures, nodes by cells, and the totals they add up to; None when there is none under these totals.
    """
    net = _Net(table, totals, may_move)
    found = net.run()
    if found is None:
        return None
    figures = (net.floor + found[0]) * BASE
    return figures, (net.low + found[1]) * BASE if may_move else totals.copy()


class _Net:
    """The network of one breakdown: a vertex for each node and cell, one for each node's total, and a root."""

    def __init__(self, table: Table, totals: Ints, may_move: bool) -> None:
        self.parents, counts = table.parents, table.counts
        self.n, self.k = counts.shape
        whole = counts.sum(axis=1)
        self.floor = counts // BASE
        self.movable = counts % BASE > 0
        self.low = whole // BASE if may_move else totals // BASE
        self.free = (whole % BASE > 0) & may_move
        self.goes_up = self.movable & (counts % BASE / BASE > table.noise)
        self.total_up = self.free & (totals // BASE > self.low)

    def run(self) -> tuple[Ints, Ints] | None:
        """Find which counts and totals go up, beginning with those the noise would send."""
        n, k, parents = self.n, self.k, self.parents
        cell = np.arange(n * k).reshape(n, k)
        root, source, sink = n * k + n, n * k + n + 1, n * k + n + 2
        total = n * k + np.arange(n)
        above_cell = np.where((parents >= 0)[:, None], cell[parents], root)
        above_total = np.where(parents >= 0, total[parents], root)
        is_leaf = np.bincount(parents[parents >= 0], minlength=n) == 0
        supply = np.where(is_leaf[:, None], 0, self.floor - sums_of_children(parents, self.floor))
        inner = sums_of_children(parents, self.low)
        demand = self.low - np.where(is_leaf, self.floor.sum(axis=1), inner)
        rest = int((self.low - self.floor.sum(axis=1))[parents < 0].sum())
        if rest < 0 or demand.min(initial=0) < 0 or supply.min(initial=0) < 0:
            return None
        wanted = int(supply.sum()) + rest
        begin = [above_cell.ravel(), total, cell[is_leaf].ravel(), np.full(n * k, source), total, [source]]
        end = [cell.ravel(), above_total, np.repeat(total[is_leaf], k), cell.ravel(), np.full(n, sink), [root]]
        fixed = [np.ones(int(is_leaf.sum()) * k), supply.ravel(), demand, [rest]]
        rows, columns = np.concatenate(begin), np.concatenate(end)
        size = (sink + 1, sink + 1)
        first = np.concatenate([self.goes_up.ravel(), self.total_up, *fixed]).astype(np.int32)
        full = np.concatenate([self.movable.ravel(), self.free, *fixed]).astype(np.int32)
        flow = maximum_flow(_graph(first, rows, columns, size), source, sink)
        moved = flow.flow
        if flow.flow_value < wanted:
            left = csr_array(_graph(full, rows, columns, size) - moved, dtype=np.int32)
            more = maximum_flow(left, source, sink)
            if flow.flow_value + more.flow_value < wanted:
                return None
            moved = csr_array(moved + more.flow)
        up = np.asarray(moved[rows[: n * k + n], columns[: n * k + n]]).ravel().astype(np.int64)
        return up[: n * k].reshape(n, k), up[n * k :]


def _graph(capacity: NDArray[np.int32], rows: Ints, columns: Ints, size: tuple[int, int]) -> csr_array:
    some = capacity > 0
    return csr_array((capacity[some], (rows[some], columns[some])), shape=size)
