"""Whoever acts stands in the session: what the program says about it opens nothing, in SQL as in Python."""

from __future__ import annotations

from typing import Any

import pytest
from people_at_work import GRID, START, actor, case_in, key, prepare, working_catalog
from signing import become, sign_in, signed

from layers import calls, cases, satisfaction
from layers.access import Actor, Scope
from layers.accounts.sessions import carry, end_session
from layers.database import Database
from layers.errors import CaseError

CATALOG = working_catalog()
CITY = Scope("4499")
WRITERS = ("report_case", "take_step", "ask_back", "answer_back", "decline_reopening", "raise_call", "answer_call",
           "report_in")  # fmt: skip


@pytest.fixture
def web(db: Database) -> Any:
    prepare(db)
    with signed(db, autocommit=True) as connection:
        yield connection


def test_no_function_of_the_web_is_told_who_acts(db: Database) -> None:
    with db.connect("admin") as admin:
        rows = admin.execute(
            "select proname::text, proargnames, prosrc from pg_proc where pronamespace = 'pub'::regnamespace"
            " and proname = any (%s)", [list(WRITERS)]
        ).fetchall()  # fmt: skip
        inner = admin.execute(
            "select p.proname::text from pg_proc p where p.pronamespace in ('ops'::regnamespace, 'auth'::regnamespace)"
            " and p.proname = any (array['make_case', 'move_case', 'actor', 'append_step', 'of_receipt'])"
            " and has_function_privilege('atlas_web', p.oid, 'execute')"
        ).fetchall()
    assert sorted(name for name, *_ in rows) == sorted(WRITERS)
    assert [name for name, names, _ in rows if {"account", "role", "own_department", "for_code"} & set(names)] == []
    assert [name for name, _, text in rows if "auth.actor()" not in text] == []
    assert inner == []


def test_the_log_has_the_session_whatever_the_program_says(web: Any) -> None:
    made = case_in(web, CATALOG, "reported")
    become(web, actor("dispatcher", account="wang"))
    case = cases.read_case(web, CITY, made.id)
    cases.take_step(web, CATALOG, Actor("li", "dispatcher", CITY), case, "accept", key=key())
    last = cases.timeline(web, CITY, made.id).iloc[-1]
    assert (last["account"], last["actor"]) == ("wang", "dispatcher")
    case = cases.read_case(web, CITY, made.id)
    become(web, actor("grid_worker", account="zhang"))
    with pytest.raises(CaseError) as error:
        cases.take_step(web, CATALOG, actor("dispatcher"), case, "dispatch", key=key(), department="water")
    assert error.value.why == "not_allowed"
    with pytest.raises(CaseError, match="grid_worker may not decline"):
        satisfaction.decline(web, actor("dispatcher"), 1, "x")


def test_a_handler_has_the_department_of_the_account(web: Any) -> None:
    case = case_in(web, CATALOG, "dispatched")  # lies with water
    become(web, actor("department_handler", account="judge", department="justice"))
    with pytest.raises(CaseError) as error:
        cases.take_step(web, CATALOG, actor("department_handler"), case, "take_on", key=key())
    assert (error.value.why, error.value.need) == ("missing", "own")
    become(web, actor("grid_worker", account="zhang"))
    made = calls.call(web, actor("grid_worker"), key=key(), grid_code=GRID, what="内涝", departments=["water"])
    become(web, actor("department_handler", account="judge", department="justice"))
    with pytest.raises(CaseError, match="was not called"):
        calls.report_in(web, actor("department_handler"), made)


def test_a_call_is_answered_for_the_grid_of_the_session(web: Any) -> None:
    become(web, actor("grid_worker", account="zhang"))
    made = calls.call(web, actor("grid_worker"), key=key(), grid_code=GRID, what="内涝")
    with pytest.raises(CaseError, match="may not answer"):
        calls.answer(web, actor("dispatcher", code=GRID[:9]), made)
    become(web, actor("dispatcher", account="street", code=GRID[:9]))
    assert calls.answer(web, actor("dispatcher", code=GRID[:9]), made)
    done = calls.open_calls(web, Scope(GRID[:9]), {}, since=START).iloc[0]
    assert (done["answered_by"], done["answered_code"], done["called_by"]) == ("street", GRID[:9], "zhang")


def test_without_a_session_nothing_is_done(db: Database, web: Any) -> None:
    case = case_in(web, CATALOG, "reported")
    said = cases.Report(key(), "noise", GRID, dataset="call")
    ended = sign_in(db, "dispatcher")
    with db.connect("door") as door:
        end_session(door, ended.token)
    for token in ("", "forged", ended.token):
        with db.connect("web") as stranger:
            for attempt in (
                lambda c: cases.take_step(c, CATALOG, actor("dispatcher"), case, "accept", key=key()),
                lambda c: cases.report(c, CATALOG, actor("dispatcher"), said),
                lambda c: calls.call(c, actor("grid_worker"), key=key(), grid_code=GRID, what="x"),
                lambda c: satisfaction.ask(c, actor("case_officer"), case.id, by_link=False),
            ):  # fmt: skip
                carry(stranger, token)
                with pytest.raises(CaseError):
                    attempt(stranger)
                stranger.rollback()
    assert cases.read_case(web, CITY, case.id).version == 1


def test_who_has_the_receipt_has_the_report_and_nothing_else(db: Database, web: Any) -> None:
    mine, other = actor("resident", account="a receipt of mine"), actor("resident", account="another one")
    one = cases.Report(key(), "noise", GRID, dataset="call", summary="太吵", channel="public")
    with db.connect("web", autocommit=True) as stranger:
        made = cases.report(stranger, CATALOG, mine, one)
        assert cases.report(stranger, CATALOG, mine, one).id == made.id
        with pytest.raises(CaseError) as error:  # somebody else's key
            cases.report(stranger, CATALOG, other, one)
        assert error.value.why == "gone"
        seen = cases.follow(stranger, mine.account)
        assert seen["id"].tolist() == [made.id] and "summary" not in seen
        assert cases.follow(stranger, other.account).empty
        case = cases.read_case(web, CITY, made.id)
        with pytest.raises(CaseError) as error:
            cases.take_step(stranger, CATALOG, other, case, "withdraw", key=key(), reason="x")
        assert error.value.need == "own"
        with pytest.raises(CaseError) as error:
            cases.take_step(stranger, CATALOG, mine, case, "accept", key=key())
        assert error.value.why == "not_allowed"
        cases.take_step(stranger, CATALOG, mine, case, "withdraw", key=key(), reason="已解决")
    log = cases.timeline(web, CITY, made.id)
    assert log["step"].tolist() == ["report", "withdraw"]
    assert not any(mine.account in str(value) for value in log.to_numpy().ravel()), (
        "of a receipt only the digest is kept"
    )
