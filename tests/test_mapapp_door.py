"""The guard: what it lets through, what it refuses, and the headers it puts on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.responses import HTMLResponse, PlainTextResponse

from layers.access import Actor, Scope
from layers.accounts.sessions import Session
from mapapp.door import BODY_MOST, Guard, Pace, content_policy
from mapapp.visitor import visitor

LEADER = Session("a" * 43, Actor("li", "leader", Scope("4499")), "person", "Li", False)
AUDITOR = Session("b" * 43, Actor("wu", "auditor", Scope("4499")), "person", "Wu", False)


class Sessions:
    """Knows the sessions of these tests, as the porter knows those of the database."""

    def __init__(self, *known: Session) -> None:
        self.known = {one.token: one for one in known}

    def read(self, token: str | None) -> Session | None:
        return self.known.get(token or "")

    def lacks_factor(self, session: Session) -> bool:
        return False


async def inner(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/api/view":
        answer: Any = PlainTextResponse(f"{visitor().actor.account} {len((await receive()).get('body', b''))}")
    else:
        answer = HTMLResponse("<p>page") if scope["path"] == "/" else PlainTextResponse("data")
    await answer(scope, receive, send)


Ask = Callable[..., httpx.Response]


def guarded(**more: Any) -> Guard:
    return Guard(inner, content_policy(["'sha256-x'"]), Sessions(LEADER, AUDITOR), **more)  # type: ignore[arg-type]


@pytest.fixture
def ask() -> Ask:
    guard = guarded()

    def ask(
        method: str = "GET",
        path: str = "/",
        *,
        client: str = "127.0.0.1",
        session: Session | None = LEADER,
        content: bytes = b"",
        **headers: str,
    ) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(guard, client=(client, 1))
            known = {"cookie": f"session={session.token}", "x-csrftoken": session.form_token} if session else {}
            said = known | {k.replace("_", "-"): v for k, v in headers.items()}
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8050") as http:
                return await http.request(method, path, headers=said, content=content)

        return asyncio.run(go())

    return ask


HERE = "http://127.0.0.1:8050"


@pytest.mark.parametrize("path", ["/", "/api/view", "/tiles/grid/1-1/1/1/1", "/nope", "/_dash-layout", "/static/x"])
@pytest.mark.parametrize("token", [None, "", "forged", "a" * 42, "a" * 44])
def test_nothing_is_answered_without_a_session(ask: Ask, path: str, token: str | None) -> None:
    more = {} if token is None else {"cookie": f"session={token}"}
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"):
        assert ask(method, path, session=None, origin=HERE, **more).status_code == 401


def test_a_page_asked_for_without_a_session_leads_to_the_sign_in(ask: Ask) -> None:
    answer = ask(path="/?at=449901", session=None, accept="text/html,*/*")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2F%3Fat%3D449901")
    assert ask(path="/", session=None, accept="text/html").headers["location"] == "/sign-in"


def test_what_is_not_there_and_what_is_not_yours_look_alike(ask: Ask) -> None:
    not_yours, not_there = ask(path="/audit"), ask(path="/nope")
    assert not_yours.status_code == not_there.status_code == 404
    assert not_yours.content == not_there.content
    assert not_yours.headers == not_there.headers
    assert ask(path="/", session=AUDITOR).status_code == 404
    assert ask(path="/auditing", session=AUDITOR).status_code == 404


def test_a_route_is_told_who_asks(ask: Ask) -> None:
    assert ask(path="/api/view").text.startswith("li ")


def test_the_token_of_the_form_is_needed_for_whatever_changes_something(ask: Ask) -> None:
    path, form = "/api/view", "application/x-www-form-urlencoded"
    assert ask("POST", path, origin=HERE).status_code == 200
    assert ask("POST", path, origin=HERE, x_csrftoken="").status_code == 403
    assert ask("POST", path, origin=HERE, x_csrftoken=AUDITOR.form_token).status_code == 403
    assert ask("POST", path, origin=HERE, x_csrftoken=LEADER.token).status_code == 403
    body = f"a=1&form_token={LEADER.form_token}".encode()
    sent = ask("POST", path, origin=HERE, x_csrftoken="", content=body, content_type=form)
    assert (sent.status_code, sent.text) == (200, f"li {len(body)}")
    assert ask("POST", path, origin=HERE, x_csrftoken="", content=b"a=1", content_type=form).status_code == 403


def test_a_large_body_is_refused(ask: Ask) -> None:
    assert ask("POST", "/api/view", origin=HERE, content=b"x" * (BODY_MOST + 1)).status_code == 413
    assert ask("POST", "/api/view", origin=HERE, content_length="many").status_code == 413


def test_who_asks_too_often_has_to_wait() -> None:
    pace = Pace(burst=3, per_s=0)
    assert [pace.take("a") for _ in range(4)] == [True, True, True, False]
    assert pace.take("b")


def test_dynamic_answers_are_not_kept(ask: Ask) -> None:
    for answer in (ask(), ask(path="/api/view"), ask(path="/nope"), ask(session=None)):
        assert answer.headers["cache-control"] == "no-store"


def test_own_files_are_kept_where_their_address_says_which_they_are(ask: Ask) -> None:
    kept = {
        "/assets/icon.svg": "private, max-age=86400",
        "/assets/map.mjs?m=1761234567.25": "private, max-age=31536000, immutable",
        "/assets/map.mjs": "no-store",
        "/assets/map.mjs?m=new": "no-store",
        "/api/view?m=1761234567.25": "no-store",
    }
    assert {path: ask(path=path).headers["cache-control"] for path in kept} == kept


def test_over_tls_the_cookie_is_bound_to_the_host() -> None:
    guard = guarded(is_secure=True)

    def status(name: str) -> tuple[int, str | None]:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(guard, client=("192.168.1.7", 1))
            async with httpx.AsyncClient(transport=transport, base_url="https://map.example") as http:
                return await http.get("/", headers={"cookie": f"{name}={LEADER.token}"})

        answer = asyncio.run(go())
        return answer.status_code, answer.headers.get("strict-transport-security")

    assert status("__Host-session") == (200, "max-age=31536000")
    assert status("session")[0] == 401


@pytest.mark.parametrize("host", ["127.0.0.1:8050", "127.0.0.1", "localhost:1", "[::1]:8050", "LOCALHOST", "127.9.9.9"])
def test_names_of_this_machine_pass(ask: Ask, host: str) -> None:
    assert ask(host=host).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.1.2", "", "[::1", "127.0.0.1@x"],
)
def test_other_names_are_refused(ask: Ask, host: str) -> None:
    answer = ask(host=host)
    assert answer.status_code == 421
    assert "127.0.0.1" in answer.text


@pytest.mark.parametrize("client", ["192.168.1.7", "8.8.8.8", "::2", "fe80::1"])
def test_other_machines_are_refused(ask: Ask, client: str) -> None:
    assert ask(client=client).status_code == 403


def test_a_post_from_another_site_is_refused(ask: Ask) -> None:
    assert ask("POST", origin="http://127.0.0.1:8050").status_code == 200
    assert ask("POST").status_code == 403
    assert ask("POST", origin="http://evil.example").status_code == 403
    assert ask("POST", origin="null").status_code == 403
    assert ask("POST", origin="http://127.0.0.1:9999").status_code == 403
    assert ask("POST", sec_fetch_site="cross-site").status_code == 403
    assert ask("DELETE", origin="http://evil.example").status_code == 403


def test_pages_carry_the_policy_and_everything_is_protected(ask: Ask) -> None:
    page, data = ask(), ask(path="/data")
    policy = page.headers["content-security-policy"]
    assert "unsafe-eval" not in policy
    assert "script-src 'self' 'sha256-x';" in policy
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy.replace("style-src-elem 'self' 'unsafe-inline'", "")
    assert "http" not in policy
    for answer in (page, data, ask(host="evil.example")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
    assert "content-security-policy" not in data.headers


def test_websockets_are_closed_before_they_open() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(guarded()({"type": "websocket", "path": "/", "headers": []}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_unknown_kinds_of_request_reach_nothing() -> None:
    async def fail(*_: Any) -> Any:
        raise AssertionError("reached")

    asyncio.run(
        Guard(fail, "", Sessions())(  # type: ignore[arg-type]
            {"type": "something"}, fail, fail
        )
    )
