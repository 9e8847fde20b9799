"""Routes of the emergency command: `/command` and what its page asks for."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.background import BackgroundTask

from mapapp import emergency, finder
from mapapp.api.casework import answer, said, written
from mapapp.api.sign_in import words_of
from mapapp.desk import Desk
from mapapp.pages.emergency import emergency_page


def emergency_routes(desk: Desk, engine: str) -> APIRouter:
    """Make the routes of `/command`; `engine` is the version of maplibre-gl."""
    routes = APIRouter()

    @routes.get("/command")
    async def page(request: Request) -> Response:
        """The page; what lies around a place comes afterwards, and names are read while it is looked at."""
        made = await written(emergency_page, desk, words_of(desk, request), engine)
        if made.status_code == 200:
            made.background = BackgroundTask(finder.read_names, desk)
        return made

    @routes.get("/command/nearby")
    async def nearby(request: Request) -> Response:
        """What lies in the area that the address names."""
        return await answer(emergency.show_nearby, desk, dict(request.query_params), words_of(desk, request))

    @routes.get("/command/search")
    async def search(request: Request, q: str = "") -> Response:
        """Grids and places whose name is like what was typed."""
        return await answer(emergency.search, desk, q, words_of(desk, request))

    @routes.post("/command/sheet")
    async def sheet(request: Request) -> Response:
        """Write down that a sheet is printed."""
        return await answer(emergency.note_sheet, desk, await said(request))

    return routes
