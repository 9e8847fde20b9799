"""What the page of figures shows: counts and rates of a period, and the cases behind each number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from layers.errors import AtlasError
from layers.performance import CASE_COUNTS, RATES, case_counts, case_facts, rates
from layers.periods import Period, read_period
from layers.workers import COUNTS, Figures, Worker, list_workers, worker_figures
from mapapp.desk import Desk
from mapapp.visitor import visitor

BY = ("department", "category", "channel", "9")
"""What figures are told by; 9 digits are a town."""

SHOWN = ("reported", "filed", "due", "closed_on_time", "overdue", "sent_back", "settled", "answered", "satisfied")
"""Counts that are shown first; all are links to their cases."""

LISTED_MOST = 500
NOBODY, ALL = "", "all"
"""What cases are told under that nothing is said of, such as a department before any has it, and all together."""


@dataclass(frozen=True)
class Told:
    """Figures of a period by something: `rows` has a row for each value (`of`) and one for all.

    `cases` are those behind the number picked.
    """

    period: str
    by: str
    rows: pd.DataFrame
    of: str
    count: str
    cases: pd.DataFrame
    names: Mapping[str, str]


@dataclass(frozen=True)
class ToldOfWorker:
    """Figures of one grid worker, of those the session may choose from; `figures` is None until one is chosen."""

    period: str
    workers: list[Worker]
    worker: str
    figures: Figures | None
    count: str
    names: Mapping[str, str]


def read_figures(desk: Desk, query: Mapping[str, str]) -> Told:
    """Read the figures that an address asks for; what it names and is not there is left out."""
    actor, zone = visitor().actor, desk.catalog.city.zone
    when = period_of(query, zone)
    by = query.get("by", "") if query.get("by") in BY else BY[0]
    count, of = query.get("count", ""), query.get("of", "")
    wanted = sorted(d.key for d in desk.catalog.datasets.values() if d.table == "event" and not d.sensitive)
    with desk.connection() as connection:
        facts = case_facts(connection, actor.scope, wanted, when, zone)
        grids = desk.gazetteer(connection).grids
    counted = case_counts(facts, when, zone, desk.catalog.limits.due_on(when.first_on))
    group = (facts["grid_code"].str[: int(by)] if by.isdigit() else facts[by]).astype(object).fillna(NOBODY)
    rows = rates(counted, group)
    if len(rows):
        rows = pd.concat([rows, rates(counted, pd.Series(ALL, index=facts.index))])
    rows = rows.rename_axis("of").reset_index()
    cases = facts[(counted[count] > 0) & ((group == of) | (of == ALL))] if count in CASE_COUNTS else pd.DataFrame()
    return Told(str(when), by, rows, of, count if count in CASE_COUNTS else "", cases, names_of(grids))


def read_worker(desk: Desk, query: Mapping[str, str]) -> ToldOfWorker:
    """Read the figures of one grid worker: one's own, or of whom a dispatcher chose.

    Raises
    ------
    CaseError
        They are for somebody else.
    """
    actor, zone = visitor().actor, desk.catalog.city.zone
    when, count = period_of(query, zone), query.get("count", "")
    own = actor.account if actor.role == "grid_worker" else ""
    worker = query.get("worker", "") or own
    with desk.connection() as connection:
        workers = list_workers(connection)
        figures = worker_figures(connection, worker, when, zone) if worker else None
        grids = desk.gazetteer(connection).grids
    return ToldOfWorker(str(when), workers, worker, figures, count if count in COUNTS[:-1] else "", names_of(grids))


def names_of(grids: pd.DataFrame) -> dict[str, str]:
    """Name of each grid by its code."""
    return dict(zip(grids.index.astype(str), grids["name"].astype(str), strict=True))


def period_of(query: Mapping[str, str], zone: str) -> Period:
    """Period that an address asks for; the present month where it names none."""
    try:
        return read_period(query["period"])
    except (KeyError, AtlasError):
        return read_period(f"{datetime.now(ZoneInfo(zone)):%Y-%m}")


def rate_of(row: Mapping[str, Any], rate: str) -> tuple[float | None, int, int]:
    """Rate of a row, its numerator and its denominator; no rate where there is nothing to divide by."""
    over, under = (int(row[name]) for name in RATES[rate])
    return (over / under if under else None), over, under
