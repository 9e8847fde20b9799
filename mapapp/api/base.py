"""The route of the base map: a browser asks our host, and only the server asks another."""

from __future__ import annotations

import asyncio
import math

from fastapi import APIRouter, Request, Response

from layers.tiles import is_tile
from mapapp.base.base import Base
from mapapp.desk import Desk

ROOM_DEGREES = 1.0
"""How far beyond the reader's own grids the base map is given: the key is for the city, not for the world."""
WIDE = 8
"""Zoom up to which tiles are given wherever they lie."""


def base_routes(desk: Desk, base: Base) -> APIRouter:
    """Make the routes `/base`."""
    routes = APIRouter()

    @routes.get("/base/{name}/{z}/{x}/{y}")
    async def tile(request: Request, name: str, z: int, x: int, y: int) -> Response:
        """One tile of the base map; empty where there is none."""
        low, high = base.zooms
        if name not in base.names or not is_tile(z, x, y) or not low <= z <= high:
            return Response(status_code=404)
        if not await asyncio.to_thread(_is_near, desk, z, x, y):
            return Response(status_code=204, headers={"cache-control": "private, max-age=3600"})
        found = await asyncio.get_running_loop().run_in_executor(base.threads, base.tile, name, z, x, y)
        if found is None:
            return Response(status_code=204, headers={"cache-control": "no-store"})
        headers = {"cache-control": "private, max-age=604800"}
        content = found.content
        if found.coding:
            if "gzip" not in request.headers.get("accept-encoding", ""):
                return Response(status_code=406)
            headers["content-encoding"] = found.coding
        return Response(content, media_type=found.kind, headers=headers)

    @routes.get("/base/state")
    async def state() -> dict[str, bool]:
        """Whether the host of the base map answered when it was last asked."""
        return {"answers": not base.is_failing}

    return routes


def _is_near(desk: Desk, z: int, x: int, y: int) -> bool:
    """Whether a tile touches the surroundings of the grids in the scope."""
    if z <= WIDE:
        return True
    with desk.connection() as connection:
        gazetteer = desk.gazetteer(connection)
    west, south, east, north = gazetteer.named(min(gazetteer.grids.index, key=len)).box
    left, right = (column / 2**z * 360 - 180 for column in (x, x + 1))
    top, bottom = (math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / 2**z)))) for row in (y, y + 1))
    return (
        left < east + ROOM_DEGREES
        and right > west - ROOM_DEGREES
        and bottom < north + ROOM_DEGREES
        and top > south - ROOM_DEGREES
    )
