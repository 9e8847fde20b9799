"""Edges of polygons: every border once, with the polygons it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_MIX = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)


@dataclass(frozen=True)
class Edges:
    """Straight pieces of border from `a`, the lower end, to `b`; owners of edge i stand at starts[i]:starts[i+1]."""

    ax: Floats
    ay: Floats
    bx: Floats
    by: Floats
    starts: Ints
    owners: Ints

    def __len__(self) -> int:
        return len(self.ax)


def edges_of(geometries: npt.NDArray[np.object_]) -> Edges:
    """Take polygons apart into edges; a border two polygons share vertex by vertex is one edge with two owners."""
    parts, part_of = shapely.get_parts(geometries, return_index=True)
    rings, ring_of = shapely.get_rings(parts, return_index=True)
    xy, vertex_of = shapely.get_coordinates(rings, return_index=True)
    xy += 0.0  # -0.0 becomes 0.0, so that equal numbers have equal bits
    goes_on = (vertex_of[1:] == vertex_of[:-1]) & (xy[1:] != xy[:-1]).any(axis=1)
    a, b = xy[:-1][goes_on], xy[1:][goes_on]
    owners = part_of[ring_of[vertex_of[:-1][goes_on]]]
    turn = (a[:, 1] > b[:, 1]) | ((a[:, 1] == b[:, 1]) & (a[:, 0] > b[:, 0]))
    ends = np.where(turn[:, None], np.hstack([b, a]), np.hstack([a, b]))
    order = np.argsort(_mixed(ends))
    ends, owners = ends[order], owners[order]
    is_new = np.ones(len(ends), dtype=bool)
    is_new[1:] = (ends[1:] != ends[:-1]).any(axis=1)
    ax, ay, bx, by = (np.ascontiguousarray(column) for column in ends[is_new].T)
    return Edges(ax, ay, bx, by, np.append(np.flatnonzero(is_new), len(ends)), owners.astype(np.int64))


def _mixed(ends: Floats) -> npt.NDArray[np.uint64]:
    """A hash of each edge that brings equal edges together; should two others meet, nothing is lost but a merge."""
    bits = np.ascontiguousarray(ends).view(np.uint64)
    mixed = np.zeros(len(ends), dtype=np.uint64)
    for column, factor in enumerate(_MIX):
        mixed ^= bits[:, column]
        mixed *= np.uint64(factor)
        mixed ^= mixed >> np.uint64(29)
    return mixed
