"""What the page shows at an address, by GET: who comes back to a view is told in a few bytes that it still holds."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from typing import Any, cast

from dash.development.base_component import Component
from fastapi import APIRouter, Request, Response

from layers.errors import AtlasError
from mapapp import handlers, ids
from mapapp.callbacks import outputs, panels
from mapapp.desk import Desk

log = logging.getLogger(__name__)


def view_routes(desk: Desk) -> APIRouter:
    """Make the route `/api/view`; its query is that of the page, and `known`, what the page was sent before."""
    routes = APIRouter(prefix="/api")

    @routes.get("/view")
    async def view(request: Request, known: str = "") -> Response:
        """Everything that a view changes on the page, in the order of `callbacks.SHOWN`; null leaves a part alone."""
        query = str(request.query_params)
        try:
            etag = await asyncio.to_thread(_etag, desk, query)
            if request.headers.get("if-none-match") == etag:
                return Response(status_code=304, headers={"etag": etag})
            shown = await asyncio.to_thread(handlers.show, desk, query, handlers.read_before(known))
        except AtlasError as error:
            log.warning("%s", error)
            return as_json({"panels": {ids.NOTICE: handlers.notice(desk, query, error)}}, 409)
        told = {"parts": outputs(shown), "panels": panels(shown)}
        return as_json(told, 200, {"etag": etag, "cache-control": "private, no-cache"})

    return routes


def as_json(content: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON that may hold components, each as its type and props."""

    def plain(one: Component) -> dict[str, Any]:
        return {"type": one._type, "props": cast(Any, one).to_plotly_json()["props"]}

    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=plain)
    return Response(text, status, headers, media_type="application/json")


def _etag(desk: Desk, query: str) -> str:
    with desk.connection() as connection:
        stamp = desk.stamp(connection)
    return f'"{hashlib.blake2b(f"{stamp} {query}".encode(), digest_size=9).hexdigest()}"'
