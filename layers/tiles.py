"""Vector tiles (Mapbox Vector Tile, Web Mercator) of grids, events, places, things and organisations.

The database cuts them, in definer functions that carry the scope in the query; sensitive rows are never in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import psycopg

from layers.access import Scope
from layers.declare.records import MESHES
from layers.draw.style import MEDIUM_FROM, SMALL_FROM

ZOOM_MAX = 22
"""Deepest zoom a tile is cut for."""

PointElement = Literal["place", "thing", "organisation"]
"""Elements that may be drawn as points; people never are."""


def is_tile(z: int, x: int, y: int) -> bool:
    """Tell whether there is a tile of that number."""
    return 0 <= z <= ZOOM_MAX and 0 <= x < 2**z and 0 <= y < 2**z


def tile_form() -> str:
    """Digest of how tiles are cut: part of their addresses, since browsers keep them for good, past an upgrade too."""
    files = sorted((Path(__file__).parent / "functions" / "pub").glob("*_tile.sql"))
    return blake2b(b"".join(file.read_bytes() for file in files), digest_size=4).hexdigest()


def grid_tile(conn: psycopg.Connection[Any], scope: Scope, edition: int, z: int, x: int, y: int) -> bytes:
    """Cut the tile of the grids down to the level that comes with the zoom, as `level_tile` does.

    Large grids and above are in every tile, medium ones from zoom 10, small ones from zoom 12.

    Returns
    -------
    Not compressed; empty bytes where there is nothing.
    """
    level = "small" if z >= SMALL_FROM else "medium" if z >= MEDIUM_FROM else "large"
    return level_tile(conn, scope, edition, level, z, x, y)


def level_tile(conn: psycopg.Connection[Any], scope: Scope, edition: int, level: str, z: int, x: int, y: int) -> bytes:
    """Cut the tile of the grids down to a level: a layer for each, with its name; feature id grid_no, with the code.

    Returns
    -------
    Not compressed; empty bytes where there is nothing.
    """
    values = (edition, level, z, x, y, scope.low, scope.high)
    return _cut(conn, "select pub.level_tile(%s, %s, %s, %s, %s, %s, %s)", values)


def event_tile(
    conn: psycopg.Connection[Any],
    scope: Scope,
    datasets: Sequence[str],
    z: int,
    x: int,
    y: int,
    *,
    since: datetime,
    until: datetime,
    one_by_one: bool,
    categories: Sequence[str] = (),
    states: Sequence[str] = (),
    meshes: int = MESHES,
) -> bytes:
    """Cut the tile of the events of some datasets, reported in [since, until): layer `event`.

    A feature is the count `n` of one of `meshes` x `meshes`; or, one by one, an event with category, state and
    reported_at (seconds since 1970, UTC). Without categories or states named all of them are there.

    Returns
    -------
    Not compressed; empty bytes where there is nothing.
    """
    chosen = (list(datasets), list(categories), list(states), since, until)
    return _cut(
        conn,
        "select pub.event_tile(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (scope.low, scope.high, *chosen, one_by_one, z, x, y, meshes),
    )


def element_tile(
    conn: psycopg.Connection[Any],
    scope: Scope,
    element: PointElement,
    datasets: Sequence[str],
    z: int,
    x: int,
    y: int,
    *,
    one_by_one: bool,
    categories: Sequence[str] = (),
    meshes: int = MESHES,
) -> bytes:
    """Cut the tile of places, things or organisations of some datasets: a layer called as the element.

    A feature is the count `n` of one of `meshes` x `meshes`; or, one by one, a row with its category and name.

    Returns
    -------
    Not compressed; empty bytes where there is nothing.
    """
    return _cut(
        conn,
        "select pub.element_tile(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (scope.low, scope.high, element, list(datasets), list(categories), one_by_one, z, x, y, meshes),
    )


def data_version(conn: psycopg.Connection[Any]) -> tuple[int, datetime | None]:
    """Number that rises with every load, part of the addresses of tiles; and when the last load was, None before it."""
    row = conn.execute("select max(loaded_at) from pub.dataset").fetchone()
    loaded_at: datetime | None = row[0] if row else None
    return version_of(loaded_at), loaded_at


def version_of(loaded_at: datetime | None) -> int:
    """Number of the data whose last load was at a moment; 0 where there was none."""
    return int(loaded_at.timestamp() * 1000) if loaded_at else 0


def _cut(conn: psycopg.Connection[Any], query: str, values: tuple[Any, ...]) -> bytes:
    row = conn.execute(query, values).fetchone()
    return bytes(row[0]) if row else b""
