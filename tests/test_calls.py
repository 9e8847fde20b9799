"""Calls: up the tree until somebody answers, with a limit at each level; departments report in, the late are seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from people_at_work import GRID, START, actor, calls, key, prepare
from signing import signed

from layers.access import Scope
from layers.database import Database
from layers.errors import CaseError

LIMITS = {"medium": 15, "large": 15, "county": 30}


@pytest.fixture
def web(db: Database) -> Any:
    prepare(db)
    with signed(db, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(
    ("minutes", "code", "since", "late"),
    [
        (0, GRID[:12], 0, False), (14, GRID[:12], 0, False), (15, GRID[:9], 15, False), (29, GRID[:9], 15, False),
        (30, GRID[:6], 30, False), (59, GRID[:6], 30, False), (60, GRID[:6], 30, True), (600, GRID[:6], 30, True),
    ],
)  # fmt: skip
def test_a_call_goes_up_level_by_level(minutes: int, code: str, since: int, late: bool) -> None:
    found = calls.holder(GRID, START, LIMITS, START + timedelta(minutes=minutes))
    assert found == (code, START + timedelta(minutes=since), late)


def test_levels_without_a_limit_are_passed_over() -> None:
    assert calls.holder(GRID, START, {"county": 30}, START)[0] == GRID[:6]
    assert calls.holder(GRID, START, {}, START) == (GRID[:4], START, False)


def test_the_grid_calls_the_street_answers_the_departments_report_in(web: Any) -> None:
    one, worker = key(), actor("grid_worker", code=GRID)
    made = calls.call(
        web, worker, key=one, grid_code=GRID, what="内涝，需要水泵", departments=["water", "justice"], at=START
    )
    assert calls.call(web, worker, key=one, grid_code=GRID, what="内涝", at=START) == made
    now = START + timedelta(minutes=20)
    held = calls.open_calls(web, Scope("4499"), LIMITS, now=now).iloc[0]
    assert (held["held_by"], held["is_late"], held["not_in"]) == (GRID[:9], False, ["water", "justice"])
    water = actor("department_handler", account="water", department="water")
    assert calls.report_in(web, water, made, at=now) and not calls.report_in(web, water, made, at=now)
    with pytest.raises(CaseError, match="was not called"):
        calls.report_in(web, actor("department_handler", department="housing"), made)
    street, other = (actor("dispatcher", account=name, code=GRID[:9]) for name in ("street", "other"))
    with pytest.raises(CaseError, match="no call"):
        calls.answer(web, actor("dispatcher", code="449902001"), made)
    assert calls.answer(web, street, made, at=now) and not calls.answer(web, street, made)
    with pytest.raises(CaseError, match="answered before"):
        calls.answer(web, other, made)
    assert calls.open_calls(web, Scope("4499"), LIMITS, now=now).empty
    done = calls.open_calls(web, Scope("4499"), LIMITS, since=START, now=now).iloc[0]
    assert (done["answered_by"], done["held_by"], done["not_in"]) == ("street", GRID[:9], ["justice"])


def test_a_level_passes_a_call_on_before_its_time(web: Any) -> None:
    made = calls.call(web, actor("grid_worker", code=GRID), key=key(), grid_code=GRID, what="缺人手", at=START)
    town, now = actor("dispatcher", account="town", code=GRID[:9]), START + timedelta(minutes=5)

    def held() -> Any:
        return calls.open_calls(web, Scope("4499"), LIMITS, now=now).iloc[0]

    assert calls.pass_on(web, town, LIMITS, made, GRID[:12], at=now)
    assert (held()["held_by"], held()["held_since"]) == (GRID[:9], now)
    assert not calls.pass_on(web, town, LIMITS, made, GRID[:12], at=now), "a double click goes up one level only"
    assert held()["held_by"] == GRID[:9]
    for who, code, why in (
        (town, GRID[:6], "not_allowed"),  # nobody stands above
        (actor("dispatcher", account="station", code=GRID[:12]), GRID[:9], "not_allowed"),  # it is the town's
        (actor("grid_worker", code=GRID), GRID[:9], "not_allowed"),
        (actor("dispatcher", code="449902001"), GRID[:9], "gone"),
    ):
        with pytest.raises(CaseError) as error:
            calls.pass_on(web, who, LIMITS, made, code, at=now)
        assert error.value.why == why, (who, code)
    assert calls.holder(GRID, START, LIMITS, now, {GRID[:12]: now})[:2] == (GRID[:9], now)
    late = START + timedelta(minutes=16)
    with pytest.raises(CaseError) as error:
        calls.pass_on(web, town, LIMITS, made, GRID[:9], at=START - timedelta(minutes=1))
    assert error.value.why == "stale"
    assert calls.pass_on(web, town, LIMITS, made, GRID[:9], at=late)
    assert calls.answer(web, actor("dispatcher"), made)
    with pytest.raises(CaseError) as error:
        calls.pass_on(web, town, LIMITS, made, GRID[:9], at=late)
    assert error.value.why == "gone"
