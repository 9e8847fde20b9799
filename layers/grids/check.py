"""Delivered grids checked one by one, and against each other: codes, shapes, nesting, shared borders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from layers.codes import LENGTHS
from layers.declare.records import City

Shapes = npt.NDArray[np.object_]

REPAIR_AREA_SHARE = 0.01
"""A shape is repaired when that changes its area by at most this share; else it is rejected."""

OUTSIDE_PARENT_SHARE = 0.01
"""A grid with more than this share of its area outside its parent is reported as not nested."""

GAP_DEGREES = 1e-5
"""Gaps between neighbours up to this width, about a metre, are faults of drawing."""

_BETWEEN_ALIASES = re.compile(r"[、,，;；|/]")


@dataclass(frozen=True)
class Rejected:
    """A delivered grid that is not taken in: its row in the frame of its level, its code, and the reason's key."""

    level: str
    row: int
    code: str
    reason: str


def checked_frames(
    city: City, frames: Mapping[str, pd.DataFrame]
) -> tuple[pd.DataFrame, tuple[Rejected, ...], tuple[str, ...]]:
    """Check delivered grids one by one.

    Returns
    -------
    tuple
        The grids that are right (level, code, name, aliases, geom, by code); those that are not; and the codes of
        those whose shape had to be repaired.
    """
    good, rejected, repaired = [], [], []
    for level, frame in frames.items():
        rows, bad, mended = _checked(city, level, frame)
        good.append(rows)
        rejected += bad
        repaired += mended
    tree = pd.concat(good, ignore_index=True) if good else _checked(city, "small", _EMPTY.copy())[0]
    return tree.sort_values("code", ignore_index=True), tuple(rejected), tuple(sorted(repaired))


_EMPTY = pd.DataFrame({"code": [], "name": [], "aliases": [], "geom": []}, dtype=object)


def _checked(city: City, level: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Rejected], list[str]]:
    code = frame["code"].astype("string").str.strip()
    name = frame["name"].astype("string").str.strip()
    right = code.str.fullmatch(rf"{re.escape(city.code)}[0-9]{{{LENGTHS[level] - len(city.code)}}}").fillna(False)
    geom, fits, is_repaired = repaired_shapes(frame["geom"].to_numpy(dtype=object))
    usable = right & name.fillna("").ne("") & fits
    again = pd.Series(False, index=frame.index)
    again[usable] = code[usable].duplicated()
    reasons = np.select(
        [~right.to_numpy(), name.fillna("").eq("").to_numpy(), ~fits, again.to_numpy()],
        ["bad_grid_code", "missing_value", "bad_geometry", "duplicate_key"],
        "",
    )
    at = np.flatnonzero(reasons != "")
    shown = code.fillna("").to_numpy(dtype=object)
    rejected = [Rejected(level, int(row), str(shown[row]), str(reasons[row])) for row in at]
    keep = reasons == ""
    aliases = frame["aliases"] if "aliases" in frame else pd.Series("", index=frame.index)
    rows = pd.DataFrame(
        {
            "code": code[keep].astype(object),
            "level": level,
            "name": name[keep].astype(object),
            "aliases": [_aliases(given) for given in aliases[keep]],
            "geom": geom[keep],
        }
    )
    return rows, rejected, shown[keep & is_repaired].tolist()


def _aliases(given: Any) -> list[str]:
    """Turn what was delivered as other names into a list: a list already, or text with marks between the names."""
    parts = given if isinstance(given, list | tuple | np.ndarray) else _BETWEEN_ALIASES.split(given or "")
    return [part.strip() for part in parts if part.strip()]


def as_multi(shapes: Shapes) -> Shapes:
    """Keep the areas of each shape as one MultiPolygon; None where there is none."""
    parts, of = shapely.get_parts(shapes, return_index=True)
    parts, of_part = shapely.get_parts(parts, return_index=True)  # a collection may hold MultiPolygons
    of = of[of_part]
    areas = shapely.get_type_id(parts) == 3
    out = np.full(len(shapes), None, dtype=object)
    if areas.any():
        filled = np.unique(of[areas])
        out[filled] = shapely.multipolygons(parts[areas], indices=np.searchsorted(filled, of[areas]))
    return out


def repaired_shapes(geometries: Shapes) -> tuple[Shapes, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Make areas valid where that hardly changes them.

    Returns
    -------
    tuple
        MultiPolygons; which of them can be used; and which had to be repaired.
    """
    shapes: Shapes = np.array(shapely.force_2d(geometries), dtype=object)
    bounds = shapely.bounds(shapes)
    usable = np.asarray((np.abs(bounds) <= [180, 90, 180, 90]).all(axis=1))  # False for NaN
    shapes[~usable] = None
    broken = usable & ~shapely.is_valid(shapes)
    before = shapely.area(shapes)
    shapes[broken] = shapely.make_valid(shapes[broken])
    shapes = as_multi(shapes)
    after = shapely.area(shapes)
    usable &= np.nan_to_num(after) > 0
    usable &= ~broken | (np.abs(after - before) <= REPAIR_AREA_SHARE * before)
    return shapes, usable, broken & usable


def not_nested(tree: pd.DataFrame) -> tuple[str, ...]:
    """Find grids that lie outside the delivered parent their code names: codes, in order.

    `tree` has code, parent_code, is_derived and geom; below a derived parent every grid is nested.
    """
    parents = tree.loc[~tree["is_derived"]].set_index("code")["geom"]
    children = tree[tree["parent_code"].isin(parents.index)]
    child = children["geom"].to_numpy(dtype=object)
    position = parents.index.get_indexer(pd.Index(children["parent_code"]))
    parent = parents.to_numpy(dtype=object)
    shapely.prepare(parent)
    out = ~shapely.covers(parent[position], child)
    if out.any():
        inside = shapely.area(shapely.intersection(parent[position[out]], child[out]))
        out[out] = inside < (1 - OUTSIDE_PARENT_SHARE) * shapely.area(child[out])
    return tuple(sorted(children["code"][out]))


def bad_borders(shapes: Shapes) -> tuple[int, int]:
    """Count grids whose border does not match a neighbour's corner by corner, and pairs of grids that overlap."""
    edges = shapely.coverage_invalid_edges(shapes, gap_width=GAP_DEGREES)
    uneven = ~shapely.is_empty(edges)
    if not uneven.any():
        return 0, 0
    touched = shapes[uneven]
    one, other = shapely.STRtree(touched).query(touched, predicate="intersects")
    one, other = one[one < other], other[one < other]
    meet = shapely.relate_pattern(touched[one], touched[other], "T********")
    return int(uneven.sum()), int(meet.sum())
