"""Routes of signing in by the city's identity provider: there, and back. They work without scripts."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets as chance
import threading
import time
from collections import OrderedDict

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from layers.accounts.provider import Asked
from layers.errors import AtlasError
from mapapp.api.sign_in import with_cookies, words_of
from mapapp.desk import Desk
from mapapp.door import SECURE_COOKIE, SESSION_COOKIE
from mapapp.names import local_path
from mapapp.porter import Porter
from mapapp.refusals import refusal
from mapapp.rights import home_of, may_open
from mapapp.signpost import signpost_page

WAITS_S, ROOM = 600.0, 10_000
log = logging.getLogger(__name__)


class Begun:
    """Sign-ins that were begun, each under the secret of the browser that began it; each is taken once."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[float, Asked, str]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, asked: Asked, ahead: str) -> str:
        """Keep one, and return the secret for its browser."""
        secret = chance.token_urlsafe(32)
        with self._lock:
            self._kept[_digest(secret)] = time.monotonic(), asked, ahead
            while len(self._kept) > ROOM:
                self._kept.popitem(last=False)
        return secret

    def take(self, secret: str) -> tuple[Asked, str] | None:
        """Take one by its secret; None where there is none, or it was begun too long ago."""
        with self._lock:
            since, asked, ahead = self._kept.pop(_digest(secret), (0.0, None, ""))
        return (asked, ahead) if asked and time.monotonic() - since < WAITS_S else None


def provider_routes(desk: Desk, porter: Porter, *, is_secure: bool) -> APIRouter:
    """Make the routes `/sign-in/provider` and `/sign-in/back`."""
    routes, begun = APIRouter(), Begun()
    name, session_name = ("__Host-begun", SECURE_COOKIE) if is_secure else ("begun", SESSION_COOKIE)
    rest = "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if is_secure else "")

    @routes.get("/sign-in/provider")
    async def leave(request: Request) -> Response:
        """Send the browser to the provider."""
        if porter.provider is None:
            return Response("There is nothing here.\n", 404, media_type="text/plain")
        try:
            address, asked = await asyncio.to_thread(porter.provider.begin, _back(request))
        except AtlasError as error:
            log.warning("%s", error)
            words = words_of(desk, request)
            return HTMLResponse(signpost_page(words, refusal(words, error), home=""), 503)
        answer = RedirectResponse(address, 303)
        secret = begun.keep(asked, local_path(request.query_params.get("next")))
        answer.headers.append("set-cookie", f"{name}={secret}; Max-Age={WAITS_S:.0f}{rest}")
        return answer

    @routes.get("/sign-in/back")
    async def come(request: Request, state: str = "", code: str = "") -> Response:
        """Let in who comes back from the provider, or send them to the sign-in page."""
        found, token, ahead = begun.take(request.cookies.get(name, "")), None, "/"
        address, former = request.client.host if request.client else "", request.cookies.get(session_name)
        if found is not None and porter.provider is not None:
            asked, ahead = found
            try:
                claims = await asyncio.to_thread(porter.provider.finish, asked, _back(request), state, code)
                token = await asyncio.to_thread(porter.sign_in_by, claims, address, former)
            except AtlasError as error:
                log.warning("%s", error)
        session = await asyncio.to_thread(porter.read, token)
        if token is None or session is None:
            answer: Response = RedirectResponse("/sign-in?failed=1", 303)
        else:
            is_open = ahead != "/" and may_open(session.actor.role, ahead.partition("?")[0])
            answer = RedirectResponse(ahead if is_open else home_of(session.actor.role), 303)
            with_cookies(answer, token, session.form_token, is_secure=is_secure)
        answer.headers.append("set-cookie", f"{name}=; Max-Age=0{rest}")
        return answer

    return routes


def _back(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}/sign-in/back"


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
