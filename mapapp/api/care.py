"""Routes of the care register: `/care` and what its page asks for."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from layers.errors import CaseError
from mapapp import care
from mapapp.api.casework import answer, said, written
from mapapp.api.sign_in import words_of
from mapapp.desk import Desk
from mapapp.pages.care import care_page
from mapapp.pages.visit_list import visit_list_page
from mapapp.porter import Porter


def care_routes(desk: Desk, porter: Porter, engine: str) -> APIRouter:
    """Make the routes of `/care`; `engine` is the version of maplibre-gl."""
    routes = APIRouter()

    @routes.get("/care")
    async def page(request: Request) -> Response:
        """The list of a worker, or the counts of a leader."""
        return await written(care_page, desk, words_of(desk, request), engine)

    @routes.get("/care/list")
    async def listed(request: Request) -> Response:
        """The records the worker visits for, masked."""
        return await answer(care.list_records, desk, porter.sealer, dict(request.query_params))

    @routes.get("/care/counts")
    async def counts(request: Request) -> Response:
        """Published counts of each group, and overdue visits, by grid."""
        return await answer(care.count_groups, desk, dict(request.query_params), words_of(desk, request).language)

    @routes.get("/care/one/{person_id}/visits")
    async def visits(person_id: int) -> Response:
        """Visits made for one record."""
        return await answer(care.show_visits, desk, person_id)

    @routes.post("/care/one/{person_id}/visit")
    async def visit(person_id: int, request: Request) -> Response:
        """Write down a visit."""
        return await answer(care.record_visit, desk, person_id, await said(request))

    @routes.post("/care/open")
    async def opened(request: Request) -> Response:
        """Open one field of one person, once it is logged."""
        return await answer(care.open_field, desk, porter.sealer, await said(request))

    @routes.get("/care/case/{event_id}")
    async def people(event_id: int) -> Response:
        """Whom a case is about, masked."""
        return await answer(care.list_people, desk, porter.sealer, event_id)

    @routes.post("/care/lists")
    async def make(request: Request) -> Response:
        """Make a list to take along."""
        return await answer(care.make_list, desk, await said(request))

    @routes.get("/care/lists/{token}")
    async def taken(token: str, request: Request) -> Response:
        """A list to take along, as long as it holds."""
        words = words_of(desk, request)

        def write() -> str:
            return visit_list_page(desk, words, care.read_list(desk, porter.sealer, token))

        try:
            return HTMLResponse(await asyncio.to_thread(write))
        except CaseError:
            return Response("There is nothing here.\n", 404, media_type="text/plain")

    return routes
