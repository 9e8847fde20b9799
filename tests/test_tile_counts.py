"""Counts in event tiles are those of the rows themselves, whatever is chosen: a law, over rows strewn at random."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import mapbox_vector_tile
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signing import carry_on, sign_in

from layers.access import Scope
from layers.database import Database
from layers.tables import STATES
from layers.tiles import event_tile

N, MESHES = 600, 20
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
GRIDS = ("449901001001001", "449901001002001", "449901002001001", "449902001001001")
SCOPES = ("4499", "449901", "449901001", "449901001002", "449902001001001")
DATASETS, CATEGORIES = ("grid_event", "hotline"), ("noise", "flood", "traffic")


@dataclass(frozen=True)
class Row:
    grid: str
    dataset: str
    lon: float
    lat: float
    category: str
    state: str
    reported_at: datetime
    is_sensitive: bool
    is_gone: bool


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    chance = Random(4490)
    return [
        Row(
            chance.choice(GRIDS), chance.choice(DATASETS), 115 + chance.random() / 3, 22 + chance.random() / 3,
            chance.choice(CATEGORIES), chance.choice(STATES), BEGIN + timedelta(hours=chance.randrange(24 * 60)),
            chance.random() < 0.1, chance.random() < 0.1,
        )
        for _ in range(N)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def web(file_db: Database, rows: list[Row]) -> Iterator[psycopg.Connection[Any]]:
    with file_db.connect("loader") as loader, loader.cursor() as cursor:
        cursor.executemany(
            "insert into ops.event (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at,"
            " tied_by, is_sensitive, attrs, geom, category, state, reported_at, is_urgent, is_on_spot, gone_on)"
            " select left(grid, 9), grid, 1, dataset, 'k', 1, now(), 'point', closed, '{}',"
            " ST_SetSRID(ST_MakePoint(lon, lat), 4490), category, state, reported, false, false,"
            " case when gone then date '2026-05-01' end from (values (%s, %s, %s::float8, %s::float8, %s, %s,"
            " %s::timestamptz, %s::boolean, %s::boolean)) as one"
            " (grid, dataset, lon, lat, category, state, reported, closed, gone)",
            [astuple(row) for row in rows],
        )
    with file_db.connect("web", autocommit=True) as connection:
        carry_on(connection, sign_in(file_db))
        yield connection


moments = st.integers(0, 24 * 60).map(lambda hours: BEGIN + timedelta(hours=hours))


@settings(max_examples=120, deadline=None)
@given(
    z=st.integers(6, 13),
    at=st.tuples(st.floats(115, 115.34), st.floats(22, 22.34)),
    scope=st.sampled_from(SCOPES),
    datasets=st.lists(st.sampled_from(DATASETS), unique=True, min_size=1),
    categories=st.lists(st.sampled_from(CATEGORIES), unique=True),
    states=st.lists(st.sampled_from(STATES), unique=True),
    since=moments,
    until=moments,
)
def test_a_tile_counts_what_the_rows_say(
    web: psycopg.Connection[Any],
    rows: list[Row],
    z: int,
    at: tuple[float, float],
    scope: str,
    datasets: list[str],
    categories: list[str],
    states: list[str],
    since: datetime,
    until: datetime,
) -> None:
    x, y = _tile(*at, z)
    chosen = [
        row
        for row in rows
        if row.grid.startswith(scope) and row.dataset in datasets and since <= row.reported_at < until
        and (not categories or row.category in categories) and (not states or row.state in states)
        and not row.is_sensitive and not row.is_gone and _tile(row.lon, row.lat, z) == (x, y)
    ]  # fmt: skip
    tile = event_tile(
        web, Scope(scope), datasets, z, x, y,
        since=since, until=until, one_by_one=False, categories=categories, states=states,
    )  # fmt: skip
    found = mapbox_vector_tile.decode(tile)["event"]["features"] if tile else []
    told = {one["id"]: one["properties"]["n"] for one in found}
    assert told == Counter(_mesh(row, z, x, y) for row in chosen)


def _tile(lon: float, lat: float, z: int) -> tuple[int, int]:
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int((lon + 180) / 360 * 2**z), int(y * 2**z)


def _mesh(row: Row, z: int, x: int, y: int) -> int:
    """Number of the mesh, from the south-west corner of the tile, in degrees both ways."""
    west, east = (one / 2**z * 360 - 180 for one in (x, x + 1))
    north, south = (math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * one / 2**z)))) for one in (y, y + 1))
    i, j = (row.lon - west) / (east - west), (row.lat - south) / (north - south)
    return int(i * MESHES) * MESHES + int(j * MESHES)
