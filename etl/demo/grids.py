"""The grids of the sample city: one frame for each level, small cells first and the rest as exact unions of them."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from etl.demo import names
from etl.demo.mesh import Ints, Mesh, make_mesh
from etl.demo.sizes import Size
from etl.demo.terrain import FULL_AREA_KM2, Floats, cell_seeds, make_terrain
from etl.demo.tree import densest, grow_regions, reading_order, region_graph

CITY_CODE = "4499"
ORIGIN = np.array([115.3, 22.8])
"""Middle of the city (lon, lat)."""

KM_PER_DEGREE = np.array([111.32 * np.cos(np.radians(22.8)), 110.75])


@dataclass(frozen=True)
class Grids:
    """Frames of `county`, `large`, `medium` and `small` grids: code, name, aliases, geom; in order of their codes.

    `middle` holds a plane position (km) for each small grid and `crowd` how crowded it is (1 = middling).
    """

    levels: dict[str, gpd.GeoDataFrame]
    middle: Floats
    crowd: Floats


def make_grids(size: Size, seed: int) -> Grids:
    """Make the grids of a city, the same for the same size and seed.

    A seed whose land falls apart or whose borders meet is passed over for the next: a handful of tries at the most.
    """
    for attempt in range(20):
        rng = np.random.default_rng([seed, 1, attempt])
        land = make_terrain(size, rng)
        if len(land.centres) < size.n_large:
            continue
        seeds, around = cell_seeds(land, rng)
        scale = np.sqrt(size.area_km2 / FULL_AREA_KM2) / KM_PER_DEGREE
        mesh = make_mesh(seeds, around, rng, scale, ORIGIN)
        whole = shapely.coverage_union_all(mesh.polygons)
        if whole.geom_type == "Polygon" and shapely.is_valid(mesh.polygons).all():
            return _named(size, mesh, rng)
    raise RuntimeError(f"seed {seed} gives no city in one piece: take another")


def _named(size: Size, mesh: Mesh, rng: np.random.Generator) -> Grids:
    """Group the cells, number and name the groups, and unite their shapes."""
    graph, at = mesh.graph(), mesh.seeds
    area = shapely.area(mesh.polygons)
    medium = grow_regions(graph, at, size.n_medium, rng)
    medium_graph, medium_at = region_graph(graph, medium), _mean(at, medium)
    large_of = grow_regions(medium_graph, medium_at, size.n_large, rng)
    large_graph, large_at = region_graph(medium_graph, large_of), _mean(medium_at, large_of)
    county_of = grow_regions(large_graph, large_at, size.n_county, rng)

    medium_crowd = np.bincount(medium) / np.bincount(medium, area)
    large_crowd = np.bincount(large_of[medium]) / np.bincount(large_of[medium], area)
    one = np.zeros(size.n_large, dtype=np.int64)
    is_street = densest(one, large_crowd, np.array([0.3]), 1)
    in_street = np.where(is_street, 0.85, 0.1)
    is_quarter = densest(large_of, medium_crowd, in_street, 1)

    county_rank = np.argsort(np.argsort(-_crowded(county_of, large_crowd))) + 1
    county_code = np.array([f"{CITY_CODE}{n:02d}" for n in county_rank], dtype=object)
    large_code = _codes(county_code, county_of, large_at, is_street, (1, 100))
    medium_code = _codes(large_code, large_of, medium_at, is_quarter, (1, 200))
    number = reading_order(medium, at)
    small_code = np.array([f"{c}{n:03d}" for c, n in zip(medium_code[medium], number, strict=True)], dtype=object)

    large_name = names.town_names(is_street[(order := np.argsort(large_code))], rng)[np.argsort(order)]
    medium_name = names.village_names(large_of, is_quarter, max(3, size.n_medium // 70), rng)
    polygons = _with_islands(mesh, at, rng)
    small = _frame(small_code, names.group_names(medium_name[medium], number), None, polygons, rng)
    levels = {"small": small}
    medium_order = np.argsort(small_code)
    for level, digits, codes, called in (
        ("medium", 12, medium_code, medium_name),
        ("large", 9, large_code, large_name),
        ("county", 6, county_code, np.array(names.COUNTIES, dtype=object)[county_rank - 1]),
    ):
        geoms = _united(small, digits, codes)
        levels[level] = _frame(codes, called, 0.05 if level != "county" else None, geoms, rng)
    crowd = 1 / area
    return Grids(
        {level: levels[level] for level in ("county", "large", "medium", "small")},
        at[medium_order],
        (crowd / crowd.mean())[medium_order],
    )


def _mean(at: Floats, group: Ints) -> Floats:
    """Mean position of each group."""
    return np.asarray(np.stack([np.bincount(group, at[:, i]) for i in (0, 1)], axis=1) / np.bincount(group)[:, None])


def _crowded(group: Ints, crowd: Floats) -> Floats:
    """Crowding of the most crowded member of each group."""
    most = np.zeros(int(group.max()) + 1)
    np.maximum.at(most, group, crowd)
    return most


def _codes(
    parent_code: NDArray[np.object_],
    parent: Ints,
    at: Floats,
    is_first_kind: NDArray[np.bool_],
    starts: tuple[int, int],
) -> NDArray[np.object_]:
    """Code of every child: its parent's, then three digits counted by kind from the starts of the national ranges."""
    kind = np.where(is_first_kind, 0, 1)
    number = reading_order(parent * 2 + kind, at) - 1 + np.array(starts)[kind]
    return np.array([f"{c}{n:03d}" for c, n in zip(parent_code[parent], number, strict=True)], dtype=object)


def _united(small: gpd.GeoDataFrame, digits: int, codes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Union of the small grids below each code, corner for corner."""
    parts: dict[str, list[int]] = {}
    for i, code in enumerate(small["code"]):
        parts.setdefault(code[:digits], []).append(i)
    geoms = small.geometry.to_numpy()
    return np.array([shapely.coverage_union_all(geoms[parts[code]]) for code in codes], dtype=object)


def _frame(
    code: NDArray[np.object_],
    name: NDArray[np.object_],
    former_share: float | None,
    geoms: NDArray[np.object_],
    rng: np.random.Generator,
) -> gpd.GeoDataFrame:
    """Frame of one level, in order of code, all shapes MultiPolygons."""
    former = names.former_names(name, former_share, rng) if former_share else np.full(len(name), "", dtype=object)
    table = pd.DataFrame({"code": code, "name": name, "aliases": former})
    frame = gpd.GeoDataFrame(table, geometry=_multi(geoms), crs="EPSG:4490").rename_geometry("geom")
    return frame.sort_values("code", ignore_index=True)


def _multi(geoms: NDArray[np.object_]) -> NDArray[np.object_]:
    """Every polygon as a MultiPolygon."""
    return np.array([shapely.MultiPolygon(shapely.get_parts(g).tolist()) for g in geoms], dtype=object)


def _with_islands(mesh: Mesh, at: Floats, rng: np.random.Generator) -> NDArray[np.object_]:
    """Give two or three cells on the south coast an islet each, off shore and clear of everything else."""
    polygons = mesh.polygons.copy()
    whole = shapely.coverage_union_all(polygons)
    shapely.prepare(whole)
    south = np.flatnonzero(mesh.outer & (at[:, 1] < np.quantile(at[:, 1], 0.25)))
    wanted = 3 if len(at) > 1000 else 2
    taken: list[shapely.Geometry] = []
    for cell in rng.permutation(south):
        if len(taken) == wanted:
            break
        across = np.sqrt(shapely.area(polygons).mean())
        shore = shapely.bounds(polygons[cell])
        middle = np.array([(shore[0] + shore[2]) / 2 + rng.normal() * across, shore[1] - rng.uniform(1.5, 3) * across])
        islet = _islet(middle, across * rng.uniform(0.3, 0.6), rng)
        if whole.distance(islet) > across * 0.5 and all(islet.distance(t) > 8 * across for t in taken):
            polygons[cell] = shapely.MultiPolygon([polygons[cell], islet])
            taken.append(islet)
    return polygons


def _islet(middle: Floats, radius: float, rng: np.random.Generator) -> shapely.Polygon:
    """Make a small round-ish island: a star around its middle, so that it cannot cross itself."""
    turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    k = np.arange(1, 13)
    tall, shift = rng.normal(size=12) / k**1.2, rng.uniform(0, 2 * np.pi, 12)
    away = radius * np.exp(0.25 * (tall * np.sin(np.multiply.outer(turn, k) + shift)).sum(axis=1))
    xy = middle + away[:, None] * np.stack([np.cos(turn) * 1.3, np.sin(turn)], axis=1)
    return shapely.Polygon(np.round(xy, 7))
