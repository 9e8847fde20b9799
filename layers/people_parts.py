"""Published people by the cells of a breakdown, and of an indicator: all people, or those of some cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import psycopg

from layers.access import Scope
from layers.codes import LENGTHS, level_of
from layers.declare.records import Breakdown, Catalog, Part
from layers.errors import UnknownNameError
from layers.people import people, people_unplaced
from layers.people_carried import carried_cells
from layers.people_stored import published_digits
from layers.privacy import BASE

_READ = """
select grid_code, cell, n from pub.people_count
where month = %(month)s and edition = %(edition)s and breakdown = %(breakdown)s and length(grid_code) = %(digits)s
    and cell = any(%(cells)s) and grid_code >= %(low)s and grid_code < %(high)s
"""


_GRIDS = """
select c.edition, c.month, c.grid_code
from pub.people_count as c
join (
    select month, edition from pub.people_count
    where breakdown = 'all' and month = coalesce(%(month)s::int, month)
        and edition = coalesce(%(edition)s::int, edition)
    order by month desc, edition desc limit 1
) as latest using (month, edition)
where c.breakdown = 'all' and length(c.grid_code) = %(digits)s
    and c.grid_code >= %(low)s and c.grid_code < %(high)s
order by c.grid_code
"""


def people_of(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    scope: Scope,
    part: Part | None,
    *,
    level: str,
    month: int | None = None,
    edition: int | None = None,
) -> pd.DataFrame:
    """Return the published people an indicator speaks of: those of some cells of a breakdown, or all of them.

    Returns
    -------
    DataFrame
        Columns grid_code and n, by code. `attrs` has `n_unplaced`, how many of them are in no grid of the level;
        `off_by`, how far from the truth a figure may be at most where that is more than of a single published one,
        else 0; and `withheld`, whether the level is kept back.
    """
    if part is None:
        frame = people(connection, scope, level=level, month=month, edition=edition)
        n_unplaced = people_unplaced(connection, scope, level=level, month=month, edition=edition)
        off_by, is_withheld = max(frame.attrs.get("off_by", {}).values(), default=0), False
    else:
        breakdown = find_breakdown(catalog, part.breakdown)

        def read(at: str) -> pd.DataFrame:
            return people_by(connection, scope, breakdown, level=at, month=month, edition=edition)

        told = read(level)
        kept = told[told["cell"].isin(part.cells)]
        frame = kept.groupby("grid_code")["n"].sum().reset_index()
        is_withheld = bool(told.attrs.get("withheld", False))
        each = max(told.attrs.get("off_by", {}).values(), default=BASE - 1)
        off_by = each * len(part.cells) if each * len(part.cells) >= BASE else 0
        n_unplaced = 0
        if LENGTHS[level] > len(scope.code) and not is_withheld:
            whole = read(level_of(scope.code))
            n_unplaced = int(whole.loc[whole["cell"].isin(part.cells), "n"].sum()) - int(frame["n"].sum())
    frame.attrs = {"n_unplaced": n_unplaced, "off_by": int(off_by), "withheld": is_withheld}
    return frame


def people_by(
    connection: psycopg.Connection[Any],
    scope: Scope,
    breakdown: Breakdown,
    *,
    level: str,
    within: str | None = None,
    month: int | None = None,
    edition: int | None = None,
    cells: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return the published number of people of each grid by the cells of a breakdown; a row is a grid and a cell.

    Parameters
    ----------
    connection, scope, level, within, month, edition
        As of `layers.people.people`.
    breakdown
        What they are told apart by.
    cells
        Cells that are asked for; all of them when left out.

    Returns
    -------
    DataFrame
        grid_code, cell, n: a multiple of 10, less than 10 from the truth; cells of a grid add up to its total. Carried
        to another edition a figure is a sum of published ones, and `attrs["off_by"]` has, by grid, how far from the
        truth it may be at most. `attrs["withheld"]` is true where the release gate kept the level back; then there
        are no rows, and the level above has some.

    Raises
    ------
    AccessError
        `within` is outside the scope.
    """
    area, wanted = scope.within(within), tuple(breakdown.cells if cells is None else cells)
    asked: dict[str, Any] = {
        "cells": list(wanted), "month": month, "edition": edition, "breakdown": breakdown.key,
        "digits": LENGTHS[level], "low": area.low, "high": area.high,
    }  # fmt: skip
    grids = connection.execute(_GRIDS, asked).fetchall()
    if not grids:
        if edition is None:
            return _frame([], wanted, [])
        carried = carried_cells(connection, area, breakdown, level, month, edition)
        return carried[carried["cell"].isin(wanted)].reset_index(drop=True)  # keeps its attrs
    asked |= {"edition": grids[0][0], "month": grids[0][1]}
    digits = published_digits(connection, grids[0][0], grids[0][1], breakdown.key)
    is_out = LENGTHS[level] <= digits
    told = connection.execute(_READ, asked).fetchall() if is_out else []
    return _frame([code for _, _, code in grids] if is_out else [], wanted, told, is_withheld=not is_out)


def _frame(
    codes: Sequence[str], wanted: Sequence[str], told: Sequence[tuple[str, str, int]], *, is_withheld: bool = False
) -> pd.DataFrame:
    """Lay out figures by grid and cell; what has no row is 0."""
    grids, cells = pd.Index(np.array(codes, dtype=object)), pd.Index(np.array(wanted, dtype=object))
    n = np.zeros((len(grids), len(cells)), dtype="int64")
    if told:
        rows = pd.DataFrame(told, columns=["grid_code", "cell", "n"])
        at, cell = grids.get_indexer(pd.Index(rows["grid_code"])), cells.get_indexer(pd.Index(rows["cell"]))
        is_known = at >= 0
        n[at[is_known], cell[is_known]] = rows["n"].to_numpy()[is_known]
    frame = pd.DataFrame(
        {"grid_code": grids.repeat(len(cells)), "cell": np.tile(cells.to_numpy(), len(grids)), "n": n.ravel()}
    ).astype({"grid_code": "str", "cell": "str"})
    frame.attrs = {"withheld": True} if is_withheld else {}
    return frame


def find_breakdown(catalog: Catalog, name: str) -> Breakdown:
    """Look up a declared breakdown.

    Raises
    ------
    UnknownNameError
        There is none of that name.
    """
    if name not in catalog.breakdowns:
        raise UnknownNameError("breakdown", name, catalog.breakdowns)
    return catalog.breakdowns[name]
