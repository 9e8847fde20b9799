"""What the page shows at an address, by GET: who comes back to a view is told in a few bytes that it still holds."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from typing import Any, cast

from dash.development.base_component import Component
from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask

from layers.cases import last_change
from layers.errors import AtlasError
from layers.identifiers import without_numbers
from mapapp import handlers, ids
from mapapp.answers import Answers
from mapapp.callbacks import fields, panels, parts
from mapapp.desk import Desk
from mapapp.finder import may_find_rows, read_names

log = logging.getLogger(__name__)

KEPT_S = 10.0
"""Seconds in which all who open a view get the same answer."""


def view_routes(desk: Desk) -> APIRouter:
    """Make the route `/api/view`; its query is that of the page, and `known`, what the page was sent before."""
    routes, answers = APIRouter(prefix="/api"), Answers()

    @routes.get("/view")
    async def view(request: Request, known: str = "") -> Response:
        """Everything that a view changes on the page: `callbacks.parts`, `callbacks.fields` and `callbacks.panels`."""
        query = str(request.query_params)
        try:
            etag = await asyncio.to_thread(_etag, desk, query)
            if request.headers.get("if-none-match") == etag:
                return Response(status_code=304, headers={"etag": etag})
            told = await answers.give(request, etag, lambda: make(query, known), kept_s=KEPT_S, etag=etag)
            if not known:  # somebody opens the page: what is searched through is read while it is looked at
                told.background = BackgroundTask(read_names, desk)
            return told
        except AtlasError as error:
            log.warning("%s", without_numbers(str(error)))
            return as_json({"panels": {ids.NOTICE: handlers.notice(desk, query, error)}}, 409)

    def make(query: str, known: str) -> bytes:
        shown = handlers.show(desk, query, handlers.read_before(known))
        return written({"parts": parts(shown), "fields": fields(shown), "panels": panels(shown)})

    return routes


def as_json(content: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON that may hold components."""
    return Response(written(content), status, headers, media_type="application/json")


def written(content: Any) -> bytes:
    """Write JSON that may hold components, each as its type and props."""

    def plain(one: Component) -> dict[str, Any]:
        return {"type": one._type, "props": cast(Any, one).to_plotly_json()["props"]}

    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=plain).encode()


def _etag(desk: Desk, query: str) -> str:
    with desk.connection() as connection:
        stamp = f"{desk.stamp(connection)} {last_change(connection, desk.scope)} {may_find_rows()}"
    return f'"{hashlib.blake2b(f"{stamp} {query}".encode(), digest_size=9).hexdigest()}"'
