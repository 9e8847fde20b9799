"""Routes of the figures: `/figures` by department, category, channel or town, `/figures/worker` of one grid worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from layers.errors import AtlasError, CaseError
from mapapp.api.casework import kept_from
from mapapp.api.echo import NOTHING
from mapapp.api.sign_in import words_of
from mapapp.desk import Desk
from mapapp.figures import read_figures, read_worker
from mapapp.pages.figures import figures_page, worker_page
from mapapp.text import Words
from mapapp.visitor import visitor


def figures_routes(desk: Desk) -> APIRouter:
    """Make the routes of the figures."""
    routes = APIRouter()

    @routes.get("/figures")
    async def figures(request: Request) -> Response:
        """Counts and rates of a period; a grid worker is led to the own figures."""
        words, query = words_of(desk, request), dict(request.query_params)
        if visitor().actor.role == "grid_worker":
            return RedirectResponse("/figures/worker", 303)
        return await shown(words, lambda: figures_page(desk.catalog, words, read_figures(desk, query)))

    @routes.get("/figures/worker")
    async def worker(request: Request) -> Response:
        """The figures of one grid worker."""
        words, query = words_of(desk, request), dict(request.query_params)
        return await shown(words, lambda: worker_page(desk.catalog, words, read_worker(desk, query)))

    return routes


async def shown(words: Words, write: Callable[[], str]) -> Response:
    """Answer with a page; what is not for the session looks like an address that nobody knows."""
    try:
        return HTMLResponse(await asyncio.to_thread(write))
    except CaseError:
        return Response(NOTHING, 404, media_type="text/plain")
    except AtlasError as error:
        return kept_from(words, error)
