"""Routes of the care register: `/care` and what its page asks for."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mapapp import care
from mapapp.api.casework import answer, said, written
from mapapp.api.sign_in import words_of
from mapapp.desk import Desk
from mapapp.pages.care import care_page
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
        return await answer(care.count_groups, desk, dict(request.query_params))

    @routes.get("/care/one/{person_id}/visits")
    async def visits(person_id: int) -> Response:
        """Visits made for one record."""
        return await answer(care.show_visits, desk, person_id)

    @routes.post("/care/one/{person_id}/visit")
    async def visit(person_id: int, request: Request) -> Response:
        """Write down a visit."""
        return await answer(care.record_visit, desk, person_id, await said(request))

    return routes
