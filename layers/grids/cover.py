"""Whether new grids cover the ground of the old ones: gaps, overlaps, ground no old grid had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyproj
import shapely

from layers.grids.check import GAP_DEGREES, Shapes

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CoverFault:
    """A place that is wrong: kind (gap, overlap or outside), the grids beside it, its area, and a point in it."""

    kind: str
    codes: tuple[str, ...]
    area_m2: float
    lon: float
    lat: float

    def __str__(self) -> str:
        said = {
            "gap": "no new grid covers ground of",
            "overlap": "two new grids lie upon each other:",
            "outside": "ground that no old grid had is covered by",
        }
        return f"{said[self.kind]} {', '.join(self.codes)}: {self.area_m2:,.0f} m² at {self.lon:.5f}, {self.lat:.5f}"


def cover_faults(
    old_codes: Sequence[str],
    old: Shapes,
    new_codes: Sequence[str],
    new: Shapes,
    redrawn: Mask,
    *,
    tolerance_m2: float,
) -> list[CoverFault]:
    """Compare new outlines with the grids they replace; the worst fault first.

    Parameters
    ----------
    old_codes, old, new_codes, new
        The finest grids before and after, EPSG:4490.
    redrawn
        Which of the new ones have an outline of their own, not united from old ones; the rest fits by itself.
    tolerance_m2
        Faults up to this area are of drawing, and so are those less than about a metre wide.
    """
    if not redrawn.any():
        return []
    before, after = shapely.union_all(old), shapely.union_all(new)
    parts = [
        *_pieces("gap", shapely.difference(before, after), old_codes, old),
        *_pieces("outside", shapely.difference(after, before), new_codes, new),
        *_overlaps(new_codes, new, redrawn),
    ]
    return sorted((one for one in parts if one.area_m2 > tolerance_m2), key=lambda one: -one.area_m2)


def _overlaps(codes: Sequence[str], shapes: Shapes, redrawn: Mask) -> Iterator[CoverFault]:
    at = np.flatnonzero(redrawn)
    one, other = shapely.STRtree(shapes).query(shapes[at], predicate="intersects")
    one = at[one]
    keep = (one < other) | ((one > other) & ~redrawn[other])
    for a, b in zip(one[keep], other[keep], strict=True):
        for piece in shapely.get_parts(np.array([shapely.intersection(shapes[a], shapes[b])], dtype=object)):
            yield from _wide("overlap", piece, (codes[a], codes[b]))


def _pieces(kind: str, ground: shapely.Geometry, codes: Sequence[str], shapes: Shapes) -> Iterator[CoverFault]:
    for piece in shapely.get_parts(np.array([ground], dtype=object)):
        near = shapely.STRtree(shapes).query(piece, predicate="intersects")
        holds = [i for i in near if shapely.relate_pattern(shapes[i], piece, "T********")]
        yield from _wide(kind, piece, tuple(sorted(codes[i] for i in holds)))


def _wide(kind: str, ground: shapely.Geometry, codes: tuple[str, ...]) -> Iterator[CoverFault]:
    """Leave out what is only as wide as a fault of drawing."""
    if shapely.get_dimensions(ground) < 2 or shapely.is_empty(shapely.buffer(ground, -GAP_DEGREES / 2)):
        return
    area = abs(pyproj.Geod(ellps="GRS80").geometry_area_perimeter(ground)[0])
    point = shapely.point_on_surface(ground)
    yield CoverFault(kind, codes, area, shapely.get_x(point), shapely.get_y(point))
