"""Figures to reach, measured beside a peer or a limit in one run on the same data: `make bench`.

Each `bench_*.py` has `run(report)` and calls `report(name, figure, goal, holds)` once for each goal. Nothing here runs
in the tests. What the benchmarks stand on, the full sample city and a database with it, is made once in `.local/bench`.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psycopg
from psycopg import sql

from layers.database import Database, migrate
from layers.secrets import read_secrets
from layers.server import ensure_server
from layers.settings import CHECKOUT, Settings, read_settings

Report = Callable[[str, str, str, bool], None]

BENCH_DIR = CHECKOUT / ".local" / "bench"
UNTIL = date(2026, 6, 30)
"""Last day of the city's events: the figures do not depend on today."""


def medians_s(*functions: Callable[[], object], times: int = 3) -> list[float]:
    """Run functions in turn, several times over, and give the median seconds of each."""
    seconds: list[list[float]] = [[] for _ in functions]
    for _ in range(times):
        for taken, function in zip(seconds, functions, strict=True):
            gc.collect()
            started = time.perf_counter()
            function()
            taken.append(time.perf_counter() - started)
    return [statistics.median(taken) for taken in seconds]


def bench_settings() -> Settings:
    """Settings of the benchmarks: everything made lies in `.local/bench`."""
    return read_settings({"LOCAL_DIR": str(BENCH_DIR)})


def full_city() -> Path:
    """Folder with the deliveries of the full sample city, built when missing."""
    from etl.demo import build_city

    folder = BENCH_DIR / "deliveries"
    if not (folder / "answers.json").exists():
        build_city(folder, "full", until=UNTIL)
    return folder


def fresh_database(name: str) -> Database:
    """A database of this name with the schema and nothing in it; one that was there is dropped."""
    database = _database(name)
    with psycopg.connect(database.admin_url, autocommit=True) as conn:
        conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
    migrate(database)
    return database


def loaded_city() -> Database:
    """A database with the full sample city loaded by the ETL, made when missing."""
    from etl.run import run
    from layers.declare import read_catalog

    database = _database("city")
    with psycopg.connect(database.admin_url, autocommit=True) as conn:
        if conn.execute("select 1 from pg_database where datname = 'city'").fetchone():
            return database
        settings, folder = bench_settings(), full_city()
        loading = fresh_database("city_loading")
        report = run(
            loading, read_catalog(settings.catalog_dir), read_secrets(settings), folder, cache_dir=BENCH_DIR / "cache"
        )
        if any(delivery.status == "refused" for delivery in report.deliveries):
            raise RuntimeError("a delivery of the sample city was refused: see above")
        conn.execute("alter database city_loading rename to city")
    return database


def _database(name: str) -> Database:
    settings = bench_settings()
    server = ensure_server(settings, say=print)
    return Database(name=name, admin_url=server.admin_url, passwords=read_secrets(settings).passwords)
