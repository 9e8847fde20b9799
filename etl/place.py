"""Place: delivered coordinates become CGCS2000, and every row is tied to the finest grid known.

By its point; else by the grid code it came with; else by the names of grids in its address; else to the city, as
unplaced. What cannot be a place of this city is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import shapely

from etl.addresses import tie_addresses
from etl.coordinates import Conversion
from etl.geometry import GEOMETRY_FIELD, check_geometry
from etl.masks import present
from etl.refusals import Refusals
from etl.shape import Shaped
from etl.tree import GridTree
from layers.declare.records import Source
from layers.tables import SRID

TIED_BY = ("none", "point", "code", "address")
"""How a row was tied; positions are the numbers in `Placed.tied_by`."""


@dataclass(frozen=True)
class Placed:
    """Where rows are: point (NaN: none) or shape (EWKB), position of the grid in the tree, and how it was found.

    `repaired` says whose shape had to be mended. Where addresses were looked at: `confidence` in the grid found by
    them, null for other rows, and `candidates`, the codes of the grids it may be, null where there is no doubt.
    """

    lon: np.ndarray
    lat: np.ndarray
    shapes: pa.Array | None
    grid: np.ndarray
    tied_by: np.ndarray
    repaired: np.ndarray
    confidence: pa.Array | None = None
    candidates: pa.Array | None = None

    def take(self, rows: np.ndarray) -> Placed:
        """Take some rows."""
        at = pa.array(rows)
        shapes, confidence, candidates = (
            None if column is None else column.take(at) for column in (self.shapes, self.confidence, self.candidates)
        )
        lon, lat, grid, tied_by, repaired = (
            values[rows] for values in (self.lon, self.lat, self.grid, self.tied_by, self.repaired)
        )
        return Placed(lon, lat, shapes, grid, tied_by, repaired, confidence, candidates)


@dataclass(frozen=True)
class _Door:
    """What delivered coordinates are judged by, and where refusals go; `field` is the heading to blame."""

    conversion: Conversion
    field: str
    within_km: float
    tree: GridTree
    refusals: Refusals

    def is_near(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        return self.tree.is_near(lon, lat, self.within_km)


def place(shaped: Shaped, source: Source, conversion: Conversion, tree: GridTree) -> Placed:
    """Convert coordinates and tie every row; refusals are added to those of the batch."""
    door = _Door(conversion, source.lon or GEOMETRY_FIELD, source.within_km, tree, shaped.refusals)
    shapes, repaired = None, np.zeros(shaped.n, bool)
    if shaped.geometry is not None:
        lon, lat, shapes, repaired = _from_geometry(shaped.geometry, door)
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
    confidence = candidates = None
    if shaped.address is not None:
        confidence, candidates = _by_address(shaped.address, tree, grid, tied_by)
    grid[grid < 0] = tree.city
    return Placed(lon, lat, shapes, grid, tied_by, repaired, confidence, candidates)


def _from_numbers(x: np.ndarray, y: np.ndarray, door: _Door) -> tuple[np.ndarray, np.ndarray]:
    lon, lat = door.conversion.convert(x, y)
    _check_points((x, y), (lon, lat), door)
    bad = door.refusals.bad
    return (np.where(bad, np.nan, lon), np.where(bad, np.nan, lat)) if bad.any() else (lon, lat)


def _check_points(given: tuple[np.ndarray, np.ndarray], converted: tuple[np.ndarray, np.ndarray], door: _Door) -> None:
    """Refuse points that are not near the city, each by the likeliest reason."""
    (x, y), (lon, lat) = given, converted
    far = ~np.isnan(x) & ~np.isnan(y) & ~door.is_near(lon, lat)
    if not far.any():
        return
    rows = np.flatnonzero(far)
    values = _shown(x, y, rows)
    swapped = np.zeros(len(x), bool)
    swapped[rows] = door.is_near(*door.conversion.convert(y[rows], x[rows]))
    nowhere = ~np.isfinite(lon) | ~np.isfinite(lat) | (np.abs(lon) > 180) | (np.abs(lat) > 90)
    zero = (np.abs(x) < 1e-9) & (np.abs(y) < 1e-9)
    to = door.refusals
    to.add("zero_coordinates", door.field, far & zero, values)
    to.add("swapped_coordinates", door.field, far & swapped, values)
    to.add("bad_coordinates", door.field, far & nowhere, values)
    to.add("outside_city", door.field, far, values)


def _shown(x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> pa.Array:
    """Pairs as text, at these rows only."""
    shown = np.full(len(x), None, object)
    shown[rows] = [f"{a:.10g} {b:.10g}" for a, b in zip(x[rows], y[rows], strict=True)]
    return pa.array(shown, pa.string())


def _from_geometry(geometry: np.ndarray, door: _Door) -> tuple[np.ndarray, np.ndarray, pa.Array | None, np.ndarray]:
    to = door.refusals
    checked = check_geometry(geometry, door.conversion, to)
    lon, lat = _from_numbers(checked.x, checked.y, door)
    others = ~shapely.is_missing(checked.shapes)
    if not others.any():
        return lon, lat, None, checked.repaired
    _check_shapes(checked.shapes, door)
    others &= ~to.bad
    inner = shapely.point_on_surface(_only(checked.shapes, others))
    lon = np.where(others, shapely.get_x(inner), lon)
    lat = np.where(others, shapely.get_y(inner), lat)
    whole = np.asarray(shapely.points(lon, lat), object)
    whole[others] = checked.shapes[others]
    whole = _only(whole, ~np.isnan(lon) & ~to.bad)
    ewkb = shapely.to_wkb(shapely.set_srid(whole, SRID), include_srid=True, byte_order=1)
    return lon, lat, pa.array(ewkb, pa.binary()), checked.repaired & ~to.bad


def _check_shapes(shapes: np.ndarray, door: _Door) -> None:
    """Refuse shapes of which a corner is not near the city."""
    west, south, east, north = shapely.bounds(shapes).T
    far = ~np.isnan(west) & ~(door.is_near(west, south) & door.is_near(east, north))
    if far.any():
        swapped = far & door.is_near(south, west) & door.is_near(north, east)
        values = _shown(west, south, np.flatnonzero(far))
        door.refusals.add("swapped_coordinates", door.field, swapped, values)
        door.refusals.add("outside_city", door.field, far, values)


def _only(geometry: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Shapes inside a mask, None outside."""
    kept = np.full(len(geometry), None, object)
    kept[mask] = geometry[mask]
    return kept


def _by_address(
    address: pa.Array, tree: GridTree, grid: np.ndarray, tied_by: np.ndarray
) -> tuple[pa.Array | None, pa.Array | None]:
    """Tie what is not tied yet by its address; give confidence and candidates, None when nobody was asked."""
    rows = np.flatnonzero((grid < 0) & present(address))
    if not len(rows):
        return None, None
    text = address.take(pa.array(rows)).to_numpy(zero_copy_only=False)
    tied = tie_addresses(text, tree.names)
    found = tree.find(pa.array(tied["grid_code"].to_numpy(object), pa.string(), from_pandas=True))
    use = (found >= 0) & (found != tree.city)
    grid[rows[use]], tied_by[rows[use]] = found[use], 3
    confidence = np.full(len(address), np.nan)
    confidence[rows] = tied["confidence"]
    candidates = np.full(len(address), None, object)
    doubtful = tied["candidates"].str.len().to_numpy() > 0
    candidates[rows[doubtful]] = tied["candidates"][doubtful].map(list)
    return (
        pa.array(confidence, pa.float64(), from_pandas=True),
        pa.array(candidates, pa.list_(pa.string()), from_pandas=True),
    )
