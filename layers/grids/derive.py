"""Parents that nobody delivered: outlines united from the grids below, names from the city's declaration."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from layers.codes import LENGTHS, child_level, parent_of
from layers.declare.records import City
from layers.grids.check import GAP_DEGREES, Shapes


def with_parents(tree: pd.DataFrame, city: City) -> pd.DataFrame:
    """Add every missing parent up to the city, bottom up, and the column `parent_code`; rows by code.

    `tree` has code, level, name, aliases and geom of delivered grids; `is_derived` tells the added ones.
    """
    tree = tree.assign(is_derived=False)
    for level in ("medium", "large", "county", "city"):
        below = tree[tree["level"] == child_level(level)]
        above = below["code"].str[: LENGTHS[level]]
        missing = ~above.isin(tree.loc[tree["level"] == level, "code"])
        if missing.any():
            tree = pd.concat([tree, _united(below[missing], above[missing], level, city)], ignore_index=True)
    parent = pd.Series([parent_of(code) for code in tree["code"]], index=tree.index, dtype=object)
    return tree.assign(parent_code=parent).sort_values("code", ignore_index=True)


def _united(below: pd.DataFrame, above: pd.Series, level: str, city: City) -> pd.DataFrame:
    children = whole_borders(below["geom"].to_numpy(dtype=object), GAP_DEGREES)
    groups = pd.Series(np.arange(len(below))).groupby(above.to_numpy()).indices
    shapes = [_union(children[rows]) for rows in groups.values()]
    names = [_name(str(code), level, city) for code in groups]
    return pd.DataFrame(
        {
            "code": list(groups),
            "level": level,
            "name": [zh for zh, _ in names],
            "aliases": [[en] if en and en != zh else [] for zh, en in names],
            "geom": np.array(shapes, dtype=object),
            "is_derived": True,
        }
    )


def _name(code: str, level: str, city: City) -> tuple[str, str]:
    if level == "city":
        return city.name.zh, city.name.en
    if level == "county" and code in city.counties:
        return city.counties[code].zh, city.counties[code].en
    return code, ""


def _union(shapes: Shapes) -> shapely.Geometry:
    united = shapely.coverage_union_all(shapes)
    return united if shapely.is_valid(united) else shapely.union_all(shapes)


def whole_borders(shapes: Shapes, gap_width: float) -> Shapes:
    """Return the same areas with borders that match corner by corner: as they are, or cleaned of slivers and gaps.

    For outlines and for drawing only; points are tied to the areas as they were delivered.
    """
    if len(shapes) < 2 or shapely.coverage_is_valid(shapes):
        return shapes
    clean = shapely.coverage_clean(shapes, gap_width=gap_width)  # type: ignore[attr-defined]
    kept: Shapes = np.where(shapely.is_empty(clean), shapes, clean)
    return kept
