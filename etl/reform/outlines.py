"""Outlines of the new grids: united from old ones, delivered in a file, or united from the new grids below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from etl.coordinates import to_cgcs2000_geometries
from etl.reform.lines import Problem
from etl.reform.plan import Plan
from layers.codes import LENGTHS, level_of, parent_of
from layers.errors import DeliveryError
from layers.grids.check import GAP_DEGREES, as_multi, repaired_shapes
from layers.grids.derive import whole_borders

_SUFFIXES = (".geojson", ".json", ".gpkg", ".shp")
_CODE = ("code", "编码", "新编码", "网格编码", "new_code")


@dataclass(frozen=True)
class Redrawn:
    """Outlines delivered with a reform: by code, MultiPolygon, EPSG:4490."""

    name: str
    shapes: Mapping[str, shapely.Geometry]


def read_redrawn(path: Path | None) -> Redrawn:
    """Read the outlines of a file; none without one.

    Raises
    ------
    DeliveryError
        The file cannot be read, says no coordinate system, has no column of codes, or holds a broken shape.
    """
    if path is None:
        return Redrawn("", {})
    if path.suffix.lower() not in _SUFFIXES or not path.is_file():
        raise DeliveryError(f"{path} is no file of outlines.", f"Deliver one of {', '.join(_SUFFIXES)}.")
    try:
        frame = gpd.read_file(path)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise DeliveryError(f"{path.name} cannot be read: {error}.", "Export the outlines again.") from error
    column = next((name for name in _CODE if name in frame.columns), None)
    if column is None or frame.crs is None:
        lacks = "column of codes" if column is None else "coordinate system"
        raise DeliveryError(f"{path.name} has no {lacks}.", f"Name the column of new codes {_CODE[0]} or {_CODE[1]}.")
    codes = frame[column].astype(str).str.strip().tolist()
    given = to_cgcs2000_geometries(frame.geometry.to_numpy(dtype=object), frame.crs.to_string())
    shapes, fits, _ = repaired_shapes(given)
    bad = [code for code, fit in zip(codes, fits, strict=True) if not fit]
    twice = [code for code in dict.fromkeys(codes) if codes.count(code) > 1]
    if bad or twice:
        raise DeliveryError(
            f"{path.name}: " + "; ".join([*(f"{c} is no area" for c in bad), *(f"{c} comes twice" for c in twice)]),
            "Mend the outlines named above.",
        )
    return Redrawn(path.name, dict(zip(codes, shapes, strict=True)))


def outline_problems(plan: Plan, redrawn: Redrawn) -> list[Problem]:
    """Where an outline is missing, or belongs to no grid of the plan."""
    parents = {parent_of(code) for code in plan.names}
    news = plan.news
    problems = []
    for step in plan.steps:
        is_whole = len(news[step.old]) == 1
        if not is_whole and step.new not in parents and step.new not in redrawn.shapes:
            what = f"it takes a part of {step.old}, and its outline is not known."
            problems.append(Problem(step.line, "new_code", step.new, what, "Deliver it with --grids FILE."))
    for code in redrawn.shapes:
        if code not in plan.names:
            what = f"{redrawn.name} has an outline of {code}, which is no grid after the reform."
            problems.append(Problem(0, "new_code", code, what, "Add its line to the plan, or take the outline out."))
    return problems


def new_tree(plan: Plan, old: pd.DataFrame, redrawn: Redrawn) -> pd.DataFrame:
    """Make the tree of the new edition; a row is a grid, by code.

    Returns
    -------
    DataFrame
        code, level, parent_code, name, aliases, geom, is_derived, and `is_redrawn` for outlines out of the file.
        A grid made of whole old ones is their union; one whose children changed is the union of the new children.
    """
    shape = dict(zip(old["code"], old["geom"], strict=True))
    derived = dict(zip(old["code"], old["is_derived"], strict=True))
    news, olds = plan.news, plan.olds
    below_old, below_new = _below(old["code"]), _below(plan.names)
    made: dict[str, tuple[shapely.Geometry, bool]] = {}
    other = set(redrawn.shapes)  # whose ground is not that of whole old grids
    for code in sorted(plan.names, key=lambda one: -len(one)):
        from_old, children = olds[code], below_new.get(code, [])
        whole = all(len(news[one]) == 1 for one in from_old)
        same = {new for one in from_old for child in below_old.get(one, []) for new in news[child]} == set(children)
        drawn = any(child in other for child in children)
        if code in redrawn.shapes:
            made[code] = redrawn.shapes[code], False
        elif whole and same and not drawn:
            made[code] = _united([shape[one] for one in from_old]), all(derived[one] for one in from_old)
        else:
            made[code] = _united([made[child][0] for child in children]), True
            other.add(code)
    codes = sorted(plan.names)
    return pd.DataFrame(
        {
            "code": codes,
            "level": [level_of(code) for code in codes],
            "parent_code": [parent_of(code) for code in codes],
            "name": [plan.names[code] for code in codes],
            "aliases": _aliases(plan, old, codes),
            "geom": as_multi(np.array([made[code][0] for code in codes], dtype=object)),
            "is_derived": [made[code][1] for code in codes],
            "is_redrawn": [code in redrawn.shapes for code in codes],
        }
    )


def finest(tree: pd.DataFrame) -> pd.DataFrame:
    """Grids with none below them."""
    return tree[~tree["code"].isin(tree["parent_code"])]


def _below(codes: pd.Series | Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code in codes:
        above = parent_of(code)
        if above is not None:
            found.setdefault(above, []).append(code)
    return found


def _united(shapes: list[shapely.Geometry]) -> shapely.Geometry:
    if len(shapes) == 1:
        return shapes[0]
    clean = whole_borders(np.array(shapes, dtype=object), GAP_DEGREES)
    united = shapely.coverage_union_all(clean)
    return united if shapely.is_valid(united) else shapely.union_all(clean)


def _aliases(plan: Plan, old: pd.DataFrame, codes: list[str]) -> list[list[str]]:
    """Other names of each new grid: those of the old ones whole in it, unless a neighbour is called so now."""
    name = dict(zip(old["code"], old["name"], strict=True))
    other = dict(zip(old["code"], old["aliases"], strict=True))
    news, olds = plan.news, plan.olds
    taken = {(code[: LENGTHS["county"]], len(code), plan.names[code]) for code in codes}
    found = []
    for code in codes:
        whole = [one for one in olds[code] if len(news[one]) == 1]
        said = dict.fromkeys(word for one in whole for word in (name[one], *other[one]))
        place = (code[: LENGTHS["county"]], len(code))
        found.append([word for word in said if word != plan.names[code] and (*place, word) not in taken])
    return found
