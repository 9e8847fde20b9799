"""Counts of people: worked out in the vault, rounded, published; and the one function every screen reads them by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import psycopg

from layers.access import Scope
from layers.accounts import audit
from layers.codes import LENGTHS
from layers.cube import work_out
from layers.declare.records import Breakdown
from layers.people_carried import carried_people
from layers.people_stored import write_release
from layers.people_told import read_told, write_told
from layers.reformed import former_parents, shares_before
from layers.release import release
from layers.secrets import Secrets
from layers.told import TOTAL, told_with

_LOCK = 4_490_002
_COLUMNS = ("grid_code", "n")

_READ = """
select c.grid_code, c.n
from pub.people_count as c
join (
    select month, edition from pub.people_count
    where breakdown = %(total)s and cell = %(total)s and month = coalesce(%(month)s::int, month)
        and edition = coalesce(%(edition)s::int, edition)
    order by month desc, edition desc limit 1
) as latest using (month, edition)
where c.breakdown = %(total)s and c.cell = %(total)s and c.grid_code >= %(low)s and c.grid_code < %(high)s
    and (length(c.grid_code) = %(digits)s or c.grid_code = %(root)s)
order by c.grid_code
"""


def people(
    connection: psycopg.Connection[Any],
    scope: Scope,
    *,
    level: str,
    within: str | None = None,
    month: int | None = None,
    edition: int | None = None,
) -> pd.DataFrame:
    """Return the published number of people of each grid; a row is a grid.

    Every figure is a multiple of 10 and less than 10 from the truth; a figure of 0 may be 9 people. It is the only
    way counts of people reach a screen or a notebook.

    Parameters
    ----------
    connection
        Any role; only `pub` is read.
    scope
        Part of the tree the reader may see.
    level
        Level of the grids: city, county, large, medium or small.
    within
        Code of the grid to stay inside of.
    month
        Month as yyyymm; the latest published one when left out.
    edition
        Edition of the grids; when left out, the one the month is published on.

    Returns
    -------
    DataFrame
        Columns grid_code, n, ordered by code; no rows when nothing is published. A month that is published on another
        edition than the one asked for is carried, as `layers.people_carried` says; `attrs["off_by"]` then has, by
        grid, how far from the truth a figure may be at most.

    Raises
    ------
    AccessError
        `within` is outside the scope.
    """
    return _read(connection, scope.within(within), level, month, edition)[0]


def people_unplaced(
    connection: psycopg.Connection[Any],
    scope: Scope,
    *,
    level: str,
    within: str | None = None,
    month: int | None = None,
    edition: int | None = None,
) -> int:
    """Return how many published people of an area are in no grid of a level: known to a grid above it only."""
    area = scope.within(within)
    frame, whole = _read(connection, area, level, month, edition)
    return whole - int(frame["n"].sum()) if LENGTHS[level] >= len(area.code) else 0


def published_month(connection: psycopg.Connection[Any]) -> int | None:
    """Return the latest month counts of people are published for, as yyyymm, or None."""
    row = connection.execute("select max(month) from pub.people_count").fetchone()
    return row[0] if row else None


def publish(
    connection: psycopg.Connection[Any], secrets: Secrets, month: int, breakdowns: Sequence[Breakdown] = ()
) -> int:
    """Work out and publish the counts of people of a month, in the transaction under way; return how many grids.

    Counted are distinct subjects of all person datasets; those without an ID number each count by themselves. What
    was published for the same month before is replaced; a month that was published on the grids of another edition
    stays as it is, since the same people rounded on two sets of areas would tell more than either. Breakdowns that the
    release gate keeps back at a level are named in `pub.people_withheld` and in the log.

    Raises
    ------
    AtlasError
        The figures break a rule of `layers.privacy.problems`; nothing is published.
    """
    connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
    row = connection.execute(
        "select edition from pub.edition where closed_on is null order by edition desc limit 1"
    ).fetchone()
    codes = [] if row is None else _codes(connection, row[0])
    if row is None or not codes:
        return 0
    edition = int(row[0])
    if _is_published_elsewhere(connection, edition, month):
        return 0
    cube = work_out(connection, edition, month, codes, breakdowns, former_parents(shares_before(connection, edition)))
    cells = {one.key: one.cells for one in breakdowns}
    told = read_told(connection, edition, cube.names, cells)
    found = release(cube, breakdowns, secrets.rounding_key, told)
    write_release(connection, edition, month, codes, found, cells)
    write_told(connection, edition, cube.names, told_with(told, cube, found.shown(cube)), cells)
    audit.note_load(
        connection,
        "release",
        None,
        f"people {month}",
        edition=edition,
        figures=len(codes),
        withheld=[list(one) for one in found.withheld],
    )
    return len(codes)


def _is_published_elsewhere(connection: psycopg.Connection[Any], edition: int, month: int) -> bool:
    row = connection.execute(
        "select exists (select from pub.people_count where month = %s and edition <> %s)", [month, edition]
    ).fetchone()
    return bool(row and row[0])


def _codes(connection: psycopg.Connection[Any], edition: int) -> list[str]:
    rows = connection.execute("select code from pub.grid where edition = %s order by code", [edition])
    return [code for (code,) in rows]


def _read(
    connection: psycopg.Connection[Any], scope: Scope, level: str, month: int | None, edition: int | None
) -> tuple[pd.DataFrame, int]:
    rows = connection.execute(
        _READ,
        {
            "total": TOTAL,
            "month": month,
            "edition": edition,
            "low": scope.low,
            "high": scope.high,
            "digits": LENGTHS[level],
            "root": scope.code,
        },
    ).fetchall()
    if not rows and edition is not None:
        return carried_people(connection, scope, level, month, edition)
    whole = sum(n for code, n in rows if code == scope.code)
    frame = pd.DataFrame([row for row in rows if len(row[0]) == LENGTHS[level]], columns=list(_COLUMNS))
    return frame.astype({"grid_code": "str", "n": "int64"}), whole
