"""Read a million events as a GeoDataFrame beside `geopandas.read_postgis`; heatmaps of ten million beside GROUP BY."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import psycopg
import sqlalchemy
from psycopg import sql

from layers.access import Scope
from layers.codes import LENGTHS
from layers.counts import Numbers, numbers, sums
from layers.database import Database
from layers.declare import read_catalog
from layers.declare.records import Catalog, Count
from layers.features import CORE, ask, read_features
from layers.migrations.roles import prepare
from tests.benchmarks import Report, bench_settings, loaded_city, medians_s

N_READ = 1_000_000
N_COUNTED = 10_000_000
DATASET = "grid_event"
CATEGORIES = ("noise", "street_order", "drainage", "fire_hazard")
MONTHS = (202309, 202407, 202505, 202602)

_MORE = """
insert into ops.event (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at, category, state,
    outcome, reported_at, due_at, closed_at, department, channel, is_urgent, is_on_spot, is_satisfied, delivered_code,
    tied_by, is_sensitive, attrs, geom)
select town_code, grid_code, edition, dataset, source_key || '-' || copy, delivery_id, updated_at, category, state,
    outcome, reported_at, due_at, closed_at, department, channel, is_urgent, is_on_spot, is_satisfied, delivered_code,
    tied_by, is_sensitive, attrs, geom
from ops.event, generate_series(1, %(copies)s) as copy
where dataset = %(dataset)s
order by copy, id limit %(more)s
"""

# Ten million events as wide as real ones: each has the place of one real event and the kind of another, so that they
# crowd as those do and no two months are alike.
_DRAW = """
create table raw.drawn as
with numbered as materialized (
    select row_number() over (order by id) as no, * from ops.event where not is_sensitive
),
draws as (
    select 1 + floor(random() * (select count(*) from numbered))::int as of_place,
        1 + floor(random() * (select count(*) from numbered))::int as of_kind,
        timestamptz '2023-07-01 00:00+08' + random() * interval '1095 days' as reported_at
    from generate_series(1, %s)
)
select draws.reported_at, kind.category, kind.state, place.grid_code, place.town_code, place.id, place.dataset,
    place.source_key, place.updated_at, place.due_at, place.closed_at, place.summary, place.attrs, place.geom
from draws
join numbered as place on place.no = of_place
join numbered as kind on kind.no = of_kind
order by draws.reported_at
"""

_TALLY = """
insert into {table} (town_code, grid_no, period, dataset_no, category_no, state_no, delta_id, n)
select left(rpad(q.code, 9, '0'), 9), g.grid_no, q.period, d.dataset_no, c.category_no, q.state_no, 0, q.n
from (
    select left(grid_code, {digits}) as code, category, array_position({states}, state) as state_no, count(*) as n,
        to_char(reported_at at time zone 'Asia/Shanghai', 'YYYYMM')::int as period
    from raw.drawn group by 1, 2, 3, 5
) as q
join pub.grid as g on g.code = q.code
join pub.category as c on c.category = q.category
join pub.dataset as d on d.dataset = {dataset}
"""

_RAW = """
select left(grid_code, %s), count(*) from raw.drawn
where category = %s
    and reported_at >= (%s::timestamp at time zone 'Asia/Shanghai')
    and reported_at < ((%s::timestamp + interval '1 month') at time zone 'Asia/Shanghai')
group by 1
"""


def run(report: Report) -> None:
    """Measure both on a copy of the full city."""
    catalog = read_catalog(bench_settings().catalog_dir)
    city = loaded_city()
    copy = dataclasses.replace(city, name="reads")
    with psycopg.connect(city.admin_url, autocommit=True) as connection:
        name = sql.Identifier(copy.name)
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(name))
        connection.execute(sql.SQL("create database {} template {}").format(name, sql.Identifier(city.name)))
        try:
            prepare(copy)
            _rows(copy, catalog, report)
            _heatmaps(copy, catalog, report)
        finally:  # some 8 GB
            connection.execute(sql.SQL("drop database {} with (force)").format(name))


def _rows(database: Database, catalog: Catalog, report: Report) -> None:
    """Read the same columns of the same rows both ways."""
    with database.connect("admin", autocommit=True) as connection:
        n = _one(connection, "select count(*) from ops.event where dataset = %s", [DATASET])
        connection.execute(_MORE, {"copies": N_READ // n + 1, "dataset": DATASET, "more": max(N_READ - n, 0)})
        connection.execute("vacuum analyze ops.event")
    asked = ask(catalog, DATASET, Scope(catalog.city.code))
    columns = ", ".join([*CORE["event"], *(f"attrs ->> '{key}' as {key}" for key in asked.declared), "geom"])
    query = f"select {columns} from ops.event where dataset = '{DATASET}' and not is_sensitive order by id"
    engine = sqlalchemy.create_engine(database.url("admin").replace("postgresql://", "postgresql+psycopg://"))

    def ours() -> gpd.GeoDataFrame:
        return read_features(database, "analyst", asked, catalog.city.zone)

    def theirs() -> gpd.GeoDataFrame:
        return gpd.read_postgis(query, engine, geom_col="geom")

    frame, peer = ours(), theirs()
    agree = bool((frame["id"] == peer["id"]).all() and (frame["geom"].isna() == peer["geom"].isna()).all())
    agree = agree and bool(frame["geom"].dropna().geom_equals(peer["geom"].dropna()).all())
    n_rows = len(frame)
    del frame, peer
    seconds, peer_seconds = medians_s(ours, theirs)
    report(
        f"GeoDataFrame of {n_rows:,} rows",
        f"{peer_seconds / seconds:.1f} x read_postgis ({seconds:.2f} s against {peer_seconds:.2f} s, same: {agree})",
        ">= 4 x",
        agree and peer_seconds / seconds >= 4,
    )


def _heatmaps(database: Database, catalog: Catalog, report: Report) -> None:
    """Ask every level for several months and categories, of the tallies and of the rows themselves."""
    with database.connect("admin", autocommit=True) as connection:
        connection.execute("set work_mem = '256MB'")
        connection.execute("drop table if exists raw.drawn")
        connection.execute(_DRAW, [N_COUNTED])
        connection.execute("create index on raw.drawn using brin (reported_at)")
        for grain, digits in (("small_month", 15), ("large_month", 9)):
            _tally(connection, grain, digits)
        connection.execute("vacuum analyze raw.drawn")
    taken, ratios, n_wrong = [], [], 0
    with database.connect("analyst") as analyst, database.connect("admin") as admin:
        keys = numbers(analyst)
        for level, month, category in itertools.product(LENGTHS, MONTHS, CATEGORIES):
            seconds, found = _timed(lambda: _of_tallies(analyst, catalog, keys, level, month, category), 5)  # noqa: B023
            taken.append(seconds)
            if category == CATEGORIES[0]:
                slow, truth = _timed(lambda: _of_rows(admin, level, month, category), 2)  # noqa: B023
                ratios.append(slow / seconds)
                n_wrong += found != truth
    p95 = float(np.quantile(taken, 0.95)) * 1000
    report(
        f"heatmap of {N_COUNTED:,} events, level x month x category",
        f"p95 {p95:.0f} ms, median {float(np.median(taken)) * 1000:.0f} ms, {n_wrong} wrong answers",
        "<= 50 ms",
        p95 <= 50 and not n_wrong,
    )
    ratio = float(np.median(ratios))
    report("heatmap beside GROUP BY over the rows", f"{ratio:.0f} x", ">= 30 x", ratio >= 30)


def _tally(connection: psycopg.Connection[Any], grain: str, digits: int) -> None:
    from layers.tables import STATES

    table = sql.Identifier("pub", f"tally_{grain}")
    connection.execute(
        sql.SQL("delete from {} where dataset_no = (select dataset_no from pub.dataset where dataset = {})").format(
            table, sql.Literal(DATASET)
        )
    )
    connection.execute(
        sql.SQL(_TALLY).format(
            table=table, digits=sql.Literal(digits), states=sql.Literal(list(STATES)), dataset=sql.Literal(DATASET)
        )
    )
    connection.execute(sql.SQL("vacuum analyze {}").format(table))


def _of_tallies(
    connection: psycopg.Connection[Any], catalog: Catalog, keys: Numbers, level: str, month: int, category: str
) -> dict[str, int]:
    counted = [keys.of(Count((DATASET,), (category,)))]
    scope, edition = Scope(catalog.city.code), catalog.city.edition
    found = sums(connection, scope, counted, edition=edition, level=level, periods=[month], step="month")
    return dict(zip(found["grid_code"], found["n0"], strict=True))


def _of_rows(connection: psycopg.Connection[Any], level: str, month: int, category: str) -> dict[str, int]:
    first = f"{month // 100}-{month % 100:02d}-01"
    return dict(connection.execute(_RAW, [LENGTHS[level], category, first, first]).fetchall())


def _timed(function: Callable[[], Any], times: int) -> tuple[float, Any]:
    """Median seconds of a function and what it gave."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        found = function()
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds)), found


def _one(connection: psycopg.Connection[Any], query: str, values: list[Any]) -> int:
    row = connection.execute(query.encode(), values).fetchone()
    assert row is not None
    return int(row[0])
