"""Cells with wiggly borders: Voronoi cells whose every edge is drawn once, as a fractal line, and used by both sides.

Why nothing can cross: the line of an edge is a graph over that edge (it never turns back), and it stays within the kite
that the edge spans with the two seeds beside it. Kites of different edges touch at their corners only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.spatial import Voronoi

from etl.demo.terrain import Floats

Ints = NDArray[np.int64]

ROUGHNESS = 0.75
"""How fast the wiggles shrink from one halving to the next; smaller is rougher."""

AMPLITUDE = {"border": 0.13, "coast": 0.24}
"""Height of the first wiggle as a share of the edge's length."""


@dataclass(frozen=True)
class Mesh:
    """Cells and what lies beside what: `polygons` (n), `pairs` (m, 2) of neighbouring cells, `coastal` cells."""

    seeds: Floats
    polygons: NDArray[np.object_]
    pairs: Ints
    outer: NDArray[np.bool_]

    def graph(self) -> csr_matrix:
        """Neighbourhood of the cells, every step weighing 1 plus a little for its length."""
        a, b = self.pairs.T
        length = np.hypot(*(self.seeds[a] - self.seeds[b]).T)
        weight = 1 + 0.3 * length / np.median(length)
        n = len(self.seeds)
        return csr_matrix((np.r_[weight, weight], (np.r_[a, b], np.r_[b, a])), shape=(n, n))


def make_mesh(seeds: Floats, around: Floats, rng: np.random.Generator, scale: Floats, origin: Floats) -> Mesh:
    """Make the cells of `seeds`, bounded by those of `around`; plane coordinates times `scale` plus `origin`."""
    n = len(seeds)
    for _ in range(2):  # two rounds of smoothing: no slivers, towns still crowded
        seeds = _relaxed(seeds, around)
    points = np.concatenate([seeds, around])
    ridge_points, ridge_ends, vertices = _ridges(points, n)
    lines, starts = _wiggly_lines(points, ridge_points, vertices[ridge_ends], n, rng)
    lonlat = np.round(lines * scale + origin, 7)
    polygons = _polygons(points, n, ridge_points, vertices[ridge_ends], lonlat, starts)
    inner = (ridge_points < n).all(axis=1)
    outer = np.zeros(n, dtype=bool)
    outer[ridge_points[~inner].min(axis=1)] = True
    return Mesh(seeds, polygons, np.sort(ridge_points[inner], axis=1).astype(np.int64), outer)


def _ridges(points: Floats, n: int) -> tuple[Ints, Ints, Floats]:
    """Edges that bound at least one of the first `n` cells: (cells beside, ends), and the vertices ends point to."""
    diagram = Voronoi(points)
    ends = np.array(diagram.ridge_vertices)
    used = (diagram.ridge_points.min(axis=1) < n) & (ends.min(axis=1) >= 0)
    return diagram.ridge_points[used].astype(np.int64), ends[used].astype(np.int64), diagram.vertices


def _relaxed(seeds: Floats, around: Floats) -> Floats:
    """Move every seed to the middle of its cell's corners."""
    n = len(seeds)
    cells, ends, vertices = _ridges(np.concatenate([seeds, around]), n)
    middles = vertices[ends].mean(axis=1)
    total, count = np.zeros((n, 2)), np.zeros(n)
    for side in (0, 1):
        own = cells[:, side] < n
        np.add.at(total, cells[own, side], middles[own])
        np.add.at(count, cells[own, side], 1)
    return np.asarray(total / count[:, None])


def _wiggly_lines(points: Floats, cells: Ints, ends: Floats, n: int, rng: np.random.Generator) -> tuple[Floats, Ints]:
    """Draw every edge as a line of 4 to 32 segments: all points in one array, and where each line starts (m + 1)."""
    along = ends[:, 1] - ends[:, 0]
    length = np.hypot(*along.T)
    is_coast = cells.max(axis=1) >= n
    ratio = length / np.median(length[~is_coast])
    depth = np.clip(np.round(2.85 + np.log2(np.maximum(ratio, 0.1)) * 0.75), 1, 4).astype(int) + is_coast
    counts = 2**depth + 1
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    drawn = np.zeros((starts[-1], 2))
    for k in np.unique(depth):
        rows = np.flatnonzero(depth == k)
        height = np.where(is_coast[rows], AMPLITUDE["coast"], AMPLITUDE["border"]) * length[rows]
        t, h = _midpoint_displacement(int(k), height, rng)
        h = _within_kite(t, h, points[cells[rows]], ends[rows])
        normal = np.stack([-along[rows, 1], along[rows, 0]], axis=1) / length[rows, None]
        line = ends[rows, None, 0] + t[..., None] * along[rows, None] + h[..., None] * normal[:, None]
        line[:, 0], line[:, -1] = ends[rows, 0], ends[rows, 1]
        drawn[starts[rows][:, None] + np.arange(2**k + 1)] = line
    return drawn, starts


def _midpoint_displacement(depth: int, height: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Positions along (0-1, rising) and heights across, both (n, 2**depth + 1), of fractal lines."""
    n, last = len(height), 2**depth
    h = np.zeros((n, last + 1))
    for k in range(depth):
        step = last >> k
        middle = np.arange(step // 2, last, step)
        h[:, middle] = (h[:, middle - step // 2] + h[:, middle + step // 2]) / 2
        h[:, middle] += rng.normal(size=(n, len(middle))) * (height * 2.0 ** (-k * ROUGHNESS))[:, None]
    t = np.tile(np.arange(last + 1) / last, (n, 1))
    t[:, 1:-1] += rng.uniform(-0.35, 0.35, size=(n, last - 1)) / last
    return t, h


def _within_kite(t: Floats, h: Floats, seeds: Floats, ends: Floats) -> Floats:
    """Press heights softly into the kite of each edge and the two seeds beside it."""
    along = ends[:, 1] - ends[:, 0]
    square = (along**2).sum(axis=1)
    pressed = h
    for side in (0, 1):
        to = seeds[:, side] - ends[:, 0]
        foot = ((to * along).sum(axis=1) / square)[:, None]
        tall = ((along[:, 0] * to[:, 1] - along[:, 1] * to[:, 0]) / np.sqrt(square))[:, None]
        left = np.where(foot > 0, t / np.where(foot > 0, foot, 1), np.inf)
        right = np.where(foot < 1, (1 - t) / np.where(foot < 1, 1 - foot, 1), np.inf)
        limit = 0.9 * np.abs(tall) * np.minimum(left, right)
        mine = (np.sign(h) == np.sign(tall)) & (limit > 0)
        pressed = np.where(mine, limit * np.tanh(h / np.where(limit > 0, limit, 1)), pressed)
    return np.asarray(pressed)


def _polygons(points: Floats, n: int, cells: Ints, ends: Floats, lonlat: Floats, starts: Ints) -> NDArray[np.object_]:
    """Chain the lines around every cell, counter-clockwise, into polygons."""
    owner = np.concatenate([cells[:, 0], cells[:, 1]])
    edge = np.tile(np.arange(len(cells)), 2)
    keep = owner < n
    owner, edge = owner[keep], edge[keep]
    seed = points[owner]
    first, second = ends[edge, 0] - seed, ends[edge, 1] - seed
    forward = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] > 0
    middle = first + second
    order = np.lexsort((np.arctan2(middle[:, 1], middle[:, 0]), owner))
    owner, edge, forward = owner[order], edge[order], forward[order]
    n_points = starts[edge + 1] - starts[edge] - 1  # the last point is the first of the next line
    within = np.arange(n_points.sum()) - np.repeat(np.cumsum(n_points) - n_points, n_points)
    at = np.where(
        np.repeat(forward, n_points),
        np.repeat(starts[edge], n_points) + within,
        np.repeat(starts[edge + 1] - 1, n_points) - within,
    )
    ring, xy = np.repeat(owner, n_points), lonlat[at]
    same = np.r_[False, (ring[1:] == ring[:-1]) & (xy[1:] == xy[:-1]).all(axis=1)]
    return np.asarray(shapely.polygons(shapely.linearrings(xy[~same], indices=ring[~same])))
