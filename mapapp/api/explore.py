"""Routes of the explore page: the page, what a question shows, its months, what is behind a number, files to take."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.background import BackgroundTask

from layers.codes import LENGTHS
from layers.draw.looks import THEMES
from layers.errors import AtlasError
from layers.identifiers import without_numbers
from mapapp.api.charts import charts_address
from mapapp.api.engine import FOR_GOOD
from mapapp.api.sign_in import words_of
from mapapp.api.tiles import Edition
from mapapp.api.view import as_json
from mapapp.desk import Desk
from mapapp.explore import handlers
from mapapp.explore.export import KINDS
from mapapp.explore.page import explore_page
from mapapp.explore.parts import Parts, first_part, is_short, rest_part
from mapapp.finder import read_names
from mapapp.packed import coding_of, pack
from mapapp.pages.map import notice
from mapapp.refusals import refusal

log = logging.getLogger(__name__)

NOT_KEPT = "private, no-store"
PACKED_MOST = {"br": 11, "gzip": 9}
"""Levels at which codings pack best."""
FIRST_MOST = 32_000
"""Bytes of a first part up to which it is packed so."""


def explore_routes(desk: Desk, engine: str) -> APIRouter:
    """Make the routes `/explore` and `/api/explore`; `engine` is the version of maplibre-gl."""
    routes = APIRouter()
    add_answers(routes, desk)

    @routes.get("/explore")
    async def page(request: Request) -> Response:
        """The page, empty."""
        theme = request.query_params.get("theme", "")
        theme = theme if theme in THEMES else THEMES[0]
        return HTMLResponse(
            explore_page(words_of(desk, request), theme, f"/static/maplibre/{engine}", charts_address())
        )

    @routes.get("/api/explore/months")
    async def months(request: Request) -> Response:
        """Values of the last periods."""
        return await told(desk, request, lambda: handlers.months(desk, request.url.query))

    @routes.get("/api/explore/search")
    async def search(request: Request, sought: str = "") -> Response:
        """Grids, and what lies in them, by name, pinyin or code."""
        return await told(desk, request, lambda: {"found": handlers.search(desk, request.url.query, sought)})

    @routes.get("/api/explore/rows/{code}")
    async def rows(request: Request, code: str, only: str = "") -> Response:
        """What is behind the number of a grid, or `only` one kind of it."""
        return await told(desk, request, lambda: {"rows": handlers.rows(desk, request.url.query, code, only)})

    @routes.get("/api/explore/grids/{group}")
    async def grids(request: Request, group: str) -> Response:
        """The grids that a count of the legend counts."""
        return await told(desk, request, lambda: {"rows": handlers.grids(desk, request.url.query, group)})

    @routes.get("/api/explore/unplaced")
    async def unplaced(request: Request, only: str = "") -> Response:
        """What is counted and lies in no grid of the level, or `only` one kind of it."""
        return await told(desk, request, lambda: {"rows": handlers.unplaced(desk, request.url.query, only)})

    @routes.get("/api/explore/outlines/{edition}-{version}/{level}/{frame}")
    async def outlines(request: Request, edition: Edition, version: int, level: str, frame: str) -> Response:
        """Outlines of the grids of a level in a grid; they never change under their address."""
        if level not in LENGTHS:
            return Response(status_code=404)
        found = await told(desk, request, lambda: handlers.outlines(desk, edition, level, frame))
        if found.status_code == 200:
            found.headers["cache-control"] = FOR_GOOD.replace("public", "private")
            found.headers["vary"] = "cookie"
        return found

    @routes.get("/api/explore/export/{kind}")
    async def export(request: Request, kind: str) -> Response:
        """A file of what is shown."""
        return await asyncio.to_thread(file, desk, request, kind)

    return routes


def add_answers(routes: APIRouter, desk: Desk) -> None:
    """Add `/api/explore`, and `/api/explore/rest` for who was sent its first part."""
    parts = Parts()

    @routes.get("/api/explore")
    async def answer(request: Request, known: str = "") -> Response:
        """Everything one question shows but its months; to who has the cells, what colours them, and the rest after."""

        def make() -> dict[str, Any]:
            found = handlers.show(desk, request.url.query)
            if not is_short(found, known):
                return vars(found)
            parts.keep(desk.scope.code, request.url.query, found)
            return first_part(found, known)

        found = await told(desk, request, make)
        coding = coding_of(request.scope)
        if known and found.status_code == 200 and coding and len(found.body) <= FIRST_MOST:
            body = await asyncio.to_thread(pack, bytes(found.body), coding, level=PACKED_MOST[coding])
            headers = {"cache-control": NOT_KEPT, "content-encoding": coding, "vary": "accept-encoding"}
            return Response(body, headers=headers, media_type="application/json")
        if not known and found.status_code == 200:  # somebody opens the page, and may search next
            found.background = BackgroundTask(read_names, desk)
        return found

    @routes.get("/api/explore/rest")
    async def rest(request: Request) -> Response:
        """What follows the first part of an answer."""

        def make() -> dict[str, Any]:
            query = request.url.query
            return rest_part(parts.take(desk.scope.code, query) or handlers.show(desk, query))

        return await told(desk, request, make)


async def told(desk: Desk, request: Request, make: Callable[[], Any]) -> Response:
    """Answer with what is made, or say why it cannot be."""
    try:
        return as_json(await asyncio.to_thread(make), 200, {"cache-control": NOT_KEPT})
    except AtlasError as error:
        log.warning("%s", without_numbers(str(error)))
        words = words_of(desk, request)
        return as_json({"panels": {"notice": notice(words, refusal(words, error))}}, 409)


def file(desk: Desk, request: Request, kind: str) -> Response:
    """Answer with a file of what is shown, or say that there is no such kind of file."""
    host = f"{request.url.scheme}://{request.url.netloc}"
    try:
        name, body = handlers.take_away(desk, request.url.query, kind, host)
    except AtlasError as error:
        said = refusal(words_of(desk, request), error)
        return Response(f"{said}\n", 404, media_type="text/plain; charset=utf-8")
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"}
    return Response(body, media_type=KINDS[kind], headers=headers)
