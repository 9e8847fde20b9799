"""Where things stand: hamlets inside the small grids, points scattered about them, and the sea beside the city."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import date, datetime, time

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.demo.grids import Grids
from etl.demo.mesh import Ints
from etl.demo.names import Texts
from etl.demo.terrain import Floats

N_HAMLETS = 4
MARGIN_DEGREES = 0.0002
"""About 20 m that every point keeps from its grid's border, so that no conversion carries it over."""

HOUSE_SPREAD_DEGREES = 0.0012


@dataclass(frozen=True)
class Ground:
    """The small grids as places to put things; arrays have one entry for each, in order of code.

    `names` has the names at each level, and under `former` the village's former name; `crowd` is how crowded a grid is
    (1 = middling), `people` its share of the population, `until` the last day: nothing is known of it any more.
    """

    seed: int
    until: date
    codes: Texts
    names: dict[str, Texts]
    crowd: Floats
    people: Floats
    inner: NDArray[np.object_]
    hamlets: Floats
    land: shapely.Geometry

    @property
    def end(self) -> np.datetime64:
        """First moment of the last day: everything lies before it, in the city's own time."""
        return np.datetime64(datetime.combine(self.until, time()), "s")

    def rng(self, subject: str) -> np.random.Generator:
        """Random numbers of one subject, not disturbed by how many the others draw."""
        return np.random.default_rng([self.seed, 2, zlib.crc32(subject.encode())])

    def cells(self, n: int, weights: Floats, rng: np.random.Generator) -> Ints:
        """Draw `n` small grids by weight."""
        return np.asarray(rng.choice(len(self.codes), size=n, p=weights / weights.sum()), dtype=np.int64)

    def points(self, cells: Ints, rng: np.random.Generator, spread: float = HOUSE_SPREAD_DEGREES) -> Floats:
        """Put a point near a hamlet of each given grid, well inside it; (n, 2) lon and lat."""
        centre = self.hamlets[cells, rng.integers(0, N_HAMLETS, len(cells))]
        points = centre.copy()
        left = np.arange(len(cells))
        for _ in range(5):
            tried = centre[left] + rng.normal(size=(len(left), 2)) * spread
            inside = shapely.contains_xy(self.inner[cells[left]], tried[:, 0], tried[:, 1])
            points[left[inside]] = tried[inside]
            left = left[~inside]
        return np.asarray(np.round(points, 7))

    def at_sea(self, n: int, rng: np.random.Generator) -> Floats:
        """Points within the city's box, yet in no grid: boats, and slips of the hand."""
        west, south, east, north = shapely.bounds(self.land)
        tried = rng.uniform((west, south), (east, south + (north - south) / 4), size=(400 + 40 * n, 2))
        apart = shapely.distance(self.land, shapely.points(tried)) > 10 * MARGIN_DEGREES
        return np.asarray(np.round(tried[apart][:n], 7))

    def addresses(self, cells: Ints, rng: np.random.Generator) -> Texts:
        """Write the full postal address of a door in each given grid."""
        number = rng.integers(1, 180, len(cells)).astype(str)
        names = self.names
        return np.asarray(
            names["county"][cells] + names["large"][cells] + names["small"][cells] + number.astype(object) + "号"
        )


def make_ground(grids: Grids, seed: int, until: date) -> Ground:
    """Prepare the small grids of a city for things to be put in them."""
    small = grids.levels["small"]
    codes = small["code"].to_numpy(dtype=object)
    names = {"small": small["name"].to_numpy(dtype=object)}
    for level, digits in (("county", 6), ("large", 9), ("medium", 12)):
        frame = grids.levels[level]
        called = dict(zip(frame["code"], frame["name"], strict=True))
        names[level] = np.array([called[code[:digits]] for code in codes], dtype=object)
    medium = grids.levels["medium"]
    former = dict(zip(medium["code"], medium["aliases"], strict=True))
    names["former"] = np.array([former[code[:12]] for code in codes], dtype=object)
    rng = np.random.default_rng([seed, 2])
    polygons = small.geometry.to_numpy()
    inner = _largest_parts(shapely.buffer(polygons, -MARGIN_DEGREES), polygons)
    shapely.prepare(inner)
    people = (0.4 + grids.crowd**0.7) * rng.lognormal(0, 0.45, len(codes))
    land = shapely.coverage_union_all(polygons)
    shapely.prepare(land)
    hamlets = _hamlets(inner, rng)
    return Ground(seed, until, codes, names, grids.crowd, people / people.sum(), inner, hamlets, land)


def _largest_parts(shrunk: NDArray[np.object_], whole: NDArray[np.object_]) -> NDArray[np.object_]:
    """Largest part of each shape; a shape with nothing left stands for itself."""
    parts, owner = shapely.get_parts(np.where(shapely.is_empty(shrunk), whole, shrunk), return_index=True)
    order = np.lexsort((-shapely.area(parts), owner))
    return np.asarray(parts[order[np.searchsorted(owner[order], np.arange(len(whole)))]])


def _hamlets(inner: NDArray[np.object_], rng: np.random.Generator) -> Floats:
    """Some places in each grid where houses crowd: (n, N_HAMLETS, 2)."""
    n = len(inner)
    middle = shapely.point_on_surface(inner)
    west, south, east, north = (edge[:, None] for edge in shapely.bounds(inner).T)
    hamlets = np.repeat(np.stack([shapely.get_x(middle), shapely.get_y(middle)], axis=1)[:, None], N_HAMLETS, axis=1)
    for _ in range(3):
        x, y = rng.uniform(west, east, (n, N_HAMLETS)), rng.uniform(south, north, (n, N_HAMLETS))
        inside = shapely.contains_xy(inner[:, None], x, y)
        hamlets[inside] = np.stack([x[inside], y[inside]], axis=1)
    return hamlets
