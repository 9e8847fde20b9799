"""The lie of the land: a coast in the south, hills in the north, towns of unequal weight; plane coordinates in km."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etl.demo.sizes import Size

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FULL_AREA_KM2 = 5_100.0
"""Area the shapes below are drawn for; a smaller city is the same land at a smaller scale."""

N_WAVES = 9


@dataclass(frozen=True)
class Terrain:
    """Outline of the city as waves, and its centres: where people and grids crowd."""

    coast: Floats
    inland: Floats
    centres: Floats
    weights: Floats
    spreads: Floats
    n_cells: int

    def is_land(self, xy: Floats) -> Bools:
        """Tell for points of shape (n, 2) whether they lie in the city."""
        x, y = xy[:, 0], xy[:, 1]
        coast = -27 + _waves(x / 110, self.coast, 5.0)
        # two bays that reach inland and a headland between them
        coast = coast + 15 * np.exp(-(((x + 20) / 5.5) ** 2)) + 9 * np.exp(-(((x - 27) / 3.5) ** 2))
        coast = coast - 5 * np.exp(-(((x - 6) / 5) ** 2))
        north = 31 - 15 * (np.abs(x) / 50) ** 3 + _waves(x / 90 + 0.3, self.inland, 4.5)
        side = 50 + _waves(y / 70 + 0.7, self.inland, 4.5) + _waves(y / 40, self.coast, 1.5)
        return np.asarray((y > coast) & (y < north) & (np.abs(x + 0.15 * y) < side))


def make_terrain(size: Size, rng: np.random.Generator) -> Terrain:
    """Make the land of a city: its outline and its centres, the first of them the heaviest."""
    waves = rng.normal(size=(2, N_WAVES)), rng.uniform(0, 1, size=(2, N_WAVES))
    coast, inland = (np.stack([waves[0][i], waves[1][i]]) for i in (0, 1))
    n = size.n_large
    bare = Terrain(coast, inland, np.zeros((0, 2)), np.zeros(0), np.zeros(0), size.n_small)
    places = _uniform_on_land(bare, 12 * n, rng)
    centres = [np.array([3.0, -12.0])]
    for place in places:  # towns keep a distance, so that the country between them stays country
        if len(centres) < n and all(np.hypot(*(place - c)) > 34 / np.sqrt(n) for c in centres):
            centres.append(place)
    at = np.array(centres)
    weights = 1.0 / np.arange(1, len(at) + 1) ** 0.75
    spreads = np.where(np.arange(len(at)) < 1 + n // 14, 4.2, 2.0) * rng.uniform(0.8, 1.2, len(at))
    return Terrain(coast, inland, at, weights / weights.sum(), spreads * min(1.6, np.sqrt(56 / n)), size.n_small)


def cell_seeds(land: Terrain, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the seeds of the small grids (crowded in the centres) and those of the empty cells around the city."""
    n_town = int(land.n_cells * 0.5)
    town = np.zeros((0, 2))
    while len(town) < n_town:
        which = rng.choice(len(land.centres), size=2 * n_town, p=land.weights)
        points = land.centres[which] + rng.normal(size=(2 * n_town, 2)) * land.spreads[which, None]
        town = np.concatenate([town, points[land.is_land(points)]])
    country = _uniform_on_land(land, land.n_cells - n_town, rng)
    step = np.sqrt(FULL_AREA_KM2 / land.n_cells)
    box = rng.uniform((-75, -60), (75, 60), size=(int(150 * 120 / step**2 * 1.2), 2))
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1) * 160
    return np.concatenate([town[:n_town], country]), np.concatenate([box[~land.is_land(box)], ring])


def _uniform_on_land(land: Terrain, n: int, rng: np.random.Generator) -> Floats:
    """Return `n` points spread evenly over the land."""
    points = rng.uniform((-65, -50), (65, 45), size=(8 * n + 64, 2))
    return points[land.is_land(points)][:n]


def _waves(at: Floats, waves: Floats, height: float) -> Floats:
    """Sum of sines whose height falls with their frequency: a smooth random curve, its height about `height`."""
    k = np.arange(1, N_WAVES + 1)
    tall = waves[0] / k**1.1
    return np.asarray(height * 0.6 * (tall * np.sin(2 * np.pi * (np.multiply.outer(at, k) + waves[1]))).sum(axis=-1))
