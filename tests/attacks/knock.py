"""Sends one request straight to the server's ASGI application, as hostile as it may be, and keeps the whole answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from layers.accounts.sessions import Session

HERE = b"127.0.0.1:8050"
SCOPE = "449901001"
"""Whoever attacks may see this large grid; everything else is outside."""
STREAMS = b"text/event-stream"


@dataclass
class Answer:
    """What came back; `fault` is what broke where nothing did."""

    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""
    fault: BaseException | None = None


class Knocker:
    """Sends requests of one session, or of none, as fast as the application answers."""

    def __init__(
        self,
        app: Any,
        loop: asyncio.AbstractEventLoop,
        enter: Callable[[], Session | None],
        keys: Mapping[str, str] | None = None,
    ) -> None:
        self.app, self.loop, self.enter, self.keys = app, loop, enter, keys or {}
        self.session, self.address = enter(), "127.0.0.1"

    def ask(
        self, method: str, path: str, query: bytes = b"", body: bytes = b"", headers: dict[bytes, bytes] | None = None
    ) -> Answer:
        """Send one request; a stream is left after its first lines; who was put out comes back."""
        answer = self._send(method, path, query, body, headers or {})
        if answer.status == 401 and self.session is not None:
            self.session = self.enter()
            answer = self._send(method, path, query, body, headers or {})
        return answer

    def ask_at_once(self, *asked: tuple[str, str, bytes, bytes, dict[bytes, bytes]]) -> list[Answer]:
        """Send many requests at the same time: method, path, query, body and headers of each."""

        async def go() -> list[Answer]:
            return await asyncio.gather(*(self._ask(*one) for one in asked))

        return self.loop.run_until_complete(go())

    def leave(self, method: str, path: str, body: bytes, headers: dict[bytes, bytes], turns: int) -> Answer:
        """Send one request and hang up after so many turns of the loop; what came till then."""

        async def go() -> Answer:
            asked = asyncio.ensure_future(self._ask(method, path, b"", body, headers))
            for _ in range(turns):
                await asyncio.sleep(0)
            asked.cancel()
            (answer,) = await asyncio.gather(asked, return_exceptions=True)
            return answer if isinstance(answer, Answer) else Answer()

        return self.loop.run_until_complete(go())

    def _send(self, method: str, path: str, query: bytes, body: bytes, headers: dict[bytes, bytes]) -> Answer:
        return self.loop.run_until_complete(self._ask(method, path, query, body, headers))

    def _headers(self, path: str, body: bytes, more: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        said = {b"host": HERE, b"origin": b"http://" + HERE, b"content-length": str(len(body)).encode()}
        for start, key in self.keys.items():
            if path.startswith(start):
                said[b"authorization"] = f"Bearer {key}".encode()
        if self.session is not None:
            said[b"cookie"] = f"session={self.session.token}".encode()
            said[b"x-csrftoken"] = self.session.form_token.encode()
        return list((said | more).items())

    async def _ask(self, method: str, path: str, query: bytes, body: bytes, more: dict[bytes, bytes]) -> Answer:
        raw = quote(path, safe="/%", errors="surrogatepass").encode()
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": unquote_to_bytes(raw).decode("utf-8", "replace"), "raw_path": raw, "query_string": query,
            "root_path": "", "headers": self._headers(path, body, more), "client": (self.address, 1),
            "server": ("127.0.0.1", 8050),
        }  # fmt: skip
        answer, done, waiting = Answer(), asyncio.Event(), [{"type": "http.request", "body": body}]

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop()
            await done.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], dict(message["headers"])
                return
            answer.body += message.get("body", b"")
            if not message.get("more_body") or answer.headers.get(b"content-type", b"").startswith(STREAMS):
                done.set()

        asked = asyncio.ensure_future(self.app(scope, receive, send))
        left = asyncio.ensure_future(done.wait())
        await asyncio.wait({asked, left}, return_when=asyncio.FIRST_COMPLETED)
        if not asked.done() and answer.headers.get(b"content-type", b"").startswith(STREAMS):
            asked.cancel()
        (answer.fault,) = await asyncio.gather(asked, return_exceptions=True)
        left.cancel()
        if isinstance(answer.fault, asyncio.CancelledError):
            answer.fault = None
        return answer
