"""The loader is killed at every step: a delivery is in whole or not at all, and the next run needs no hand."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
import pytest

from etl import sources
from etl.sources import guarded
from etl.sources.guarded import Nursery
from layers.database import Database
from layers.secrets import read_secrets
from layers.settings import Settings, read_settings
from tests.deliveries import REPORTS, RESIDENTS, STEPS, Town, later

# Everything a load may write, in a form that two runs of the same load share: no ids, no times of loading.
STATE = (
    "select dataset, source_key, grid_code, updated_at::text from ops.event",
    "select dataset, source_key, grid_code, updated_at::text from vault.person",
    "select dataset, source_key, town_code, row_hash::text from raw.source_registry",
    "select e.source_key, s.step_no::text, s.state, s.town_code from ops.event_step s"
    " join ops.event e on e.town_code = s.town_code and e.id = s.event_id",
    "select i.dataset, p.source_key, i.town_code, '' from vault.identity i join vault.person p using (town_code, id)",
    "select dataset, reason, line::text, coalesce(resolution, '') from raw.quarantine",
    "select dataset, source_key, of_id::text, content ->> 'grid_code' from ops.past",
    "select dataset, file_name, n_read::text, n_inserted::text from raw.delivery",
    "select 'pub', grid_no::text, period::text, sum(n)::text from pub.tally_medium_day group by 2, 3"
    " having sum(n) <> 0",
    "select 'vault', grid_no::text, period::text, sum(n)::text from vault.tally_medium_day group by 2, 3"
    " having sum(n) <> 0",
    "select grid_code, cell, n::text, '' from pub.people_count",
    "select 'noted', dataset, '', '' from raw.recount",
    "select 'index', indexdef, '', '' from pg_indexes where schemaname in ('raw', 'vault', 'ops', 'pub')",
    "select 'key', conrelid::regclass || ' ' || pg_get_constraintdef(oid), '', '' from pg_constraint",
    "select 'held', statement, '', '' from raw.held_index",
    "select 'unguarded', relname::text, '', '' from pg_class where relforcerowsecurity and not relrowsecurity",
)


def state(db: Database) -> list[tuple[Any, ...]]:
    with psycopg.connect(db.url("admin")) as connection:
        return sorted(row for query in STATE for row in connection.execute(query.encode()).fetchall())


class Lent(Nursery):
    """The nursery of the test, lent to a loader that will be killed: to start one for each takes most of the time."""

    def __init__(self, line: socket.socket) -> None:
        super().__init__()
        self._line = line

    def _ensure(self) -> None:
        """It is there."""


def load_until(address: tuple[str, str, str, str], line: socket.socket, dataset: str, crash_at: int) -> None:
    """Load in a process of its own and kill it at its n-th step."""
    name, admin_url, local_dir, folder = address
    settings = read_settings({"LOCAL_DIR": local_dir})
    town = Town(Database(name, admin_url, read_secrets(settings).passwords), settings, Path(folder))
    left = crash_at

    def step(name: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    lent = Lent(line)
    with patch.object(guarded, "nursery_of", lambda process: lent), patch.object(sources, "nursery_of", lambda _: lent):
        town.load(dataset, at_step=step)


@dataclass(frozen=True)
class Processes:
    """A server that forks children which have everything imported, and the line to a nursery they are lent."""

    context: ForkServerContext
    line: socket.socket

    def load_until(self, town: Town, dataset: str, crash_at: int) -> int | None:
        """Load in a process of its own, to be killed at its n-th step; how it ended."""
        address = (town.db.name, town.db.admin_url, str(town.settings.local_dir), str(town.files.parent))
        child = self.context.Process(target=load_until, args=(address, self.line, dataset, crash_at))
        child.start()
        child.join(120)
        return child.exitcode


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    """How loaders are started; the test itself has threads and may not fork."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.test_kill"])
    nursery = Nursery()
    nursery.warm()
    assert nursery._line is not None
    yield Processes(context, nursery._line)
    nursery.close()


def noted(town: Town) -> bool:
    """Whether somebody noted that rows of people are in, and their counts not published yet."""
    return town.rows("select count(*) from raw.recount") != [(0,)]


def kill_at_every_step(
    town: Town, dataset: str, processes: Processes, between: Callable[[Town], bool] = lambda town: False
) -> int:
    """Kill a load at step 1, 2, 3 .. until it runs through; the state is the old one or the new one, never between.

    What lies `between` says so of itself, and the next run goes on from there.
    """
    before, seen = state(town.db), list[list[tuple[Any, ...]]]()
    for n in range(1, 100):
        code = processes.load_until(town, dataset, n)
        after = state(town.db)
        if code == 0:
            assert after != before
            assert set(map(tuple, seen)) <= {tuple(before), tuple(after)}
            return n - 1
        assert code == -signal.SIGKILL
        if not between(town):
            seen.append(after)
    raise AssertionError("the load never ran through")


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path) -> Town:
    town = Town(db, settings, tmp_path)
    town.deliver("report.csv", REPORTS)
    town.deliver("step.csv", STEPS)
    town.deliver("resident.csv", RESIDENTS)
    return town


def test_grids(town: Town, processes: Processes) -> None:
    assert kill_at_every_step(town, "grid_small", processes) >= 5


def test_a_first_load_of_events(town: Town, processes: Processes) -> None:
    town.load("grid_small")
    assert kill_at_every_step(town, "report", processes) >= 8


def test_people(town: Town, processes: Processes) -> None:
    town.load("grid_small")
    assert kill_at_every_step(town, "resident", processes, between=noted) >= 9
    n_grids = "select count(*) from pub.grid"
    assert town.rows("select count(*) from pub.people_count where breakdown = 'all'") == town.rows(n_grids)
    assert not noted(town)


def test_steps_of_events(town: Town, processes: Processes) -> None:
    town.load("grid_small", "report")
    assert kill_at_every_step(town, "report_step", processes) >= 6


def test_changes_and_moves(town: Town, processes: Processes) -> None:
    town.load()
    moved = later(REPORTS, "A2", "A3").replace("115.15 | 22.05 | 第二", "115.15 | 22.15 | 第二").replace("第三", "三")
    town.deliver("report.csv", moved.replace("A6 | fire", "A6 | flood"))
    assert kill_at_every_step(town, "report", processes) >= 8
