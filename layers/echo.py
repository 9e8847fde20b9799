"""The problem and echo wall (问题墙+回音壁): problem, measure, deadline, department, result, satisfaction of a case.

Each case is put there by a person, who writes the words: never the reporter's, no name, no number. A person takes it
away again. Deadline, department, how it stands and what the resident answered are the case's own, and change with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import psycopg
from psycopg.rows import class_row

from layers.access import Scope
from layers.cases import refused

Connection = psycopg.Connection[Any]

RELEASERS = ("dispatcher", "case_officer")
"""Roles that put a case on the wall and take it away."""


@dataclass(frozen=True)
class Echo:
    """What the wall says of a case."""

    problem: str
    measure: str
    result: str | None
    released_at: datetime
    released_by: str


def release(
    connection: Connection, scope: Scope, event_id: int, *, problem: str, measure: str, result: str = ""
) -> int:
    """Put a case on the wall, or say it anew, in the name of the session.

    Raises
    ------
    CaseError
        The role may not, there is no such case, it is sensitive or not accepted; a text is missing, too long, the
        reporter's own, or has a number that could be a phone's.
    """
    values = [scope.low, scope.high, event_id, problem, measure, result]
    with refused(), connection.transaction():
        row = connection.execute("select pub.release_echo(%s, %s, %s, %s, %s, %s)", values).fetchone()
    assert row is not None
    return int(row[0])


def withdraw(connection: Connection, scope: Scope, event_id: int, reason: str) -> None:
    """Take a case from the wall, with a reason, in the name of the session.

    Raises
    ------
    CaseError
        The role may not, the case is not on the wall, or the reason is missing.
    """
    values = [scope.low, scope.high, event_id, reason]
    with refused(), connection.transaction():
        connection.execute("select pub.withdraw_echo(%s, %s, %s, %s)", values)


def echo_of(connection: Connection, scope: Scope, event_id: int) -> Echo | None:
    """Read what the wall says of a case; None where it is not there."""
    with connection.cursor(row_factory=class_row(Echo)) as cursor:
        return cursor.execute("select * from pub.echo_of(%s, %s, %s)", [scope.low, scope.high, event_id]).fetchone()


def read_echo(connection: Connection, *, most: int = 100, past: int = 0) -> pd.DataFrame:
    """Read the wall, the latest released first; a row is a case. Anybody may, signed in or not.

    Returns
    -------
    DataFrame
        category, grid_code (of the village at the finest), problem, measure, result, department, due_at, state,
        outcome, closed_at, is_satisfied, released_at.
    """
    cursor = connection.execute("select * from pub.read_echo(%s, %s)", [most, past])
    assert cursor.description is not None
    return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
