"""Opening what names a person: for a purpose, field by field, logged in a transaction that is committed before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from people_at_work import GRID, START, actor, cases, prepare
from psycopg import errors
from serving import serving
from signing import become, sign_in, signed
from test_care import CATALOG, TODAY, desk_of, enrol

from layers.access import ROLES, Scope
from layers.accounts.audit import read_entries
from layers.database import Database
from layers.errors import CaseError
from layers.identities import ask_identity, case_people, make_visit_list, read_identity, read_visit_list
from layers.seal import Sealer
from layers.secrets import read_secrets
from mapapp import care

CITY = Scope("4499")


@pytest.fixture
def sealer(settings: Any) -> Sealer:
    return Sealer(read_secrets(settings))


@pytest.fixture
def made(db: Database, sealer: Sealer) -> dict[str, int]:
    prepare(db)
    return enrol(db, sealer)


@pytest.fixture
def web(db: Database, made: Any) -> Iterator[psycopg.Connection[Any]]:
    with signed(db, autocommit=True) as connection:
        become(connection, actor("grid_worker", account="li"))
        yield connection


def ask(web: Any, row: int, scope: Scope = CITY, **more: Any) -> int | None:
    return ask_identity(web, scope, row, **{"field": "phone", "purpose": "visit"} | more)


def entries(db: Database) -> list[Any]:
    with db.connect("door") as door:
        return read_entries(door, kind="person_read")


def test_a_field_is_opened_once_and_the_log_has_it_before(web: Any, made: Any, db: Database, sealer: Sealer) -> None:
    opening = ask(web, made["甲一"])
    assert opening is not None
    (entry,) = entries(db)
    assert (entry.account, entry.role, entry.subject) == ("li", "grid_worker", f"person {'甲一'.encode().hex()}")
    assert entry.detail == {"field": "phone", "purpose": "visit", "case": None, "opening": opening}
    sealed = read_identity(web, opening)
    assert sealed is not None and sealer.open(sealed) == "13800001234"
    with pytest.raises(CaseError, match="nothing to open"):
        read_identity(web, opening)


def test_nothing_is_read_in_the_transaction_that_asks(web: Any, made: Any, db: Database) -> None:
    for way in ("plain", "savepoint"):
        with pytest.raises(CaseError, match="nothing to open"), web.transaction():
            opening = ask(web, made["甲一"])
            if way == "savepoint":
                with web.transaction():
                    read_identity(web, opening or 0)
            else:
                read_identity(web, opening or 0)
    assert entries(db) == []


def test_an_entry_that_was_undone_opens_nothing(web: Any, made: Any, db: Database) -> None:
    kept: list[int | None] = []
    with pytest.raises(RuntimeError), web.transaction():
        kept.append(ask(web, made["甲一"]))
        raise RuntimeError
    with pytest.raises(CaseError, match="nothing to open"):
        read_identity(web, kept[0] or 0)


def test_somebody_else_and_a_minute_later_open_nothing(web: Any, made: Any, db: Database) -> None:
    opening = ask(web, made["甲一"]) or 0
    become(web, actor("grid_worker", account="zhang"))
    with pytest.raises(CaseError):
        read_identity(web, opening)
    with db.connect("admin") as admin:
        admin.execute("update vault.opening set asked_at = asked_at - interval '61 s'")
    become(web, actor("grid_worker", account="li"))
    with pytest.raises(CaseError):
        read_identity(web, opening)


@pytest.mark.parametrize(
    ("name", "more", "why"),
    [
        ("丙三", {}, "gone"),
        ("戊五", {}, "gone"),
        ("甲一", {"case": 1}, "gone"),
        ("甲一", {"scope": Scope("4499")}, "gone"),
        ("甲一", {"field": "subject"}, "missing"),
        ("甲一", {"purpose": "curious"}, "missing"),
        ("甲一", {"purpose": None}, "missing"),
    ],
)
def test_what_may_not_be_opened(web: Any, made: Any, name: str, more: dict[str, Any], why: str) -> None:
    if "scope" in more:
        become(web, actor("grid_worker", account="li", code="449901"))
        more = {"scope": CITY}
    with pytest.raises(CaseError) as error:
        ask(web, made[name], **more)
    assert error.value.why == why


def test_other_roles_open_nobody(web: Any, made: Any, db: Database) -> None:
    for role in ROLES:
        if role not in ("grid_worker", "case_officer"):
            with db.connect("web", options=f"-c atlas.session={sign_in(db, role, department='water').token}") as other:
                for name in made:
                    with pytest.raises(CaseError), other.transaction():
                        ask(other, made[name])
    assert entries(db) == []


def test_a_moved_scope_opens_nothing(web: Any, made: Any, db: Database) -> None:
    opening = ask(web, made["甲一"]) or 0
    become(web, actor("grid_worker", account="li", code="449902"))
    assert read_identity(web, opening) is None


def test_a_day_has_a_limit_and_the_log_says_who_met_it(web: Any, made: Any, db: Database) -> None:
    asked = [ask(web, made["甲一"]) for _ in range(41)]
    assert [one is None for one in asked] == [False] * 40 + [True]
    assert entries(db)[0].detail["refused"] == "limit"
    with db.connect("admin") as admin:
        admin.execute("update vault.opening set asked_at = asked_at - interval '25 hours'")
    assert ask(web, made["甲一"]) is not None


def test_a_case_opens_who_reported_it_and_whom_it_concerns(web: Any, made: Any, db: Database, sealer: Sealer) -> None:
    said = cases.Report("r1", "noise", GRID, dataset="call", at=START)
    event = cases.report(web, CATALOG, actor("resident"), said).id
    with db.connect("admin") as admin:
        town = "449901001"
        admin.execute(
            "insert into ops.link (town_code, from_id, kind, to_id, to_town_code) values (%s, %s, 'concerns', %s, %s)",
            [town, event, made["丙三"], "449901002"],
        )
        admin.execute(
            "insert into vault.identity (town_code, id, dataset, key_id, phone_sealed) values (%s, %s, 'call', %s, %s)",
            [town, event, sealer.key_id, sealer.seal_column(["13900005678"])[0]],
        )
    become(web, actor("grid_worker", account="li"))
    people = case_people(web, CITY, event)
    assert people[["row_id", "kind"]].values.tolist() == [[event, "reporter"], [made["丙三"], "concerns"]]
    opening = ask(web, event, case=event, purpose="contact")
    assert sealer.open(read_identity(web, opening or 0) or b"") == "13900005678"
    assert ask(web, made["丙三"], case=event) is not None
    with pytest.raises(CaseError):
        ask(web, made["甲一"], case=event)
    assert {one.subject for one in entries(db)} == {f"case {event}", f"person {'丙三'.encode().hex()}"}
    for role in ("leader", "dispatcher"):
        become(web, actor(role))
        assert case_people(web, CITY, event).empty


def test_a_list_to_take_along_is_masked_marked_and_short_lived(web: Any, made: Any, db: Database) -> None:
    token = make_visit_list(web, CITY, TODAY)
    found = read_visit_list(web, CITY, token, TODAY)
    assert found["grid_code"].tolist() == ["449901001001002", "449901001001001", "449902001001001"]
    assert entries(db)[0].detail == {"n": 3, "group": None}
    become(web, actor("grid_worker", account="zhang"))
    with pytest.raises(CaseError, match="no such list"):
        read_visit_list(web, CITY, token, TODAY)
    become(web, actor("grid_worker", account="li", code="449902"))
    assert len(read_visit_list(web, Scope("449902"), token, TODAY)) == 1, (
        "whoever is no longer the worker's is not shown"
    )
    become(web, actor("grid_worker", account="li"))
    with db.connect("admin") as admin:
        admin.execute("update vault.visit_list set ends_at = now()")
    with pytest.raises(CaseError, match="no such list"):
        read_visit_list(web, CITY, token, TODAY)
    become(web, actor("leader"))
    with pytest.raises(CaseError, match="nobody to visit"):
        make_visit_list(web, CITY, TODAY)


def test_the_page_opens_a_field_after_it_was_logged(db: Database, made: Any, sealer: Sealer) -> None:
    with desk_of(db, "grid_worker") as desk:
        said = {"row": made["甲一"], "field": "number", "purpose": "visit"}
        assert care.open_field(desk, sealer, said) == {"value": "11010519491231002X"}
        assert len(entries(db)) == 1
        with pytest.raises(CaseError):
            care.open_field(desk, sealer, said | {"row": "甲"})
        assert care.list_people(desk, sealer, 1) == []


def test_the_routes_give_no_name_but_by_opening_it(db: Database, made: Any, settings: Any) -> None:
    session = sign_in(db, "grid_worker")
    with serving(db, CATALOG, settings) as server:
        browser = server.browser()
        browser.cookies = {"session": session.token}
        token = {"x-csrftoken": session.form_token}
        address = browser.ask("/care/lists", method="POST", json={}, headers=token).json()["address"]
        listed = browser.ask(address)
        assert listed.status_code == 200 and listed.text.count(f"<span>{session.actor.account} ") == 60
        assert "甲*" in listed.text and "甲一" not in listed.text and "13800001234" not in listed.text
        assert "no-store" in listed.headers["cache-control"]
        assert browser.ask("/care/lists/another").status_code == 404
        said = {"row": made["甲一"], "field": "name", "purpose": "visit"}
        opened = browser.ask("/care/open", method="POST", json=said, headers=token)
        assert opened.json() == {"value": "甲一"}
        assert browser.ask("/care/open", method="POST", json=said).status_code == 403, "without the form's token"


def test_no_login_writes_openings_itself(db: Database) -> None:
    for role in ("web", "loader", "door", "analyst"):
        with db.connect(role, autocommit=True) as connection, pytest.raises(errors.InsufficientPrivilege):
            connection.execute("update vault.opening set used_at = null")
