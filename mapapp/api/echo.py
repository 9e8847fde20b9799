"""Routes for everybody: `/answer/TOKEN`, while the token lives, and `/echo`, where it is switched on."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from layers import echo, satisfaction
from layers.access import Scope
from layers.errors import CaseError
from mapapp.api.sign_in import read_form, words_of
from mapapp.desk import Desk
from mapapp.pages.echo import REASON_MOST, answer_page, echo_page
from mapapp.text import Words

NOTHING = "There is nothing here.\n"
"""What is said of an address that nobody knows."""

ITEMS_MOST = 200


def echo_routes(desk: Desk) -> APIRouter:
    """Make the routes of the answer to a visit back and of the problem and echo wall."""
    routes = APIRouter()

    @routes.api_route("/answer/{token}", methods=["GET", "HEAD"])
    async def ask(request: Request, token: str) -> Response:
        """Ask whether a case is settled."""
        return shown(await asyncio.to_thread(write_answer, desk, words_of(desk, request), token))

    @routes.post("/answer/{token}")
    async def answer(request: Request, token: str) -> Response:
        """Take the answer, once."""
        words, given = words_of(desk, request), await read_form(request)
        message = await asyncio.to_thread(take_answer, desk, words, token, given)
        if not message:
            return RedirectResponse(request.url.path + ("?lang=en" if words.language == "en" else ""), 303)
        return shown(await asyncio.to_thread(write_answer, desk, words, token, message), 422)

    @routes.api_route("/echo", methods=["GET", "HEAD"])
    async def wall(request: Request) -> Response:
        """The problem and echo wall."""
        return HTMLResponse(await asyncio.to_thread(write_wall, desk, words_of(desk, request)))

    return routes


def shown(body: str | None, status: int = 200) -> Response:
    """Answer with a page, or as for an address that nobody knows."""
    if body is None:
        return Response(NOTHING, 404, media_type="text/plain")
    return HTMLResponse(body, status)


def write_answer(desk: Desk, words: Words, token: str, message: str = "") -> str | None:
    """Write the page of a link; None once it is dead."""
    with desk.unsigned() as connection:
        question = satisfaction.read_question(connection, token)
        if question is None:
            return None
        gazetteer = desk.gazetteer(connection, scope=Scope(desk.catalog.city.code))
    place = [one.name for one in gazetteer.path(question.grid_code)] if question.grid_code in gazetteer else []
    return answer_page(desk.catalog, words, question, place, path=f"/answer/{token}", message=message)


def take_answer(desk: Desk, words: Words, token: str, given: dict[str, str]) -> str:
    """Write down an answer; say what is missing. Nothing is said of a dead link, nor of an answer sent twice."""
    said, reason = given.get("is_satisfied"), given.get("reason", "").replace("\x00", "").strip()[:REASON_MOST]
    if said not in ("yes", "no"):
        return words("answer_choose")
    if said == "no" and not reason:
        return words("answer_why")
    with desk.unsigned() as connection:
        question = satisfaction.read_question(connection, token)
        if question is None or question.is_answered:
            return ""
        try:
            satisfaction.answer(connection, desk.catalog, is_satisfied=said == "yes", reason=reason, token=token)
        except CaseError:  # somebody was quicker
            connection.rollback()
    return ""


def write_wall(desk: Desk, words: Words) -> str:
    """Write the wall."""
    with desk.unsigned() as connection:
        found = echo.read_echo(connection, most=ITEMS_MOST)
        gazetteer = desk.gazetteer(connection, scope=Scope(desk.catalog.city.code))
    rows = found.astype(object).where(found.notna(), None).to_dict("records")
    paths = [gazetteer.path(row["grid_code"])[1:] if row["grid_code"] in gazetteer else [] for row in rows]
    told = [{str(key): value for key, value in row.items()} for row in rows]
    return echo_page(desk.catalog, words, told, [" ".join(one.name for one in path) for path in paths])
