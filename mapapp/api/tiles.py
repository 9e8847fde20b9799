"""Routes of the vector tiles. Their addresses carry the version of what they show, so browsers keep them for good."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Annotated, Any, cast

import psycopg
from fastapi import APIRouter, Path, Request, Response

from layers.codes import LENGTHS
from layers.periods import moment, read_period
from layers.tiles import PointElement, element_tile, event_tile, grid_tile, is_tile, level_tile
from mapapp.desk import Desk
from mapapp.packed import coding_of, pack
from mapapp.visitor import visitor

KIND = "application/vnd.mapbox-vector-tile"
FOR_GOOD = "private, max-age=31536000, immutable"

SINGLE_FROM = {"event": 14, "element": 12}
"""Zooms from which tiles hold single rows, which no wall is given."""

Edition = Annotated[int, Path(ge=0, le=32_767)]
"""Number of an edition of the grids in an address."""

Cut = Callable[[psycopg.Connection[Any]], bytes]


def tile_routes(desk: Desk) -> APIRouter:
    """Make the routes `/tiles/grid`, `/tiles/level`, `/tiles/event` and `/tiles/element`."""
    routes = APIRouter(prefix="/tiles")

    @routes.get("/grid/{edition}-{version}/{z}/{x}/{y}")
    async def grid(request: Request, edition: Edition, version: int, z: int, x: int, y: int) -> Response:
        """Polygons of the grids of an edition."""
        key = ("grid", edition, version, z, x, y)
        return await _answer(request, desk, key, lambda conn: grid_tile(conn, desk.scope, edition, z, x, y))

    @routes.get("/level/{edition}-{version}/{level}/{z}/{x}/{y}")
    async def down_to(request: Request, edition: Edition, version: int, level: str, z: int, x: int, y: int) -> Response:
        """Polygons of the grids of an edition down to a level, at every zoom."""
        if level not in LENGTHS:
            return Response(status_code=404)
        key = ("level", edition, version, level, z, x, y)
        return await _answer(request, desk, key, lambda conn: level_tile(conn, desk.scope, edition, level, z, x, y))

    @routes.get("/event/{version}/{month}/{z}/{x}/{y}")
    async def event(request: Request, version: int, month: int, z: int, x: int, y: int) -> Response:
        """Events of a month: counts by mesh, further in single ones."""
        if not (100_000 <= month <= 999_912 and 1 <= month % 100 <= 12):
            return Response(status_code=404)
        period, zone = read_period(month), desk.catalog.city.zone
        since, until = moment(period.first_on, zone), moment(period.past_on, zone)
        assert since and until
        datasets = desk.point_datasets("event")
        return await _answer(
            request,
            desk,
            ("event", version, month, z, x, y),
            lambda conn: event_tile(conn, desk.scope, datasets, z, x, y, since=since, until=until),
        )

    @routes.get("/element/{version}/{element}/{z}/{x}/{y}")
    async def element(request: Request, version: int, element: str, z: int, x: int, y: int) -> Response:
        """Places, things or organisations: counts by mesh, further in single ones."""
        if element not in ("place", "thing", "organisation"):
            return Response(status_code=404)
        name, datasets = cast(PointElement, element), desk.point_datasets(element)
        return await _answer(
            request,
            desk,
            ("element", version, element, z, x, y),
            lambda conn: element_tile(conn, desk.scope, name, datasets, z, x, y),
        )

    return routes


async def _answer(request: Request, desk: Desk, key: tuple[str | int, ...], cut: Cut) -> Response:
    z, x, y = cast("tuple[int, int, int]", key[-3:])
    is_single = z >= SINGLE_FROM.get(str(key[0]), 99)
    if not is_tile(z, x, y) or (is_single and visitor().actor.role == "wall"):
        return Response(status_code=404)

    coding = coding_of(request.scope)

    def fetch() -> bytes:
        def fresh() -> bytes:
            with desk.connection() as connection:
                return pack(cut(connection), coding, level=6)

        return desk.shelf.fetch((desk.scope, coding, *key), fresh)

    tile = await asyncio.to_thread(fetch)
    etag = f'"{hashlib.blake2b(tile, digest_size=12).hexdigest()}"'
    headers = {"cache-control": FOR_GOOD, "etag": etag, "vary": "accept-encoding, cookie"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(tile, media_type=KIND, headers=headers | ({"content-encoding": coding} if coding else {}))
