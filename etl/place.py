"""Place: delivered coordinates become CGCS2000, and every row is tied to the finest grid known.

By its point; else by the grid code it came with; else by the names of grids in its address; else to the city, as
unplaced. What cannot be a place of this city is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import shapely

from etl.addresses import tie_addresses
from etl.coordinates import to_cgcs2000, to_cgcs2000_geometries
from etl.masks import present
from etl.refusals import Refusals
from etl.shape import Shaped
from etl.tree import GridTree
from layers.declare.records import Source
from layers.tables import SRID

TIED_BY = ("none", "point", "code", "address")
"""How a row was tied; positions are the numbers in `Placed.tied_by`."""

GEOMETRY_FIELD = ""
"""Field named in a refusal when the fault lies in the delivered shape, which has no heading."""


@dataclass(frozen=True)
class Placed:
    """Where rows are: point (NaN: none) or shape (EWKB), position of the grid in the tree, and how it was found."""

    lon: np.ndarray
    lat: np.ndarray
    shapes: pa.Array | None
    grid: np.ndarray
    tied_by: np.ndarray
    n_repaired: int = 0

    def take(self, rows: np.ndarray) -> Placed:
        """Take some rows."""
        shapes = None if self.shapes is None else self.shapes.take(pa.array(rows))
        return Placed(self.lon[rows], self.lat[rows], shapes, self.grid[rows], self.tied_by[rows], self.n_repaired)


@dataclass(frozen=True)
class _Door:
    """What delivered coordinates are judged by, and where refusals go; `field` is the heading to blame."""

    crs: str
    field: str
    within_km: float
    tree: GridTree
    refusals: Refusals

    def is_near(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        return self.tree.is_near(lon, lat, self.within_km)


def place(shaped: Shaped, source: Source, tree: GridTree) -> Placed:
    """Convert coordinates and tie every row; refusals are added to those of the batch."""
    door = _Door(source.crs or "EPSG:4490", source.lon or GEOMETRY_FIELD, source.within_km, tree, shaped.refusals)
    shapes, n_repaired = None, 0
    if shaped.geometry is not None:
        lon, lat, shapes, n_repaired = _from_geometry(shaped.geometry, door)
    elif shaped.x is not None and shaped.y is not None:
        lon, lat = _from_numbers(shaped.x, shaped.y, door)
    else:
        lon = lat = np.full(shaped.n, np.nan)
    grid = np.full(shaped.n, -1, np.int32)
    tied_by = np.zeros(shaped.n, np.int8)
    if not np.isnan(lon).all():
        found = tree.index.locate(lon, lat)
        grid = np.where(found >= 0, tree.of_index[found], -1).astype(np.int32)
        tied_by[grid >= 0] = 1
    if shaped.delivered_code is not None and (grid < 0).any():
        known = tree.find(shaped.delivered_code)
        use = (grid < 0) & (known >= 0) & (known != tree.city)
        grid[use], tied_by[use] = known[use], 2
    if shaped.address is not None:
        _by_address(shaped.address, tree, grid, tied_by)
    grid[grid < 0] = tree.city
    return Placed(lon, lat, shapes, grid, tied_by, n_repaired)


def _from_numbers(x: np.ndarray, y: np.ndarray, door: _Door) -> tuple[np.ndarray, np.ndarray]:
    lon, lat = to_cgcs2000(x, y, door.crs)
    _check_points((x, y), (lon, lat), door)
    bad = door.refusals.bad
    return (np.where(bad, np.nan, lon), np.where(bad, np.nan, lat)) if bad.any() else (lon, lat)


def _check_points(given: tuple[np.ndarray, np.ndarray], converted: tuple[np.ndarray, np.ndarray], door: _Door) -> None:
    (x, y), (lon, lat) = given, converted
    far = ~np.isnan(x) & ~np.isnan(y) & ~door.is_near(lon, lat)
    if not far.any():
        return
    rows = np.flatnonzero(far)
    shown = np.full(len(x), None, object)
    shown[rows] = [f"{a:.10g} {b:.10g}" for a, b in zip(x[rows], y[rows], strict=True)]
    values = pa.array(shown, pa.string())
    swapped = np.zeros(len(x), bool)
    swapped[rows] = door.is_near(*to_cgcs2000(y[rows], x[rows], door.crs))
    nowhere = ~np.isfinite(lon) | ~np.isfinite(lat) | (np.abs(lon) > 180) | (np.abs(lat) > 90)
    zero = (np.abs(x) < 1e-9) & (np.abs(y) < 1e-9)
    door.refusals.add("bad_coordinates", door.field, far & (swapped | nowhere | zero), values)
    door.refusals.add("outside_city", door.field, far, values)


def _from_geometry(geometry: np.ndarray, door: _Door) -> tuple[np.ndarray, np.ndarray, pa.Array | None, int]:
    to, n = door.refusals, len(geometry)
    missing = shapely.is_missing(geometry)
    to.add("bad_geometry", GEOMETRY_FIELD, ~missing & shapely.is_empty(geometry))
    points = geometry.copy()
    is_single = (shapely.get_type_id(geometry) == 4) & (shapely.get_num_geometries(geometry) == 1)
    points[is_single] = shapely.get_geometry(geometry[is_single], 0)
    is_point = shapely.get_type_id(points) == 0
    x, y = np.full(n, np.nan), np.full(n, np.nan)
    x[is_point], y[is_point] = shapely.get_x(points[is_point]), shapely.get_y(points[is_point])
    others = ~is_point & ~missing & ~to.bad
    lon, lat = _from_numbers(x, y, door)
    if not others.any():
        return lon, lat, None, 0
    converted = to_cgcs2000_geometries(_only(geometry, others), door.crs)
    broken = others & ~shapely.is_valid(converted)
    converted[broken] = shapely.make_valid(converted[broken])
    finite = np.isfinite(shapely.bounds(converted)).all(axis=1)
    to.add("bad_geometry", GEOMETRY_FIELD, others & (shapely.is_empty(converted) | ~finite))
    inner = shapely.point_on_surface(_only(converted, others & ~to.bad))
    lon = np.where(others, shapely.get_x(inner), lon)
    lat = np.where(others, shapely.get_y(inner), lat)
    _check_points((np.where(others, lon, np.nan), lat), (lon, lat), replace(door, crs="EPSG:4490"))
    whole = np.asarray(shapely.points(lon, lat), object)
    whole[others] = converted[others]
    whole = _only(whole, ~np.isnan(lon) & ~to.bad)
    ewkb = shapely.to_wkb(shapely.set_srid(whole, SRID), include_srid=True, byte_order=1)
    return lon, lat, pa.array(ewkb, pa.binary()), int((broken & ~to.bad).sum())


def _only(geometry: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Shapes inside a mask, None outside."""
    kept = np.full(len(geometry), None, object)
    kept[mask] = geometry[mask]
    return kept


def _by_address(address: pa.Array, tree: GridTree, grid: np.ndarray, tied_by: np.ndarray) -> None:
    rows = np.flatnonzero((grid < 0) & present(address))
    if not len(rows):
        return
    text = address.take(pa.array(rows)).to_numpy(zero_copy_only=False)
    tied = tie_addresses(text, tree.names)
    found = tree.find(pa.array(tied["grid_code"].to_numpy(object), pa.string(), from_pandas=True))
    use = (found >= 0) & (found != tree.city)
    grid[rows[use]], tied_by[rows[use]] = found[use], 3
