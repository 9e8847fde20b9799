"""Outlines of the grids shown, simplified with their borders shared: for small multiples and pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
import shapely

from layers.grids import read_grids

FINENESS = 500
"""Steps across the longer side of the picture that outlines are drawn in."""


@dataclass(frozen=True)
class Outlines:
    """Rings of each grid by code, as whole numbers from 0 at the top left; `width` and `height` of the whole."""

    width: int
    height: int
    rings: dict[str, list[list[int]]]


def read_outlines(connection: psycopg.Connection[Any], edition: int, level: str, frame: str) -> Outlines:
    """Read the outlines of the grids of a level inside a grid; empty where there are none."""
    grids = read_grids(connection, edition, level, frame)
    if not len(grids):
        return Outlines(1, 1, {})
    west, south, east, north = grids.total_bounds
    squeeze = math.cos(math.radians((south + north) / 2))
    size = max((east - west) * squeeze, north - south)
    shapes = shapely.coverage_simplify(grids.geometry.to_numpy(), size / FINENESS)

    def placed(points: Any) -> Any:
        x, y = (points[:, 0] - west) * squeeze, north - points[:, 1]
        return np.column_stack([x, y]) / size * FINENESS

    shapes = shapely.transform(shapes, placed)
    rings = {code: _rings(shape) for code, shape in zip(grids["code"], shapes, strict=True)}
    return Outlines(
        max(1, round((east - west) * squeeze / size * FINENESS)),
        max(1, round((north - south) / size * FINENESS)),
        rings,
    )


def _rings(shape: Any) -> list[list[int]]:
    lines = [ring for part in shapely.get_parts(shape) for ring in [part.exterior, *part.interiors]]
    return [np.round(shapely.get_coordinates(line)).astype(int).ravel().tolist() for line in lines]
