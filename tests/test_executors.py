"""The same deliveries by other hands: more processes, a Dask cluster, workers that are killed midway."""

from __future__ import annotations

import multiprocessing
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dask
import psycopg
import pytest
from databases import copy_of

from etl.executors import open_executor
from layers.database import Database
from layers.errors import ServerError, SettingError
from layers.secrets import secrets_file
from layers.server import Server
from layers.settings import CHECKOUT, Settings
from tests.deliveries import RESIDENTS, Town
from tests.test_kill import state

TOKENS = "select encode(name_token, 'hex'), encode(phone_token, 'hex') from vault.identity order by 1, 2"
STATES = ("reported", "handling", "closed")
SENT_AT = datetime(2026, 6, 30, tzinfo=UTC).timestamp()


def reports(n: int, change: int = 0) -> str:
    """Reports in all four grids, every ninth of no known category, every eleventh repeating a key of long before."""
    rows = ["no | category | state | reported | updated | lon | lat | note"]
    for i in range(n):
        no = i - 10 if i % 11 == 10 else i
        category = "fire" if i % 9 == 8 else "noise"
        moment = f"2026-06-{1 + i % 28:02} 08:{i % 60:02}:00"
        where = f"115.{5 + 10 * (i % 2):02} | 22.{5 + 10 * (i // 2 % 2):02}"
        note = f"第{i + (change if i % 5 == 0 else 0)}件"
        rows.append(f"B{no} | {category} | {STATES[i % 3]} | {moment} | {moment} | {where} | {note}")
    return "\n".join(rows)


def everything(town: Town) -> list[tuple[Any, ...]]:
    return [*state(town.db), *town.rows(TOKENS)]


def nothing(name: str) -> None:
    """Do nothing at a step."""


def load_twice(town: Town, executor: str, at_step: Callable[[str], None] = nothing) -> list[Any]:
    """Load reports and residents, then changed reports; give the counts of every delivery."""
    town.deliver("report.csv", reports(90))
    os.utime(town.deliver("resident.csv", RESIDENTS), (SENT_AT, SENT_AT))
    done = town.load(executor=executor, at_step=at_step).deliveries
    town.deliver("report.csv", reports(90, change=500))
    done += town.load("report", executor=executor).deliveries
    assert [d.problem for d in done if d.status == "refused"] == []
    assert town.rows("select count(*) from raw.staging") == [(0,)]
    return [(d.dataset, d.n_read, d.n_inserted, d.n_updated, d.n_unchanged, d.reasons, d.tied) for d in done]


@pytest.fixture
def workers_see(settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings that worker processes read, and batches so small that there are many of them."""
    monkeypatch.setenv("LOCAL_DIR", str(settings.local_dir))
    monkeypatch.setenv("DATABASE_URL", db.url("admin"))
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    monkeypatch.setattr("etl.crew.ROWS", 8)


@pytest.fixture(scope="module")
def expected(
    template: Database, server: Server, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[list[Any], list[Any]]]:
    """What one process makes of the same deliveries: counts, and everything in the database."""
    with copy_of(template, server, settings) as alone:
        town = Town(alone, settings, tmp_path_factory.mktemp("alone"))
        yield load_twice(town, "local"), everything(town)


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path) -> Town:
    return Town(db, settings, tmp_path)


@pytest.mark.usefixtures("workers_see")
def test_processes_of_which_one_is_killed(town: Town, expected: tuple[list[Any], list[Any]]) -> None:
    killed: list[int] = []

    def kill(name: str) -> None:
        children = multiprocessing.active_children()
        if name == "batch written" and children and not killed:
            killed.append(children[0].pid or 0)
            children[0].kill()

    counts = load_twice(town, "processes:2", kill)
    assert len(killed) == 1
    assert (counts, everything(town)) == expected
    assert multiprocessing.active_children() == []


@pytest.fixture
def cluster(workers_see: None) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """A Dask scheduler and two workers on loopback, started as the documentation says."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str, until: str) -> str:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"COLUMNS": "200"},
        )
        started.append(process)
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(until, line):
                return found[0]
        raise AssertionError("".join(said))

    try:
        address = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", until=r"tcp://[\d.]+:\d+")
        for _ in range(2):
            start("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", until="Registered to")
        yield address, started[1:]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()
            if process.stderr is not None:
                process.stderr.close()


def test_a_cluster_of_two_workers_of_which_one_is_killed(
    town: Town, cluster: tuple[str, list[subprocess.Popen[str]]], expected: tuple[list[Any], list[Any]]
) -> None:
    address, workers = cluster

    def kill(name: str) -> None:
        if name == "batch written":
            workers[0].kill()

    counts = load_twice(town, address, kill)
    assert [worker.wait() if at == 0 else worker.poll() for at, worker in enumerate(workers)] == [-9, None]
    assert (counts, everything(town)) == expected


@pytest.mark.usefixtures("workers_see")
def test_a_worker_with_other_keys_can_open_nothing(
    town: Town, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.load("grid_small")
    other = Settings(**{**vars(settings), "local_dir": tmp_path / "other"})
    text = secrets_file(settings).read_text(encoding="utf-8")
    other.local_dir.mkdir()
    secrets_file(other).touch(0o600)
    secrets_file(other).write_text(re.sub(r'identity_key_id = ".*"', 'identity_key_id = "other"', text), "utf-8")
    monkeypatch.setenv("LOCAL_DIR", str(other.local_dir))
    town.deliver("report.csv", reports(5))
    (report,) = town.load("report", executor="processes:1").deliveries
    assert report.status == "refused" and "'other'" in report.problem
    assert town.rows("select count(*) from ops.event") == [(0,)]


def test_what_a_killed_loader_left_in_staging_goes_with_its_space(town: Town) -> None:
    town.rows("select 1")
    with town.db.connect("loader") as connection:
        connection.execute("insert into raw.staging values ('killed', 0, %b)", [os.urandom(200_000)])
    size = "select pg_total_relation_size('raw.staging') > 200000"
    assert town.rows(size) == [(True,)]
    with psycopg.connect(town.db.url("loader"), autocommit=True) as another:
        another.execute("select pg_advisory_lock_shared(4490004)")
        town.load("grid_small")
        assert town.rows("select count(*) from raw.staging") == [(1,)], "another loader uses staging"
    town.load("grid_small")
    assert town.rows(size) == [(False,)]


@pytest.mark.parametrize("name", ["", "processes", "processes:0", "processes:100", "tcp://here", "http://here:1"])
def test_an_executor_nobody_knows(name: str) -> None:
    with pytest.raises(SettingError, match="no executor"):
        open_executor(name)


def test_a_scheduler_that_is_not_there() -> None:
    opened = open_executor("tcp://127.0.0.1:9")
    assert opened is not None
    with dask.config.set({"distributed.comm.timeouts.connect": "200ms"}), pytest.raises(ServerError), opened:
        pass
