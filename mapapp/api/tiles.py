"""Routes of the vector tiles. Their addresses carry the version of what they show, so browsers keep them for good."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, cast

import psycopg
from fastapi import APIRouter, Path, Request, Response

from layers.codes import LENGTHS
from layers.declare.records import MESHES, Layer
from layers.draw.overlay import counted
from layers.periods import moment
from layers.tiles import PointElement, element_tile, event_tile, grid_tile, is_tile, level_tile
from mapapp.desk import Desk
from mapapp.drawn import Only, read_only
from mapapp.packed import coding_of, pack
from mapapp.visitor import visitor

KIND = "application/vnd.mapbox-vector-tile"
FOR_GOOD = "private, max-age=31536000, immutable"

COUNTS_TO = 13
"""Deepest zoom at which rows are counted: a mesh is no smaller than some 240 m."""

Edition = Annotated[int, Path(ge=0, le=32_767)]
"""Number of an edition of the grids in an address."""

Cut = Callable[[psycopg.Connection[Any]], bytes]


def tile_routes(desk: Desk) -> APIRouter:
    """Make the routes `/tiles/grid`, `/tiles/level` and `/tiles/layer`."""
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

    @routes.get("/layer/{version}/{layer}/{how}/{z}/{x}/{y}")
    async def layer(request: Request, version: int, layer: str, how: str, z: int, x: int, y: int) -> Response:
        """Rows of one layer: counts by mesh, as wide as usual or as declared, or `rows`, which no wall is given."""
        said, found = request.query_params, desk.catalog.layers.get(layer)
        asked = read_only(said, desk.catalog)
        if found is None or found.draw != "point" or asked is None:
            return Response(status_code=404)
        is_single = how == "rows"
        meshes = {counted(n): n for n in (MESHES, found.meshes)}.get(how, 0)
        if not meshes and not is_single:
            return Response(status_code=404)
        if (z > COUNTS_TO and not is_single) or (is_single and visitor().actor.role == "wall"):
            return Response(status_code=404)
        cut = partial(_cut_layer, desk, found, asked, meshes, (z, x, y))
        return await _answer(request, desk, ("layer", version, layer, how, str(asked), z, x, y), cut)

    return routes


def _cut_layer(
    desk: Desk, layer: Layer, only: Only, meshes: int, tile: tuple[int, int, int], conn: psycopg.Connection[Any]
) -> bytes:
    is_single = not meshes
    datasets = [name for name in layer.datasets if not desk.catalog.datasets[name].sensitive]
    if layer.element != "event":
        element = cast(PointElement, layer.element)
        return element_tile(
            conn, desk.scope, element, datasets, *tile,
            one_by_one=is_single, categories=only.categories, meshes=meshes,
        )  # fmt: skip
    zone = desk.catalog.city.zone
    since, until = moment(only.since, zone), moment(only.until, zone)
    if since is None or until is None:
        return b""
    return event_tile(
        conn, desk.scope, datasets, *tile,
        since=since, until=until + timedelta(days=1), one_by_one=is_single,
        categories=only.categories, states=only.states, meshes=meshes,
    )  # fmt: skip


async def _answer(request: Request, desk: Desk, key: tuple[str | int, ...], cut: Cut) -> Response:
    z, x, y = cast("tuple[int, int, int]", key[-3:])
    if not is_tile(z, x, y):
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
