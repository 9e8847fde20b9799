"""Compress what the server sends: pure ASGI, brotli where the browser takes it, else gzip; ETags stay as they are.

Files that never change under their address are packed once, thoroughly, and kept.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import MutableMapping
from typing import Any

import pyarrow as pa

from mapapp.door import Asgi, Receive, Scope, Send

WORTH_IT = 600
"""Bytes below which packing gains nothing."""

PACKED_TYPES = (b"text/", b"application/javascript", b"application/json", b"image/svg")
KEPT_PATHS = ("/_dash-component-suites/", "/static/", "/assets/")
KEPT_MAX = 400
"""Files kept packed, at most."""


class Packed:
    """Compress answers of known types that are worth it."""

    def __init__(self, app: Asgi) -> None:
        self.app = app
        self._kept: dict[tuple[str, bytes, str, bytes], bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, its body packed."""
        coding = coding_of(scope) if scope["type"] == "http" else ""
        if not coding:
            await self.app(scope, receive, send)
            return
        start: MutableMapping[str, Any] = {}
        chunks: list[bytes] = []

        async def pack(message: MutableMapping[str, Any]) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message = _typed(scope, message)
                if not _is_packable(message):
                    await send(message)
                return
            if not _is_packable(start):
                await send(message)
                return
            chunks.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._finish(scope, start, b"".join(chunks), coding, send)

        await self.app(scope, receive, pack)

    async def _finish(
        self, scope: Scope, start: MutableMapping[str, Any], body: bytes, coding: str, send: Send
    ) -> None:
        headers = list(start["headers"])
        if len(body) >= WORTH_IT:
            body = await self._pack(scope, headers, body, coding)
            headers = [(name, value) for name, value in headers if name != b"content-length"]
            headers += [(b"content-encoding", coding.encode()), (b"content-length", str(len(body)).encode())]
        headers.append((b"vary", b"accept-encoding"))
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _pack(self, scope: Scope, headers: list[tuple[bytes, bytes]], body: bytes, coding: str) -> bytes:
        path = scope["path"]
        if not path.startswith(KEPT_PATHS):
            return pack(body, coding, level=5)
        etag = next((value for name, value in headers if name == b"etag"), str(len(body)).encode())
        key = (path, scope.get("query_string", b""), coding, etag)
        if key not in self._kept:
            if len(self._kept) >= KEPT_MAX:
                self._kept.clear()
            self._kept[key] = await asyncio.to_thread(pack, body, coding, level=9)
        return self._kept[key]


def pack(body: bytes, coding: str, *, level: int) -> bytes:
    """Compress bytes by `br`, `gzip` or not at all."""
    if coding == "br":
        return bytes(pa.Codec("brotli", compression_level=level).compress(body, asbytes=True))
    return gzip.compress(body, level, mtime=0) if coding else body


def coding_of(scope: Scope) -> str:
    """Choose a coding the browser takes: `br`, `gzip` or none."""
    accepted = next((value for name, value in scope["headers"] if name == b"accept-encoding"), b"").decode("latin-1")
    names = {part.partition(";")[0].strip() for part in accepted.split(",") if "q=0" not in part.replace("q=0.", "")}
    return "br" if "br" in names else "gzip" if "gzip" in names else ""


def _typed(scope: Scope, start: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say that the answers of callbacks are JSON: Dash leaves it open."""
    headers = list(start.get("headers", ()))
    if scope["path"].startswith("/_dash-update") and not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", b"application/json"))
    return {**start, "headers": headers}


def _is_packable(start: MutableMapping[str, Any]) -> bool:
    """Whole answers of a known type; never a stream, and never what is packed already."""
    headers = dict(start.get("headers", ()))
    kind = headers.get(b"content-type", b"")
    return (
        start.get("status") == 200
        and b"content-encoding" not in headers
        and kind.startswith(PACKED_TYPES)
        and not kind.startswith(b"text/event-stream")
    )
