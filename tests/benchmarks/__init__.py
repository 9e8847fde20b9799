"""Figures to reach, measured beside a peer or a limit in one run on the same data: `make bench`.

Each `bench_*.py` has `run(report)` and calls `report(name, figure, goal, holds)` once for each goal. Nothing here runs
in the tests. What the benchmarks stand on, the full sample city and a database with it, is made once in `.local/bench`.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg
from psycopg import sql

from layers.accounts.logins import SHARED, let_login
from layers.database import Database, migrate
from layers.secrets import read_secrets
from layers.server import ensure_server
from layers.settings import CHECKOUT, Settings, read_settings

Report = Callable[[str, str, str, bool], None]

BENCH_DIR = CHECKOUT / ".local" / "bench"
UNTIL = date(2026, 6, 30)
"""Last day of the city's events: the figures do not depend on today."""
PEOPLE, EVENTS = 1_000_000, 1_000_000
"""How many the city has: as many as the figures to reach are set for."""


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


@dataclass(frozen=True)
class Cost:
    """What a step took: seconds on the clock, and of processors, its own processes' and the database server's."""

    wall_s: float
    cpu_s: float


def cost_of(step: Callable[[], object]) -> Cost:
    """Take a step and say what it cost; processor time tells more than the clock on a machine that others use."""
    gc.collect()
    wall, cpu = time.perf_counter(), _cpu_s()
    step()
    return Cost(time.perf_counter() - wall, _cpu_s() - cpu)


def median_cost(costs: Sequence[Cost]) -> Cost:
    """Median of the clock and of the processors, each by itself."""
    return Cost(statistics.median(c.wall_s for c in costs), statistics.median(c.cpu_s for c in costs))


def _cpu_s() -> float:
    """Processor seconds of this process, the server and all their descendants so far, finished ones included."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # gone since
        parents[int(folder.name)] = int(fields[1])
        ticks[int(folder.name)] = sum(map(int, fields[11:15]))
    servers = [int(path.read_text().split()[0]) for path in BENCH_DIR.rglob("postmaster.pid")]
    mine = {os.getpid(), *servers}
    while more := {pid for pid, parent in parents.items() if parent in mine} - mine:
        mine |= more
    return sum(ticks.get(pid, 0) for pid in mine) / os.sysconf("SC_CLK_TCK")


def bench_settings() -> Settings:
    """Settings of the benchmarks: everything made lies in `.local/bench`."""
    return read_settings({"LOCAL_DIR": str(BENCH_DIR)})


def full_city() -> Path:
    """Folder with the deliveries of the full sample city, built when missing."""
    from etl.demo import build_city

    folder = BENCH_DIR / "deliveries"
    if not (folder / "answers.json").exists():
        build_city(folder, "full", people=PEOPLE, events=EVENTS, until=UNTIL)
    return folder


def fresh_database(name: str) -> Database:
    """A database of this name with the schema and nothing in it; one that was there is dropped."""
    database = _database(name)
    with psycopg.connect(database.admin_url, autocommit=True) as conn:
        conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
    migrate(database)
    with database.connect("door") as door:
        let_login(door, SHARED, "4499")
    return database


def loaded_city() -> Database:
    """A database with the full sample city loaded by the ETL, made when missing."""
    from etl.run import run
    from layers.declare import read_catalog

    database = _database("city")
    with psycopg.connect(database.admin_url, autocommit=True) as conn:
        if conn.execute("select 1 from pg_database where datname = 'city'").fetchone():
            migrate(database)  # what is measured is the code as it is now
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
