"""Satisfaction: asked by link or phone, answered once; not satisfied reopens, unanswered is neither yes nor no."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from people_at_work import actor, case_in, cases, key, prepare, satisfaction, working_catalog
from signing import become, signed

from layers.access import ROLES, Scope
from layers.database import Database
from layers.declare.case_records import Limits
from layers.errors import CaseError
from layers.satisfaction import answer, reopening_requests

CITY = Scope("4499")
AT_ONCE = working_catalog(limits=Limits(reopens=("noise",)))
BY_HAND = replace(AT_ONCE, limits=Limits())
OFFICER = actor("case_officer")
CENTRE = actor("dispatcher", account="centre")


@pytest.fixture
def web(db: Database) -> Any:
    prepare(db)
    with signed(db, autocommit=True) as connection:
        yield connection


def test_a_link_is_answered_once_and_its_token_kept_nowhere(web: Any, db: Database) -> None:
    case = case_in(web, BY_HAND, "closed")
    asked = satisfaction.ask(web, OFFICER, case.id, by_link=True)
    with db.connect("web", autocommit=True) as stranger:  # whoever has the link is not signed in
        first = answer(stranger, BY_HAND, is_satisfied=True, token=asked.token)
    again = satisfaction.answer(web, BY_HAND, is_satisfied=True, token=asked.token)
    assert (first.is_new, again.is_new) == (True, False)
    assert cases.read_case(web, CITY, case.id).is_satisfied is True
    with pytest.raises(CaseError, match="answered before"):
        satisfaction.answer(web, BY_HAND, is_satisfied=False, reason="x", token=asked.token)
    with pytest.raises(CaseError, match="no such question"):
        satisfaction.answer(web, BY_HAND, is_satisfied=True, token="guessed")
    with db.connect("admin") as admin:
        row = admin.execute("select v::text from ops.visit_back v").fetchone()
    assert row is not None and asked.token is not None and asked.token not in row[0]


def test_a_phone_call_is_written_down_by_somebody_in_reach(web: Any) -> None:
    case = case_in(web, BY_HAND, "closed")
    asked = satisfaction.ask(web, OFFICER, case.id, by_link=False)
    elsewhere = actor("case_officer", code="449902")
    for who, visit in ((elsewhere, asked.id), (OFFICER, asked.id + 1)):
        with pytest.raises(CaseError):
            satisfaction.answer(web, BY_HAND, is_satisfied=True, asked_by=who, visit_id=visit)
    with pytest.raises(CaseError, match="no closed case"):
        satisfaction.ask(web, elsewhere, case.id, by_link=True)
    answered = satisfaction.answer(web, BY_HAND, is_satisfied=True, asked_by=OFFICER, visit_id=asked.id)
    assert answered.event_id == case.id


def test_not_satisfied_says_why_and_reopens_by_the_categorys_policy(web: Any) -> None:
    case = case_in(web, AT_ONCE, "closed")
    asked = satisfaction.ask(web, OFFICER, case.id, by_link=True)
    with pytest.raises(CaseError) as error:
        satisfaction.answer(web, AT_ONCE, is_satisfied=False, token=asked.token)
    assert error.value.need == "reason"
    satisfaction.answer(web, AT_ONCE, is_satisfied=False, reason="噪音还在", token=asked.token)
    assert satisfaction.reopen_by_policy(web, BY_HAND, CENTRE) == []
    assert satisfaction.reopen_by_policy(web, AT_ONCE, CENTRE) == [case.id]
    assert satisfaction.reopen_by_policy(web, AT_ONCE, CENTRE) == []
    log = cases.timeline(web, CITY, case.id).iloc[-1]
    assert (log["step"], log["account"], log["reason"]) == ("reopen", "centre", "噪音还在")
    assert satisfaction.reopening_requests(web, CITY).empty


def test_elsewhere_a_wish_to_reopen_waits_until_it_is_granted_or_declined(web: Any) -> None:
    wishes = []
    for _ in range(2):
        case = case_in(web, BY_HAND, "closed")
        asked = satisfaction.ask(web, OFFICER, case.id, by_link=True)
        satisfaction.answer(web, BY_HAND, is_satisfied=False, reason="还在", token=asked.token)
        wishes.append(case)
    waiting = satisfaction.reopening_requests(web, CITY)
    assert waiting["event_id"].tolist() == [case.id for case in wishes]
    with pytest.raises(CaseError, match="may not decline"):
        satisfaction.decline(web, OFFICER, int(waiting["visit_id"][0]), "x")
    satisfaction.decline(web, actor("dispatcher"), int(waiting["visit_id"][0]), "现场核实已停工")
    closed = cases.read_case(web, CITY, wishes[1].id)
    cases.take_step(web, BY_HAND, actor("dispatcher"), closed, "reopen", key=key(), reason="群众不满意")
    assert satisfaction.reopening_requests(web, CITY).empty
    assert cases.read_case(web, CITY, wishes[0].id).is_satisfied is False


def test_why_somebody_is_not_satisfied_is_told_to_who_works_on_the_case(web: Any, db: Database) -> None:
    case = case_in(web, BY_HAND, "closed")
    asked = satisfaction.ask(web, OFFICER, case.id, by_link=True)
    satisfaction.answer(web, BY_HAND, is_satisfied=False, reason="还在", token=asked.token)
    readers = ("dispatcher", "case_officer", "grid_worker", "leader")

    def told() -> set[str]:
        found = set()
        for role in ROLES:
            become(web, actor(role, department="justice"))  # type: ignore[arg-type]
            if not reopening_requests(web, CITY).empty:
                found.add(role)
        return found

    assert told() == set(readers)
    with db.connect("admin") as admin:
        admin.execute("update ops.event set is_sensitive = true where id = %s", [case.id])
    assert told() == {"dispatcher", "case_officer"}
