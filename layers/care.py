"""The care register (关爱服务): records of people who are offered care, and the visits made to them.

A record says what is offered and by whom, never what somebody is worth or likely to do. Records come with deliveries
and in no other way; what a list shows of a name is masked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import psycopg

from layers.access import Scope
from layers.cases import refused
from layers.codes import LENGTHS
from layers.declare.records import Catalog
from layers.errors import CaseError

Connection = psycopg.Connection[Any]

_KEEP = """
insert into vault.care_group as old (care_group, dataset, department, role, visit_days, is_restricted)
select * from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::smallint[], %s::boolean[])
on conflict (care_group) do update set (dataset, department, role, visit_days, is_restricted)
    = (excluded.dataset, excluded.department, excluded.role, excluded.visit_days, excluded.is_restricted)
where (old.dataset, old.department, old.role, old.visit_days, old.is_restricted) is distinct from
    (excluded.dataset, excluded.department, excluded.role, excluded.visit_days, excluded.is_restricted)
"""


def keep_groups(connection: Connection, catalog: Catalog) -> None:
    """Write the declared groups into the vault, which says by them who sees which records; role `loader`."""
    groups = list(catalog.care.values())
    connection.execute("delete from vault.care_group where not care_group = any(%s)", [[one.key for one in groups]])
    connection.execute(
        _KEEP,
        [
            [one.key for one in groups], [one.dataset for one in groups], [one.department for one in groups],
            [one.role for one in groups], [one.visit_days for one in groups], [one.restricted for one in groups],
        ],
    )  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """Care records of one worker, and how many there are in all."""

    rows: pd.DataFrame
    n: int
    n_late: int


def list_care(connection: Connection, scope: Scope, day: date, *, group: str | None = None, most: int = 200) -> Listed:
    """List the care records the session visits for, the visit that is due first at the top.

    Returns
    -------
    Listed
        Rows: person_id, grid_code, care_group, offered, status, visited_on, due_on (none where the person wants no
        care now), mask_sealed. No rows for whoever visits nobody.
    """
    values = [scope.low, scope.high, group, day, most]
    frame = _frame(connection, "select * from pub.list_care(%s, %s, %s, %s, %s)", values)
    n, n_late = (int(frame[key].iloc[0]) if len(frame) else 0 for key in ("n", "n_late"))
    return Listed(frame.drop(columns=["n", "n_late"]), n, n_late)


def care_visits(connection: Connection, scope: Scope, person_id: int) -> pd.DataFrame:
    """List the visits of a care record: visited_on, account, status, found; the latest first."""
    return _frame(connection, "select * from pub.care_visits(%s, %s, %s)", [scope.low, scope.high, person_id])


def visit_care(
    connection: Connection, scope: Scope, person_id: int, *, key: str, visited_on: date, status: str, found: str = ""
) -> int:
    """Write down a visit in the name of the session and give its number; the same key again is the same visit.

    Raises
    ------
    CaseError
        The record is not this worker's, the day is to come, or how the person was found is missing.
    """
    values = [scope.low, scope.high, person_id, key, visited_on, status, found]
    with refused(), connection.transaction():
        row = connection.execute("select pub.visit_care(%s, %s, %s, %s, %s, %s, %s)", values).fetchone()
    assert row is not None
    return int(row[0])


def late_care(connection: Connection, scope: Scope, level: str, day: date) -> pd.DataFrame:
    """Count overdue visits by grid, over all groups that are not restricted; for leaders.

    Returns
    -------
    DataFrame
        grid_code, n: the ten above, so that 10 stands for 1 to 10. Grids without any have no row.
    """
    if LENGTHS[level] < len(scope.code):
        raise CaseError("gone", f"There is no {level} below {scope.code}.", "Ask for a level below.")
    values = [scope.low, scope.high, LENGTHS[level], day]
    return _frame(connection, "select * from pub.late_care(%s, %s, %s, %s)", values)


def _frame(connection: Connection, query: str, values: list[Any]) -> pd.DataFrame:
    cursor = connection.execute(query.encode(), values)
    assert cursor.description is not None
    return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
