"""The desk of calls, without a browser: who sees and does what, and departments that work on a case together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from people_at_work import GRID, actor, calls, case_in, cases, key, prepare, working_catalog
from signing import become, signed
from test_casework import desk_of, ids, picture

from layers import photos
from layers.access import Scope
from layers.database import Database
from layers.declare.case_records import Limits
from layers.errors import CaseError, UnknownNameError
from mapapp import calls as page
from mapapp import casework

LIMITS = Limits(answer={"medium": 15, "large": 15, "county": 30}, report_in=25)
CATALOG = working_catalog(limits=LIMITS)
CITY = Scope("4499")
CALL = {"key": "call-0001", "grid": GRID, "what": "内涝，需要水泵", "departments": ["water", "justice"]}


@pytest.fixture
def web(db: Database) -> Any:
    prepare(db)
    with signed(db, autocommit=True) as connection:
        yield connection


def called(web: Any, minutes: int, departments: tuple[str, ...] = ("water", "justice")) -> int:
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    return calls.call(web, actor("grid_worker", code=GRID), key=key(), grid_code=GRID, what="内涝",
                      departments=departments, at=at)  # fmt: skip


def test_a_call_stands_at_its_level_and_the_late_come_first(web: Any, db: Database) -> None:
    fresh, risen, late = called(web, 1), called(web, 20), called(web, 90)
    with desk_of(db, "dispatcher") as desk:
        rows = page.list_calls(_with(desk))["rows"]
    assert [one["id"] for one in rows] == [late, risen, fresh]
    assert [(one["is_late"], one["n_up"], one["held_by"]) for one in rows] == [
        (True, 2, GRID[:6]), (False, 1, GRID[:9]), (False, 0, GRID[:12]),
    ]  # fmt: skip
    assert [(one["can_answer"], one["can_pass_on"]) for one in rows] == [(True, False), (True, True), (True, True)]
    assert [rung["name"] for rung in rows[0]["ladder"]] == ["一社区", "东门街道", "临海区"]
    assert [one["is_late"] for one in rows[1]["departments"]] == [False, False]
    assert [one["is_late"] for one in rows[0]["departments"]] == [True, True]


def _with(desk: Any) -> Any:
    desk.catalog = CATALOG
    return desk


def test_each_does_what_is_theirs_and_once(web: Any, db: Database) -> None:
    with desk_of(db, "grid_worker") as desk:
        made = page.make_call(_with(desk), CALL)["id"]
        assert page.make_call(desk, CALL)["id"] == made
        assert not page.list_calls(desk)["rows"][0]["can_answer"]
        with pytest.raises(CaseError, match="may not answer"):
            page.act(desk, made, "answer", {})
    with desk_of(db, "department_handler", "water") as desk:
        assert page.list_calls(_with(desk))["rows"][0]["can_report_in"]
        assert page.act(desk, made, "report_in", {}) == {"is_new": True}
        assert page.act(desk, made, "report_in", {}) == {"is_new": False}
        assert not page.list_calls(desk)["rows"][0]["can_report_in"]
    with desk_of(db, "dispatcher") as desk:
        assert page.act(_with(desk), made, "pass_on", {"from": GRID[:12]}) == {"is_new": True}
        assert page.list_calls(desk)["rows"][0]["held_by"] == GRID[:9]
        assert page.act(desk, made, "answer", {}) == {"is_new": True}
        row = page.list_calls(desk)["rows"][0]
    assert row["answered_by"] == "test.dispatcher.4499" and not row["can_answer"] and row["departments"][0]["in_at"]


def test_a_handler_sees_the_calls_to_the_own_department(web: Any, db: Database) -> None:
    called(web, 1, ("justice",))
    mine = called(web, 1, ("water",))
    with desk_of(db, "department_handler", "water") as desk:
        assert [one["id"] for one in page.list_calls(_with(desk))["rows"]] == [mine]


@pytest.mark.parametrize(
    ("wrong", "need"), [({"grid": "1"}, "grid"), ({"what": " "}, "what"), ({"key": ""}, "key"), ({"grid": ""}, "grid")]
)
def test_a_call_says_where_and_what(web: Any, db: Database, wrong: dict[str, Any], need: str) -> None:
    with desk_of(db, "grid_worker") as desk:
        with pytest.raises(CaseError) as error:
            page.make_call(_with(desk), CALL | wrong)
        assert error.value.need == need
        with pytest.raises(UnknownNameError):
            page.make_call(desk, CALL | {"departments": ["moon"]})


def test_departments_work_on_a_case_together_and_one_leads(web: Any, db: Database) -> None:
    made = case_in(web, CATALOG, "handling")
    other = actor("department_handler", account="judge", department="justice")
    become(web, other)
    with pytest.raises(CaseError):
        photos.add_photo(web, CITY, made.id, picture())
    said = {"key": "joint-001", "case": made.id, "what": "现场会商", "departments": ["water", "justice"]}
    with desk_of(db, "dispatcher") as desk:
        page.make_call(_with(desk), said)
        about = page.calls_about(desk, made.id)
        assert about["can_call"] and [one["key"] for one in about["calls"][0]["departments"]] == ["water", "justice"]
        assert about["calls"][0]["answered_by"], "the command centre need not answer itself"
        with pytest.raises(CaseError):
            page.make_call(desk, said | {"key": "joint-002", "departments": []})
    with desk_of(db, "department_handler", "justice") as desk:
        assert ids(casework.list_queue(_with(desk), {"queue": "mine"})) == [made.id]
        assert casework.show_case(desk, made.id)["steps"] == [], "who leads takes the steps"
        call = page.calls_about(desk, made.id)["calls"][0]
        assert call["can_report_in"] and page.act(desk, call["id"], "report_in", {})["is_new"]
    become(web, other)
    assert photos.add_photo(web, CITY, made.id, picture())


def test_nobody_is_called_to_what_the_caller_may_not_see(web: Any, db: Database) -> None:
    said = cases.Report(key(), "family_dispute", GRID, dataset="call", summary="家事")
    made = cases.report(web, CATALOG, actor("grid_worker"), said)
    joint = {"key": "joint-003", "case": made.id, "what": "看看", "departments": ["water"]}
    for role in ("grid_worker", "case_officer"):
        with desk_of(db, role) as desk, pytest.raises(CaseError, match="no case"):
            page.make_call(_with(desk), joint)
    with desk_of(db, "dispatcher") as desk:
        page.make_call(_with(desk), joint)
    with desk_of(db, "leader") as desk:
        assert page.list_calls(_with(desk))["rows"] == []
