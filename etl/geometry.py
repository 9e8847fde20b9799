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

_POINT, _RING, _POLYGON, _MULTIPOINT, _COLLECTION = 0, 2, 3, 4, 7


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
    to.add("too_few_points", GEOMETRY_FIELD, unbuilt | _too_few(geometry, there & ~empty))
    to.add("empty_geometry", GEOMETRY_FIELD, empty)
    points = geometry.copy()
    single = (shapely.get_type_id(geometry) == _MULTIPOINT) & (shapely.get_num_geometries(geometry) == 1)
    points[single] = shapely.get_geometry(geometry[single], 0)
    is_point = (shapely.get_type_id(points) == _POINT) & ~empty
    x, y = np.full(n, np.nan), np.full(n, np.nan)
    x[is_point], y[is_point] = shapely.get_x(points[is_point]), shapely.get_y(points[is_point])
    others = there & ~is_point & ~to.bad
    shapes, repaired = np.full(n, None, object), np.zeros(n, bool)
    if others.any():
        converted = conversion.convert_geometries(geometry[others])
        mended, is_nowhere, is_repaired, fits = _repair(converted)
        shapes[others], repaired[others] = mended, is_repaired
        nowhere, crossing = np.zeros(n, bool), np.zeros(n, bool)
        nowhere[others], crossing[others] = is_nowhere, ~fits
        to.add("bad_geometry", GEOMETRY_FIELD, nowhere)
        to.add("self_crossing", GEOMETRY_FIELD, crossing)
        shapes[to.bad] = None
    return Checked(x, y, shapes, repaired & ~to.bad)


def _too_few(geometry: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Find areas with a ring of fewer than 4 points, closing one counted, and lines of one place alone."""
    few = np.zeros(len(geometry), bool)
    rows = np.flatnonzero(mask & (shapely.get_dimensions(geometry) > 0))
    parts, of = shapely.get_parts(geometry[rows], return_index=True)
    is_area = shapely.get_type_id(parts) == _POLYGON
    rings, of_part = shapely.get_rings(parts[is_area], return_index=True)
    few[rows[of[is_area][of_part[shapely.get_num_points(rings) < 4]]]] = True
    is_line = shapely.get_dimensions(parts) == 1
    few[rows[of[is_line & (shapely.length(parts) == 0)]]] = True
    return few


def _repair(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Make shapes valid; gives them, which have a corner nowhere, which were repaired, and which kept their area."""
    finite = np.asarray(np.isfinite(shapely.bounds(shapes)).all(axis=1))
    broken = finite & ~shapely.is_valid(shapes)
    fits = np.ones(len(shapes), bool)
    if broken.any():
        before = shapes[broken]
        after = shapely.make_valid(before, method="structure", keep_collapsed=False)
        same = shapely.get_dimensions(before) == shapely.get_dimensions(after)
        area = shapely.area(before)
        fits[broken] = (
            same & ~shapely.is_empty(after) & (np.abs(shapely.area(after) - area) <= REPAIR_AREA_SHARE * area)
        )
        shapes = shapes.copy()
        shapes[broken] = after
    return shapes, ~finite, broken & fits, fits
