"""Shapes for drawing: simplified once per zoom, borders still shared, in metres of the web map (EPSG:3857)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import shapely

from layers.grids.check import Shapes
from layers.grids.derive import whole_borders

FINEST_ZOOM = 14
"""Zoom up to which shapes are made; beyond it the map enlarges these."""

COARSEST_ZOOM: Mapping[str, int] = {"city": 8, "county": 8, "large": 8, "medium": 8, "small": 10}
"""First shape of each level: two zooms coarser than the first tile it is in, and 8 for what is in all tiles."""

_WORLD_M = 40075016.68557849
_TILE_PIXELS = 512
_GAP_M = 1.0


def tolerance_m(zoom: int) -> float:
    """Half a pixel at this zoom, in metres of EPSG:3857."""
    return _WORLD_M / float(2**zoom) / _TILE_PIXELS / 2


def drawn_shapes(level: str, shapes: Shapes) -> Iterator[tuple[int, Shapes]]:
    """Simplify all grids of one level for each zoom, finest first; as many shapes each time as there are grids.

    The level is simplified as one coverage, so that neighbours keep one common border and no grid vanishes. Each
    zoom starts from the finer one before, which leaves the same corners as starting from the full shape would.
    """
    drawn = whole_borders(shapely.transform(shapes, _web_mercator), _GAP_M)
    for zoom in range(FINEST_ZOOM, COARSEST_ZOOM[level] - 1, -1):
        drawn = shapely.coverage_simplify(drawn, tolerance_m(zoom))
        yield zoom, drawn


def _web_mercator(lonlat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    radius = _WORLD_M / (2 * np.pi)
    lon, lat = np.radians(lonlat).T
    return np.column_stack([radius * lon, radius * np.arctanh(np.sin(np.clip(lat, -1.484, 1.484)))])
