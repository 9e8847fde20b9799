"""The wall: its page, what it shows, the names it keeps, and its own files."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import plotly
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from layers.errors import AtlasError
from mapapp.answers import Answers
from mapapp.api.sign_in import words_of
from mapapp.api.view import as_json, written
from mapapp.desk import Desk
from mapapp.live import Live
from mapapp.pages.wall import Versions, mark, wall_page
from mapapp.refusals import refusal
from mapapp.visitor import visitor
from mapapp.watch import read_names, read_watch, search_names

FOLDER, ASSETS = Path(__file__).parent.parent / "wall", Path(__file__).parent.parent / "assets"
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
WATCH_KEPT_S, NAMES_KEPT_S = 2.0, 10.0
"""Seconds in which all screens of a scope are told the same; less than a screen waits after a step before it asks."""
ASKED_PER_S = 50
"""How often all screens together ask for their figures after a step, at most: the more, the longer each waits."""
PAIRING = "/pair"
"""Where a screen goes whose session has ended: it shows a code by which it is let in again."""
FOR_GOOD = "public, max-age=31536000, immutable"


def wall_routes(desk: Desk, live: Live, engine: str) -> APIRouter:
    """Make the routes of the wall; `engine` is the version of maplibre-gl."""
    routes, edition = APIRouter(), edition_of(FOLDER)
    versions = Versions(engine, plotly.__version__, edition, edition_of(ASSETS))
    routes.include_router(_figure_routes(desk, live, versions))
    files = {path.name: path for path in FOLDER.iterdir() if path.suffix in (".css", ".mjs")}

    @routes.get("/wall")
    async def page(request: Request) -> Response:
        """The page; everything in it comes afterwards."""
        session = visitor()
        door = PAIRING if session.kind == "screen" else ""
        is_screen = session.actor.role == "wall"
        written = wall_page(desk.catalog, words_of(desk, request), versions, is_screen=is_screen, door=door)
        return HTMLResponse(written, headers={"cache-control": "no-cache"})

    @routes.get("/static/wall/{asked}/{name}")
    async def file(asked: str, name: str) -> Response:
        """One file of the wall."""
        if asked != edition or name not in files:
            return Response(status_code=404)
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        return FileResponse(files[name], media_type=kind, headers={"cache-control": FOR_GOOD})

    @routes.get("/static/plotly/{asked}/plotly.min.js")
    async def charts(asked: str) -> Response:
        """The library that draws the charts, fetched after the map."""
        if asked != plotly.__version__:
            return Response(status_code=404)
        return FileResponse(PLOTLY, media_type="text/javascript", headers={"cache-control": FOR_GOOD})

    return routes


def _figure_routes(desk: Desk, live: Live, versions: Versions) -> APIRouter:
    routes, answers = APIRouter(), Answers()
    marks = {language: mark(desk.catalog, words, versions) for language, words in desk.words.items()}

    def told(at: str, scenario: str, language: str) -> bytes:
        found = read_watch(desk, at, scenario, language)
        return written(found | {"spread_s": live.n_pages / ASKED_PER_S, "page": marks[language]})

    @routes.get("/api/watch")
    async def watch(request: Request, at: str = "", scenario: str = "") -> Response:
        """What the wall shows of a grid."""
        language = words_of(desk, request).language
        try:
            return await answers.give(
                request,
                ("watch", desk.scope, at, scenario, language),
                lambda: told(at, scenario, language),
                kept_s=WATCH_KEPT_S,
            )
        except AtlasError as error:
            return as_json({"fault": refusal(words_of(desk, request), error)}, 409)

    @routes.get("/api/names")
    async def names(request: Request, edition: str = "") -> Response:
        """Names and centres of the grids in the scope; a page that was told of a new `edition` gets no kept answer."""
        language = words_of(desk, request).language
        try:
            return await answers.give(
                request,
                ("names", desk.scope, language, edition),
                lambda: written(read_names(desk, language)),
                kept_s=NAMES_KEPT_S,
            )
        except AtlasError as error:
            return as_json({"fault": refusal(words_of(desk, request), error)}, 409)

    @routes.get("/api/names/search")
    async def search(request: Request, sought: str = "") -> Response:
        """Grids by name, pinyin or code."""
        try:
            return as_json(await asyncio.to_thread(search_names, desk, sought, words_of(desk, request).language), 200)
        except AtlasError as error:
            return as_json({"fault": refusal(words_of(desk, request), error)}, 409)

    return routes


def edition_of(folder: Path) -> str:
    """Digest of the files of a folder, part of their addresses, so that browsers may keep them for good."""
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted(folder.iterdir()):
        if path.suffix in (".css", ".mjs"):
            digest.update(path.read_bytes())
    return digest.hexdigest()
