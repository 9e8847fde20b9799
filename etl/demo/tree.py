"""Which grid lies in which: cells grown together into connected regions, and codes given in reading order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import dijkstra

from etl.demo.mesh import Ints
from etl.demo.terrain import Floats


def grow_regions(graph: csr_matrix, at: Floats, n_regions: int, rng: np.random.Generator) -> Ints:
    """Divide the nodes of a graph into exactly `n_regions` connected regions of about equal size; region per node.

    Every node goes to the nearest centre along the graph, so each region holds the way to its centre.
    """
    centres = _spread_out(graph, n_regions, rng)
    region = np.zeros(len(at), dtype=np.int64)
    for _ in range(8):
        region = _nearest(graph, centres)
        size = np.bincount(region, minlength=n_regions)[:, None]
        middle = np.stack([np.bincount(region, at[:, i], n_regions) for i in (0, 1)], axis=1) / size
        away = np.hypot(*(at - middle[region]).T)
        order = np.lexsort((away, region))
        centres = order[np.searchsorted(region[order], np.arange(n_regions))]
    return _nearest(graph, centres)


def _spread_out(graph: csr_matrix, n: int, rng: np.random.Generator) -> Ints:
    """Choose `n` nodes: some hundred at random for a big graph, each as far as possible from the others for a small."""
    n_nodes = graph.shape[0]
    if n > 100:
        return np.sort(rng.choice(n_nodes, n, replace=False))
    chosen = [int(rng.integers(n_nodes))]
    while len(chosen) < n:
        away = dijkstra(graph, indices=chosen, min_only=True)
        chosen.append(int(np.argmax(away)))
    return np.array(chosen)


def _nearest(graph: csr_matrix, centres: Ints) -> Ints:
    """Position in `centres` of the one nearest to each node."""
    _, _, source = dijkstra(graph, indices=centres, min_only=True, return_predecessors=True)
    position = np.zeros(graph.shape[0], dtype=np.int64)
    position[centres] = np.arange(len(centres))
    return np.asarray(position[source])


def region_graph(graph: csr_matrix, region: Ints) -> csr_matrix:
    """Neighbourhood of regions: those with neighbouring nodes, every step weighing 1."""
    edges = coo_matrix(graph)
    a, b = region[edges.row], region[edges.col]
    n = int(region.max()) + 1
    joined = csr_matrix((np.ones((a != b).sum()), (a[a != b], b[a != b])), shape=(n, n))
    joined.data[:] = 1.0
    return joined


def reading_order(parent: Ints, at: Floats) -> Ints:
    """Number the children of each parent from 1 as one reads: in bands from north to south, each west to east."""
    n = int(parent.max()) + 1
    top, bottom = np.full(n, -np.inf), np.full(n, np.inf)
    np.maximum.at(top, parent, at[:, 1])
    np.minimum.at(bottom, parent, at[:, 1])
    bands = np.ceil(np.sqrt(np.bincount(parent, minlength=n)))
    height = np.where(top > bottom, (top - bottom) / bands, 1.0)
    band = np.minimum((top[parent] - at[:, 1]) // height[parent], bands[parent] - 1)
    order = np.lexsort((at[:, 0], band, parent))
    return _count_within(parent, order)


def _count_within(parent: Ints, order: Ints) -> Ints:
    """Number the rows of each parent from 1 in the given order (which must go parent by parent)."""
    sorted_parent = parent[order]
    first = np.searchsorted(sorted_parent, sorted_parent)
    number = np.empty(len(parent), dtype=np.int64)
    number[order] = np.arange(len(parent)) - first + 1
    return number


def densest(parent: Ints, density: Floats, share: Floats, at_least: int) -> NDArray[np.bool_]:
    """Tell which children are among the densest `share` of their parent, `at_least` so many of each."""
    order = np.lexsort((-density, parent))
    rank = _count_within(parent, order)
    n = np.bincount(parent)
    return np.asarray(rank <= np.maximum(np.round(n * share), at_least)[parent])
