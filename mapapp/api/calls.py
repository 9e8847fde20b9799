"""Routes of calls: `/calls` and what its page asks for."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mapapp import calls
from mapapp.api.casework import answer, said, written
from mapapp.api.sign_in import words_of
from mapapp.desk import Desk
from mapapp.pages.calls import calls_page


def call_routes(desk: Desk, engine: str) -> APIRouter:
    """Make the routes of `/calls`; `engine` is the version of maplibre-gl."""
    routes = APIRouter()

    @routes.get("/calls")
    async def page(request: Request) -> Response:
        """The page: a form to call, open calls and who holds them, and calls that were answered of late."""
        return await written(calls_page, desk, words_of(desk, request), engine)

    @routes.get("/calls/list")
    async def listed() -> Response:
        """Calls that whoever asks may see."""
        return await answer(calls.list_calls, desk)

    @routes.get("/calls/about/{event_id}")
    async def about(event_id: int) -> Response:
        """Departments that work on a case together."""
        return await answer(calls.calls_about, desk, event_id)

    @routes.post("/calls/new")
    async def new(request: Request) -> Response:
        """Call."""
        return await answer(calls.make_call, desk, await said(request))

    @routes.post("/calls/one/{call_id}/{what}")
    async def act(call_id: int, what: Literal["answer", "pass_on", "report_in"], request: Request) -> Response:
        """Answer, pass on, or report in."""
        return await answer(calls.act, desk, call_id, what, await said(request))

    return routes
