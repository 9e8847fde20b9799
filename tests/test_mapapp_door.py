"""The guard: what it lets through, what it refuses, and the headers it puts on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.responses import HTMLResponse, PlainTextResponse

from mapapp.door import Guard, content_policy


async def inner(scope: Any, receive: Any, send: Any) -> None:
    answer = HTMLResponse("<p>page") if scope["path"] == "/" else PlainTextResponse("data")
    await answer(scope, receive, send)


Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask() -> Ask:
    guard = Guard(inner, content_policy(["'sha256-x'"]))

    def ask(method: str = "GET", path: str = "/", *, client: str = "127.0.0.1", **headers: str) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(guard, client=(client, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8050") as http:
                return await http.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})

        return asyncio.run(go())

    return ask


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

    asyncio.run(Guard(inner, "")({"type": "websocket", "path": "/", "headers": []}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_unknown_kinds_of_request_reach_nothing() -> None:
    async def fail(*_: Any) -> Any:
        raise AssertionError("reached")

    asyncio.run(Guard(fail, "")({"type": "something"}, fail, fail))
