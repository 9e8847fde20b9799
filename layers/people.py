"""Counts of people: worked out in the vault, rounded, published; and the one function every screen reads them by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import psycopg
from numpy.typing import NDArray

from layers.access import Scope
from layers.accounts import audit
from layers.codes import LENGTHS, town_of
from layers.errors import AtlasError
from layers.people_carried import carried_people
from layers.privacy import fixed_noise, problems, round_tree
from layers.secrets import Secrets

TOTAL = "all"
"""Breakdown and cell of all people together."""

_LOCK = 4_490_002
_COLUMNS = ("grid_code", "n")

# A subject known to several datasets counts once, where the finest and then the latest of them has it. Who is still
# tied to the grids of another edition is in the city, and in no grid of this one.
_COUNT = """
select grid_code, count(*)
from (
    select distinct on (subject) case when edition = %(edition)s then grid_code else left(grid_code, 4) end as grid_code
    from vault.person
    where gone_on is null
    order by subject, edition = %(edition)s desc, length(grid_code) desc, updated_at desc, dataset, id
) as one
group by grid_code
"""

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


def publish(connection: psycopg.Connection[Any], secrets: Secrets, month: int) -> int:
    """Work out and publish the counts of people of a month, in the transaction under way; return how many figures.

    Counted are distinct subjects of all person datasets; those without an ID number each count by themselves. What
    was published for the same month before is replaced; a month that was published on the grids of another edition
    stays as it is, since the same people rounded on two sets of areas would tell more than either.

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
    counted = dict(connection.execute(_COUNT, {"edition": edition}).fetchall())
    parents, counts, names = _tree(codes, counted)
    figures = round_tree(parents, counts, fixed_noise(names, secrets.rounding_key, TOTAL, TOTAL))
    wrong = "; ".join(problems(parents, counts, figures))
    if wrong:
        raise AtlasError(f"The counts of people were not published: {wrong}.", "This is a fault of the program.")
    _write(connection, edition, month, codes, figures[: len(codes)])
    audit.note_load(connection, "release", None, f"people {month}", edition=edition, figures=len(codes))
    return len(codes)


def _is_published_elsewhere(connection: psycopg.Connection[Any], edition: int, month: int) -> bool:
    row = connection.execute(
        "select exists (select from pub.people_count where month = %s and edition <> %s)", [month, edition]
    ).fetchone()
    return bool(row and row[0])


def _codes(connection: psycopg.Connection[Any], edition: int) -> list[str]:
    rows = connection.execute("select code from pub.grid where edition = %s order by code", [edition])
    return [code for (code,) in rows]


def _tree(codes: list[str], counted: dict[str, int]) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
    """Return parents, true counts and names of the nodes: the grids, then a rest for each that has people of its own.

    A rest is the part of a grid that no grid below it holds. It is rounded like a grid, so that children never add up
    to more than their parent, and left out of what is published: it is the parent less the children.
    """
    position = {code: at for at, code in enumerate(codes)}
    parents = [_nearest(code[:-1], position) for code in codes]
    own = np.zeros(len(codes), dtype=np.int64)
    for code, n in counted.items():
        at = _nearest(code, position)
        if at < 0:
            raise AtlasError(f"People are tied to {code}, which is in no grid.", "Load the grids before the people.")
        own[at] += n
    inner = np.zeros(len(codes), dtype=bool)
    inner[[at for at in parents if at >= 0]] = True
    with_rest = np.flatnonzero(inner & (own > 0))
    counts = own.copy()
    above = np.array(parents, dtype=np.int64)
    length = np.array([len(code) for code in codes])
    for digits in sorted(set(length.tolist()), reverse=True):
        level = np.flatnonzero((length == digits) & (above >= 0))
        np.add.at(counts, above[level], counts[level])
    names = codes + [f"{codes[at]}+" for at in with_rest]
    return np.concatenate([above, with_rest]), np.concatenate([counts, own[with_rest]]), names


def _nearest(code: str, position: dict[str, int]) -> int:
    """Return the position of the longest code of the tree that `code` begins with, or -1."""
    for digits in sorted(LENGTHS.values(), reverse=True):
        if digits <= len(code) and code[:digits] in position:
            return position[code[:digits]]
    return -1


def _write(
    connection: psycopg.Connection[Any], edition: int, month: int, codes: list[str], figures: NDArray[np.int64]
) -> None:
    connection.execute(
        "delete from pub.people_count where month = %s and edition = %s and breakdown = %s and cell = %s",
        [month, edition, TOTAL, TOTAL],
    )
    connection.execute(
        "insert into pub.people_count (town_code, edition, month, breakdown, cell, grid_code, n, published_at)"
        " select town, %(edition)s, %(month)s, %(total)s, %(total)s, code, n, now()"
        " from unnest(%(towns)s::text[], %(codes)s::text[], %(figures)s::int[]) as one (town, code, n)",
        {
            "edition": edition,
            "month": month,
            "total": TOTAL,
            "towns": [town_of(code) for code in codes],
            "codes": codes,
            "figures": figures.tolist(),
        },
    )


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
