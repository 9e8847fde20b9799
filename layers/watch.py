"""What a watch is kept over: cases that are open, fall due, were reported of late. Counts and moments, nobody's words.

Sensitive cases are in none of them but one, which counts them by medium grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import pandas as pd
import psycopg

from layers.access import Scope

Connection = psycopg.Connection[Any]

FEWEST_SENSITIVE = 3
"""Sensitive cases below which a count is not said: "fewer than three"."""

FEWEST = 10
"""Open cases below which a grid has no share: one case more or less would turn the order round."""


def open_cases(connection: Connection, scope: Scope, digits: int, moment: datetime) -> pd.DataFrame:
    """Count the open cases of each grid with codes of so many digits.

    Returns
    -------
    DataFrame
        grid_code, category, state, n, n_late (past the deadline), n_unanswered (reported a day ago, not accepted).
    """
    return _frame(connection, "select * from pub.open_cases(%s, %s, %s, %s)", [scope.low, scope.high, digits, moment])


def due_cases(
    connection: Connection, scope: Scope, moment: datetime, most: int, categories: Sequence[str] = ()
) -> pd.DataFrame:
    """List the open cases that fall due next and those late for longest, so many of each; no categories: all of them.

    Returns
    -------
    DataFrame
        grid_code, category, state, due_at, is_urgent; first those that are not late yet.
    """
    values = [scope.low, scope.high, list(categories), moment, most]
    return _frame(connection, "select * from pub.due_cases(%s, %s, %s, %s, %s)", values)


def reported_cases(
    connection: Connection, scope: Scope, since: datetime, unit: Literal["hour", "day"], zone: str
) -> pd.DataFrame:
    """Count the cases reported since a moment.

    Returns
    -------
    DataFrame
        at (beginning of the hour or day, in the zone), category, state as it is now, n.
    """
    values = [scope.low, scope.high, since, unit, zone]
    return _frame(connection, "select * from pub.reported_cases(%s, %s, %s, %s, %s)", values)


def latest_cases(connection: Connection, scope: Scope, since: datetime, most: int) -> pd.DataFrame:
    """List the latest reports since a moment: at, category, grid_code, state; the latest first."""
    return _frame(connection, "select * from pub.latest_cases(%s, %s, %s, %s)", [scope.low, scope.high, since, most])


def sensitive_counts(connection: Connection, scope: Scope, since: datetime) -> pd.DataFrame:
    """Count the sensitive cases reported since a moment by category and medium grid: grid_code, category, n.

    There is no finer count of them and no row. A scope smaller than a medium grid gets none.
    """
    return _frame(connection, "select * from pub.sensitive_counts(%s, %s, %s)", [scope.low, scope.high, since])


def ranked_by_neglect(counted: pd.DataFrame, fewest: int = FEWEST) -> pd.DataFrame:
    """Rank grids by how many of their open cases are late or unanswered, never by how many there are.

    A grid where much is reported is one where people trust that it is dealt with; to rank it first would teach to
    report less. Grids with fewer open cases than `fewest` are left out.

    Returns
    -------
    DataFrame
        By grid code: n, n_late, n_unanswered, share (0 to 1); the worst first, equal ones by code.
    """
    sums = counted.groupby("grid_code")[["n", "n_late", "n_unanswered"]].sum()
    kept = sums[sums["n"] >= fewest].copy()
    kept["share"] = (kept["n_late"] + kept["n_unanswered"]) / kept["n"].where(kept["n"] > 0, 1)
    kept["share"] = kept["share"].clip(upper=1)
    return kept.sort_values("share", ascending=False, kind="stable")


def _frame(connection: Connection, query: str, values: list[Any]) -> pd.DataFrame:
    cursor = connection.execute(query.encode(), values)
    assert cursor.description is not None
    return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
