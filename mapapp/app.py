"""The one server: guard, compression, plain routes, and Dash inside. Nothing of it is global."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import psycopg
from dash import Dash, ctx, set_props
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from psycopg_pool import PoolTimeout

from layers import gazetteer
from layers.identifiers import without_numbers
from layers.settings import CHECKOUT
from mapapp import callbacks, ids
from mapapp.api.base import base_routes
from mapapp.api.calls import call_routes
from mapapp.api.care import care_routes
from mapapp.api.casework import casework_routes
from mapapp.api.charts import chart_routes
from mapapp.api.echo import echo_routes
from mapapp.api.emergency import emergency_routes
from mapapp.api.engine import engine_routes, engine_version
from mapapp.api.explore import explore_routes
from mapapp.api.figures import figures_routes
from mapapp.api.folding import folding_routes
from mapapp.api.form import form_routes
from mapapp.api.intake import intake_routes
from mapapp.api.keeping import keeping_routes
from mapapp.api.live import live_routes
from mapapp.api.open311 import open311_routes
from mapapp.api.pairing import pairing_routes
from mapapp.api.provider import provider_routes
from mapapp.api.report import report_routes
from mapapp.api.sign_in import account_routes, sign_in_routes, words_of
from mapapp.api.signs import sign_routes
from mapapp.api.tiles import tile_routes
from mapapp.api.view import as_json, view_routes
from mapapp.api.wall import wall_routes
from mapapp.base.base import Base
from mapapp.desk import Desk
from mapapp.door import Asgi, Guard, content_policy
from mapapp.language import language_in
from mapapp.live import Live
from mapapp.packed import Packed
from mapapp.pages.frame import index_page, page
from mapapp.pages.map import fault, notice
from mapapp.porter import Porter
from mapapp.shape import Shaped

if TYPE_CHECKING:
    from layers.atlas import Atlas

ENGINE_DIR = CHECKOUT / "node_modules" / "maplibre-gl"
"""Where `npm ci` puts the map engine."""

log = logging.getLogger(__name__)


def create_app(
    atlas: Atlas,
    porter: Porter,
    *,
    engine_dir: Path = ENGINE_DIR,
    is_secure: bool = False,
    public_pages: Iterable[str] = (),
    base: Base | None = None,
) -> Asgi:
    """Make the server of one atlas.

    Parameters
    ----------
    atlas
        Database and declarations; the database is read as role `web`.
    porter
        Who knows who is signed in.
    engine_dir
        Folder of the npm package maplibre-gl.
    is_secure
        Served over TLS: cookies are for TLS only, and other machines are answered too.
    public_pages
        Pages that everybody may open, see `layers.settings`.
    base
        Map of others that lies under the grids; none when left out.

    Raises
    ------
    SettingError
        The map engine has not been installed.
    """
    desk = Desk(atlas.catalog, atlas.database.pool("web", max_size=6), base)
    live = Live(desk, atlas.database.url("web"))
    api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan(desk, porter, live))
    add_routes(api, desk, porter, live, engine_dir, is_secure=is_secure)
    add_faults(api, desk)

    @api.api_route("/healthz", methods=["GET", "HEAD"])
    async def health() -> Response:
        """Tell that the server answers."""
        return Response("ok\n", media_type="text/plain")

    dash = make_dash(desk, api, engine_version(engine_dir))
    api.add_middleware(Shaped, dash=dash)

    @api.api_route("/{path:path}", methods=["GET", "HEAD", "POST"])
    async def unknown(path: str) -> Response:
        """Answer for every address nobody knows; Dash would show its page there."""
        return Response("There is nothing here.\n", status_code=404, media_type="text/plain")

    policy = content_policy(dash.csp_hashes())
    return Guard(Packed(api), policy, porter, is_secure=is_secure, public_pages=public_pages, words=desk.words)


def add_routes(api: FastAPI, desk: Desk, porter: Porter, live: Live, engine_dir: Path, *, is_secure: bool) -> None:
    """Add the routes of all pages and of what their scripts ask for."""
    engine = engine_version(engine_dir)
    api.include_router(sign_in_routes(desk, porter, is_secure=is_secure))
    api.include_router(provider_routes(desk, porter, is_secure=is_secure))
    api.include_router(account_routes(desk, porter, is_secure=is_secure))
    api.include_router(keeping_routes(desk, porter))
    api.include_router(pairing_routes(desk, porter, is_secure=is_secure))
    api.include_router(tile_routes(desk))
    api.include_router(base_routes(desk, desk.base))
    api.include_router(sign_routes(desk.signs))
    api.include_router(casework_routes(desk, engine))
    api.include_router(folding_routes(desk))
    api.include_router(call_routes(desk, engine))
    api.include_router(report_routes(desk, engine))
    api.include_router(care_routes(desk, porter, engine))
    api.include_router(emergency_routes(desk, engine))
    api.include_router(engine_routes(engine_dir))
    api.include_router(view_routes(desk))
    api.include_router(live_routes(live))
    api.include_router(chart_routes())
    api.include_router(explore_routes(desk, engine))
    api.include_router(wall_routes(desk, live, engine))
    api.include_router(open311_routes(desk))
    api.include_router(intake_routes(desk))
    api.include_router(echo_routes(desk))
    api.include_router(figures_routes(desk))
    api.include_router(form_routes(desk, porter))


def add_faults(api: FastAPI, desk: Desk) -> None:
    """Say in a word what a request that cannot be answered is told."""

    @api.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        """Say that it failed and no more; the reason is logged by the server."""
        return as_json({"panels": {ids.NOTICE: fault(words_of(desk, request))}}, 500)

    @api.exception_handler(psycopg.OperationalError)
    @api.exception_handler(PoolTimeout)
    async def away(request: Request, error: Exception) -> Response:
        """Say that the database does not answer."""
        log.error("the database does not answer: %s", error)
        words = words_of(desk, request)
        return as_json({"panels": {ids.NOTICE: notice(words, words("refused_server"))}}, 503)

    @api.exception_handler(RequestValidationError)
    async def misread(request: Request, error: RequestValidationError) -> Response:
        """Say that an address leads nowhere, or that a request makes no sense; never what was expected."""
        is_address = all(one["loc"][:1] == ("path",) for one in error.errors())
        said, status = ("There is nothing here.\n", 404) if is_address else ("This request makes no sense.\n", 400)
        return Response(said, status, media_type="text/plain")

    @api.exception_handler(psycopg.DataError)
    async def senseless(request: Request, error: psycopg.DataError) -> Response:
        """Say that a value makes no sense: the database would not take it."""
        at = without_numbers(request.url.path)
        log.warning("%s was sent a value the database does not take: %s", at, type(error).__name__)
        return Response("This request makes no sense.\n", 400, media_type="text/plain")


def make_dash(desk: Desk, api: FastAPI, engine: str) -> Dash:
    """Make the Dash app inside the server, its page and its callbacks."""

    def on_error(error: Exception) -> None:
        log.error("a callback failed", exc_info=error)
        language = language_in(ctx.inputs.get(f"{ids.SOUGHT}.data"))  # the one callback there is is sent an address
        set_props(ids.NOTICE, {"children": fault(desk.words[language or "zh"])})

    dash = Dash(
        "mapapp",
        server=cast(Any, api),  # its annotation knows Flask only
        title=desk.words["zh"]("title"),
        update_title="",
        on_error=on_error,
        index_string=index_page(engine, desk.words["zh"]),
        assets_folder=str(Path(__file__).with_name("assets")),
        assets_ignore=r"explore.*",  # of a page of its own; still served
        add_log_handler=False,
    )
    dash.backend.websocket_capability = False  # else every page opens a worker and knocks at a route the guard shuts
    dash.layout = page(desk.words["zh"], desk.words["en"])
    callbacks.register(dash, desk)
    cast(Any, dash)._setup_server()  # without it csp_hashes() misses scripts; held by a contract test
    return dash


WARMED_AFTER_S = 1.0
"""Seconds after the start in which the dictionary of pinyin is not read, for the first answers."""


async def warm_up() -> None:
    """Read what the first search, and the first who opens a map, would wait for."""
    await asyncio.sleep(WARMED_AFTER_S)
    await asyncio.to_thread(gazetteer.warm_up)


SEALED_S = 60
"""Seconds from one seal of the audit to the next."""


async def seal_each_minute(porter: Porter) -> None:
    """Seal the audit's new entries again and again; a minute in which it fails is made up for by the next."""
    while True:
        await asyncio.sleep(SEALED_S)
        try:
            await asyncio.to_thread(porter.seal)
        except (OSError, psycopg.Error, PoolTimeout) as error:
            log.error("the audit was not sealed: %s", error)


def _lifespan(desk: Desk, porter: Porter, live: Live) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def run(_: FastAPI) -> AsyncIterator[None]:
        porter.open()
        desk.open()
        tasks = [asyncio.create_task(one) for one in (seal_each_minute(porter), live.run(), warm_up())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            desk.close()
            porter.close()

    return run
