"""Geometry: delivered shapes checked, converted and, where that changes next to nothing, repaired.

A shape that crosses itself is repaired only when its area stays (`REPAIR_AREA_SHARE`); otherwise nobody knows what was
meant, and it goes back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from etl.coordinates import Conversion
from etl.refusals import Refusals
from layers.grids.check import REPAIR_AREA_SHARE

GEOMETRY_FIELD = ""
"""Field named in a refusal when the fault lies in the delivered shape, which has no heading."""

_POINT, _RING, _POLYGON, _MULTIPOINT = 0, 2, 3, 4


@dataclass(frozen=True)
class Checked:
    """Shapes after the checks.

    `points` has the single points as delivered, NaN elsewhere; `shapes` all other shapes, converted, valid and flat,
    None elsewhere; `repaired` says which of these had to be mended.
    """

    x: np.ndarray
    y: np.ndarray
    shapes: np.ndarray
    repaired: np.ndarray


def check_geometry(geometry: np.ndarray, conversion: Conversion, to: Refusals) -> Checked:
    """Check delivered shapes, convert all that are more than a point, and repair what can be.

    Parameters
    ----------
    geometry
        As delivered; None: there is none, an empty ring: it could not be built.
    conversion
        How coordinates become CGCS2000.
    to
        Where refusals go: `too_few_points`, `empty_geometry`, `bad_geometry` (a corner is nowhere), `self_crossing`.
    """
    n, there = len(geometry), ~shapely.is_missing(geometry)
    unbuilt = there & (shapely.get_type_id(geometry) == _RING)
    empty = there & ~unbuilt & shapely.is_empty(geometry)
    to.add("too_few_points", GEOMETRY_FIELD, unbuilt)
    to.add("empty_geometry", GEOMETRY_FIELD, empty)
    points = geometry.copy()
    single = (shapely.get_type_id(geometry) == _MULTIPOINT) & (shapely.get_num_geometries(geometry) == 1)
    points[single] = shapely.get_geometry(geometry[single], 0)
    is_point = (shapely.get_type_id(points) == _POINT) & ~empty
    x, y = np.full(n, np.nan), np.full(n, np.nan)
    x[is_point], y[is_point] = shapely.get_x(points[is_point]), shapely.get_y(points[is_point])
    shapes, repaired = np.full(n, None, object), np.zeros(n, bool)
    rows = np.flatnonzero(there & ~is_point & ~to.bad)
    if len(rows):
        shapes[rows] = conversion.convert_geometries(geometry[rows])
        finite = np.isfinite(shapely.bounds(shapes[rows])).all(axis=1)
        _refuse("bad_geometry", rows[~finite], to)
        broken = rows[finite & ~shapely.is_valid(shapes[rows])]
        _refuse("too_few_points", broken[_too_few(geometry[broken])], to)
        shapes[broken], fits = _repair(shapes[broken])
        _refuse("self_crossing", broken[~fits], to)
        repaired[broken] = True
        shapes[to.bad] = None
    return Checked(x, y, shapes, repaired & ~to.bad)


def _refuse(reason: str, rows: np.ndarray, to: Refusals) -> None:
    mask = np.zeros(len(to.bad), bool)
    mask[rows] = True
    to.add(reason, GEOMETRY_FIELD, mask)


def _too_few(shapes: np.ndarray) -> np.ndarray:
    """Find areas with a ring of fewer than 4 points, closing one counted, and lines of one place alone."""
    few = np.zeros(len(shapes), bool)
    parts, of = shapely.get_parts(shapes, return_index=True)
    is_area = shapely.get_type_id(parts) == _POLYGON
    rings, of_part = shapely.get_rings(parts[is_area], return_index=True)
    few[of[is_area][of_part[shapely.get_num_points(rings) < 4]]] = True
    few[of[(shapely.get_dimensions(parts) == 1) & (shapely.length(parts) == 0)]] = True
    return few


def _repair(broken: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Make shapes valid; gives them, and which are so and have kept their kind and their area."""
    valid = np.asarray(shapely.make_valid(broken, method="structure", keep_collapsed=False), dtype=object)
    same = (shapely.get_dimensions(broken) == shapely.get_dimensions(valid)) & ~shapely.is_empty(valid)
    same &= shapely.is_valid(valid)  # where lines cross at many places at once, rounding may break what was mended
    area = shapely.area(broken)
    fits: np.ndarray = same & (np.abs(shapely.area(valid) - area) <= REPAIR_AREA_SHARE * area)
    return valid, fits
