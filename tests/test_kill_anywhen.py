"""Loaders and servers killed at random moments: each delivery is in whole or not at all, and a rerun completes it.

A model of what should stand there goes along: rows, who is gone, older versions, what is open in quarantine, counts.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from etl.copying import Connection
from layers.database import Database, migrate
from layers.secrets import read_secrets
from layers.server import ensure_server, remove_server
from layers.server.place import find_place
from layers.settings import Settings, read_settings
from tests.deliveries import REPORTS, Town

HEAD = REPORTS.strip().splitlines()[0]
KEYS = [f"K{n}" for n in range(40)]


@dataclass
class Model:
    """What should stand in the database after some files of the whole."""

    notes: dict[str, str] = field(default_factory=dict)
    alive: set[str] = field(default_factory=set)
    replaced: Counter[str] = field(default_factory=Counter)
    n_open: int = 0
    n_files: int = 0

    def after(self, good: dict[str, str], refused: set[str]) -> Model:
        """The model after one more file."""
        replaced = self.replaced + Counter(key for key in good if key in self.notes)
        alive = set(good) | (self.alive & refused)
        return Model({**self.notes, **good}, alive, replaced, len(refused), self.n_files + 1)


def found(town: Town) -> Model:
    """What does stand there; fails where its parts do not agree with each other."""
    with town.db.connect("admin") as connection:
        rows = connection.execute("select source_key, attrs ->> 'note', gone_on is null from ops.event").fetchall()
        alive = {key for key, _, is_alive in rows if is_alive}
        assert len(rows) == len({key for key, _, _ in rows})
        assert one(connection, "select coalesce(sum(n), 0)::int from pub.tally_large_month") == len(alive)
        assert one(connection, "select coalesce(sum(n), 0)::int from pub.tally_small_month") == len(alive)
        agree = (
            "select count(*)::int from ops.event e join raw.source_registry r on (r.dataset, r.source_key, r.town_code,"
            " r.id, coalesce(r.gone_on, '1900-01-01')) = (e.dataset, e.source_key, e.town_code, e.id,"
            " coalesce(e.gone_on, '1900-01-01'))"
        )
        assert one(connection, agree) == len(rows)
        assert one(connection, "select count(*)::int from raw.held_index") == 0
        past = connection.execute("select source_key, count(*)::int from ops.past group by 1").fetchall()
        return Model(
            {key: note for key, note, _ in rows},
            alive,
            Counter(dict(past)),
            one(connection, "select count(*)::int from raw.quarantine where resolved_at is null"),
            one(connection, "select count(*)::int from raw.delivery where dataset = 'report'"),
        )


def one(connection: Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def whole(town: Town) -> Town:
    """Declare that files of reports are the whole."""
    report = replace(town.catalog.datasets["report"], delivery="full")
    town.catalog = replace(town.catalog, datasets={**town.catalog.datasets, "report": report})
    return town


def next_file(town: Town, number: int, chance: random.Random) -> tuple[dict[str, str], set[str]]:
    """Deliver another file of the whole: what of it is good, and whose rows are refused."""
    good, refused, lines = {}, set(), []
    moment = f"2026-06-{1 + number // 1000:02d} {number // 60 % 24:02d}:{number % 60:02d}:00"
    for key in chance.sample(KEYS, chance.randint(20, len(KEYS))):
        is_bad = chance.random() < 0.05
        lon, lat = chance.choice(["115.05", "115.15"]), chance.choice(["22.05", "22.15"])
        kind = "fire" if is_bad else "noise"
        lines.append(f"{key} | {kind} | reported | 2026-06-01 00:00:00 | {moment} | {lon} | {lat} | {number}")
        if is_bad:
            refused.add(key)
        else:
            good[key] = str(number)
    town.deliver("report.csv", "\n".join([HEAD, *lines]))
    return good, refused


def load_in_a_process(address: tuple[str, str, str, str]) -> None:
    name, admin_url, local_dir, folder = address
    settings = read_settings({"LOCAL_DIR": local_dir})
    whole(Town(Database(name, admin_url, read_secrets(settings).passwords), settings, Path(folder))).load("report")


def kill_and_load(town: Town, context: ForkServerContext, n: int, seed: int, strike: Any) -> int:
    """Load `n` files, something struck down during each; return how many loads did not end by themselves."""
    chance, model, struck = random.Random(seed), Model(), 0
    whole(town).load("grid_small")
    address = (town.db.name, town.db.admin_url, str(town.settings.local_dir), str(town.files.parent))
    for number in range(n):
        good, refused = next_file(town, number, chance)
        following = model.after(good, refused)
        child = context.Process(target=load_in_a_process, args=(address,))
        child.start()
        child.join(chance.uniform(0.05, 1.6))
        struck += strike(child, number)
        assert found(town) in (model, following), f"file {number} of seed {seed}"
        assert [d.status for d in town.load("report").deliveries] in (["loaded"], ["known"])
        assert found(town) == following, f"file {number} of seed {seed}"
        model = following
    return struck


def kill_the_loader(child: Any, number: int) -> int:
    """Kill the loader, wherever it is."""
    was_alive = bool(child.is_alive())
    if was_alive:
        os.kill(child.pid, signal.SIGKILL)
    child.join(120)
    return int(was_alive)


@pytest.fixture(scope="module")
def context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.test_kill_anywhen"])
    return context


@pytest.fixture
def own_town(tmp_path: Path) -> Iterator[Town]:
    """A town on a server of its own, which may be killed."""
    settings = read_settings({"LOCAL_DIR": str(tmp_path / "local")})
    server = ensure_server(settings, say=lambda line: None)
    try:
        database = Database("killed", server.admin_url, read_secrets(settings).passwords)
        migrate(database)
        yield Town(database, settings, tmp_path / "town")
    finally:
        remove_server(settings, say=lambda line: None)


def test_a_loader_killed_at_random_moments(
    db: Database, settings: Settings, tmp_path: Path, context: ForkServerContext
) -> None:
    assert kill_and_load(Town(db, settings, tmp_path), context, 4, 1, kill_the_loader) <= 4


@pytest.mark.soak
def test_five_hundred_kills_lose_nothing_and_double_nothing(
    db: Database, settings: Settings, tmp_path: Path, context: ForkServerContext
) -> None:
    assert kill_and_load(Town(db, settings, tmp_path), context, 500, 2, kill_the_loader) > 100


@pytest.mark.soak
def test_servers_stopped_at_once_lose_nothing_and_double_nothing(own_town: Town, context: ForkServerContext) -> None:
    def stop_the_server(child: Any, number: int) -> int:
        # what `pg_ctl stop -m immediate` sends: no farewell, recovery at the next start
        was_alive = bool(child.is_alive())
        pid_file = find_place(own_town.settings).data / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)
        child.join(120)
        ensure_server(own_town.settings, say=lambda line: None)
        return int(was_alive)

    assert kill_and_load(own_town, context, 25, 3, stop_the_server) > 5
