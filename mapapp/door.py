"""The door: pure ASGI, outermost, over everything the server answers. What it does not let through is refused.

There is no sign-in yet, so it lets through requests from this machine only, and only under a name of this machine: a
foreign page whose name was made to point at 127.0.0.1 gets nothing. Websockets, which nothing here uses, stay shut.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE_METHODS = ("GET", "HEAD")

ON_ALL = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
ON_PAGES = (
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
)


def content_policy(script_hashes: Iterable[str]) -> str:
    """Write the content security policy of the pages: own files, no eval, no inline script but those hashed.

    Component libraries add `<style>` elements when they run, hence the one 'unsafe-inline'.
    """
    return "; ".join(
        [
            "default-src 'none'",
            "base-uri 'none'",
            "object-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            " ".join(["script-src 'self'", *script_hashes]),
            "style-src 'self'",
            "style-src-elem 'self' 'unsafe-inline'",
            "style-src-attr 'none'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
        ]
    )


class Guard:
    """Let requests from this machine through, refuse all else, and put the security headers on every answer."""

    def __init__(self, app: Asgi, policy: str) -> None:
        self.app = app
        self._page_headers = (*ON_PAGES, (b"content-security-policy", policy.encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        match scope["type"]:
            case "lifespan":
                await self.app(scope, receive, send)
            case "http":
                await self._http(scope, receive, send)
            case "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dressed(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                is_page = any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers)
                message["headers"] = headers + list(ON_ALL) + list(self._page_headers if is_page else ())
            await send(message)

        refusal = refuse(scope)
        if refusal:
            await _say(dressed, *refusal)
        else:
            await self.app(scope, receive, dressed)


def refuse(scope: Scope) -> tuple[int, str] | None:
    """Tell why a request is refused, as status and sentence; None when it may pass."""
    headers: dict[bytes, bytes] = dict(scope.get("headers", ()))
    client = scope.get("client")
    if client is not None and not _is_loopback(client[0]):
        return 403, "The map answers this machine only, until there is sign-in."
    if not _is_loopback(_host(headers.get(b"host", b""))):
        return 421, "The map is not served under this name. Open it at http://127.0.0.1."
    if scope["method"] not in SAFE_METHODS:
        origin = headers.get(b"origin")
        if origin is not None and urlsplit(origin).netloc != headers.get(b"host", b""):
            return 403, "This request came from another site."
        if headers.get(b"sec-fetch-site", b"same-origin") not in (b"same-origin", b"none"):
            return 403, "This request came from another site."
    return None


def _host(value: bytes) -> str:
    text = value.decode("latin-1").strip().lower()
    if text.startswith("["):
        name, closed, _ = text[1:].partition("]")
        return name if closed else ""
    return text.partition(":")[0]


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


async def _say(send: Send, status: int, sentence: str) -> None:
    body = (sentence + "\n").encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
