"""The raster laid over the polygons: which cells an edge touches, and which polygons hold the middle of a cell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from layers.locate.edges import Edges, Floats, Ints

Indices = npt.NDArray[np.int32]

_REF_X, _REF_Y = 0.5 + 0.0137203, 0.5 - 0.0191417
_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Frame:
    """Columns and rows of cells of equal size, with one empty cell all around.

    Column and row of a coordinate rise with it whatever the rounding, so an edge lies in the columns and rows
    between those of its ends, and a point on it likewise: no rounding can put a point into a cell its edge is not in.
    """

    west: float
    south: float
    per_x: float
    per_y: float
    n_columns: int
    n_rows: int

    @classmethod
    def around(cls, edges: Edges, n_cells: float) -> Frame:
        """Lay about `n_cells` cells over the edges, about as high as wide."""
        west, east = min(edges.ax.min(), edges.bx.min()), max(edges.ax.max(), edges.bx.max())
        south, north = edges.ay.min(), edges.by.max()
        width, height = max(east - west, 1e-9), max(north - south, 1e-9)
        n_columns = int(np.clip(np.sqrt(n_cells * width / height), 8, n_cells / 8))
        n_rows = int(np.clip(n_cells / n_columns, 8, n_cells / 8))
        per_x, per_y = n_columns / (width * 1.000001), n_rows / (height * 1.000001)
        return cls(float(west - 1 / per_x), float(south - 1 / per_y), per_x, per_y, n_columns, n_rows)

    @property
    def stride(self) -> int:
        """Cells in a row, the empty ones at both ends among them."""
        return self.n_columns + 2

    @property
    def n_cells(self) -> int:
        """All cells."""
        return self.stride * (self.n_rows + 2)

    def column(self, x: Floats) -> Indices:
        """Column of each longitude; 0 for what lies west of all or is missing."""
        u = (x - self.west) * self.per_x
        np.fmin(u, self.n_columns + 1, out=u)
        np.fmax(u, 0, out=u)
        return u.astype(np.int32)

    def row(self, y: Floats) -> Indices:
        """Row of each latitude; 0 for what lies south of all or is missing."""
        v = (y - self.south) * self.per_y
        np.fmin(v, self.n_rows + 1, out=v)
        np.fmax(v, 0, out=v)
        return v.astype(np.int32)

    @cached_property
    def middle_x(self) -> Floats:
        """Longitude of the reference point of each column, off the centre so that no border likely runs there."""
        return np.asarray(self.west + (np.arange(self.n_columns + 2) + _REF_X) / self.per_x)

    @cached_property
    def middle_y(self) -> Floats:
        """Latitude of the reference point of each row."""
        return np.asarray(self.south + (np.arange(self.n_rows + 2) + _REF_Y) / self.per_y)


def touched_cells(edges: Edges, frame: Frame) -> tuple[Ints, Ints]:
    """Find all cells each edge touches, some more by rounding but none less; one pair (cell, edge) for each."""
    left, right = frame.column(edges.ax), frame.column(edges.bx)
    first, last = np.minimum(left, right), np.maximum(left, right)
    low, high = frame.row(edges.ay), frame.row(edges.by)
    edge, row = expand(low, high - low + 1)
    first, last = first[edge], last[edge]
    slanted = np.flatnonzero((low != high)[edge] & (first != last))
    if len(slanted):
        of, at = edge[slanted], row[slanted].astype(np.float64)
        ua, va = (edges.ax[of] - frame.west) * frame.per_x, (edges.ay[of] - frame.south) * frame.per_y
        ub, vb = (edges.bx[of] - frame.west) * frame.per_x, (edges.by[of] - frame.south) * frame.per_y
        slope = (ub - ua) / (vb - va)
        spare = 1e-6 + 4e-12 * np.abs(slope)
        enters = ua + (np.maximum(at, va) - va) * slope
        leaves = ua + (np.minimum(at + 1, vb) - va) * slope
        one, other = first[slanted], last[slanted]
        first[slanted] = np.clip(np.minimum(enters, leaves) - spare, one, other).astype(np.int32)
        last[slanted] = np.clip(np.maximum(enters, leaves) + spare, one, other).astype(np.int32)
    piece, column = expand(first, last - first + 1)
    return row[piece] * frame.stride + column, edge[piece]


def held_middles(edges: Edges, frame: Frame, n_polygons: int) -> tuple[Ints, Ints, Ints]:
    """Find the polygons that hold the reference point of each cell, by parity along each row.

    Returns
    -------
    tuple
        Cell and polygon, one pair for each time a polygon holds a reference point, within a row by falling polygon;
        and the cells in which an edge passes too close to the reference point to tell.
    """
    low, high = frame.row(edges.ay), frame.row(edges.by)
    low += frame.middle_y[low] < edges.ay
    high -= frame.middle_y[high] >= edges.by
    edge, row = expand(low, np.maximum(high - low + 1, 0))
    ax, bx, ay, by = edges.ax[edge], edges.bx[edge], edges.ay[edge], edges.by[edge]
    x = ax + (frame.middle_y[row] - ay) / (by - ay) * (bx - ax)
    column = frame.column(x)
    off = frame.middle_x[column] - x
    close = np.abs(off) <= 16 * _EPSILON * (np.abs(ax) + np.abs(bx))
    doubtful = row[close] * frame.stride + column[close]
    from_column = column + (off < 0)

    crossing, owner_at = expand(edges.starts[:-1][edge], np.diff(edges.starts)[edge])
    key = (row[crossing] * n_polygons + edges.owners[owner_at]) * frame.stride + from_column[crossing]
    key.sort()
    start, length = key[0::2], key[1::2] - key[0::2]  # the borders of a polygon cross a row in pairs: in, out
    start, length = start[length > 0][::-1], length[length > 0][::-1]
    line, column_from = np.divmod(start, frame.stride)
    line_row, polygon = np.divmod(line, n_polygons)
    stretch, cell = expand(line_row * frame.stride + column_from, length)
    return cell, polygon[stretch], doubtful


def expand(start: npt.NDArray[np.integer], length: npt.NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Write out ranges: for range i the numbers start[i], start[i] + 1 .. each beside i."""
    which = np.repeat(np.arange(len(length)), length)
    first = np.cumsum(length) - length
    return which, np.repeat(start - first, length) + np.arange(len(which))
