"""The area an emergency is about: around a point, drawn, or made of grids; and the grids it touches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import psycopg
import shapely

from layers.access import Scope
from layers.codes import LENGTHS, ancestors_of
from layers.errors import AreaError
from layers.tables import SRID

NEAREST_M, FARTHEST_M = 50.0, 20_000.0
"""Least and greatest radius of an area around a point, in metres."""
CORNERS_MOST, GRIDS_MOST = 200, 200
"""Most corners of a drawn shape, and most grids named."""

_SIDES = 256  # the chord of a circle of 1 km is then 8 cm inside it

_UNION = """
select ST_AsBinary(ST_Union(geom)), count(*) from pub.grid where edition = %s and code = any(%s)
"""

_TOUCHED = """
with asked as materialized (select ST_SetSRID(%(shape)s::geometry, %(srid)s) as shape)
select g.code, g.name, ST_Covers(a.shape, g.geom) as is_whole,
    case when ST_Covers(a.shape, g.geom) then ST_Area(g.geom) else ST_Area(ST_Intersection(g.geom, a.shape)) end
        / ST_Area(a.shape) as share
from asked as a
join pub.grid as g on g.geom && a.shape and ST_Intersects(g.geom, a.shape)
where g.edition = %(edition)s and g.level = any(%(levels)s) and g.code >= %(low)s and g.code < %(high)s
order by g.code
"""

_BELOW = """
select distinct g.code, g.name, true as is_whole, 0.0::float8 as share
from unnest(%(codes)s::text[]) as one
join pub.grid as g on g.code collate "C" >= one collate "C" and g.code collate "C" < one || ':' collate "C"
where g.edition = %(edition)s and g.level = any(%(levels)s) and g.code >= %(low)s and g.code < %(high)s
order by g.code
"""


@dataclass(frozen=True)
class Area:
    """An area on the map (EPSG:4490); distances are told from `target`: its middle point, or the shape itself."""

    kind: Literal["circle", "shape", "grids"]
    shape: shapely.Geometry
    target: shapely.Geometry
    radius_m: float | None = None
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Touched:
    """The finest grids an area touches inside the scope; people are told for whole grids only."""

    grids: pd.DataFrame
    """code, name, is_whole: whether the area holds all of it; in order of code."""
    share: float
    """Share of the area that lies in these grids: less than 1 where it goes beyond the scope, or out to sea."""

    @property
    def codes(self) -> list[str]:
        """Codes of the grids."""
        return self.grids["code"].to_list()

    @property
    def chain(self) -> list[str]:
        """Codes of the grids and of all above them."""
        return sorted({above for code in self.codes for above in ancestors_of(code)})


def around(lon: float, lat: float, radius_m: float) -> Area:
    """Make the area around a point, a spheroidal circle.

    Raises
    ------
    AreaError
        The point is nowhere, or the radius too small or too large.
    """
    import pyproj

    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 85):
        raise AreaError("point", "This point lies nowhere on the map.", "Give longitude and latitude in degrees.")
    if not NEAREST_M <= radius_m <= FARTHEST_M:
        raise AreaError(
            "radius", f"A radius of {radius_m:g} m is not drawn.", f"Choose one from {NEAREST_M:g} to {FARTHEST_M:g} m."
        )
    turns = np.linspace(0, 360, _SIDES, endpoint=False)
    ring = pyproj.Geod(ellps="GRS80").fwd(np.full(_SIDES, lon), np.full(_SIDES, lat), turns, np.full(_SIDES, radius_m))[
        :2
    ]
    return Area("circle", shapely.Polygon(np.column_stack(ring)), shapely.Point(lon, lat), radius_m)


def drawn(corners: Sequence[tuple[float, float]]) -> Area:
    """Make the area of a shape drawn corner by corner, (lon, lat).

    Raises
    ------
    AreaError
        It has too few or too many corners, lies nowhere, or crosses itself.
    """
    if not 3 <= len(corners) <= CORNERS_MOST:
        raise AreaError("corners", f"A shape has 3 to {CORNERS_MOST} corners, not {len(corners)}.", "Draw it again.")
    at = np.asarray(corners, dtype=float)
    if at.shape != (len(corners), 2) or not np.isfinite(at).all() or (np.abs(at) > (180, 85)).any():
        raise AreaError("point", "A corner lies nowhere on the map.", "Give longitude and latitude in degrees.")
    shape = shapely.Polygon(at)
    if not shape.is_valid or shape.area == 0:
        raise AreaError(
            "crossing", "The shape crosses itself, or has no area.", "Draw it again, without crossing a line."
        )
    return Area("shape", shape, shape)


def of_grids(connection: psycopg.Connection[Any], scope: Scope, edition: int, codes: Sequence[str]) -> Area:
    """Make the area of some grids of any level.

    Raises
    ------
    AreaError
        None is named, or too many, or one is not there.
    AccessError
        One is outside the scope.
    """
    named = tuple(dict.fromkeys(scope.within(code).code for code in codes))
    if not 1 <= len(named) <= GRIDS_MOST:
        raise AreaError("grids", f"{len(named)} grids are named.", f"Name 1 to {GRIDS_MOST}.")
    row = connection.execute(_UNION, [edition, list(named)]).fetchone()
    if row is None or row[1] != len(named):
        raise AreaError("grids", "One of these grids is not there.", "Search for them by name.")
    shape = shapely.from_wkb(row[0])
    return Area("grids", shape, shape, codes=named)


def area_of(
    connection: psycopg.Connection[Any],
    scope: Scope,
    edition: int,
    point: tuple[float, float] | None = None,
    radius_m: float = 1000,
    *,
    shape: Sequence[tuple[float, float]] | None = None,
    grids: Sequence[str] | None = None,
) -> Area:
    """Make the area around a point, of a shape, or of grids, whichever is given.

    Raises
    ------
    AreaError
        None is given, or more than one, or the area cannot be.
    AccessError
        A grid is outside the scope.
    """
    if [point, shape, grids].count(None) != 2:
        raise AreaError("none", "An area is one of three things.", "Give a point, or a shape, or grids.")
    if point is not None:
        return around(*point, radius_m)
    return drawn(shape) if shape is not None else of_grids(connection, scope, edition, grids or ())


def touched(connection: psycopg.Connection[Any], scope: Scope, edition: int, area: Area) -> Touched:
    """Find the small grids an area touches, and medium ones that have no small grids."""
    asked: dict[str, Any] = {"edition": edition, "low": scope.low, "high": scope.high, "levels": ["medium", "small"]}
    if area.kind == "grids":
        rows = connection.execute(_BELOW, asked | {"codes": list(area.codes)}).fetchall()
    else:
        rows = connection.execute(_TOUCHED, asked | {"shape": shapely.to_wkb(area.shape), "srid": SRID}).fetchall()
    frame = pd.DataFrame(rows, columns=["code", "name", "is_whole", "share"])
    digits = frame["code"].str.len()
    parted = set(frame.loc[digits == LENGTHS["small"], "code"].str[: LENGTHS["medium"]])
    frame = frame[(digits == LENGTHS["small"]) | ~frame["code"].isin(parted)].reset_index(drop=True)
    share = 1.0 if area.kind == "grids" else min(1.0, float(frame["share"].sum()))
    return Touched(frame[["code", "name", "is_whole"]], share)
