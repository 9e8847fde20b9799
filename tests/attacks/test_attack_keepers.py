"""Who keeps accounts or reads the audit of a county, against those beside it and above."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from databases import copy_of
from serving import Browser, Server, serving
from signing import sign_in

from layers.accounts import audit, records
from layers.database import Database

OTHERS = {"above": "4499", "beside": "449902", "prefix": "449901001"}
"""Scopes of accounts as the keeper of 449901 sees them; the last is inside."""


@pytest.fixture(scope="module")
def here(settings: Any, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as copy:
        with copy.connect("door") as door:
            for name, scope in OTHERS.items():
                records.add_account(door, name, "leader", scope)
                audit.write(door, "export", records.find_account(door, name).actor, "x")
            records.add_account(door, "screen", "wall", "4499")
        yield copy


@pytest.fixture(scope="module")
def running(here: Database, catalog: Any, settings: Any) -> Iterator[Server]:
    with serving(here, catalog, settings) as server:
        yield server


def browser_of(running: Server, here: Database, role: Any, scope: str = "449901") -> Browser:
    session, browser = sign_in(here, role, scope=scope), running.browser()
    browser.cookies = {"session": session.token, "_csrf_token": session.form_token}
    return browser


def kept(here: Database) -> list[Any]:
    with here.connect("door") as door:
        return door.execute("select * from auth.account where account = any(%s) order by 1",
                            [["above", "beside", "screen"]]).fetchall()  # fmt: skip


def test_who_keeps_a_county_reaches_no_account_beside_it(running: Server, here: Database) -> None:
    browser, before = browser_of(running, here, "security_admin"), kept(here)
    page = browser.ask("/accounts").text
    assert "prefix" in page
    assert not re.search(r"\b(above|beside|screen)\b", page)
    other = sign_in(here, "analyst", scope="4499")
    answers = set()
    for do in ("disable", "enable", "reset", "scope", "pair"):
        for account in ("above", "beside", "screen", "nobody"):
            answer = browser.ask("/accounts", {"do": do, "account": account, "scope": "449901", "code": "ABCDEFGH"})
            said = re.sub(account, "NAME", answer.text.partition('class="alarm"')[2].partition("</p>")[0])
            answers.add((answer.status_code, said))
    assert len(answers) == 1, "not yours and not there look alike"
    with here.connect("door") as door:
        handles = door.execute("select encode(token_hash, 'hex') from auth.session where account = %s",
                               [other.actor.account]).fetchall()  # fmt: skip
    for (handle,) in handles:
        browser.ask("/accounts", {"do": "end", "session": handle})
    assert running.porter.read(other.token) is not None
    assert kept(here) == before
    for scope in ("4499", "449902"):
        assert (
            browser.ask("/accounts", {"do": "add", "account": "mine", "role": "leader", "scope": scope}).status_code
            == 400
        )
        assert browser.ask("/accounts", {"do": "scope", "account": "prefix", "scope": scope}).status_code == 400
    assert browser.ask("/accounts", {"do": "disable", "account": "prefix"}).status_code == 200


def test_the_auditor_of_a_county_reads_of_that_county(running: Server, here: Database) -> None:
    whole = browser_of(running, here, "auditor", "4499").ask("/audit").text
    part = browser_of(running, here, "auditor").ask("/audit").text
    assert {name for name in ("above", "beside", "prefix") if f"<td>{name}</td>" in whole} == {
        "above",
        "beside",
        "prefix",
    }
    assert {name for name in ("above", "beside", "prefix") if f"<td>{name}</td>" in part} == {"prefix"}


def test_without_the_scope_these_tests_would_fail(running: Server, here: Database, monkeypatch: Any) -> None:
    everybody = records.list_accounts
    monkeypatch.setattr(records, "list_accounts", lambda connection, within=None: everybody(connection))
    browser = browser_of(running, here, "security_admin")
    assert "beside" in browser.ask("/accounts").text
    assert browser.ask("/accounts", {"do": "disable", "account": "beside"}).status_code == 200
