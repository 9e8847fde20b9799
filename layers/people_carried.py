"""Published counts of people on the grids of another edition: sums of published cells, each as far off as it says.

A month is published on one edition only, since the same people rounded on two sets of areas would tell more than
either. A grid of another edition has a figure when whole published cells make it up; where a border cuts through a
cell there is none. Whoever is known no finer than a grid above the cells is not in the sum.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import psycopg

from layers.access import Scope
from layers.codes import LENGTHS
from layers.privacy import BASE
from layers.succession import SURE, shares_between

_CELLS = """
select c.edition, c.grid_code, c.n
from pub.people_count as c
join (
    select month, edition from pub.people_count
    where breakdown = 'all' and cell = 'all' and month = coalesce(%(month)s::int, month)
    order by month desc, edition desc limit 1
) as latest using (month, edition)
where c.breakdown = 'all' and c.cell = 'all' order by c.grid_code
"""


def carried_people(
    connection: psycopg.Connection[Any], scope: Scope, level: str, month: int | None, edition: int
) -> tuple[pd.DataFrame, int]:
    """Carry the published people of a month to another edition; beside them, those of the whole scope.

    Returns
    -------
    tuple
        Columns grid_code and n, by code, with `attrs["off_by"]`: how far from the truth each figure may be at most;
        and the figure of the grid that is the scope, 0 where there is none.
    """
    rows = connection.execute(_CELLS, {"month": month}).fetchall()
    cells = pd.DataFrame(rows, columns=["edition", "old_code", "n"]).astype({"old_code": "str", "n": "int64"})
    nothing = pd.DataFrame({"grid_code": [], "n": []}).astype({"grid_code": "str", "n": "int64"})
    if not rows:
        return nothing, 0
    shares = shares_between(connection, int(cells["edition"].iloc[0]), edition)
    found = _carried(cells, shares, LENGTHS[level])
    whole = _carried(cells, shares, len(scope.code)).set_index("grid_code")["n"].get(scope.code, 0)
    found = found[(found["grid_code"] >= scope.low) & (found["grid_code"] < scope.high)].reset_index(drop=True)
    frame = found[["grid_code", "n"]]
    off_by = (BASE - 1) * found["n_cells"]
    frame.attrs = {"off_by": dict(zip(found["grid_code"], off_by.astype(int), strict=True))}
    return frame, int(whole)


def _carried(cells: pd.DataFrame, shares: pd.DataFrame, digits: int) -> pd.DataFrame:
    """Sum cells of the coarsest level that makes each grid up: grid_code, n, n_cells."""
    parts, done = [], set[str]()
    for finer in sorted(one for one in LENGTHS.values() if one >= digits):
        pairs = shares[shares["old_code"].str.len() == finer]
        pairs = pairs.assign(grid_code=pairs["new_code"].str[:digits])
        held = pairs.groupby(["old_code", "grid_code"])["weight"].sum().reset_index()
        held = held[held["weight"] > 1 - SURE].merge(cells, on="old_code", how="left")
        is_whole = ((held["weight"] >= SURE) & held["n"].notna()).groupby(held["grid_code"]).transform("all")
        whole = held[is_whole & ~held["grid_code"].isin(done)].groupby("grid_code")["n"].agg(["sum", "size"])
        parts.append(whole.reset_index())
        done |= set(whole.index)
    frame = pd.concat(parts, ignore_index=True).sort_values("grid_code", ignore_index=True)
    return frame.rename(columns={"sum": "n", "size": "n_cells"}).astype({"grid_code": "str", "n": "int64"})
