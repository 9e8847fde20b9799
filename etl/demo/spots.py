"""Fixed spots of the city: so many for each small grid, scattered, and told in the coordinates of the department."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from etl.coordinates import to_bd09, to_gcj02
from etl.demo.dirt import Dirt
from etl.demo.ground import Ground
from etl.demo.mesh import Ints
from etl.demo.names import Texts
from etl.demo.terrain import Floats


@dataclass(frozen=True)
class Spots:
    """So many spots: their small grids, and where they stand (EPSG:4490)."""

    rng: np.random.Generator
    cell: Ints
    lonlat: Floats

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.cell)

    def told_in(self, crs: str) -> Floats:
        """Coordinates as a department tells them: (n, 2) in `crs`."""
        lon, lat = self.lonlat.T
        if crs in ("GCJ-02", "BD-09"):
            return np.stack((to_gcj02 if crs == "GCJ-02" else to_bd09)(lon, lat), axis=1)
        if crs in ("EPSG:4490", "EPSG:4326"):
            return self.lonlat
        return np.stack(pyproj.Transformer.from_crs("EPSG:4490", crs, always_xy=True).transform(lon, lat), axis=1)

    def points(self, crs: str) -> NDArray[np.object_]:
        """Coordinates in `crs` as points."""
        return np.asarray(shapely.points(self.told_in(crs)), dtype=object)


def scatter(ground: Ground, subject: str, per_grid: float, at_least: int, crowding: float) -> Spots:
    """Scatter spots over the city, `per_grid` for each small grid, more where it is crowded."""
    rng = ground.rng(subject)
    n = max(at_least, round(per_grid * len(ground.codes)))
    cell = np.sort(ground.cells(n, ground.crowd**crowding, rng))
    return Spots(rng, cell, ground.points(cell, rng))


def metres(values: Floats) -> Texts:
    """Metres as text with three digits after the point."""
    return np.asarray(np.char.mod("%.3f", values).astype(object))


def numbered(letters: str, n: int) -> Texts:
    """Keys: letters and a number of six digits."""
    return np.asarray(np.char.mod(f"{letters}%06d", np.arange(1, n + 1)).astype(object))


def geometry_dirt(crs: str) -> list[Dirt]:
    """Dirt of geometry formats: points in another province, and with their axes swapped (degrees only)."""
    far = {"EPSG:4547": (500_000.0, 3_800_000.0), "EPSG:4526": (38_500_000.0, 3_800_000.0)}.get(
        crs, (121.4737, 31.2304)
    )
    kinds = [Dirt("outside_city", None, _moved(lambda geoms: np.full(len(geoms), shapely.Point(far), dtype=object)))]
    if crs not in ("EPSG:4547", "EPSG:4526"):
        kinds.append(Dirt("swapped_coordinates", None, _moved(_swapped_axes)))
    return kinds


def _moved(how: Callable[[NDArray[np.object_]], NDArray[np.object_]]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def spoil(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(geom=pd.Series(how(rows["geom"].to_numpy(dtype=object)), index=rows.index, dtype=object))

    return spoil


def _swapped_axes(geoms: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.asarray(shapely.transform(geoms, lambda xy: xy[:, ::-1]), dtype=object)
