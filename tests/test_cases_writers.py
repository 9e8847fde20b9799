"""Many writers on few cases while their connections break: no step is illegal, lost or doubled."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from people_at_work import actor, cases, counted, key, prepare, working_catalog
from signing import signed

from layers.access import Actor, Scope
from layers.cases import Case
from layers.database import Database, migrate, open_database
from layers.errors import CaseError, ServerError
from layers.lifecycle import find
from layers.server import ensure_server, remove_server
from layers.server.place import find_place
from layers.settings import read_settings

CATALOG = working_catalog()
CITY = Scope("4499")
ROLES = ("resident", "grid_worker", "dispatcher", "department_handler", "case_officer")


@dataclass
class Storm:
    """What the writers were told: keys of steps acknowledged, and how often a connection broke."""

    db: Database
    events: list[int]
    n_steps: int
    told: set[str] = field(default_factory=set)
    n_stale: int = 0
    n_broken: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, seed: int) -> None:
        """Take steps at random; after a broken connection send the same again until there is an answer."""
        draw = random.Random(seed)
        for _ in range(self.n_steps):
            one, event_id, role = key(), draw.choice(self.events), draw.choice(ROLES)
            who = actor(role, account=f"{role}.{seed}")  # type: ignore[arg-type]
            choice: tuple[Case, str] | None = None
            while True:
                try:
                    with signed(self.db, autocommit=True) as web:
                        if choice is None:
                            case = cases.read_case(web, CITY, event_id)
                            steps = [t.step for t in case.steps_for(who) if t.step not in ("merge", "withdraw")]
                            if not steps:
                                break
                            choice = case, draw.choice(steps)
                        self._take(web, who, *choice, one)
                        break
                except (psycopg.OperationalError, ServerError):
                    with self.lock:
                        self.n_broken += 1

    def _take(self, web: Any, who: Actor, case: Case, step: str, one: str) -> None:
        until = datetime.now().astimezone() + timedelta(days=1)
        try:
            cases.take_step(
                web, CATALOG, who, case, step,
                key=one, reason="说明", department="water", outcome="settled", until_at=until,
            )  # fmt: skip
        except CaseError as error:
            assert error.why in ("stale", "missing")
            with self.lock:
                self.n_stale += error.why == "stale"
        else:
            with self.lock:
                self.told.add(one)


def blow(db: Database, n_writers: int, n_steps: int, disturb: Callable[[], object]) -> Storm:
    """Let the writers write, and disturb them as long as any of them does."""
    prepare(db)
    with signed(db) as web:
        said = [cases.Report(key(), "noise", "449901001001001", dataset="call") for _ in range(6)]
        made = [cases.report(web, CATALOG, actor("grid_worker"), one) for one in said]
    storm = Storm(db, [m.id for m in made], n_steps)
    with ThreadPoolExecutor(n_writers) as pool:
        running = [pool.submit(storm.write, seed) for seed in range(n_writers)]
        while not all(one.done() for one in running):
            disturb()
        for one in running:
            one.result()
    return storm


def check(storm: Storm) -> None:
    """Read the whole log and compare it with the table, the events, the counts and what the writers were told."""
    with storm.db.connect("admin") as admin:
        rows = admin.execute(
            "select s.event_id, s.step_no, s.step, coalesce(s.from_state, ''), s.state, s.request_key, e.state,"
            " e.version from ops.event_step s join ops.event e on e.id = s.event_id order by 1, 2"
        ).fetchall()
        at: dict[int, tuple[int, str]] = {}
        for event_id, number, step, before, after, _, _, _ in rows:
            rule = find(step, before)
            assert rule is not None and rule.state == after
            assert (number, before) == (at.get(event_id, (0, ""))[0] + 1, at.get(event_id, (0, ""))[1])
            at[event_id] = number, after
        assert {event: (version, state) for event, *_, state, version in rows} == at
        keys = [row[5] for row in rows]
        assert len(keys) == len(set(keys)) and storm.told <= set(keys)
        # what was not acknowledged was refused: every step in the log was told to somebody, or is a report
        assert set(keys) - storm.told == {row[5] for row in rows if row[2] == "report"}
        states = admin.execute("select state, count(*)::int from ops.event group by 1 order by 1").fetchall()
        assert counted(admin) == dict(states)
        order = admin.execute("select change_no from ops.event_step order by event_id, step_no").fetchall()
        assert len(order) == len(set(order))


def break_connections(db: Database) -> Callable[[], object]:
    """Break the connections of all who write, again and again."""

    def disturb() -> None:
        with psycopg.connect(db.url("admin"), autocommit=True) as admin:
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                " and usename = 'atlas_web' and state <> 'idle' and random() < 0.02"
            )

    return disturb


def test_writers_whose_connections_break_lose_and_double_nothing(db: Database) -> None:
    storm = blow(db, n_writers=8, n_steps=20, disturb=break_connections(db))
    check(storm)
    assert len(storm.told) > 20


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[tuple[Database, Callable[[], object]]]:
    """A database on a server of its own, and what stops that server at once and starts it again."""
    settings = read_settings({"LOCAL_DIR": str(tmp_path / "local")})
    ensure_server(settings, say=lambda line: None)
    db = open_database(settings)
    migrate(db)

    def restart() -> None:
        os.kill(int((find_place(settings).data / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        ensure_server(settings, say=lambda line: None)
        with signed(db, autocommit=True) as web:  # let some of them write before the next one
            web.execute("listen cases")
            list(web.notifies(timeout=3, stop_after=200))

    yield db, restart
    remove_server(settings, say=lambda line: None)


@pytest.mark.soak
def test_sixty_four_writers_on_a_server_that_is_restarted_again_and_again(
    own_server: tuple[Database, Callable[[], object]],
) -> None:
    db, restart = own_server
    storm = blow(db, n_writers=64, n_steps=60, disturb=restart)
    check(storm)
    assert storm.n_broken > 0 and len(storm.told) > 200
