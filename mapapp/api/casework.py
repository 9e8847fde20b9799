"""Routes of the closed loop for who works on cases: `/cases` and what its page asks for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.background import BackgroundTask

from layers import duplicates, photos
from layers.errors import AccessError, AtlasError
from layers.identifiers import without_numbers
from mapapp import casework
from mapapp.api.sign_in import words_of
from mapapp.desk import Desk
from mapapp.pages.casework import cases_page
from mapapp.refusals import refusal
from mapapp.rights import home_of
from mapapp.shape import read_json
from mapapp.signpost import signpost_page
from mapapp.text import Words
from mapapp.visitor import visitor

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent.parent / "casework_files"
FILES = {path.name: path for path in STATIC.iterdir()}
STATUS = {"gone": 404, "stale": 409, "not_allowed": 409, "missing": 422, "limit": 429}


def casework_routes(desk: Desk, engine: str) -> APIRouter:
    """Make the routes of `/cases`; `engine` is the version of maplibre-gl."""
    routes = APIRouter()

    @routes.get("/cases")
    async def page(request: Request) -> Response:
        """The desk: queues, table, map, and the case that is open."""
        shown = await written(cases_page, desk, words_of(desk, request), engine)
        shown.background = BackgroundTask(duplicates.warm_up)
        return shown

    @routes.get("/cases/list")
    async def listed(request: Request) -> Response:
        """The rows of a queue."""
        return await answer(casework.list_queue, desk, dict(request.query_params))

    @routes.get("/cases/grids")
    async def grids(request: Request, q: str = "") -> Response:
        """Grids whose name or code is like what was typed."""
        return await answer(casework.search_grids, desk, q, words_of(desk, request))

    @routes.get("/cases/queues")
    async def counts() -> Response:
        """How many wait in each queue."""
        return await answer(casework.count_queues, desk)

    @routes.get("/cases/one/{event_id}")
    async def one(event_id: int) -> Response:
        """One case, whole."""
        return await answer(casework.show_case, desk, event_id)

    @routes.post("/cases/one/{event_id}/step")
    async def step(event_id: int, request: Request) -> Response:
        """Take a step of a case."""
        return await answer(casework.take_step, desk, event_id, await said(request))

    @routes.post("/cases/one/{event_id}/ask")
    async def ask(event_id: int, request: Request) -> Response:
        """Visit back, or decline to reopen."""
        return await answer(casework.ask_back, desk, event_id, await said(request))

    @routes.post("/cases/one/{event_id}/echo")
    async def echo(event_id: int, request: Request) -> Response:
        """Release a case for the problem and echo wall, or withdraw it."""
        return await answer(casework.put_on_wall, desk, event_id, await said(request))

    @routes.post("/cases/dispatch")
    async def dispatch(request: Request) -> Response:
        """Dispatch many cases."""
        return await answer(casework.dispatch, desk, await said(request))

    add_photos(routes, desk)
    return routes


def add_photos(routes: APIRouter, desk: Desk) -> None:
    """Add the routes of photos, and of the scripts and styles of these pages."""

    @routes.api_route("/static/casework/{name}", methods=["GET", "HEAD"])
    async def file(name: str) -> Response:
        """A script or a style."""
        if name not in FILES:
            return Response(status_code=404)
        kind = "text/javascript" if name.endswith((".mjs", ".js")) else "text/css"
        return FileResponse(FILES[name], media_type=kind, headers={"cache-control": "private, no-cache"})

    @routes.post("/cases/one/{event_id}/photo")
    async def add(event_id: int, photo: UploadFile) -> Response:
        """Add a photo to a case."""
        sent = await photo.read()

        def keep() -> dict[str, Any]:
            with desk.connection() as connection:
                return {"id": photos.add_photo(connection, visitor().actor.scope, event_id, sent)}

        return await answer(keep)

    @routes.get("/cases/photo/{photo_id}")
    async def photo(photo_id: int) -> Response:
        """One photo."""

        def read() -> bytes | None:
            with desk.connection() as connection:
                return photos.read_photo(connection, visitor().actor.scope, photo_id)

        found = await asyncio.to_thread(read)
        if found is None:
            return Response(status_code=404)
        return Response(found, media_type="image/jpeg", headers={"cache-control": "private, max-age=3600"})


async def written(write: Callable[..., str], desk: Desk, words: Words, *args: Any) -> Response:
    """Answer with a page, or with what keeps it from being written, such as that no grids have been loaded."""
    try:
        return HTMLResponse(await asyncio.to_thread(write, desk, words, *args))
    except AtlasError as error:
        return kept_from(words, error)


def kept_from(words: Words, error: AtlasError) -> Response:
    """Answer with a page that says what keeps another from being written."""
    log.warning("%s", without_numbers(str(error)))
    home = home_of(visitor().actor.role)
    return HTMLResponse(signpost_page(words, refusal(words, error), home=home), 503)


async def answer(function: Callable[..., Any], *args: Any) -> Response:
    """Run a function in a thread and answer with what it gives, or with what it could not do and the remedy."""
    try:
        return JSONResponse(await asyncio.to_thread(function, *args))
    except AtlasError as error:
        told = {
            "message": error.message, "hint": error.hint, "why": error.why, "need": getattr(error, "need", ""),
            "told": {name: str(said) for name, said in error.told.items()},
        }  # fmt: skip
        status = STATUS.get(error.why, 404 if isinstance(error, AccessError) else 422)
        return JSONResponse(told, status)


async def said(request: Request) -> dict[str, Any]:
    """Read what a page sends as JSON; nothing where it is none."""
    read = read_json(await request.body())
    return read if isinstance(read, dict) else {}
