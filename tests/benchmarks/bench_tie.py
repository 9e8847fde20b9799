"""Tie 1 M points to the small grids of the full city, beside `geopandas.sjoin`."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from layers.locate import GridIndex
from tests.benchmarks import Report, full_city, medians_s

N = 1_000_000


def run(report: Report) -> None:
    """Measure ours with the index kept and with its build, sjoin, and compare the answers."""
    grids = gpd.read_file(full_city() / "grids.gpkg", layer="grid_small")
    grids = grids[shapely.is_valid(grids.geometry) & ~shapely.is_empty(grids.geometry)]
    grids = grids[grids["编码"].str.len() == 15].drop_duplicates("编码").sort_values("编码", ignore_index=True)
    codes, shapes = grids["编码"].to_numpy(dtype=str), grids.geometry.to_numpy()
    lon, lat = points_of(shapes)
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat, crs=grids.crs))
    index = GridIndex.build(codes, shapes)

    kept, built, joined = medians_s(
        lambda: index.locate(lon, lat),
        lambda: GridIndex.build(codes, shapes).locate(lon, lat),
        lambda: gpd.sjoin(points, grids, predicate="intersects"),
    )
    pairs = gpd.sjoin(points, grids, predicate="intersects")
    first = np.full(N, len(grids))
    np.minimum.at(first, pairs.index.to_numpy(), pairs["index_right"].to_numpy())
    n_other = int((np.where(first < len(grids), first, -1) != index.locate(lon, lat)).sum())

    report(
        "tie 1 M points, index kept",
        f"{joined / kept:.1f} x sjoin ({kept:.3f} s against {joined:.2f} s, {len(grids):,} grids)",
        ">= 15 x",
        joined / kept >= 15,
    )
    report(
        "tie 1 M points, with the build", f"{joined / built:.1f} x sjoin ({built:.3f} s)", ">= 3 x", joined / built >= 3
    )
    report("tie 1 M points, other answers than GEOS", f"{n_other}", "0", n_other == 0)


def points_of(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points crowded as people are, around the grids; one in a hundred exactly on a corner, as many on an edge."""
    random = np.random.default_rng(4499)
    centres = shapely.get_coordinates(shapely.point_on_surface(shapes))
    spread = np.sqrt(shapely.area(shapes))
    of = random.integers(0, len(shapes), N)
    xy = centres[of] + random.normal(0, 0.5, (N, 2)) * spread[of, None]
    corners, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(shapes)), return_index=True)
    corner = random.choice(np.flatnonzero(ring[1:] == ring[:-1]), N // 50)
    half = len(corner) // 2
    xy[:half] = corners[corner[:half]]
    xy[half : 2 * half] = (corners[corner[half:]] + corners[corner[half:] + 1]) / 2
    return xy[:, 0].copy(), xy[:, 1].copy()
