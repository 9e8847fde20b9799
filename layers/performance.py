"""How the closed loop performs: the counts its rates are made of, told from cases and their steps.

Every rate is a numerator and a denominator, both counts of cases, kept apart and summed upward over grids, departments,
categories; never averaged. The definitions:

| count             | cases in a period                                                                            |
|-------------------|----------------------------------------------------------------------------------------------|
| `reported`        | reported in it, those settled on the spot left out                                           |
| `filed`           | of these, accepted                                                                           |
| `settled`         | of these, closed as settled by now: closed alone is not settled                              |
| `settled_on_spot` | reported in it and settled on the spot                                                       |
| `due`             | filed, with a deadline that falls in it; by the policy of the day also those closed in it    |
| `closed_of_due`   | due, and closed before its end                                                               |
| `closed_on_time`  | due, and closed by the deadline                                                              |
| `overdue`         | due, the deadline past, and still open at its end (or now)                                   |
| `sent_back`       | due, and sent back by the check at least once                                                |
| `due_for_handling`| due, and dispatched to a department                                                          |
| `handled_on_time` | due for handling, and the result reported by the deadline                                    |
| `extended`        | due for handling, and put off at least once                                                  |
| `dispatched`      | dispatches in it                                                                             |
| `not_returned`    | these less the returns in it                                                                 |
| `closed`          | closed in it                                                                                 |
| `asked`           | closed in it, and asked whether it is settled                                                |
| `answered`        | closed in it, and answered: unanswered is neither satisfied nor not                          |
| `satisfied`       | closed in it, and satisfied                                                                  |
| `without_deadline`| closed in it without a deadline: counted apart, never as on time                             |
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import psycopg

from layers.access import Scope
from layers.declare.case_records import CASE_COUNTS, DuePolicy
from layers.declare.records import Catalog
from layers.periods import Period, read_period

__all__ = ["CASE_COUNTS", "RATES", "case_counts", "case_facts", "performance"]

RATES: dict[str, tuple[str, str]] = {
    "filing_rate": ("filed", "reported"),
    "settled_rate": ("settled", "reported"),
    "closure_rate": ("closed_of_due", "due"),
    "on_time_rate": ("closed_on_time", "due"),
    "on_time_handling_rate": ("handled_on_time", "due_for_handling"),
    "rework_rate": ("sent_back", "due"),
    "extension_rate": ("extended", "due_for_handling"),
    "overdue_rate": ("overdue", "due"),
    "dispatch_accuracy": ("not_returned", "dispatched"),
    "satisfaction_rate": ("satisfied", "answered"),
    "answer_rate": ("answered", "asked"),
}
"""Numerator and denominator of each rate."""

_MOMENTS = ("reported_at", "due_at", "closed_at", "handled_at")


def case_facts(
    connection: psycopg.Connection[Any], scope: Scope, datasets: Sequence[str], period: Period, zone: str
) -> pd.DataFrame:
    """Read what rates are made of; a row is a case that a period has to do with. Sensitive cases are left out.

    Returns
    -------
    DataFrame
        id, grid_code, category, department, state, outcome, reported_at, due_at, closed_at, handled_at (UTC),
        is_on_spot, is_filed, is_dispatched, n_dispatched and n_returned (in the period), n_sent_back, n_extended,
        is_asked, is_satisfied (missing: not answered), channel. Every number clicks to these cases by `id`.
    """
    since, until = _bounds(period, zone)
    cursor = connection.execute(
        "select * from pub.case_facts(%s, %s, %s, %s, %s)", [scope.low, scope.high, list(datasets), since, until]
    )
    assert cursor.description is not None
    frame = pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
    for name in _MOMENTS:
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def case_counts(
    facts: pd.DataFrame, period: Period, zone: str, policy: DuePolicy, now: datetime | None = None
) -> pd.DataFrame:
    """Tell of each case what it counts for; a row is a case, with a whole number for each of `CASE_COUNTS`.

    Parameters
    ----------
    facts
        As `case_facts` gives them for the period.
    period, zone
        The period, of days in the zone.
    policy
        Which cases are due.
    now
        Moment up to which a period that is not over counts; the present one when left out.
    """
    since, until = _bounds(period, zone)
    end = min(until, pd.Timestamp(now or datetime.now(UTC)))
    reported = facts["reported_at"].between(since, until, inclusive="left")
    closed = facts["closed_at"].between(since, until, inclusive="left")
    filed = facts["is_filed"].astype(bool)
    due = filed & facts["due_at"].between(since, until, inclusive="left")
    if policy.closed_early:
        due |= filed & closed & facts["due_at"].notna()
    if not policy.suspended:
        due &= facts["state"] != "suspended"
    handling = due & facts["is_dispatched"].astype(bool)
    open_at_end = ~(facts["closed_at"] < end)
    answered = closed & facts["is_satisfied"].notna()
    on_spot = facts["is_on_spot"].astype(bool)
    made: dict[str, Any] = {
        "reported": reported & ~on_spot,
        "filed": reported & filed,
        "settled": reported & ~on_spot & (facts["state"] == "closed") & (facts["outcome"] == "settled"),
        "settled_on_spot": reported & on_spot,
        "due": due,
        "closed_of_due": due & (facts["closed_at"] < until),
        "closed_on_time": due & (facts["closed_at"] <= facts["due_at"]),
        "overdue": due & open_at_end & (facts["due_at"] < end),
        "sent_back": due & (facts["n_sent_back"] > 0),
        "due_for_handling": handling,
        "handled_on_time": handling & (facts["handled_at"] <= facts["due_at"]),
        "extended": handling & (facts["n_extended"] > 0),
        "dispatched": facts["n_dispatched"],
        "not_returned": facts["n_dispatched"] - facts["n_returned"],
        "closed": closed,
        "asked": closed & facts["is_asked"].astype(bool),
        "answered": answered,
        "satisfied": answered & (facts["is_satisfied"] == True),  # noqa: E712  # of True, False and missing
        "without_deadline": closed & filed & facts["due_at"].isna(),
    }
    return pd.DataFrame({name: made[name].astype(np.int64) for name in CASE_COUNTS}, index=facts.index)


def performance(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    scope: Scope,
    period: str | int,
    *,
    by: str = "department",
    datasets: Sequence[str] | None = None,
    now: datetime | None = None,
) -> pd.DataFrame:
    """Work out counts and rates of a period; a row is a department, a category, a channel, or a grid.

    Parameters
    ----------
    connection
        As web or analyst.
    catalog
        The declarations, with the policy of what is due.
    scope
        Part of the tree to look at.
    period
        2026, 2026-03 or 2026-03-05.
    by
        department, category, channel, or a number of digits as text to cut grid codes to: `"9"` is by town.
    datasets
        Datasets of events; all that are not sensitive when left out.
    now
        Moment up to which a period that is not over counts.

    Returns
    -------
    DataFrame
        One row for each value of `by` that has any, in order: `CASE_COUNTS`, then each of `RATES` from 0 to 1. A rate
        of nothing is missing: no data, not 0.
    """
    when = read_period(period)
    wanted = datasets or sorted(d.key for d in catalog.datasets.values() if d.table == "event" and not d.sensitive)
    facts = case_facts(connection, scope, wanted, when, catalog.city.zone)
    counts = case_counts(facts, when, catalog.city.zone, catalog.limits.due_on(when.first_on), now)
    group = facts["grid_code"].str[: int(by)] if by.isdigit() else facts[by]
    return rates(counts, group).rename_axis("grid_code" if by.isdigit() else by).reset_index()


def rates(counts: pd.DataFrame, group: pd.Series[Any]) -> pd.DataFrame:
    """Sum counts of cases by a group and work out the rates of each; a row is a group, cases without one left out.

    Returns
    -------
    DataFrame
        `CASE_COUNTS`, then each of `RATES` from 0 to 1, missing where there is nothing to divide by; by group.
    """
    sums = counts.groupby(group.astype(object), sort=True).sum()
    for name, (over, under) in RATES.items():
        sums[name] = (sums[over] / sums[under].where(sums[under] > 0)).astype("float64")
    return sums


def _bounds(period: Period, zone: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    return pd.Timestamp(period.first_on, tz=zone), pd.Timestamp(period.past_on, tz=zone)
