"""Deny by default: every route and callback there is, found at run time, against every kind of session."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from databases import copy_of
from serving import Browser, Server, serving
from signing import sign_in

from layers.access import ROLES
from layers.accounts.sessions import end_session
from layers.database import Database
from mapapp.rights import KEYED, PUBLIC, RIGHTS, SECRET, SENT, SWITCHED, is_keyed, is_public, may_open

OUGHT = {"/healthz", "/sign-in", "/sign-in/provider", "/sign-in/back", "/pair", "/assets/door.css", "/assets/icon.svg"}
"""The whole public list: whoever adds to it changes this line, and a reviewer sees it."""

SHUT = {"/_dash-ws-callback", "/_reload-hash", "/assets"}
"""Routes of Dash that are for nobody: its websocket, its watch on changed files, the folder without a file."""


@pytest.fixture(scope="module")
def here(settings: Any, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as copy:
        yield copy


@pytest.fixture(scope="module")
def running(here: Database, catalog: Any, settings: Any) -> Iterator[Server]:
    with serving(here, catalog, settings) as server:
        yield server


def routes(server: Server) -> list[tuple[str, str]]:
    """Method and an address of every route, those of Dash and of mounted parts included."""
    found: list[tuple[str, str]] = []

    def walk(rows: Any, start: str) -> None:
        for one in rows:
            path = start + getattr(one, "path", "")
            inner = getattr(one, "routes", None) or getattr(getattr(one, "original_router", None), "routes", None)
            if inner:
                walk(inner, path if getattr(one, "routes", None) else start)
            for method in getattr(one, "methods", None) or (() if inner else ("GET",)):
                plain = re.sub(r"\{[^}]*\}", "1", path)
                found.append((method, plain))

    walk(server.app.app.app.router.routes, "")
    return sorted(set(found))


def test_the_public_list_is_what_it_ought_to_be() -> None:
    assert set(PUBLIC) == OUGHT
    assert (set(SECRET), set(KEYED)) == ({"/answer/"}, {"/intake/", "/open311/"})
    assert set(SWITCHED) == {"/echo", "/form", "/form/follow", "/form/withdraw", "/form/position.mjs"}
    assert SENT == ("/form", "/form/follow", "/form/withdraw")


def test_what_is_switched_off_is_not_there(running: Server, here: Database) -> None:
    browser = running.browser()
    for path in (*SWITCHED, "/answer/" + "x" * 32, "/answer/' or '1'='1"):
        assert (browser.ask(path).status_code, browser.ask(path).text) == (404, "There is nothing here.\n"), path
    assert all(browser.ask(path, {"words": "x"}).status_code == 404 for path in SENT)
    browser.cookies = {"session": sign_in(here).token}
    assert all(browser.ask(path).status_code == 404 for path in SWITCHED)


def test_routes_are_found(running: Server) -> None:
    paths = {path for _, path in routes(running)}
    assert {"/tiles/grid/1-1/1/1/1", "/_dash-update-component", "/api/view", "/accounts", "/sign-out"} <= paths
    assert len(paths) > 15


def test_every_route_is_for_some_role_or_public_or_nothing(running: Server) -> None:
    known = {path for method, path in routes(running) if path not in ("/1", "/") and not is_keyed(path)}
    lost = {path for path in known if not is_public("GET", path) and not any(may_open(role, path) for role in ROLES)}
    assert lost - SHUT == set(), "name them in mapapp.rights.RIGHTS"


def kinds(here: Database) -> dict[str, str]:
    ended, idle, disabled = sign_in(here, "analyst"), sign_in(here, "dispatcher"), sign_in(here, "case_officer")
    with here.connect("door") as door:
        end_session(door, ended.token)
        door.execute("update auth.session set seen_at = now() - interval '1 hour' where account = %s",
                     [idle.actor.account])  # fmt: skip
        door.execute("update auth.account set is_disabled = true where account = %s", [disabled.actor.account])
    return {
        "none": "", "forged": "f" * 43, "ended": ended.token, "idle": idle.token, "disabled": disabled.token,
        "sql": "' or '1'='1", "form": sign_in(here).form_token,
    }  # fmt: skip


def test_no_route_is_open_to_whoever_is_not_signed_in(running: Server, here: Database) -> None:
    asked = [(m, p) for m, p in routes(running) if not is_public(m, p) and not is_keyed(p)]
    asked += [("POST", "/_dash-update-component"), ("GET", "/_dash-dependencies"), ("GET", "/_dash-layout")]
    n = 0
    for kind, token in kinds(here).items():
        browser = Browser(running, "127.0.0.1")
        browser.cookies = {"session": token} if token else {}
        for method, path in asked:
            assert browser.ask(path, method=method).status_code == 401, (kind, method, path)
            n += 1
    assert n > 150


def test_no_keyed_route_is_open_to_whoever_has_no_key(running: Server, here: Database) -> None:
    asked = [(method, path) for method, path in routes(running) if is_keyed(path)]
    assert {start for start in KEYED if any(path.startswith(start) for _, path in asked)} == set(KEYED)
    tokens = {"none": "", "forged": "f" * 43, "sql": "' or '1'='1", "signed in": sign_in(here).token}
    for kind, token in tokens.items():
        browser = Browser(running, "127.0.0.1")
        browser.cookies = {"session": token} if token else {}
        for method, path in asked:
            assert browser.ask(path, method=method).status_code == 403, (kind, method, path)
            assert browser.ask(f"{path}?api_key={token}", method=method).status_code == 403, (kind, method, path)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_is_for_it_and_nothing_else(running: Server, here: Database, role: Any) -> None:
    session = sign_in(here, role, scope="449901", department="water")
    browser = Browser(running, "127.0.0.1")
    browser.cookies = {"session": session.token}
    nothing = browser.ask("/there/is/nothing").content
    for start in set(RIGHTS) - {"/live"}:  # a stream, which never ends: tests/test_live.py
        path = start + ("x" if start.endswith(("/", "-")) and start != "/" else "")
        answer = browser.ask(path)
        if not may_open(role, path):
            assert (answer.status_code, answer.content) == (404, nothing), path
        elif path in ("/", "/account", "/accounts", "/audit"):
            assert answer.status_code == 200, path


def test_callbacks_need_the_token_of_the_form(running: Server, here: Database) -> None:
    session = sign_in(here)
    browser = Browser(running, "127.0.0.1")
    browser.cookies = {"session": session.token}
    body = {"output": "..found.children..", "outputs": {}, "inputs": [], "changedPropIds": []}
    assert browser.ask("/_dash-update-component", method="POST", json=body).status_code == 403
    token = {"x-csrftoken": session.form_token}
    elsewhere = token | {"origin": "http://evil.example"}
    assert browser.ask("/_dash-update-component", method="POST", json=body, headers=elsewhere).status_code == 403
    assert browser.ask("/_dash-update-component", method="POST", json=body, headers=token).status_code not in (401, 403)


def test_without_the_guard_these_tests_would_fail(running: Server) -> None:
    """The test of these tests: what lies behind the guard answers everybody."""
    bare = Server(running.app.app, running.porter, running.loop)
    assert Browser(bare, "127.0.0.1").ask("/_dash-dependencies").status_code == 200
    assert Browser(running, "127.0.0.1").ask("/_dash-dependencies").status_code == 401
