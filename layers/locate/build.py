"""Build the cells of the index: owners of whole cells, edges and candidates of mixed ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layers.locate.edges import Edges, Floats, Ints, edges_of
from layers.locate.raster import Frame, Indices, expand, held_middles, touched_cells

MOST_CANDIDATES = 31
"""Polygons a mixed cell can tell apart by bits; a cell with more is answered by GEOS. The 32nd bit marks an edge."""

_CELLS_PER_EDGE = 16
_FEWEST_CELLS, _MOST_CELLS = 4096, 1 << 24
_ROUNDING = 16 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Cells:
    """What the cells know. Mixed cell number m is met in `owner` as -2 - m; the arrays are sorted by its number.

    owner
        Position of the polygon that holds the whole cell, -1 for none, -2 - m for a mixed cell.
    starts, edge, lines, toggles
        Entries of mixed cell m stand at starts[m]:starts[m+1]: an edge (row of `edges`), its line in coordinates
        from the reference point (x, y, constant; scaled so that below 1 the sign is not certain, and turned so that
        the reference point is on the positive side) with the latitudes it runs between, and the candidates it belongs
        to as bits, the highest bit telling that it crosses the reference column.
    candidate_starts, candidates, held
        Polygons that can hold a point of the cell, by rising position, and as bits those that hold the reference point.
    is_hard
        Mixed cells that only GEOS can answer.
    """

    owner: Indices
    starts: Indices
    edge: Indices
    lines: Floats
    toggles: npt.NDArray[np.uint32]
    candidate_starts: Indices
    candidates: Indices
    held: npt.NDArray[np.uint32]
    is_hard: npt.NDArray[np.bool_]
    edges: Floats


def build_cells(geometries: npt.NDArray[np.object_]) -> tuple[Frame, Cells]:
    """Lay a raster over the polygons and work out what its cells know."""
    edges = edges_of(geometries)
    if not len(edges):
        none = np.zeros(0, dtype=np.int32)
        bits, zero = np.zeros(0, dtype=np.uint32), np.zeros(1, dtype=np.int32)
        owner, lines = np.full(9, -1, dtype=np.int32), np.zeros((0, 5))
        cells = Cells(owner, zero, none, lines, bits, zero, none, bits, none.astype(bool), np.zeros((0, 4)))
        return Frame(0.0, 0.0, 1.0, 1.0, 1, 1), cells
    frame = Frame.around(edges, float(np.clip(_CELLS_PER_EDGE * len(edges), _FEWEST_CELLS, _MOST_CELLS)))
    cell, edge = touched_cells(edges, frame)
    middle, polygon, doubtful = held_middles(edges, frame, len(geometries))

    owner = np.full(frame.n_cells, -1, dtype=np.int32)
    owner[middle] = polygon  # a later write wins: within a row polygons fall, so the lowest stays
    is_mixed = np.zeros(frame.n_cells, dtype=bool)
    is_mixed[cell] = True
    mixed = np.flatnonzero(is_mixed)
    owner[mixed] = -2 - np.arange(len(mixed), dtype=np.int32)
    inside = is_mixed[middle]
    middle, polygon = -2 - owner[middle[inside]].astype(np.int64), polygon[inside]

    shift = len(edges).bit_length()
    key = ((-2 - owner[cell]).astype(np.int64) << shift) | edge
    key.sort()
    number, edge = key >> shift, key & ((1 << shift) - 1)
    starts = np.searchsorted(number, np.arange(len(mixed) + 1))
    toggles, candidate_starts, candidates, held = _candidates(edges, number, edge, middle, polygon, len(mixed))
    lines, crosses, close = _lines(edges, frame, edge, mixed[number])

    is_hard = np.zeros(len(mixed), dtype=bool)
    is_hard[-2 - owner[doubtful]] = True
    is_hard[number[close]] = True
    is_hard |= np.diff(candidate_starts) > MOST_CANDIDATES
    lines[is_hard[number], :3] = 0.0
    toggles |= crosses.astype(np.uint32) << np.uint32(MOST_CANDIDATES)
    ends = np.column_stack([edges.ax, edges.ay, edges.bx, edges.by])
    return frame, Cells(
        owner,
        starts.astype(np.int32),
        edge.astype(np.int32),
        lines,
        toggles,
        candidate_starts.astype(np.int32),
        candidates.astype(np.int32),
        held,
        is_hard,
        ends,
    )


def _candidates(
    edges: Edges, number: Ints, edge: Ints, middle: Ints, polygon: Ints, n_mixed: int
) -> tuple[npt.NDArray[np.uint32], Ints, Ints, npt.NDArray[np.uint32]]:
    """Number the polygons of each mixed cell, and write edges and reference points in these numbers, as bits."""
    n_owners = np.diff(edges.starts)[edge]
    entry, at = expand(edges.starts[:-1][edge], n_owners)
    bits = int(edges.owners.max()).bit_length()
    from_edges = (number[entry] << bits) | edges.owners[at]
    from_middles = (middle << bits) | polygon
    key, where = np.unique(np.concatenate([from_edges, from_middles]), return_inverse=True)
    starts = np.searchsorted(key >> bits, np.arange(n_mixed + 1))
    bit = (where - starts[np.concatenate([number[entry], middle])]).astype(np.uint32)
    bit = np.where(bit < MOST_CANDIDATES, np.uint32(1) << np.minimum(bit, np.uint32(31)), np.uint32(0))
    toggles = np.bitwise_xor.reduceat(bit[: len(entry)], np.cumsum(n_owners) - n_owners)
    held = np.bincount(middle, weights=bit[len(entry) :], minlength=n_mixed).astype(np.uint32)
    return toggles, starts, key & ((1 << bits) - 1), held


def _lines(
    edges: Edges, frame: Frame, edge: Ints, cell: Ints
) -> tuple[Floats, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Lines of the entries, which of them cross the reference column, and which pass the reference point too close."""
    row, column = np.divmod(cell, frame.stride)
    mx, my = frame.middle_x[column], frame.middle_y[row]
    ax, ay, bx, by = edges.ax[edge], edges.ay[edge], edges.bx[edge], edges.by[edge]
    dx, dy = bx - ax, by - ay
    one, other = dy * (ax - mx), dx * (ay - my)
    constant = one - other
    size = np.abs(dy) / frame.per_x + np.abs(dx) / frame.per_y + np.abs(one) + np.abs(other)
    scale = np.copysign(1 / (_ROUNDING * size), constant)
    lines = np.column_stack([-dy * scale, dx * scale, constant * scale, ay, by])
    return lines, (ax <= mx) != (bx <= mx), np.abs(lines[:, 2]) <= 1
