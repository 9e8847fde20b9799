"""Load 1 M events: first, again, one in a hundred changed, 1 M more beside them; and 1 M people.

Ours reads, checks, converts, ties, quarantines, indexes and tallies; the peers, ogr2ogr and `to_postgis`, only put the
rows into a table with a spatial index, and the bare COPY sends rows that are ready into a table without any. What more
rows cost is put beside `INSERT .. ON CONFLICT` of rows that are ready into a table with the same keys and indexes.
"""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import geopandas as gpd
import pandas as pd
import psycopg
import sqlalchemy
from psycopg import sql

from etl.demo import build_city
from etl.run import run as run_deliveries
from layers.database import Database
from layers.declare import read_catalog
from layers.secrets import read_secrets
from tests.benchmarks import BENCH_DIR, UNTIL, Cost, Report, bench_settings, cost_of, fresh_database, median_cost

N_PEOPLE = 1_000_000
N_EVENTS = 1_250_000
"""Events of the city; eight in ten of them come in the file that is loaded here."""

N_ROWS = 1_000_000

DATASET = "grid_event"
GRIDS = ("grid_county", "grid_large", "grid_medium", "grid_small")
TIMES = 3


def run(report: Report) -> None:
    """Measure all ways in turn, three times over, and report the ratios of their medians."""
    ready = files()
    costs: dict[str, list[Cost]] = {}
    for _ in range(TIMES):
        database = fresh_database("load")
        _load(database, ready.first, *GRIDS)
        steps: dict[str, Callable[[], object]] = {
            "first": partial(_load, database, ready.first, DATASET),
            "again": partial(_load, database, ready.again, DATASET),
            "changed": partial(_load, database, ready.changed, DATASET),
            "ogr2ogr": partial(_ogr2ogr, database, ready.first / f"{DATASET}.csv"),
            "to_postgis": partial(_to_postgis, database, ready.first / f"{DATASET}.csv"),
        }
        for name, step in steps.items():
            costs.setdefault(name, []).append(cost_of(step))
        costs.setdefault("copy", []).append(_bare_copy(database))
        costs.setdefault("more", []).append(cost_of(partial(_load, database, ready.more, DATASET)))
        costs.setdefault("on conflict", []).append(_on_conflict(database))
        _check_peers(database)
        people = fresh_database("load_people")
        _load(people, ready.people, *GRIDS)
        costs.setdefault("people", []).append(cost_of(partial(_load, people, ready.people, "resident")))
    c = {name: median_cost(taken) for name, taken in costs.items()}
    first = c["first"]
    _say(report, "first load of 1 M events, against ogr2ogr", first, c["ogr2ogr"], 3, faster=True)
    _say(report, "first load of 1 M events, against to_postgis", first, c["to_postgis"], 4, faster=True)
    _say(report, "first load of 1 M events, against a bare COPY", first, c["copy"], 4)
    _say(report, "first load of 1 M people, against 1 M events", c["people"], first, 3)
    _say(report, "the same rows again, against the first load", c["again"], first, 0.3)
    _say(report, "one row in a hundred changed, against the first", c["changed"], first, 0.4)
    _say(report, "1 M more events beside 1 M, against ON CONFLICT", c["more"], c["on conflict"], 3, faster=True)


@dataclass(frozen=True)
class Files:
    first: Path
    again: Path
    changed: Path
    more: Path
    people: Path


def files() -> Files:
    """The deliveries: as sent, the same rows in a file that differs by its end, and one row in a hundred changed."""
    first = BENCH_DIR / "million"
    if not (first / "answers.json").exists():
        build_city(first, "full", events=N_EVENTS, until=UNTIL)
    people = BENCH_DIR / "people"
    if not (people / "answers.json").exists():
        build_city(people, "full", people=N_PEOPLE, events=2_000, until=UNTIL)
    more = BENCH_DIR / "million_more"
    made = Files(first, BENCH_DIR / "million_again", BENCH_DIR / "million_changed", more, people)
    name = f"{DATASET}.csv"
    lines = (first / name).read_text(encoding="utf-8-sig").splitlines(keepends=True)
    for folder in (made.again, made.changed):
        folder.mkdir(exist_ok=True)
    (made.again / name).write_text("".join(lines) + "\n", encoding="utf-8-sig")
    lines[100::100] = [line.replace("村民", "居民").replace('"结案"', '"已核查"') for line in lines[100::100]]
    (made.changed / name).write_text("".join(lines), encoding="utf-8-sig")
    multiply(first / name, made.more / name, ["F"], years_back=4)
    return made


def multiply(source: Path, target: Path, letters: Sequence[str], *, years_back: int = 0) -> None:
    """Write a file's events once for each letter, which their keys then begin with, so many years earlier."""
    target.parent.mkdir(exist_ok=True)
    years = [(f'"{year}-', f'"{year - years_back}-') for year in range(UNTIL.year, UNTIL.year - 4, -1)]
    with target.open("w", encoding="utf-8-sig") as out:
        for letter in letters:
            with source.open(encoding="utf-8-sig") as rows:
                heading = next(rows)
                if letter == letters[0]:
                    out.write(heading)
                for row in rows:
                    line = f'"{letter}{row[2:]}' if row.startswith('"E') else row
                    for year, earlier in years if years_back else ():
                        line = line.replace(year, earlier)
                    out.write(line)


def _load(database: Database, folder: Path, *names: str) -> None:
    settings = bench_settings()
    report = run_deliveries(
        database,
        read_catalog(settings.catalog_dir),
        read_secrets(settings),
        folder,
        names,
        cache_dir=BENCH_DIR / "cache",
        say=lambda line: None,
    )
    if report.exit_code:
        raise RuntimeError(report.deliveries[0].problem)


def _ogr2ogr(database: Database, file: Path) -> None:
    words = ["-lco", "SPATIAL_INDEX=GIST", "-lco", "OVERWRITE=YES", "-nln", "public.peer_ogr", "-a_srs", "EPSG:4326"]
    columns = ["-oo", "X_POSSIBLE_NAMES=经度", "-oo", "Y_POSSIBLE_NAMES=纬度", "--config", "PG_USE_COPY", "YES"]
    subprocess.run(
        ["ogr2ogr", "-f", "PostgreSQL", "-overwrite", database.url("admin"), str(file), *words, *columns],
        check=True,
        capture_output=True,
    )


def _to_postgis(database: Database, file: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = pd.read_csv(file, dtype=str, on_bad_lines="skip", encoding="utf-8-sig")
        lon, lat = (pd.to_numeric(rows[name], errors="coerce") for name in ("经度", "纬度"))
        frame = gpd.GeoDataFrame(rows, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")
        engine = sqlalchemy.create_engine(database.url("admin").replace("postgresql://", "postgresql+psycopg://"))
        frame.to_postgis("peer_to_postgis", engine, if_exists="replace")
        engine.dispose()


def _bare_copy(database: Database) -> Cost:
    """What it costs to send the loaded rows, as the server itself writes them, into a table without keys or indexes."""
    with psycopg.connect(database.url("admin"), autocommit=True) as connection:
        connection.execute("drop table if exists public.peer_copy")
        connection.execute("create table public.peer_copy (like ops.event)")
        with connection.cursor().copy("copy ops.event to stdout (format binary)") as copy:
            ready = b"".join(copy)

        def send() -> None:
            with connection.cursor().copy("copy public.peer_copy from stdin (format binary)") as copy:
                copy.write(ready)

        return cost_of(send)


def _on_conflict(database: Database) -> Cost:
    """What it costs to add the events loaded last, ready as they are, by their key, to as many under all indexes."""
    with psycopg.connect(database.url("admin"), autocommit=True) as connection:
        run = connection.execute
        run("drop table if exists public.peer_conflict, public.peer_new")
        run("create table public.peer_conflict (like ops.event including all)")
        run("create unique index on public.peer_conflict (dataset, source_key)")
        run("insert into public.peer_conflict select * from ops.event where source_key < 'F'")
        run("create table public.peer_new as select * from ops.event where source_key >= 'F'")
        names = [row[0] for row in run("select attname from pg_attribute where attrelid = 'ops.event'::regclass"
                                       " and attnum > 0 and attname not in ('dataset', 'source_key')")]  # fmt: skip
        sets = sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in names)
        add = sql.SQL(
            "insert into public.peer_conflict select * from public.peer_new"
            " on conflict (dataset, source_key) do update set {}"
        ).format(sets)
        return cost_of(lambda: run(add))


def _check_peers(database: Database) -> None:
    """Make sure that the peers did what is compared: all rows, with their points, under a spatial index."""
    with psycopg.connect(database.url("admin")) as connection:
        for table, geometry in (("peer_ogr", "wkb_geometry"), ("peer_to_postgis", "geometry")):
            count = sql.SQL("select count(*), count({0}) from public.{1}")
            row = connection.execute(count.format(sql.Identifier(geometry), sql.Identifier(table))).fetchone()
            gist = "select count(*) from pg_indexes where tablename = %s and indexdef like '%%USING gist%%'"
            index = connection.execute(gist, [table]).fetchone()
            if row is None or min(row) < N_ROWS * 0.95 or index != (1,):
                raise RuntimeError(f"{table} has {row} rows and points and {index} spatial indexes")


def _say(report: Report, name: str, ours: Cost, other: Cost, goal: float, *, faster: bool = False) -> None:
    """Report a ratio of clocks, and behind it both costs."""
    ratio = other.wall_s / ours.wall_s if faster else ours.wall_s / other.wall_s
    holds = ratio >= goal if faster else ratio <= goal
    said = f"{ratio:.2f} x ({_cost(ours)} against {_cost(other)})"
    report(name, said, f"{'>=' if faster else '<='} {goal} x", holds)


def _cost(cost: Cost) -> str:
    return f"{cost.wall_s:.1f} s, {cost.cpu_s:.1f} of processors"
