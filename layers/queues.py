"""Queues of cases: what waits for whom, the most pressing first. What a session may not work on is not in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import psycopg
from psycopg.types.json import Jsonb

from layers.access import Scope

QUEUES: Mapping[str, tuple[str, ...]] = {
    "dispatcher": ("accept", "dispatch", "close", "visit", "open", "all"),
    "department_handler": ("mine", "open", "all"),
    "grid_worker": ("check", "mine", "open", "all"),
    "case_officer": ("check", "visit", "mine", "open", "all"),
    "leader": ("open", "all"),
}
"""Queues of each role that works on cases or looks at them, the first being where it begins."""

CLOCKS = ("late", "soon", "still")
"""What a deadline may be asked to be: past, within a day, or standing still."""


@dataclass(frozen=True)
class Asked:
    """What of a queue is asked for; None asks for everything."""

    queue: str = "open"
    category: str | None = None
    state: str | None = None
    department: str | None = None
    clock: str | None = None


def list_cases(connection: psycopg.Connection[Any], scope: Scope, asked: Asked, *, most: int = 300) -> pd.DataFrame:
    """List the cases of a queue; a row is a case, urgent ones first, then by deadline, which begins with the late.

    An urgent report that has no deadline yet counts as due since it was reported.

    Returns
    -------
    DataFrame
        id, grid_code, category, state, outcome, department, channel, is_urgent, is_sensitive, reported_at, due_at,
        closed_at, is_satisfied, version, lon, lat (none for a sensitive case), n (how many there are in all).
    """
    told = {key: value for key, value in vars(asked).items() if value is not None}
    return _frame(
        connection, "select * from pub.list_cases(%s, %s, %s, %s)", [scope.low, scope.high, Jsonb(told), most]
    )


@dataclass(frozen=True)
class Place:
    """Whether the session works on a case, and where it lies; None where nobody knows."""

    is_worked_on: bool
    lon: float | None
    lat: float | None


def find_place(connection: psycopg.Connection[Any], scope: Scope, event_id: int) -> Place:
    """Find where a case lies, and whether the session works on it."""
    row = connection.execute(
        "select is_worked_on, lon, lat from pub.case_place(%s, %s, %s)", [scope.low, scope.high, event_id]
    ).fetchone()
    return Place(*row) if row else Place(False, None, None)


def my_reports(connection: psycopg.Connection[Any], scope: Scope, *, most: int = 20) -> pd.DataFrame:
    """List what the session's own account reported, the latest first; a row is a case.

    Returns
    -------
    DataFrame
        id, grid_code, category, state, outcome, department, reported_at, due_at, closed_at, is_satisfied, summary,
        original_state, original_outcome (of the case it was folded into).
    """
    return _frame(connection, "select * from pub.my_reports(%s, %s, %s)", [scope.low, scope.high, most])


def linked(connection: psycopg.Connection[Any], scope: Scope, event_id: int) -> pd.DataFrame:
    """List what a case is linked to; a row is a place, thing or organisation, and one row counts the people.

    Returns
    -------
    DataFrame
        element, kind, category, name, n.
    """
    return _frame(connection, "select * from pub.linked(%s, %s, %s)", [scope.low, scope.high, event_id])


def _frame(connection: psycopg.Connection[Any], query: str, values: list[Any]) -> pd.DataFrame:
    cursor = connection.execute(query.encode(), values)
    assert cursor.description is not None
    return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
