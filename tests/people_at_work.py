"""The little city as a place where cases are worked on: who works there, and a case at any state by legal steps."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from little_city import dataset, fill_grids, little_catalog, said
from signing import InSession

from layers import calls as _calls
from layers import cases as _cases
from layers import duplicates as _duplicates
from layers import satisfaction as _satisfaction
from layers.access import Actor, Scope
from layers.cases import Case
from layers.database import Database
from layers.declare.records import Catalog, Department
from layers.lifecycle import CaseRole

GRID = "449901001001001"
START = datetime(2025, 3, 3, 1, tzinfo=UTC)
"""Monday, nine in the morning."""

WAYS = {
    "reported": "",
    "refused": "refuse",
    "accepted": "accept",
    "dispatched": "accept dispatch",
    "handling": "accept dispatch take_on",
    "suspended": "accept dispatch take_on suspend",
    "handled": "accept dispatch take_on finish",
    "checked": "accept dispatch take_on finish pass",
    "closed": "accept dispatch take_on finish pass close",
}
"""Steps that lead to each state."""

WHO: dict[str, CaseRole] = {
    "refuse": "dispatcher", "accept": "dispatcher", "dispatch": "dispatcher", "take_on": "department_handler",
    "suspend": "department_handler", "finish": "department_handler", "pass": "case_officer", "close": "dispatcher",
}  # fmt: skip

calls, cases, duplicates, satisfaction = map(InSession, (_calls, _cases, _duplicates, _satisfaction))
"""As in layers, each function in a session of the actor it is given."""

_NUMBERS = itertools.count(1)


def working_catalog(**more: Any) -> Catalog:
    """Declarations of the little city, with two departments and the dataset of cases made here."""
    departments = {key: Department(key, said(key)) for key in ("water", "justice")}
    little = little_catalog()
    made_here = {_cases.DATASET: dataset(_cases.DATASET, "event")}
    return replace(little, departments=departments, datasets=dict(little.datasets) | made_here, **more)


def prepare(db: Database) -> None:
    fill_grids(db)
    with db.connect("loader") as connection:
        connection.execute("insert into pub.dataset values (99, %s, 'event', false, '2026-04-01')", [_cases.DATASET])


def actor(role: CaseRole, account: str = "", department: str = "water", code: str = "4499") -> Actor:
    return Actor(account or role, role, Scope(code), department if role == "department_handler" else None)


def key() -> str:
    return f"k{next(_NUMBERS)}"


def needs(step: str, at: datetime) -> dict[str, Any]:
    """What each step needs and more, so that only role and state decide."""
    return {
        "reason": "说明", "department": "water" if step == "dispatch" else None,
        "until_at": at + timedelta(days=3), "outcome": "settled",
    }  # fmt: skip


def case_in(connection: psycopg.Connection[Any], catalog: Catalog, state: str, grid: str = GRID) -> Case:
    """Bring a new case to a state by legal steps."""
    said = cases.Report(key(), "noise", grid, dataset="call", at=START)
    made = cases.report(connection, catalog, actor("resident"), said)
    for n, step in enumerate(WAYS[state].split(), start=1):
        at = START + timedelta(hours=n)
        case = cases.read_case(connection, Scope("4499"), made.id)
        cases.take_step(connection, catalog, actor(WHO[step]), case, step, key=key(), at=at, **needs(step, at))
    return cases.read_case(connection, Scope("4499"), made.id)


def counted(connection: psycopg.Connection[Any], table: str = "pub.tally_small_month") -> dict[str, int]:
    """Tallies of calls by state."""
    from layers.tables import STATES

    rows = connection.execute(
        f"select state_no, sum(n)::int from {table} group by 1 having sum(n) <> 0 order by 1".encode()
    ).fetchall()
    return {STATES[number - 1]: n for number, n in rows}
