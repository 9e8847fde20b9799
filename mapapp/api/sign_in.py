"""Routes of signing in and out, and of one's own account; they work without scripts."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from layers.access import ROLES
from layers.accounts.records import set_password
from layers.accounts.sessions import Session
from layers.accounts.sign_in import check_password, set_totp
from layers.errors import AtlasError
from mapapp.desk import Desk
from mapapp.door import SECURE_COOKIE, SESSION_COOKIE, cookie_headers
from mapapp.language import language_of
from mapapp.names import local_path
from mapapp.pages.sign_in import account_page, sign_in_page
from mapapp.porter import Porter
from mapapp.refusals import refusal
from mapapp.rights import home_of, may_open
from mapapp.text import Words
from mapapp.visitor import visitor

log = logging.getLogger(__name__)


def sign_in_routes(desk: Desk, porter: Porter, *, is_secure: bool) -> APIRouter:
    """Make the routes `/sign-in` and `/sign-out`."""
    routes = APIRouter()
    name = SECURE_COOKIE if is_secure else SESSION_COOKIE
    city = desk.catalog.city

    def show(request: Request, status: int = 200) -> Response:
        words, ahead = words_of(desk, request), local_path(request.query_params.get("next"))
        notice = words.of(city.notice) if city.notice else ""
        asked, provider, farewell = request.query_params, "", ""
        if porter.provider is not None:
            provider = f"/sign-in/provider?next={quote(ahead, safe='')}"
            after = f"{request.url.scheme}://{request.url.netloc}/sign-in"
            farewell = farewell_of(porter, after) if "left" in asked else ""
        written = sign_in_page(
            words, next_path=ahead, is_demo=porter.is_demo, notice=notice, failed=status == 403 or "failed" in asked,
            provider=provider, farewell=farewell,
        )  # fmt: skip
        return HTMLResponse(written, status)

    @routes.api_route("/sign-in", methods=["GET", "HEAD"])
    async def ask(request: Request) -> Response:
        """Ask who it is."""
        return await asyncio.to_thread(show, request)

    @routes.post("/sign-in")
    async def enter(request: Request) -> Response:
        """Let somebody in, or say that it did not work and not why."""
        given, former = await read_form(request), request.cookies.get(name)
        address = request.client.host if request.client else ""
        token = await asyncio.to_thread(let_in, porter, given, address, former)
        session = await asyncio.to_thread(porter.read, token)
        if token is None or session is None:
            return await asyncio.to_thread(show, request, 403)
        ahead = local_path(request.query_params.get("next"))
        path = ahead.partition("?")[0]
        language = "?lang=en" if language_of(request.scope) == "en" else ""
        role_home = home_of(session.actor.role) + language
        answer = RedirectResponse(ahead if ahead != "/" and may_open(session.actor.role, path) else role_home, 303)
        return with_cookies(answer, token, session.form_token, is_secure=is_secure)

    @routes.post("/sign-out")
    async def leave() -> Response:
        """End the session."""
        is_linked = await asyncio.to_thread(porter.is_linked, visitor())
        await asyncio.to_thread(porter.sign_out, visitor())
        ahead = "/sign-in?left=1" if is_linked else "/sign-in"
        answer = RedirectResponse(ahead, 303, {"clear-site-data": '"cache"'})
        return with_cookies(answer, None, "", is_secure=is_secure)

    return routes


def farewell_of(porter: Porter, after: str) -> str:
    """Address at which somebody leaves the identity provider too; empty where there is none, or it does not answer."""
    try:
        return porter.provider.farewell(after) or "" if porter.provider else ""
    except AtlasError as error:
        log.warning("%s", error)
        return ""


def account_routes(desk: Desk, porter: Porter, *, is_secure: bool) -> APIRouter:
    """Make the routes of `/account`, one's own."""
    routes = APIRouter()

    @routes.get("/account")
    async def account(request: Request) -> Response:
        """One's own account."""
        lacks = porter.lacks_factor(visitor())
        said = words_of(desk, request)("second_factor_needed") if lacks else ""
        return await asyncio.to_thread(own, desk, request, said)

    @routes.post("/account")
    async def change(request: Request) -> Response:
        """Set another password, or a second factor."""
        session, given, words = visitor(), await read_form(request), words_of(desk, request)
        if session.is_demo or session.kind != "person":
            return await asyncio.to_thread(own, desk, request, words("not_here"), 403)
        try:
            done = await asyncio.to_thread(change_own, porter, session, given)
        except AtlasError as error:
            return await asyncio.to_thread(own, desk, request, refusal(words, error), 400)
        if not done:
            return await asyncio.to_thread(own, desk, request, words("sign_in_failed"), 403)
        if given.get("do") == "password":
            return with_cookies(RedirectResponse("/sign-in", 303), None, "", is_secure=is_secure)
        return await asyncio.to_thread(own, desk, request, words("changed"))

    return routes


def let_in(porter: Porter, given: dict[str, str], address: str, former: str | None) -> str | None:
    """Open a session for what a sign-in form says; None where anything is wrong."""
    if "demo" in given:
        role = next((role for role in ROLES if role == given["demo"]), None)
        return porter.sign_in_demo(role, address, former) if role else None
    word, code = given.get("password", ""), given.get("code", "")
    return porter.sign_in(given.get("account", ""), word, code, address, former)


def change_own(porter: Porter, session: Session, given: dict[str, str]) -> bool:
    """Change what an account may change of itself; False where password or code are wrong."""
    account = session.actor.account
    with porter.connection() as connection:
        if given.get("do") == "totp":
            return set_totp(connection, account, given.get("secret", ""), given.get("code", ""), porter.sealer)
        if not check_password(
            connection, account, given.get("password", ""), given.get("code", ""), porter.sealer, "own"
        ):
            return False
        set_password(connection, account, given.get("new", ""), by=session.actor)
    return True


def own(desk: Desk, request: Request, message: str, status: int = 200) -> Response:
    """Answer with the page of one's own account."""
    import pyotp

    session, words, secret = visitor(), words_of(desk, request), pyotp.random_base32()
    known = desk.catalog.departments.get(session.actor.department or "")
    department = words.of(known.name) if known else session.actor.department or ""
    scope = desk.grid_names(words).get(session.actor.scope.code, "")
    written = account_page(
        words, session, home=home_of(session.actor.role), scope=scope, department=department, message=message,
        secret=secret,
    )  # fmt: skip
    return HTMLResponse(written, status)


async def read_form(request: Request) -> dict[str, str]:
    """Read the fields of a form, the first of each name."""
    return {key: values[0] for key, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}


def words_of(desk: Desk, request: Request) -> Words:
    """Texts in the language of a request."""
    return desk.words[language_of(request.scope)]


def with_cookies(
    answer: Response, token: str | None, form_token: str, *, is_secure: bool, is_kept: bool = False
) -> Response:
    """Give or take away the cookies of a session; `is_kept` when the browser is to keep them."""
    for key, value in cookie_headers(token, form_token, is_secure=is_secure, is_kept=is_kept):
        answer.headers.append(key, value)
    return answer
