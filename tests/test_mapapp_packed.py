"""Compression: what is packed, how, and what stays as it is."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.responses import Response, StreamingResponse

from mapapp.packed import Packed

TEXT = "民情地图 " * 500


def ask(
    kind: str | None, accept: str, *, path: str = "/", body: Any = TEXT, status: int = 200, **headers: str
) -> httpx.Response:
    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await Response(body, status, headers={"etag": '"1"', **headers}, media_type=kind)(scope, receive, send)

    async def go() -> httpx.Response:
        packed = Packed(inner)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(packed), base_url="http://127.0.0.1") as http:
            first = await http.get(path, headers={"accept-encoding": accept})
            again = await http.get(path, headers={"accept-encoding": accept})
            assert first.content == again.content
            return again

    return asyncio.run(go())


@pytest.mark.parametrize(("accept", "coding"), [("br, gzip", "br"), ("gzip", "gzip"), ("gzip;q=0", None), ("", None)])
@pytest.mark.parametrize("path", ["/", "/static/x"])
def test_text_is_packed_as_the_browser_takes_it(accept: str, coding: str | None, path: str) -> None:
    answer = ask("text/html", accept, path=path)
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["etag"] == '"1"'
    if coding == "gzip":
        assert answer.text == TEXT
    if coding:
        assert int(answer.headers["content-length"]) < len(TEXT.encode()) / 10
        assert answer.headers["vary"] == "accept-encoding"


def test_what_is_packed_small_or_unknown_stays_as_it_is() -> None:
    assert "content-encoding" not in ask("text/html", "gzip", body="short").headers
    assert "content-encoding" not in ask("image/png", "gzip").headers
    assert ask("application/json", "gzip", body=b"\x1f", **{"content-encoding": "x-done"}).headers[
        "content-encoding"
    ] == "x-done"  # fmt: skip
    assert "content-encoding" not in ask("text/html", "gzip", status=404).headers


def test_answers_of_callbacks_are_json_and_packed() -> None:
    answer = ask(None, "gzip", path="/_dash-update-component")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-encoding"] == "gzip"


def test_a_stream_is_not_held_back() -> None:
    async def inner(scope: Any, receive: Any, send: Any) -> None:
        async def lines() -> Any:
            yield b"data: 1\n\n"

        await StreamingResponse(lines(), media_type="text/event-stream")(scope, receive, send)

    async def go() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Packed(inner)), base_url="http://127.0.0.1") as http:
            return await http.get("/live", headers={"accept-encoding": "gzip"})

    answer = asyncio.run(go())
    assert "content-encoding" not in answer.headers
    assert answer.text == "data: 1\n\n"
