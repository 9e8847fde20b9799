"""Promises: what a step does to the clock of a case. The amount is frozen when made; what was used is remembered.

A clock that stops has no deadline until it goes on; one that is suspended until a day goes on by itself on that day.
The same department goes on where it stopped, another starts anew, and so does a case that is reopened. An extension is
a promise of its own, so that the first one stays on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd

from layers.declare.case_records import Limit, Unit
from layers.errors import CaseError
from layers.lifecycle import Transition
from layers.worktime import WorkTime, due, due_one, used_one


@dataclass(frozen=True)
class Promise:
    """One promise on one case: `round` counts them, `used` of `amount` had run when the clock last started."""

    round: int
    department: str | None
    made_at: datetime
    amount: float
    unit: Unit
    used: float
    clock_at: datetime | None
    due_at: datetime | None
    is_provisional: bool

    def as_json(self) -> dict[str, Any]:
        """Give it as the database takes it."""
        return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(self).items()}


def read_promise(row: Mapping[str, Any] | None) -> Promise | None:
    """Make a promise of the row that `Case.promise` holds."""
    if row is None:
        return None
    values = {key: row[key] for key in Promise.__dataclass_fields__}
    for key in ("made_at", "clock_at", "due_at"):
        values[key] = datetime.fromisoformat(values[key]) if values[key] else None
    return Promise(**values)


def make_promise(work: WorkTime, limit: Limit, at: datetime, number: int = 1, department: str | None = None) -> Promise:
    """Promise a limit from a moment on."""
    due_at, is_provisional = due_one(work, at, limit.amount, limit.unit)
    return Promise(number, department, at, limit.amount, limit.unit, 0.0, at, due_at, is_provisional)


def after_step(
    work: WorkTime,
    step: Transition,
    old: Promise | None,
    at: datetime,
    *,
    limit: Limit | None,
    department: str | None = None,
    until_at: datetime | None = None,
) -> Promise | None:
    """Give the promise as it stands after a step; None where the step leaves the clock alone, or there is none.

    Parameters
    ----------
    work
        The calendar.
    step
        The transition taken; its `clock` says what to do.
    old
        The latest promise on the case.
    at
        When the step is taken.
    limit
        Declared limit of the case, for a clock that starts.
    department
        Where it is dispatched to.
    until_at
        End of the suspension, or the new deadline.

    Raises
    ------
    CaseError
        An extension would end before the deadline it puts off.
    """
    if step.clock == "starts":
        return None if limit is None else make_promise(work, limit, at, old.round + 1 if old else 1)
    if old is None or not step.clock:
        return None
    match step.clock:
        case "goes on":
            return _going_on(work, old, at, department or old.department)
        case "stops":
            stopped = replace(old, used=_used(work, old, at), clock_at=None, due_at=None)
            return _started(work, stopped, until_at) if until_at else stopped
        case "is put off":
            return _put_off(work, old, at, until_at)
        case _:
            return replace(old, used=_used(work, old, at), clock_at=None)


def recompute(work: WorkTime, promises: pd.DataFrame) -> pd.DataFrame:
    """Work out the deadlines of many promises anew, after the calendar was corrected; a row is a promise.

    Parameters
    ----------
    work
        The corrected calendar.
    promises
        amount, used, unit, clock_at (NaT: the clock stands still).

    Returns
    -------
    DataFrame
        due_at and is_provisional, in the same order and with the same index.
    """
    left = (promises["amount"] - promises["used"]).clip(lower=0).to_numpy()
    found = due(work, pd.DatetimeIndex(promises["clock_at"]), left, promises["unit"].to_numpy(dtype=object))
    return found.set_index(promises.index)


def _going_on(work: WorkTime, old: Promise, at: datetime, department: str | None) -> Promise:
    if old.department not in (None, department):
        return make_promise(work, Limit(old.amount, old.unit), at, old.round + 1, department)
    mine = replace(old, department=department)
    return _started(work, mine, at) if old.clock_at is None or at < old.clock_at else mine


def _put_off(work: WorkTime, old: Promise, at: datetime, until_at: datetime | None) -> Promise:
    if until_at is None or (old.due_at is not None and until_at <= old.due_at):
        raise CaseError("missing", "An extension ends after the deadline it puts off.", "Choose a later day.", "until")
    amount = used_one(work, at, until_at, old.unit)
    _, provisional = due_one(work, at, amount, old.unit) if amount else (until_at, old.is_provisional)
    return Promise(old.round + 1, old.department, at, amount, old.unit, 0.0, at, until_at, provisional)


def _used(work: WorkTime, old: Promise, at: datetime) -> float:
    return old.used + (used_one(work, old.clock_at, at, old.unit) if old.clock_at else 0.0)


def _started(work: WorkTime, old: Promise, at: datetime) -> Promise:
    """Let the clock run from a moment on with what is left; when nothing is, it is due when it would have been."""
    left = old.amount - old.used
    due_at, provisional = due_one(work, at, left, old.unit) if left > 0 else (at, old.is_provisional)
    return replace(old, clock_at=at, due_at=due_at, is_provisional=provisional)
