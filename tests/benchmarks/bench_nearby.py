"""What lies around a place over the full city: around a point, in a drawn shape, and in a whole town."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
from psycopg import Connection

from layers.access import Scope
from layers.areas import Area, around, drawn, of_grids
from layers.declare import read_catalog
from layers.editions import edition_on
from layers.nearby import nearby
from tests.benchmarks import Report, bench_settings, loaded_city

GOAL_S = 1.0
N_POINTS = 20


def run(report: Report) -> None:
    """Ask about random schools at several radii, a shape of 20 km across, and the town with most grids."""
    catalog, city = read_catalog(bench_settings().catalog_dir), loaded_city()
    scope = Scope(catalog.city.code)
    with city.connect("analyst", autocommit=True) as connection:
        edition = edition_on(connection, catalog.city)
        for name, areas in _areas(connection, scope, edition).items():
            seconds = []
            for area in areas:
                started = time.perf_counter()
                found = nearby(connection, catalog, scope, edition, area, datetime.now(UTC))
                seconds.append(time.perf_counter() - started)
                assert len(found.resources), "nothing was found: this is not the full city"
            worst = float(np.quantile(seconds, 0.95))
            report(
                f"emergency command, {name} ({len(areas)} areas)",
                f"p95 {worst * 1000:.0f} ms, median {float(np.median(seconds)) * 1000:.0f} ms",
                f"<= {GOAL_S:g} s",
                worst <= GOAL_S,
            )


def _areas(connection: Connection[Any], scope: Scope, edition: int) -> dict[str, list[Area]]:
    places = connection.execute(
        "select ST_X(geom), ST_Y(geom) from pub.read_place(%s, %s, 'school', null) where geom is not null"
        " order by id limit %s",
        [scope.low, scope.high, N_POINTS],
    ).fetchall()
    town = connection.execute(
        "select left(code, 9) from pub.grid where edition = %s and level = 'small' group by 1 order by count(*) desc, 1"
        " limit 1",
        [edition],
    ).fetchone()
    assert places and town
    lon, lat = places[0]
    turns = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = [(lon + 0.1 * float(np.cos(turn)), lat + 0.1 * float(np.sin(turn))) for turn in turns]
    return {
        "500 m around": [around(*place, 500) for place in places],
        "5 km around": [around(*place, 5000) for place in places],
        "20 km around": [around(*place, 20_000) for place in places[:5]],
        "a shape of 20 km across": [drawn(ring)],
        "a whole town": [of_grids(connection, scope, edition, [town[0]])],
    }
