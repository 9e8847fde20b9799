"""Published counts of people on the grids of another edition: sums of published ones, each as far off as it says.

A month is published on one edition only, since the same people rounded on two sets of areas would tell more than
either. A grid of another edition has a figure when whole published grids make it up; where a border cuts through one
there is none. Whoever is known no finer than a grid above the cells is not in the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import psycopg

from layers.access import Scope
from layers.codes import LENGTHS
from layers.declare.records import Breakdown
from layers.people_stored import published_digits
from layers.privacy import BASE
from layers.succession import SURE, shares_between

_LATEST = """
select month, edition from pub.people_count
where breakdown = 'all' and cell = 'all' and month = coalesce(%(month)s::int, month)
order by month desc, edition desc limit 1
"""

_FIGURES = """
select grid_code, cell, n from pub.people_count
where month = %(month)s and edition = %(edition)s and breakdown = %(breakdown)s order by grid_code, cell
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
    latest = connection.execute(_LATEST, {"month": month}).fetchone()
    if latest is None:
        return pd.DataFrame({"grid_code": [], "n": []}).astype({"grid_code": "str", "n": "int64"}), 0
    then, published_on = latest
    figures = _figures(connection, then, published_on, "all", ("all",)).rename(columns={"all": "n"})
    shares = shares_between(connection, published_on, edition)
    found = _carried(figures, shares, LENGTHS[level])
    whole = _carried(figures, shares, len(scope.code))["n"].get(scope.code, 0)
    found = found[(found.index >= scope.low) & (found.index < scope.high)]
    frame = found[["n"]].reset_index()
    frame.attrs = {"off_by": _off_by(found)}
    return frame, int(whole)


def carried_cells(
    connection: psycopg.Connection[Any], scope: Scope, breakdown: Breakdown, level: str, month: int | None, edition: int
) -> pd.DataFrame:
    """Carry the published cells of a breakdown to another edition.

    Returns
    -------
    DataFrame
        Columns grid_code, cell, n; `attrs["off_by"]` as of `carried_people`, for each cell of a grid;
        `attrs["withheld"]` where no grid as fine as this is published.
    """
    latest = connection.execute(_LATEST, {"month": month}).fetchone()
    found = pd.DataFrame(columns=[*breakdown.cells, "n_grids"], index=pd.Index([], dtype="str", name="grid_code"))
    is_withheld = False
    if latest is not None:
        then, published_on = latest
        digits = published_digits(connection, published_on, then, breakdown.key)
        known = _figures(connection, then, published_on, "all", ("all",))["old_code"]
        figures = _figures(connection, then, published_on, breakdown.key, breakdown.cells).set_index("old_code")
        figures = figures.reindex(known, fill_value=0).reset_index()
        figures = figures[figures["old_code"].str.len() <= digits]
        found = _carried(figures, shares_between(connection, published_on, edition), LENGTHS[level])
        found = found[(found.index >= scope.low) & (found.index < scope.high)]
        is_withheld = LENGTHS[level] > digits
    told = found[list(breakdown.cells)].reset_index()
    frame = told.melt("grid_code", var_name="cell", value_name="n")
    frame = frame.sort_values("grid_code", kind="stable", ignore_index=True)
    frame = frame.astype({"grid_code": "str", "cell": "str", "n": "int64"})
    frame.attrs = {"off_by": _off_by(found)} | ({"withheld": True} if is_withheld and frame.empty else {})
    return frame


def _figures(
    connection: psycopg.Connection[Any], month: int, edition: int, breakdown: str, cells: Sequence[str]
) -> pd.DataFrame:
    """Read the figures of a breakdown: old_code and a column for each cell."""
    rows = connection.execute(_FIGURES, {"month": month, "edition": edition, "breakdown": breakdown}).fetchall()
    frame = pd.DataFrame(rows, columns=["old_code", "cell", "n"]).astype({"old_code": "str", "n": "int64"})
    wide = frame.pivot(index="old_code", columns="cell", values="n").reindex(columns=list(cells)).fillna(0)
    wide.columns.name = None
    return wide.astype("int64").reset_index()


def _off_by(found: pd.DataFrame) -> dict[str, int]:
    off_by = (BASE - 1) * found["n_grids"].astype(int)
    return {str(code): int(n) for code, n in off_by.items()}


def _carried(figures: pd.DataFrame, shares: pd.DataFrame, digits: int) -> pd.DataFrame:
    """Sum figures of the coarsest level that makes each grid up: by grid_code, a sum for each cell, and n_grids."""
    cells = [column for column in figures if column != "old_code"]
    parts, done = [], set[str]()
    for finer in sorted(one for one in LENGTHS.values() if one >= digits):
        pairs = shares[shares["old_code"].str.len() == finer]
        pairs = pairs.assign(grid_code=pairs["new_code"].str[:digits])
        held = pairs.groupby(["old_code", "grid_code"])["weight"].sum().reset_index()
        held = held[held["weight"] > 1 - SURE].merge(figures, on="old_code", how="left")
        is_whole = ((held["weight"] >= SURE) & held[cells[0]].notna()).groupby(held["grid_code"]).transform("all")
        whole = held[is_whole & ~held["grid_code"].isin(done)].groupby("grid_code")
        parts.append(whole[cells].sum().assign(n_grids=whole.size()))
        done |= set(parts[-1].index)
    return pd.concat(parts).sort_index().astype("int64")
