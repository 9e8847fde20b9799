"""The table of transitions: walked whole through the database, the same in code, database and documentation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from databases import copy_of
from people_at_work import START, WAYS, actor, case_in, cases, key, needs, prepare, working_catalog
from psycopg import errors
from signing import signed

from layers.database import Database
from layers.errors import CaseError
from layers.lifecycle import CASE_ROLES, NEEDS, OPEN_STATES, TRANSITIONS, allowed, find, markdown, mermaid, steps
from layers.tables import OUTCOMES, STATES

DOCS = (Path(__file__).parent.parent / "docs" / "cases.md").read_text(encoding="utf-8")
CATALOG = working_catalog()


@pytest.fixture(scope="module")
def here(settings: Any, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as copy:
        prepare(copy)
        yield copy


@pytest.fixture(scope="module")
def web(here: Database) -> Iterator[psycopg.Connection[Any]]:
    with signed(here, autocommit=True) as connection:
        yield connection


def test_code_and_database_have_the_same_table(here: Database) -> None:
    with here.connect("admin") as admin:
        rows = admin.execute("select step, from_state, state, roles, needs, clock from ops.transition").fetchall()
    wanted = [(t.step, t.from_state, t.state, list(t.roles), list(t.needs), t.clock) for t in TRANSITIONS]
    assert sorted(rows) == sorted(wanted)


def test_the_documentation_has_the_same_table_and_picture() -> None:
    assert markdown() in DOCS
    assert f"```mermaid\n{mermaid()}\n```" in DOCS
    assert {f"`{need}`" for need in NEEDS} <= set(DOCS.split())


def test_every_state_is_reached_and_only_closing_ends() -> None:
    assert {t.state for t in TRANSITIONS} == set(STATES)
    assert {t.from_state for t in TRANSITIONS} == {"", *STATES}
    assert set(OPEN_STATES) == set(STATES) - {"refused", "closed"}
    assert {t.clock for t in TRANSITIONS if t.state == "closed"} <= {"ends", ""}
    assert len({(t.step, t.from_state) for t in TRANSITIONS}) == len(TRANSITIONS)


def test_a_returned_case_is_dispatched_anew_and_nothing_else_by_whoever_gets_it() -> None:
    forward = [t.step for t in allowed("accepted", "dispatcher") if "fresh" not in t.needs]
    assert forward == ["dispatch", "merge", "withdraw"]
    assert "department_handler" not in {role for t in TRANSITIONS if t.from_state == "accepted" for role in t.roles}


@pytest.mark.parametrize("state", WAYS)
def test_every_step_from_every_state_by_every_role(web: Any, state: str) -> None:
    """Walked exhaustively: what the table allows is done and rolled back, all else is refused as not allowed."""
    case = case_in(web, CATALOG, state)
    other = case_in(web, CATALOG, "reported")
    at = START + timedelta(hours=9)
    assert case.state == state
    done, refused = set(), 0
    for step in (*steps(), "jump"):
        for role in CASE_ROLES:
            who = actor(role, account="resident" if role == "resident" else f"other.{role}")
            rule = find(step, state)
            more = {**needs(step, at), "duplicate_of": other.id, "at": at, "key": key()}
            with web.transaction(force_rollback=True):
                if rule and role in rule.roles:
                    moved = cases.take_step(web, CATALOG, who, case, step, **more)
                    assert (moved.state, moved.version, moved.is_new) == (rule.state, case.version + 1, True)
                    after = cases.read_case(web, who.scope, case.id)
                    assert (after.state == "closed") == (after.outcome in OUTCOMES) == (after.closed_at is not None)
                    done.add((step, role))
                else:
                    with pytest.raises(CaseError) as error:
                        cases.take_step(web, CATALOG, who, case, step, **more)
                    assert error.value.why == "not_allowed"
                    refused += 1
    assert done == {(t.step, role) for t in TRANSITIONS if t.from_state == state for role in t.roles}
    assert len(done) + refused == (len(steps()) + 1) * len(CASE_ROLES)


LACKS = {
    "reason": {"reason": " "}, "department": {"department": None}, "until": {"until_at": START},
    "outcome": {"outcome": "done"}, "original": {"duplicate_of": -1},
}  # fmt: skip


@pytest.mark.parametrize("rule", [t for t in TRANSITIONS if t.from_state], ids=lambda t: f"{t.from_state} {t.step}")
def test_a_step_without_what_it_needs_is_refused(web: Any, rule: Any) -> None:
    at = START + timedelta(hours=9)
    for need in rule.needs:
        case = case_in(web, CATALOG, rule.from_state)
        other = case_in(web, CATALOG, "reported")
        who = actor(rule.roles[0], account="resident" if rule.roles[0] == "resident" else "")
        more = {**needs(rule.step, at), "duplicate_of": other.id, **LACKS.get(need, {})}
        if need == "own":
            who = replace(who, account="neighbour", department="justice")
        if need == "other_hand":
            who = replace(who, account="department_handler")
        if need == "fresh":
            for step, role in (("dispatch", "dispatcher"), ("return", "department_handler")):
                cases.take_step(web, CATALOG, actor(role), case, step, key=key(), **{**needs(step, at), "at": at})
                case = cases.read_case(web, who.scope, case.id)
        with pytest.raises(CaseError) as error:
            cases.take_step(web, CATALOG, who, case, rule.step, key=key(), at=at, **more)
        assert (error.value.why, error.value.need) == ("missing", need)


def test_nobody_gets_around_the_table(here: Database) -> None:
    """Not even the owner writes a step that is not in it, and the loader cannot write one of ours at all."""
    insert = (
        "insert into ops.event_step (town_code, event_id, step_no, at, from_state, state, actor, account, step,"
        " change_no) values (%s, %s, 99, now(), %s, %s, 'department_handler', 'x', %s, 9)"
    )
    with signed(here, autocommit=True) as web, here.connect("admin", autocommit=True) as admin:
        case = case_in(web, CATALOG, "handling")
        for row, error in (
            (["handling", "closed", "close"], errors.ForeignKeyViolation),
            (["handling", "handled", None], errors.CheckViolation),
            ([None, "closed", "close"], errors.CheckViolation),
            ([None, "closed", "report"], errors.CheckViolation),
        ):
            with pytest.raises(error):
                admin.execute(insert, [case.town_code, case.id, *row])
        with pytest.raises(errors.InsufficientPrivilege):
            web.execute("update ops.event set state = 'closed'")
    with here.connect("loader", autocommit=True) as loader:
        for statement in (
            "update ops.event_step set reason = 'x'",
            "delete from ops.event_step",
            "select nextval('ops.change_no')",
            "update ops.transition set roles = '{department_handler}'",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                loader.execute(statement.encode())
