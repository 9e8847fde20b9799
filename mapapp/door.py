"""The door: pure ASGI, outermost, over everything the server answers. What it does not let through is refused.

In this order a request must: come under a name of this machine while only this machine may ask; not be sent by another
site; be small; not come too often; be public or carry the cookie of a session; carry the form's token if it changes
anything; and be for an address that the role may open. Where a key of another system opens an address, its route looks
at the key, and no cookie counts. Websockets, which nothing here uses, stay shut.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qs, quote

import psycopg
from psycopg_pool import PoolTimeout

from layers.accounts.sessions import LONGEST_S, Session
from mapapp.names import is_loopback, name_of
from mapapp.porter import Porter
from mapapp.rights import home_of, is_keyed, is_off, is_public, may_open
from mapapp.signpost import RefusedError, Signpost
from mapapp.text import Words
from mapapp.visitor import visiting

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE_METHODS = ("GET", "HEAD")
OWN = ("/account", "/sign-out")
"""What is open before a second factor is set, where the role needs one."""

BODY_MOST = 262_144
"""Bytes of a request's body."""
PHOTO_MOST = 12_500_000
"""Bytes of a body that carries a photo."""

FORM = b"application/x-www-form-urlencoded"
SESSION_COOKIE, SECURE_COOKIE, FORM_COOKIE = "session", "__Host-session", "_csrf_token"
_LONG = re.compile(r"\d{19}")
LOOK_AGAIN_S = 5.0
"""Seconds after which a stream looks whether its session goes on."""
TOGETHER_S = 0.01
"""Seconds in which streams that look are waited for, to be one question to the database."""

ON_ALL = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
ON_PAGES = (
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(self), payment=()"),
)
ON_TLS = ((b"strict-transport-security", b"max-age=31536000"),)


NOT_KEPT = b"no-store"
ICON, ICON_KEPT = "/assets/icon.svg", b"private, max-age=86400"
"""The sign in the tab: browsers ask for it with every change of the address."""
VERSION, VERSION_KEPT = re.compile(rb"m=\d+(\.\d+)?"), b"private, max-age=31536000, immutable"
"""Query of an own file whose address carries when it was changed; it never changes under that address."""


log = logging.getLogger(__name__)


class EndedError(Exception):
    """A stream whose session has ended."""


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
    """Let through what may pass, refuse all else, and put the security headers on every answer."""

    def __init__(
        self,
        app: Asgi,
        policy: str,
        porter: Porter,
        *,
        is_secure: bool = False,
        public_pages: Iterable[str] = (),
        words: Mapping[str, Words] | None = None,
    ) -> None:
        self.app, self.words = app, words or {}
        self.porter = porter
        self.public_pages = frozenset(public_pages)
        self.is_secure = is_secure
        self.looks = Looks(porter)
        self._pace = Pace()
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
        headers: dict[bytes, bytes] = dict(scope.get("headers", ()))
        answer = _Answer(self, send, keeping(scope))
        shown = Signpost(self.words, scope, headers, answer)
        try:
            refuse_strangers(scope, headers, is_secure=self.is_secure)
            refuse_senseless(scope)
            if not self._pace.take(_address(scope)):
                raise RefusedError(429, "Too many requests. Wait a moment.")
            if is_off(scope["path"], self.public_pages):
                raise RefusedError(404, "There is nothing here.")
            if is_keyed(scope["path"]):  # no cookie counts there, so no other site can make use of one
                with visiting(None):
                    await self.app(scope, await _limited(headers, receive, BODY_MOST), answer)
                return
            refuse_forged(scope["method"], headers)
            token = cookie(headers, SECURE_COOKIE if self.is_secure else SESSION_COOKIE)
            session = await asyncio.to_thread(self.porter.read, token) if token else None
            shown.home = home_of(session.actor.role) if session else ""
            read = await _limited(headers, receive, most_bytes(scope["path"]))
            if not is_public(scope["method"], scope["path"]):
                if session is None:
                    raise _to_sign_in(scope, headers)
                if scope["method"] not in SAFE_METHODS:
                    read = await _with_token(session, headers, read)
                if not may_open(session.actor.role, scope["path"]):
                    raise RefusedError(404, "There is nothing here.")
                if scope["path"] not in OWN and self.porter.lacks_factor(session):
                    raise RefusedError(303, "Set a second factor first.", "/account")
            answer.token = token if session else None
            with visiting(session):
                await self.app(scope, read, shown)
        except RefusedError as refused:
            if not answer.has_begun:
                await shown.say(refused)
        except (psycopg.OperationalError, PoolTimeout) as error:
            if answer.has_begun:
                raise
            log.error("the database does not answer: %s", error)
            await shown.say(RefusedError(503, "The database does not answer."))
        except EndedError:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Answer:
    """Sends an answer on, dressed in headers; a stream is cut when its session ends."""

    def __init__(self, guard: Guard, send: Send, keeping: bytes) -> None:
        self.token: str | None = None
        self.has_begun = False
        self._guard, self._send, self._keeping = guard, send, keeping
        self._is_stream, self._looked_at = False, time.monotonic()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            headers = list(message.get("headers", ()))
            kind = next((value for name, value in headers if name == b"content-type"), b"")
            self._is_stream = kind.startswith(b"text/event-stream")
            if message["status"] != 200:
                self._keeping = NOT_KEPT
            message["headers"] = headers + self._dress(kind, {name for name, _ in headers})
        elif self._is_stream and time.monotonic() - self._looked_at > LOOK_AGAIN_S:
            self._looked_at = time.monotonic()
            if self.token is None or not await self._guard.looks.goes_on(self.token):
                raise EndedError
        await self._send(message)

    def _dress(self, kind: bytes, there: set[bytes]) -> list[tuple[bytes, bytes]]:
        more = list(ON_ALL) + list(ON_TLS if self._guard.is_secure else ())
        if kind.startswith(b"text/html"):
            more += self._guard._page_headers
        if b"cache-control" not in there:
            more.append((b"cache-control", self._keeping))
        return more


class Looks:
    """Whether sessions of streams go on: hundreds of streams that ask at the same time are one question."""

    def __init__(self, porter: Porter) -> None:
        self._porter = porter
        self._tokens: set[str] = set()
        self._next: asyncio.Task[set[str]] | None = None

    async def goes_on(self, token: str) -> bool:
        """Tell whether the session of a token goes on."""
        self._tokens.add(token)
        if self._next is None:
            self._next = asyncio.create_task(self._look())
        return token in await asyncio.shield(self._next)

    async def _look(self) -> set[str]:
        await asyncio.sleep(TOGETHER_S)
        tokens, self._tokens, self._next = self._tokens, set(), None
        return await asyncio.to_thread(self._porter.open_among, tokens)


class Pace:
    """How often one address may ask: a bucket that fills again as time goes on."""

    def __init__(self, burst: float = 1500, per_s: float = 150, room: int = 10_000) -> None:
        self._burst, self._per_s, self._room = burst, per_s, room
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, address: str) -> bool:
        """Take one request; False where there is none left."""
        now = time.monotonic()
        left, since = self._left.get(address, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_s)
        if len(self._left) > self._room:
            self._left.clear()
        self._left[address] = (max(left - 1, 0), now)
        return left >= 1


def keeping(scope: Scope) -> bytes:
    """How long a browser may keep an answer that does not say so itself: own files, which hold no data."""
    if scope["path"] == ICON:
        return ICON_KEPT
    is_version = scope["path"].startswith("/assets/") and VERSION.fullmatch(scope.get("query_string", b""))
    return VERSION_KEPT if is_version else NOT_KEPT


def refuse_strangers(scope: Scope, headers: dict[bytes, bytes], *, is_secure: bool) -> None:
    """Without TLS only this machine is answered, and only under a name of its own.

    Raises
    ------
    RefusedError
        Another machine asks, or a page whose name was made to point here.
    """
    if is_secure:
        return
    client = scope.get("client")
    if client is not None and not is_loopback(client[0]):
        raise RefusedError(403, "Without TLS the map answers this machine only.")
    if not is_loopback(name_of(headers.get(b"host", b""))):
        raise RefusedError(421, "The map is not served under this name. Open it at http://127.0.0.1.")


def refuse_forged(method: str, headers: dict[bytes, bytes]) -> None:
    """What changes something has to come from a page of ours.

    Raises
    ------
    RefusedError
        It came from another site, or does not say where from.
    """
    if method in SAFE_METHODS:
        return
    came_from = headers.get(b"origin", b"").partition(b"://")[2]
    same = came_from == headers.get(b"host", b"-")
    if not same or headers.get(b"sec-fetch-site", b"same-origin") != b"same-origin":
        raise RefusedError(403, "This request came from another site.")


def refuse_senseless(scope: Scope) -> None:
    """What no page of ours links to: an address with a character that is none, or a number no row can have.

    Raises
    ------
    RefusedError
        There can be nothing under that address.
    """
    if "\0" in scope["path"] or b"%00" in scope.get("query_string", b"") or _LONG.search(scope["path"]):
        raise RefusedError(404, "There is nothing here.")


def cookie(headers: dict[bytes, bytes], name: str) -> str | None:
    """Value of a cookie, None where there is none."""
    for part in headers.get(b"cookie", b"").decode("latin-1").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name and value:
            return value
    return None


def cookie_headers(
    session_token: str | None, form_token: str, *, is_secure: bool, is_kept: bool = False
) -> list[tuple[str, str]]:
    """Headers that give a browser the cookies of a session, or take them away where there is no token.

    A wall screen keeps its cookies (`is_kept`) when it is switched off; a person's go with the browser's window.
    """
    name = SECURE_COOKIE if is_secure else SESSION_COOKIE
    age = "; Max-Age=0" if not session_token else f"; Max-Age={LONGEST_S['screen']}" if is_kept else ""
    rest = "; Path=/" + ("; Secure" if is_secure else "") + age
    return [
        ("set-cookie", f"{name}={session_token or ''}{rest}; HttpOnly; SameSite=Lax"),
        ("set-cookie", f"{FORM_COOKIE}={form_token}{rest}; SameSite=Strict"),
    ]


def _to_sign_in(scope: Scope, headers: dict[bytes, bytes]) -> RefusedError:
    wants_page = scope["method"] == "GET" and b"text/html" in headers.get(b"accept", b"")
    if not wants_page:
        return RefusedError(401, "Sign in first.")
    asked = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope.get("query_string") else "")
    return RefusedError(303, "Sign in first.", "/sign-in" + ("" if asked == "/" else f"?next={quote(asked, safe='')}"))


def most_bytes(path: str) -> int:
    """Bytes a body may have: more where photos are sent."""
    return PHOTO_MOST if path.endswith("/photo") or path == "/form" else BODY_MOST


async def _limited(headers: dict[bytes, bytes], receive: Receive, most: int) -> Receive:
    """Refuse a body that is too large, and count one that does not say how large it is."""
    said = headers.get(b"content-length", b"0")
    if not said.isdigit() or len(said) > 18 or int(said) > most:
        raise RefusedError(413, "This request is too large.")
    n = 0

    async def read() -> Message:
        nonlocal n
        message = await receive()
        n += len(message.get("body", b""))
        if n > most:
            raise RefusedError(413, "This request is too large.")
        return message

    return read


async def _with_token(session: Session, headers: dict[bytes, bytes], read: Receive) -> Receive:
    """Refuse what does not carry the form's token: in a header, or in a field of a form."""
    given = headers.get(b"x-csrftoken", b"").decode("latin-1")
    if headers.get(b"content-type", b"").startswith(FORM):
        body = b""
        while True:
            message = await read()
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        given = parse_qs(body.decode("utf-8", "replace")).get("form_token", [given])[0]
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return waiting.pop() if waiting else await read()

        if hmac.compare_digest(given.encode(), session.form_token.encode()):
            return again
    elif hmac.compare_digest(given.encode(), session.form_token.encode()):
        return read
    raise RefusedError(403, "This form is out of date. Load the page again.")


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
