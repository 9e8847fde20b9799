"""A day in the sample city: made-up cases reported, dispatched, handled, visited and closed by the real functions.

For watching the wall move, and only in the sample city: a real one is refused.
"""

from __future__ import annotations

import itertools
import os
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import psycopg

from layers import cases
from layers.access import AccountRole, Actor, Scope
from layers.accounts.records import keep_demo_accounts
from layers.accounts.sessions import carry, end_session, open_session
from layers.database import Database
from layers.declare.records import Catalog
from layers.errors import AtlasError, CaseError
from layers.gazetteer import read_gazetteer

SAMPLE_CITY = "4499"
DATASET = "grid_event"
AT_WORK = 200
"""Cases under way at most; the oldest is left as it stands."""

CALL_EVERY = 400
"""Steps after which a grid calls again."""

REPORTS = 0.4
"""Share of the steps that are new reports."""

WAY: dict[str, tuple[str, AccountRole]] = {
    "reported": ("accept", "dispatcher"),
    "accepted": ("dispatch", "dispatcher"),
    "dispatched": ("take_on", "department_handler"),
    "handling": ("finish", "department_handler"),
    "handled": ("pass", "case_officer"),
    "checked": ("close", "dispatcher"),
}
"""What is done next in each state, and by whom."""


def live_city(
    db: Database,
    catalog: Catalog,
    *,
    rate: float = 1.0,
    steps: int | None = None,
    hours: float = 0,
    seed: int = 4499,
    beside: int | None = None,
    say: Callable[[str], None] = print,
) -> int:
    """Take steps at a rate until there are so many, or until interrupted; return how many were taken.

    Parameters
    ----------
    db
        The sample city's.
    catalog
        Its declarations.
    rate
        Steps a second; 0 for as fast as it goes.
    steps
        How many; without end when left out.
    hours
        Reports are dated back, spread over so many hours, for a screen that is to have a past at once.
    seed
        Another seed, another day.
    beside
        Process beside which it runs: it ends with that.
    say
        Called with a line now and then.

    Raises
    ------
    AtlasError
        This is not the sample city.
    """
    n = 0
    with crew_of(db, catalog) as crew:
        day = Day(crew, catalog, np.random.default_rng(seed), timedelta(hours=hours))
        begun = time.monotonic()
        try:
            for n in itertools.count(1):
                day.step()
                if n % 100 == 0:
                    say(f"{n} steps")
                if n % CALL_EVERY == 0:
                    day.call()
                if (steps is not None and n >= steps) or not is_there(beside):
                    break
                if rate:
                    time.sleep(max(0.0, begun + n / rate - time.monotonic()))
        except KeyboardInterrupt:
            say("Stopped.")
    return n


def is_there(process: int | None) -> bool:
    """Tell whether a process still runs; none named always does."""
    if process is None:
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def spot_in(grids: pd.DataFrame, code: str, chance: np.random.Generator) -> tuple[float, float]:
    """Choose a spot about the centre of a grid, where a case may have been seen: longitude and latitude."""
    columns = ["lon", "lat", "west", "south", "east", "north"]
    lon, lat, west, south, east, north = grids.loc[code, columns].to_numpy(dtype=float)
    aside = chance.uniform(-0.1, 0.1, 2)
    return round(float(lon + aside[0] * (east - west)), 6), round(float(lat + aside[1] * (north - south)), 6)


class Day:
    """Cases under way, and chance."""

    def __init__(self, crew: Crew, catalog: Catalog, chance: np.random.Generator, back: timedelta) -> None:
        self._crew, self._web, self._catalog, self._chance, self._back = crew, crew.web, catalog, chance, back
        with crew.acting("dispatcher"):
            grids = read_gazetteer(crew.web, Scope(SAMPLE_CITY)).inside(SAMPLE_CITY, "small")
        if not len(grids):
            raise AtlasError("The sample city has no grids yet.", "Load it first: `make demo`, or `python -m etl run`.")
        self.grids, self._spots = grids.index.to_numpy(), grids
        self._weights = chance.pareto(1.6, len(grids)) + 0.3
        self._weights /= self._weights.sum()
        kinds = (one for one in catalog.categories.values() if one.table == "event" and not one.sensitive)
        self._kinds = [one for one in kinds if one.department in catalog.departments]
        self._at_work: deque[int] = deque(maxlen=AT_WORK)

    def step(self) -> None:
        """Report something, or move a case on; what a case refuses is left to the next step."""
        if not self._at_work or self._chance.random() < REPORTS:
            self._report()
            return
        place = int(self._chance.integers(len(self._at_work)))
        number = self._at_work[place]
        try:
            with self._crew.acting("dispatcher") as who:
                case = cases.read_case(self._web, who.scope, number)
            if case.state not in WAY:
                del self._at_work[place]
                self._report()
                return
            self._move(case)
        except CaseError:
            del self._at_work[place]

    def call(self) -> None:
        """Let a grid call."""
        from etl.demo.calling import call_again

        call_again(self._crew, self._catalog, self.grids, self._chance, datetime.now(UTC))

    def report_at(self, at: datetime, is_dealt_with: bool) -> None:
        """Report something that happened at a moment, and have it dealt with to the end or not at all."""
        self._report(at)
        if not is_dealt_with:
            return
        number = self._at_work.pop()
        for _ in WAY:
            with self._crew.acting("dispatcher") as who:
                case = cases.read_case(self._web, who.scope, number)
            if case.state in WAY:
                self._move(case)

    def _report(self, at: datetime | None = None) -> None:
        kind = self._kinds[int(self._chance.integers(len(self._kinds)))]
        grid = str(self._chance.choice(self.grids, p=self._weights))
        if at is None and self._back:
            at = datetime.now(UTC) - self._back * float(self._chance.random())
        said = cases.Report(
            f"live-{uuid.uuid4().hex}", kind.key, grid, spot_in(self._spots, grid, self._chance),
            dataset=DATASET, at=at, is_urgent=bool(self._chance.random() < 0.08),
        )  # fmt: skip
        with self._crew.acting("grid_worker") as who:
            self._at_work.append(cases.report(self._web, self._catalog, who, said).id)

    def _move(self, case: cases.Case) -> None:
        step, role = WAY[case.state]
        department = self._catalog.categories[case.category].department
        with self._crew.acting(role, case.department) as who:
            cases.take_step(
                self._web, self._catalog, who, case, step, key=uuid.uuid4().hex, reason="演示",
                outcome="settled" if step == "close" else None,
                department=department if step == "dispatch" else None,
            )  # fmt: skip


@contextmanager
def crew_of(db: Database, catalog: Catalog) -> Iterator[Crew]:
    """Sign everybody in who works in the sample city, one of each role and a handler of each department.

    Raises
    ------
    AtlasError
        This is not the sample city.
    """
    if catalog.city.code != SAMPLE_CITY:
        raise AtlasError("This is not the sample city.", "Made-up cases are for the sample city only.")
    departments = tuple(catalog.departments)
    with db.connect("door") as door:
        keep_demo_accounts(door, SAMPLE_CITY, departments, is_demo=True)
        door.cursor().executemany(_HANDLER, [(_handler(one), SAMPLE_CITY, one) for one in departments])
        accounts = {one: f"demo.{one}" for one in ("grid_worker", "dispatcher", "case_officer")}
        accounts |= {one: _handler(one) for one in departments}
        tokens = {key: open_session(door, account, label="live") for key, account in accounts.items()}
    try:
        with db.connect("web", autocommit=True) as web:
            yield Crew(web, tokens, accounts)
    finally:
        with db.connect("door") as door:
            for token in tokens.values():
                end_session(door, token)


class Crew:
    """One connection that acts for whoever has the next step to take."""

    def __init__(self, web: psycopg.Connection[Any], tokens: dict[str, str], accounts: dict[str, str]) -> None:
        self.web, self._tokens, self._accounts = web, tokens, accounts

    @contextmanager
    def acting(self, role: AccountRole, department: str | None = None) -> Iterator[Actor]:
        """Act as somebody of a role for one transaction; a handler is one of the department."""
        key = (department or "") if role == "department_handler" else role
        own = department if role == "department_handler" else None
        with self.web.transaction():
            carry(self.web, self._tokens[key])
            yield Actor(self._accounts[key], role, Scope(SAMPLE_CITY), own)


_HANDLER = (
    "insert into auth.account (account, name, role, scope, department, is_disabled, is_demo, n_failed, created_at)"
    " values (%s, 'department_handler', 'department_handler', %s, %s, false, true, 0, now())"
    " on conflict (account) do update set is_disabled = false"
)


def _handler(department: str) -> str:
    return f"demo.handler.{department}"
