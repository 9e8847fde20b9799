"""Succession: which share of each old grid lies in each new one, by area, and by households where enough are known."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import shapely

from etl import binary
from etl.copying import copy_in
from etl.reform.outlines import finest
from etl.reform.plan import Plan
from layers.codes import LENGTHS
from layers.locate import GridIndex

HOUSEHOLDS = ("household", "dwelling")
"""Categories whose rows say where people live."""

ENOUGH = 10
"""Households a grid must have before their shares are told."""

_SLIVER = 1e-3
"""Shares up to this are faults of drawing."""

_HOMES = """
select grid_code, st_x(st_pointonsurface(geom)), st_y(st_pointonsurface(geom)) from ops.organisation
where category = any(%(kinds)s) and geom is not null and gone_on is null
union all
select grid_code, st_x(st_pointonsurface(geom)), st_y(st_pointonsurface(geom)) from ops.place
where category = any(%(kinds)s) and geom is not null and gone_on is null
"""


_DAYS = """
update pub.grid n set opened_on = coalesce(
    (
        select coalesce(o.opened_on, e.opened_on) from pub.grid o join pub.edition e using (edition)
        where o.edition = %(old)s and o.code = n.code and o.name = n.name
            and abs(o.area_m2 - n.area_m2) <= 0.001 * o.area_m2
    ),
    %(on)s
)
where n.edition = %(new)s
"""
_ENDS = """
update pub.grid o set closed_on = %(on)s
where o.edition = %(old)s and not exists (
    select from pub.grid n
    where n.edition = %(new)s and o.code = n.code and o.name = n.name
        and abs(o.area_m2 - n.area_m2) <= 0.001 * o.area_m2
)
"""


def leaf_shares(plan: Plan, old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Shares of the finest old grids in the finest new ones: old_code, new_code, share, area (of the old grid)."""
    before, after = finest(old), finest(new)
    news = plan.news
    drawn = after["is_redrawn"].to_numpy()
    old_shapes, new_shapes = before["geom"].to_numpy(dtype=object), after["geom"].to_numpy(dtype=object)
    touched = np.zeros(len(before), bool)
    if drawn.any():
        touched[np.unique(shapely.STRtree(old_shapes).query(new_shapes[drawn], predicate="intersects")[1])] = True
        one, other = shapely.STRtree(new_shapes).query(old_shapes[touched], predicate="intersects")
        at = np.flatnonzero(touched)[one]
        cut = shapely.area(shapely.intersection(old_shapes[at], new_shapes[other]))
    else:
        at, other, cut = np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    old_codes, new_codes = before["code"].to_numpy(), after["code"].to_numpy()
    whole = [(code, news[code][0], 1.0) for code in old_codes[~touched]]
    pairs = pd.DataFrame({"old_code": old_codes[at], "new_code": new_codes[other], "share": cut})
    pairs = pairs[pairs["share"] > _SLIVER * pairs.groupby("old_code")["share"].transform("sum")]
    pairs["share"] /= pairs.groupby("old_code")["share"].transform("sum")
    frame = pd.concat([pd.DataFrame(whole, columns=pairs.columns), pairs], ignore_index=True)
    area = pd.Series(shapely.area(old_shapes), index=old_codes)
    return frame.assign(area=frame["old_code"].map(area).astype(float))


def home_shares(connection: psycopg.Connection[Any], leaves: pd.DataFrame, index: GridIndex) -> pd.DataFrame:
    """Households of each pair of finest grids, `n_homes`, located anew."""
    rows = connection.execute(_HOMES, {"kinds": list(HOUSEHOLDS)}).fetchall()
    homes = pd.DataFrame(rows, columns=["old_code", "lon", "lat"])
    found = index.locate(homes["lon"].to_numpy(float), homes["lat"].to_numpy(float))
    homes["new_code"] = np.where(found >= 0, index.codes[found], "")
    counted = homes.groupby(["old_code", "new_code"]).size().rename("n_homes").reset_index()
    frame = leaves.merge(counted, on=["old_code", "new_code"], how="left")
    return frame.assign(n_homes=frame["n_homes"].fillna(0))


def all_shares(leaves: pd.DataFrame) -> pd.DataFrame:
    """Shares at every level, the finest added up: old_code, new_code, share, household_share (NaN: too few)."""
    parts = []
    for digits in LENGTHS.values():
        pairs = leaves[leaves["old_code"].str.len() >= digits]
        pairs = pairs.assign(old_code=pairs["old_code"].str[:digits], new_code=pairs["new_code"].str[:digits])
        pairs["area"] *= pairs["share"]
        parts.append(pairs.groupby(["old_code", "new_code"], as_index=False)[["area", "n_homes"]].sum())
    frame = pd.concat(parts, ignore_index=True)
    of_old = frame.groupby("old_code")
    share = frame["area"] / of_old["area"].transform("sum")
    homes = of_old["n_homes"].transform("sum")
    said = (frame["n_homes"] / homes).where(homes >= ENOUGH).round(2)
    # what rounding took or gave goes to the largest part, so that the parts are the whole
    rest = 1 - said.groupby(frame["old_code"]).transform("sum")
    largest = said.groupby(frame["old_code"]).transform("max") == said
    first = largest & ~frame.assign(largest=largest).duplicated(["old_code", "largest"])
    said = said.where(~first, (said + rest).round(2))
    frame = frame.assign(share=share, household_share=said)[share > _SLIVER]
    frame["share"] = (frame["share"] / frame.groupby("old_code")["share"].transform("sum")).clip(upper=1.0)
    return frame[["old_code", "new_code", "share", "household_share"]].reset_index(drop=True)


def write_succession(
    connection: psycopg.Connection[Any], old_edition: int, new_edition: int, shares: pd.DataFrame, on: date
) -> None:
    """Write the succession of one edition by the next, and the days on which grids began and ended."""
    n = len(shares)
    homes = shares["household_share"].to_numpy(float)
    fields: dict[str, binary.Field] = {
        "old_edition": binary.integer(np.full(n, old_edition), 2),
        "old_code": binary.text(pa.array(shares["old_code"].tolist(), pa.string())),
        "new_edition": binary.integer(np.full(n, new_edition), 2),
        "new_code": binary.text(pa.array(shares["new_code"].tolist(), pa.string())),
        "share": binary.double(shares["share"].to_numpy(float)),
        "household_share": binary.double(homes, np.isnan(homes)),
    }
    copy_in(connection, "pub.succession", fields, n)
    for statement in (_DAYS, _ENDS):
        connection.execute(statement, {"old": old_edition, "new": new_edition, "on": on})
