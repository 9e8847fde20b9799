"""What steps do to the clock: stopped, resumed, handed to another department, put off, reopened."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people_at_work import actor, case_in, cases, key, prepare, working_catalog
from signing import signed

from layers.access import Scope
from layers.database import Database
from layers.declare.case_records import Calendar, Limit, Limits, Year
from layers.errors import CaseError
from layers.lifecycle import Transition, find
from layers.promises import Promise, after_step, make_promise, read_promise, recompute
from layers.worktime import due_one, used_one, work_time

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar(years={2025: Year((date(2025, 4, 4),), ())})
WORK = work_time(CALENDAR, "Asia/Shanghai")
FOUR_HOURS = Limit(4, "working_hours")
FRIDAY = datetime(2025, 3, 7, 17, 30, tzinfo=ZONE)


def step(name: str, state: str) -> Transition:
    found = find(name, state)
    assert found is not None
    return found


def moved(old: Promise | None, name: str, state: str, at: datetime, **more: Any) -> Promise:
    found = after_step(WORK, step(name, state), old, at, **{"limit": FOUR_HOURS, **more})
    assert found is not None
    return found


def monday(hour: int, minute: int = 0) -> datetime:
    return datetime(2025, 3, 10, hour, minute, tzinfo=ZONE)


ACCEPTED = make_promise(WORK, FOUR_HOURS, FRIDAY)
WITH_WATER = moved(ACCEPTED, "dispatch", "accepted", FRIDAY + timedelta(minutes=10), department="water")


def test_accepting_promises_and_dispatching_goes_on() -> None:
    assert ACCEPTED.due_at == monday(11, 30)
    assert replace(ACCEPTED, department="water") == WITH_WATER


def test_a_suspension_stops_the_clock_and_ends_by_itself() -> None:
    tuesday = datetime(2025, 3, 11, 8, tzinfo=ZONE)
    held = moved(WITH_WATER, "suspend", "handling", monday(9), until_at=tuesday)
    assert held.used == pytest.approx(1.5)
    assert held.due_at == tuesday + timedelta(hours=2.5)
    early = moved(held, "resume", "suspended", monday(16))
    assert early.due_at == datetime(2025, 3, 11, 8, 30, tzinfo=ZONE)
    late = moved(held, "resume", "suspended", tuesday + timedelta(hours=5))
    assert late.due_at == held.due_at


def test_a_returned_case_goes_on_in_the_same_department_and_starts_anew_in_another() -> None:
    back = moved(WITH_WATER, "return", "dispatched", monday(9))
    assert (back.clock_at, back.due_at) == (None, None)
    same = moved(back, "dispatch", "accepted", monday(10), department="water")
    assert (same.round, same.due_at) == (1, monday(14, 30))
    other = moved(back, "dispatch", "accepted", monday(10), department="justice")
    assert (other.round, other.used, other.due_at) == (2, 0, monday(16))


def test_an_extension_is_a_promise_of_its_own() -> None:
    until = datetime(2025, 3, 12, 18, tzinfo=ZONE)
    longer = moved(WITH_WATER, "extend", "handling", monday(9), until_at=until)
    assert (longer.round, longer.due_at, longer.amount) == (2, until, 23)
    with pytest.raises(CaseError, match="puts off"):
        moved(WITH_WATER, "extend", "handling", monday(9), until_at=monday(10))


def test_closing_keeps_the_deadline_and_reopening_promises_again() -> None:
    done = moved(WITH_WATER, "close", "checked", monday(12))
    assert (done.clock_at, done.due_at, done.used) == (None, monday(11, 30), 4.5)
    again = moved(done, "reopen", "closed", monday(14), limit=Limit(1, "urgent_hours"))
    assert (again.round, again.unit, again.due_at) == (2, "urgent_hours", monday(15))


def test_without_a_limit_there_is_no_promise() -> None:
    assert after_step(WORK, step("accept", "reported"), None, FRIDAY, limit=None) is None
    assert after_step(WORK, step("suspend", "handling"), None, FRIDAY, limit=None, until_at=monday(9)) is None
    assert after_step(WORK, step("take_on", "dispatched"), WITH_WATER, FRIDAY, limit=FOUR_HOURS) is None


@settings(deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.sampled_from(["urgent_hours", "working_hours"]))
def test_stopping_and_going_on_loses_no_time_and_gives_none(quarters: list[int], unit: Any) -> None:
    """Whatever the stops, time the clock ran and time left are the promise."""
    promise = replace(make_promise(WORK, Limit(60, unit), FRIDAY), department="water")
    at, ran, running = FRIDAY, 0.0, True
    for n in quarters:
        then = at + timedelta(minutes=15 * n)
        ran += used_one(WORK, at, then, unit) if running else 0
        if running:
            promise = moved(promise, "return", "handling", then)
        else:
            promise = moved(promise, "dispatch", "accepted", then, department="water")
        at, running = then, not running
    assert promise.used == pytest.approx(ran)
    if running and ran < 60:
        assert promise.due_at is not None and promise.clock_at is not None
        left = used_one(WORK, promise.clock_at, promise.due_at, unit)
        assert left + promise.used == pytest.approx(60)


def test_recomputing_many_is_the_same_as_one_by_one() -> None:
    starts = [FRIDAY + timedelta(hours=7 * n) for n in range(50)]
    frame = pd.DataFrame(
        {"amount": 4.0, "used": [n % 5 for n in range(50)], "unit": "working_hours", "clock_at": starts}
    )
    frame.loc[7, "clock_at"] = pd.NaT
    found = recompute(WORK, frame)
    for n, start in enumerate(starts):
        left = 4 - n % 5
        if n == 7:
            assert pd.isna(found["due_at"][n])
        elif left:
            assert found["due_at"][n] == due_one(WORK, start, left, "working_hours")[0]


def test_the_promise_is_frozen_on_the_case(db: Database) -> None:
    """A new limit is for later cases; the case keeps amount, unit and deadline it was promised."""
    prepare(db)
    first = working_catalog(calendar=CALENDAR, limits=Limits(normal={"any": FOUR_HOURS}))
    later = replace(first, limits=Limits(normal={"any": Limit(1, "working_hours")}))
    with signed(db, autocommit=True) as web:
        case = case_in(web, first, "dispatched")
        promise = read_promise(case.promise)
        assert promise is not None and (promise.amount, promise.department) == (4, "water")
        assert case.due_at == promise.due_at == datetime(2025, 3, 3, 16, tzinfo=ZONE)  # accepted on Monday at ten
        at = datetime(2025, 3, 3, 15, tzinfo=ZONE)
        cases.take_step(web, later, actor("department_handler"), case, "return", key=key(), reason="不属本部门", at=at)
        case = cases.read_case(web, Scope("4499"), case.id)
        assert case.due_at is None
        cases.take_step(web, later, actor("dispatcher"), case, "dispatch", key=key(), department="water", at=at)
        assert cases.read_case(web, Scope("4499"), case.id).due_at == datetime(2025, 3, 3, 16, tzinfo=ZONE)
