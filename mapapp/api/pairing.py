"""The route `/pair` of wall screens. It works without scripts: the page asks for itself again every few seconds."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from layers.accounts.screens import ask_in, come_in, is_waiting
from mapapp.api.sign_in import with_cookies, words_of
from mapapp.desk import Desk
from mapapp.pages.pairing import pairing_page
from mapapp.porter import Porter
from mapapp.rights import home_of

LOOKS_AGAIN_S = 5


def pairing_routes(desk: Desk, porter: Porter, *, is_secure: bool) -> APIRouter:
    """Make the route `/pair`."""
    routes = APIRouter()
    name = "__Host-pairing" if is_secure else "pairing"
    rest = "; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if is_secure else "")

    def pair(kept: str | None) -> tuple[str | None, str, str]:
        """Session's token where the screen was let in; else the code to show and the secret to keep."""
        secret, _, code = (kept or "").partition(".")
        with porter.connection() as connection:
            token = come_in(connection, secret) if secret else None
            if token or (code and is_waiting(connection, secret)):
                return token, code, secret
            return None, *ask_in(connection)

    @routes.get("/pair")
    async def wait(request: Request) -> Response:
        """Show the code, or go on to the wall once the screen was let in."""
        token, code, secret = await asyncio.to_thread(pair, request.cookies.get(name))
        session = await asyncio.to_thread(porter.read, token)
        if token and session:
            answer: Response = RedirectResponse(home_of("wall"), 303)
            answer.headers.append("set-cookie", f"{name}=; Max-Age=0{rest}")
            return with_cookies(answer, token, session.form_token, is_secure=is_secure, is_kept=True)
        written = pairing_page(words_of(desk, request), code)
        answer = HTMLResponse(written, headers={"refresh": str(LOOKS_AGAIN_S)})
        answer.headers.append("set-cookie", f"{name}={secret}.{code}; Max-Age=600{rest}")
        return answer

    return routes
