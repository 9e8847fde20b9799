"""Published counts of people as they stand in `pub`: how a release is written, how a breakdown of one is read.

A cell of a breakdown that is shown as 0 has no row; a level that was withheld is named in `pub.people_withheld`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import psycopg

from layers.access import Scope
from layers.codes import LENGTHS, town_of
from layers.declare.records import Breakdown, Catalog
from layers.errors import UnknownNameError
from layers.release import Release

TOTAL = "all"
"""Breakdown and cell of all people together."""

_INSERT = """
insert into pub.people_count (town_code, edition, month, breakdown, cell, grid_code, n, published_at)
select town, %(edition)s, %(month)s, %(breakdown)s, cell, code, n, now()
from unnest(%(towns)s::text[], %(codes)s::text[], %(cells)s::text[], %(figures)s::int[]) as one (town, code, cell, n)
"""

_DIGITS = """
select case when exists (
    select from pub.people_count where month = %(month)s and edition = %(edition)s and breakdown = %(breakdown)s
) then coalesce((
    select min(digits) from pub.people_withheld
    where month = %(month)s and edition = %(edition)s and breakdown = %(breakdown)s
), 99) else 0 end
"""

_READ = """
select grid_code, cell, n from pub.people_count
where month = %(month)s and edition = %(edition)s and breakdown = %(breakdown)s and length(grid_code) = %(digits)s
    and grid_code = any(%(codes)s)
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


def write_release(
    connection: psycopg.Connection[Any],
    edition: int,
    month: int,
    codes: Sequence[str],
    found: Release,
    cells: Mapping[str, Sequence[str]],
) -> None:
    """Write a release in place of what was published for the month before."""
    connection.execute("delete from pub.people_count where month = %s and edition = %s", [month, edition])
    connection.execute("delete from pub.people_withheld where month = %s and edition = %s", [month, edition])
    length = np.array([len(code) for code in codes])
    known = np.array(codes, dtype=object)
    for key in (TOTAL, *found.parts):
        figures = found.totals[:, None] if key == TOTAL else found.parts[key]
        shown = figures[: len(codes)]
        at, cell = np.nonzero((shown > 0) & (length <= found.digits.get(key, 99))[:, None] | (key == TOTAL))
        names = np.array(cells.get(key, (TOTAL,)), dtype=object)
        connection.execute(
            _INSERT,
            {
                "edition": edition,
                "month": month,
                "breakdown": key,
                "towns": [town_of(code) for code in known[at]],
                "codes": known[at].tolist(),
                "cells": names[cell].tolist(),
                "figures": shown[at, cell].tolist(),
            },
        )
    for key, digits, reason in found.withheld:
        connection.execute(
            "insert into pub.people_withheld values (%s, %s, %s, %s, %s)", [edition, month, key, digits, reason]
        )


def published_digits(connection: psycopg.Connection[Any], edition: int, month: int, breakdown: str) -> int:
    """Return the length below which codes have figures of a breakdown; 0 when it is not published at all."""
    row = connection.execute(_DIGITS, {"edition": edition, "month": month, "breakdown": breakdown}).fetchone()
    least = int(row[0]) if row else 0
    return max((one for one in LENGTHS.values() if one < least), default=0)


def people_by(
    connection: psycopg.Connection[Any],
    scope: Scope,
    breakdown: Breakdown,
    *,
    level: str,
    within: str | None = None,
    month: int | None = None,
    edition: int | None = None,
) -> pd.DataFrame:
    """Return the published number of people of each grid by the cells of a breakdown; a row is a grid and a cell.

    Parameters
    ----------
    connection
        Any role; only `pub` is read.
    scope
        Part of the tree the reader may see.
    breakdown
        What they are told apart by.
    level
        Level of the grids: city, county, large, medium or small.
    within
        Code of the grid to stay inside of.
    month
        Month as yyyymm; the latest published one when left out.
    edition
        Edition of the grids; no rows when the month is published on another one: cells are not carried.

    Returns
    -------
    DataFrame
        grid_code, cell, n: a multiple of 10, less than 10 from the truth; cells of a grid add up to its total, on the
        edition the month is published on. `attrs["withheld"]` is true where the release gate kept the level back;
        then there are no rows, and the level above has some.

    Raises
    ------
    AccessError
        `within` is outside the scope.
    """
    area = scope.within(within)
    asked: dict[str, Any] = {
        "month": month,
        "edition": edition,
        "breakdown": breakdown.key,
        "digits": LENGTHS[level],
        "low": area.low,
        "high": area.high,
    }
    grids = connection.execute(_GRIDS, asked).fetchall()
    if not grids:
        return _frame([], breakdown, {})
    asked |= {"edition": grids[0][0], "month": grids[0][1], "codes": [code for _, _, code in grids]}
    if LENGTHS[level] <= published_digits(connection, grids[0][0], grids[0][1], breakdown.key):
        told = {(code, cell): n for code, cell, n in connection.execute(_READ, asked)}
        return _frame([code for _, _, code in grids], breakdown, told)
    frame = _frame([], breakdown, {})
    frame.attrs["withheld"] = True
    return frame


def _frame(codes: Sequence[str], breakdown: Breakdown, told: Mapping[tuple[str, str], int]) -> pd.DataFrame:
    every = [(code, cell) for code in codes for cell in breakdown.cells]
    frame = pd.DataFrame(
        {
            "grid_code": [code for code, _ in every],
            "cell": [cell for _, cell in every],
            "n": [told.get(one, 0) for one in every],
        }
    )
    return frame.astype({"grid_code": "str", "cell": "str", "n": "int64"})


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
