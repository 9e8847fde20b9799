"""Cases: events on their way through the closed loop. Reported, moved on and read here, and written nowhere else.

Every write goes through functions of the database (`pub.report_case`, `pub.take_step`, and their like for residents)
that hold it to the table of transitions, count it and append it to the log in one transaction, in the name of the
session the connection carries. A key chosen by the sender makes a resend harmless,
the version read beforehand keeps two people from moving the same case at once.

>>> moved = cases.report(connection, catalog, actor, Report("7f0c..", "noise", "449901001001001"))
>>> case = cases.read_case(connection, actor.scope, moved.id)
>>> cases.take_step(connection, catalog, dispatcher, case, "accept", key="91d2..")
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import pandas as pd
import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from layers.access import Actor, Scope
from layers.declare.records import Catalog
from layers.editions import edition_on
from layers.errors import CaseError, UnknownNameError
from layers.lifecycle import Transition, allowed, find
from layers.promises import after_step, read_promise
from layers.worktime import work_time

DATASET = "grid_event"
"""Dataset that cases made here belong to, unless told otherwise."""

NO_VERSION = -1
"""A version that no case has: with it only a request that was carried out before is answered."""

_WHY = {"MQ001": "gone", "MQ002": "stale", "MQ003": "not_allowed", "MQ004": "missing"}
_HINTS = {
    "gone": "It may lie outside what you may see, or have been withdrawn by its source.",
    "stale": "Somebody was quicker: look at the case again, then decide.",
    "not_allowed": "`layers.lifecycle` has the table of allowed transitions; offer only those.",
    "missing": "Fill in what is missing and send it again.",
}


@dataclass(frozen=True)
class Case:
    """One case as it stands; `promise` is the latest one made on it."""

    id: int
    town_code: str
    grid_code: str
    dataset: str
    source_key: str
    category: str
    state: str
    outcome: str | None
    version: int
    reported_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    department: str | None
    channel: str | None
    is_urgent: bool
    is_on_spot: bool
    is_satisfied: bool | None
    is_sensitive: bool
    summary: str | None
    promise: Mapping[str, Any] | None

    def steps_for(self, actor: Actor) -> tuple[Transition, ...]:
        """List the transitions somebody may make now; a handler's only where the case lies with the department."""
        of_others = actor.role == "department_handler" and actor.department != self.department
        return tuple(t for t in allowed(self.state, actor.role) if not (of_others and "own" in t.needs))


@dataclass(frozen=True)
class OwnReport:
    """As much of a case as who has its receipt needs for taking it back."""

    id: int
    town_code: str
    category: str
    state: str
    version: int
    is_urgent: bool
    promise: Mapping[str, Any] | None


@dataclass(frozen=True)
class Moved:
    """Where a step led: `is_new` is False when the same request had been carried out before."""

    id: int
    version: int
    state: str
    change_no: int
    is_new: bool


@dataclass(frozen=True)
class Report:
    """What is reported.

    `key` is chosen by the sender and unique in the dataset: the same key again gives the same case. `grid_code` is the
    finest grid known (`layers.locate` finds it from a position), `position` longitude and latitude (EPSG:4490).
    `settled` says what the grid worker did about it on the spot; the case is then closed in the same transaction.
    `attrs` are declared columns of the dataset that are not of the core. `at` is when it was reported, for what is sent
    late; now, when left out.
    """

    key: str
    category: str
    grid_code: str
    position: tuple[float, float] | None = None
    summary: str | None = None
    channel: str | None = None
    is_urgent: bool = False
    settled: str = ""
    dataset: str = DATASET
    attrs: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None


def report(connection: psycopg.Connection[Any], catalog: Catalog, actor: Actor, said: Report) -> Moved:
    """Report a case: written whole or not at all, the connection being that of the web.

    Raises
    ------
    UnknownNameError
        Nobody declared the category or the dataset for events.
    CaseError
        The role may not report, the grid is out of reach, or the moment lies ahead.
    """
    sensitive = _is_sensitive(catalog, said)
    lon, lat = said.position or (None, None)
    values = [
        said.dataset, said.key, said.category, said.grid_code, edition_on(connection, catalog.city),
        "point" if said.position else "code", lon, lat, said.channel or _CHANNELS.get(actor.role, "department"),
        said.is_urgent, sensitive, said.summary, Jsonb(dict(said.attrs)), catalog.city.zone, said.at,
    ]  # fmt: skip
    with refused(), connection.transaction():
        row = _call(connection, "report", actor, values)
        if row is None:
            raise CaseError("gone", "The key of this report belongs to a case out of reach.", "Choose another key.")
        town, moved = row[0], Moved(*row[1:])
        if said.settled:  # a resend of the whole report finds the second step done too
            values = [
                town, moved.id, 1, f"{said.key}/settled", "settle_on_spot", said.settled, None, None, None, None, None,
                catalog.city.zone, said.at,
            ]  # fmt: skip
            taken = _call(connection, "step", actor, values)
            assert taken is not None
            return Moved(moved.id, *taken)
        return moved


def _is_sensitive(catalog: Catalog, said: Report) -> bool:
    """Whether what is reported is never shown as a point and never counted openly."""
    kinds = {name: one for name, one in catalog.categories.items() if one.table == "event"}
    if said.category not in kinds:
        raise UnknownNameError("category of events", said.category, kinds)
    datasets = {name: one for name, one in catalog.datasets.items() if one.table == "event"}
    if said.dataset not in datasets:
        raise UnknownNameError("dataset of events", said.dataset, datasets)
    return kinds[said.category].sensitive or datasets[said.dataset].sensitive


def take_step(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    actor: Actor,
    case: Case | OwnReport,
    step: str,
    *,
    key: str,
    reason: str | None = None,
    department: str | None = None,
    until_at: datetime | None = None,
    outcome: str | None = None,
    duplicate_of: int | None = None,
    at: datetime | None = None,
) -> Moved:
    """Take one step of a case, as it was read: event, counts, promise and log change together.

    Parameters
    ----------
    connection
        As web.
    catalog
        The declarations.
    actor
        Who takes it. The database reads account, role and department from the session that the connection carries;
        what stands here opens nothing. A resident has a receipt in place of both.
    case
        As read by `read_case`; when it has changed since, the step is refused as stale.
    step
        One of `layers.lifecycle.steps()`.
    key
        Chosen by the sender: the same key again does nothing and gives the first answer.
    reason, department, until_at, outcome, duplicate_of
        What the step needs, see `layers.lifecycle`.
    at
        When it was taken, for what is sent late: not before the last step, not after now. The log has both moments.

    Raises
    ------
    UnknownNameError
        Nobody declared the department.
    CaseError
        The case is gone or stale, the step is not allowed from its state to this role, or a need is not met.
    """
    if department is not None and department not in catalog.departments:
        raise UnknownNameError("department", department, catalog.departments)
    promise, at, refusal = _promise(connection, catalog, case, step, at, department, until_at)
    values = [
        case.town_code, case.id, NO_VERSION if refusal else case.version, key, step, reason, department, until_at,
        outcome, duplicate_of, promise, catalog.city.zone, at,
    ]  # fmt: skip
    try:
        with refused(), connection.transaction():
            row = _call(connection, "step", actor, values)
    except CaseError as error:
        raise refusal or error from None
    assert row is not None
    return Moved(case.id, *row)


def _promise(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    case: Case | OwnReport,
    step: str,
    at: datetime | None,
    department: str | None,
    until_at: datetime | None,
) -> tuple[Jsonb | None, datetime | None, CaseError | None]:
    """Work out the promise as it stands after a step, the moment it was worked out for, and why there can be none."""
    rule = find(step, case.state)
    if rule is None or not rule.clock:
        return None, at, None
    at = at or _now(connection)
    limit = catalog.limits.limit(case.category, is_urgent=case.is_urgent)
    work = work_time(catalog.calendar, catalog.city.zone)
    old = read_promise(case.promise)
    try:
        promise = after_step(work, rule, old, at, limit=limit, department=department, until_at=until_at)
    except CaseError as error:  # unless it was done by this very request, which then has its answer
        return None, at, error
    return (Jsonb(promise.as_json()) if promise else None), at, None


def read_case(connection: psycopg.Connection[Any], scope: Scope, event_id: int) -> Case:
    """Read one case.

    Raises
    ------
    CaseError
        There is none of that number inside the scope.
    """
    with connection.cursor(row_factory=class_row(Case)) as cursor:
        case = cursor.execute("select * from pub.read_case(%s, %s, %s)", [*_range(scope), event_id]).fetchone()
    if case is None:
        raise CaseError("gone", f"There is no case {event_id}.", _HINTS["gone"])
    return case


def timeline(connection: psycopg.Connection[Any], scope: Scope, event_id: int) -> pd.DataFrame:
    """Read the log of one case; a row is a step, in order.

    Returns
    -------
    DataFrame
        step_no, at (UTC), step, from_state, state, account, actor (the role), department, reason, until_at,
        duplicate_of, change_no, recorded_at. Steps that another system delivered have no step, account or change_no.
    """
    return _frame(connection, "select * from pub.read_steps(%s, %s, %s)", [*_range(scope), event_id])


def follow(connection: psycopg.Connection[Any], receipt: str) -> pd.DataFrame:
    """Read what became of the reports made with a receipt, signed in or not; a row is a case.

    Returns
    -------
    DataFrame
        id, town_code, category, state, outcome, version, reported_at, due_at, closed_at, department, and where it was
        folded into another case original_state, original_outcome, original_department, original_due_at and
        original_closed_at of that; is_urgent, promise. Nobody's words.
    """
    return _frame(connection, "select * from pub.follow(%s)", [receipt])


def withdraw(connection: psycopg.Connection[Any], catalog: Catalog, receipt: str, event_id: int, reason: str) -> Moved:
    """Take back what was reported with a receipt; a second time does nothing.

    Raises
    ------
    CaseError
        No such case belongs to the receipt, it is being dealt with already, or no reason is given.
    """
    found = follow(connection, receipt)
    fields = list(OwnReport.__dataclass_fields__)
    own = [OwnReport(*row) for row in found.loc[found["id"] == event_id, fields].itertuples(index=False)]
    if not own:
        raise CaseError("gone", f"There is no case {event_id}.", _HINTS["gone"])
    case, who = own[0], Actor(receipt, "resident", Scope(catalog.city.code))
    if (case.state, found.loc[found["id"] == event_id, "outcome"].iloc[0]) == ("closed", "void"):
        return Moved(case.id, case.version, case.state, 0, is_new=False)
    return take_step(connection, catalog, who, case, "withdraw", key=f"withdrawn/{case.version}", reason=reason)


def changes(connection: psycopg.Connection[Any], scope: Scope, after: int = 0, limit: int = 1000) -> pd.DataFrame:
    """Read the steps taken after one number; a row is a step, in the order of commits.

    Ask again with the last `change_no` seen: nothing is missed and nothing comes twice. `LISTEN cases` tells when.
    Sensitive cases and everybody's words are left out.

    Returns
    -------
    DataFrame
        change_no, at, event_id, dataset, category, grid_code, step, from_state, state, department, due_at, is_urgent.
    """
    return _frame(connection, "select * from pub.changes(%s, %s, %s, %s)", [*_range(scope), after, limit])


def last_change(connection: psycopg.Connection[Any], scope: Scope) -> int | None:
    """Number of the last step taken, in whatever grid; None where the scope is not the asker's.

    Ask for it before `changes` and in another statement: then what `changes` gives goes at least as far.
    """
    row = connection.execute("select pub.last_change(%s, %s)", _range(scope)).fetchone()
    return None if row is None else row[0]


_CHANNELS = {"resident": "resident", "grid_worker": "grid_worker"}
_REPORT = "select town_code, id, version, state, change_no, is_new from pub."
_STEP = "select version, state, change_no, is_new from pub."
_CALLS = {
    "report": f"{_REPORT}report_case(%s, %s, %s, %s, %s, %s, %s::smallint{', %s' * 10})",
    "report by resident": f"{_REPORT}report_by_resident(%s, %s, %s, %s, %s, %s::smallint{', %s' * 10})",
    "step": f"{_STEP}take_step(%s{', %s' * 14})",
    "step by resident": f"{_STEP}step_by_resident(%s{', %s' * 9})",
}


def _call(connection: psycopg.Connection[Any], what: str, actor: Actor, values: list[Any]) -> tuple[Any, ...] | None:
    """Report or step: in the name of the session the connection carries, or of who has a receipt."""
    if actor.role != "resident":
        return connection.execute(_CALLS[what].encode(), [*_range(actor.scope), *values]).fetchone()
    if what == "step":  # a resident says why and no more
        values = [*values[:6], *values[10:]]
    return connection.execute(_CALLS[f"{what} by resident"].encode(), [actor.account, *values]).fetchone()


def _range(scope: Scope) -> tuple[str, str]:
    return scope.low, scope.high


def _now(connection: psycopg.Connection[Any]) -> datetime:
    """Give the database's moment: the one clock all writers share."""
    row = connection.execute("select clock_timestamp()").fetchone()
    assert row is not None
    return cast("datetime", row[0])


def _frame(connection: psycopg.Connection[Any], query: str, values: list[Any]) -> pd.DataFrame:
    cursor = connection.execute(query.encode(), values)
    assert cursor.description is not None
    return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])


@contextmanager
def refused() -> Iterator[None]:
    """Turn what the functions of the database refuse into a `CaseError`."""
    try:
        yield
    except psycopg.DatabaseError as error:
        why = _WHY.get(error.sqlstate or "")
        if why is None:
            raise
        said = error.diag.message_primary or ""
        raise CaseError(why, f"{said[:1].upper()}{said[1:]}.", _HINTS[why], error.diag.message_detail or "") from error
