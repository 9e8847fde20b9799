"""Each defence once taken away: what is refused with it goes through without it, so that its tests can fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from databases import copy_of
from serving import Browser, Server, serving
from signing import sign_in

from layers.accounts import records
from layers.accounts import sign_in as signing_in
from layers.accounts.sessions import carry
from layers.accounts.sign_in import MOST_FAILED
from layers.database import Database
from mapapp import door, porter
from mapapp.door import Pace

EVIL = {"origin": "http://evil.example"}


@pytest.fixture(scope="module")
def here(settings: Any, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as copy:
        yield copy


@pytest.fixture(scope="module")
def running(here: Database, catalog: Any, settings: Any) -> Iterator[Server]:
    with serving(here, catalog, settings) as server:
        yield server


def signed_in(running: Server, here: Database, role: Any = "leader") -> tuple[Browser, dict[str, str]]:
    session, browser = sign_in(here, role), running.browser()
    browser.cookies = {"session": session.token}
    return browser, {"x-csrftoken": session.form_token}


async def _whatever(session: Any, headers: Any, read: Any) -> Any:
    return read


def from_another_site(running: Server, here: Database) -> bool:
    browser, token = signed_in(running, here)
    return browser.ask("/sign-out", method="POST", headers=token | EVIL).status_code != 403


def without_token(running: Server, here: Database) -> bool:
    browser, _ = signed_in(running, here)
    return browser.ask("/sign-out", method="POST").status_code != 403


def of_another_role(running: Server, here: Database) -> bool:
    browser, _ = signed_in(running, here)
    return browser.ask("/accounts").status_code != 404


def too_often(running: Server, here: Database) -> bool:
    browser = running.browser("127.0.0.9")
    return all(browser.ask("/healthz").status_code == 200 for _ in range(5))


def guessing(running: Server, here: Database) -> bool:
    with here.connect("door") as connection:
        account = f"leader.{len(records.list_accounts(connection))}"
        password = records.add_account(connection, account, "leader", "4499")
    for n in range(MOST_FAILED):
        running.browser(f"127.0.1.{n}").sign_in(account, f"guess number {n}")
    return running.browser("127.0.1.99").sign_in(account, password) == 303


def spraying(running: Server, here: Database) -> bool:
    with here.connect("door") as connection:
        account = f"leader.{len(records.list_accounts(connection))}"
        password = records.add_account(connection, account, "leader", "4499")
    browser = running.browser("127.0.2.1")
    for n in range(3):
        browser.sign_in(f"nobody{n}", "x")
    return browser.sign_in(account, password) == 303


def without_factor(running: Server, here: Database) -> bool:
    browser, _ = signed_in(running, here, "auditor")
    return browser.ask("/audit").status_code == 200


DEFENCES: dict[str, tuple[Callable[[Server, Database], bool], Callable[[Any], Any]]] = {
    "the origin": (from_another_site, lambda patch: patch.setattr(door, "refuse_forged", lambda *_: None)),
    "the form's token": (without_token, lambda patch: patch.setattr(door, "_with_token", _whatever)),
    "roles": (of_another_role, lambda patch: patch.setattr(door, "may_open", lambda *_: True)),
    "the pace": (too_often, lambda patch: patch.setattr(Pace, "take", lambda *_: True)),
    "the lock-out": (guessing, lambda patch: patch.setattr(signing_in, "MOST_FAILED", 1000)),
    "the attempts of an address": (spraying, lambda patch: patch.setattr(porter, "REFUSED_MOST", 1000)),
    "the second factor": (
        without_factor, lambda patch: patch.setattr(porter.Porter, "lacks_factor", lambda *_: False)
    ),
}  # fmt: skip
"""What is tried, and how its defence is taken away."""


@pytest.mark.parametrize("defence", DEFENCES)
def test_what_is_refused_goes_through_without(
    running: Server, here: Database, monkeypatch: pytest.MonkeyPatch, defence: str
) -> None:
    goes_through, take_away = DEFENCES[defence]
    with monkeypatch.context() as strict:
        strict.setattr(running.app, "_pace", Pace(burst=4, per_s=0) if defence == "the pace" else Pace())
        strict.setattr(porter, "REFUSED_MOST", 3 if "address" in defence else 1000)
        strict.setattr(running.porter, "_two_factors", {"auditor"} if "factor" in defence else set())
        assert not goes_through(running, here)
        with monkeypatch.context() as patch:
            take_away(patch)
            assert goes_through(running, here)


def test_a_page_without_its_policy_would_be_found(running: Server, here: Database, monkeypatch: Any) -> None:
    browser, _ = signed_in(running, here)
    assert "script-src 'self'" in browser.ask("/account").headers["content-security-policy"]
    monkeypatch.setattr(running.app, "_page_headers", ())
    assert "content-security-policy" not in browser.ask("/account").headers


def test_functions_that_ask_nobody_give_everything(here: Database) -> None:
    """Without `auth.covers` a function gives what lies beside the scope, whatever the policies say."""
    read = "select count(*) from pub.read_place('4499', '449:', 'd', null)"
    narrow = sign_in(here, scope="449901")
    with here.connect("admin", autocommit=True) as admin, here.connect("web", autocommit=True) as web:
        admin.execute(
            "insert into ops.place (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at,"
            " tied_by, is_sensitive, attrs, geom) values ('449902001', '449902001', 1, 'd', 'k', 1, now(), 'code',"
            " false, '{}', ST_SetSRID(ST_MakePoint(115, 22), 4490))"
        )

        def seen() -> Any:
            with web.transaction():
                carry(web, narrow.token)
                return web.execute(read.encode()).fetchone()

        assert seen() == (0,)
        admin.execute(
            "create or replace function auth.covers(low text, high text) returns boolean language sql stable"
            " parallel safe security definer set search_path = pg_catalog, public, pg_temp as 'select true'"
        )
        assert seen() == (1,)
