"""Simulated weeks run through the functions by simulated people; at the end the books balance at every level."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import psycopg
import pytest
from little_city import GRIDS, table
from people_at_work import START, actor, cases, key, needs, prepare, satisfaction, working_catalog
from signing import signed

from layers.access import Scope
from layers.cases import Case
from layers.codes import LENGTHS
from layers.counts import tally
from layers.database import Database
from layers.declare.case_records import Calendar, DuePolicy, Limit, Limits
from layers.errors import CaseError
from layers.lifecycle import CASE_ROLES, OPEN_STATES
from layers.performance import performance
from layers.tables import OUTCOMES

CITY = Scope("4499")
SMALL = [row["code"] for row in table(GRIDS) if len(row["code"]) == 15]
CATALOG = working_catalog(
    calendar=Calendar(),
    limits=Limits(normal={"any": Limit(1, "working_days")}, due=(DuePolicy(date(2025, 1, 1)),), reopens=("noise",)),
)
RARE = {"return": 0.3, "suspend": 0.3, "extend": 0.2, "rework": 0.3, "withdraw": 0.05, "merge": 0.05, "refuse": 0.1,
        "dismiss": 0.05, "reopen": 0.05, "reconsider": 0.2}  # fmt: skip


@dataclass
class Town:
    """People who report and work on cases until a day."""

    web: psycopg.Connection[object]
    draw: random.Random
    end: datetime
    made: list[int]

    def live(self, n_cases: int) -> None:
        """Report cases over the days and take each along its way until the end."""
        days = (self.end - START) / timedelta(days=1)
        for _ in range(n_cases):
            at = START + timedelta(days=self.draw.random() * days)
            role = self.draw.choice(("resident", "grid_worker", "grid_worker"))
            settled = "当场处理" if role == "grid_worker" and self.draw.random() < 0.3 else ""
            said = cases.Report(key(), self.draw.choice(("noise", "drainage")), self.draw.choice(SMALL), dataset="call",
                                settled=settled, is_urgent=self.draw.random() < 0.1, at=at)  # fmt: skip
            self.made.append(cases.report(self.web, CATALOG, actor(role), said).id)  # type: ignore[arg-type]
            self._along(self.made[-1], at)

    def _along(self, event_id: int, at: datetime) -> None:
        while (at := at + timedelta(hours=self.draw.expovariate(1 / 5))) < self.end:
            case = cases.read_case(self.web, CITY, event_id)
            if case.state == "closed":
                self._ask(case, at)
                return
            role = self.draw.choice(CASE_ROLES)
            who = actor(role, department=case.department or "water")
            steps = [t.step for t in case.steps_for(who) if self.draw.random() < RARE.get(t.step, 1)]
            if not steps:
                continue
            step, more = self.draw.choice(steps), needs("dispatch", at)
            more |= {"department": self.draw.choice(("water", "justice")) if step == "dispatch" else None}
            more |= {"outcome": self.draw.choice(OUTCOMES), "duplicate_of": self.made[0]}
            try:
                cases.take_step(self.web, CATALOG, who, case, step, key=key(), at=at, **more)
            except CaseError as error:
                assert error.why == "missing"  # somebody else's case, or an extension that is none

    def _ask(self, case: Case, at: datetime) -> None:
        asked = satisfaction.ask(self.web, actor("case_officer"), case.id, by_link=True)
        if self.draw.random() < 0.6:
            is_satisfied = self.draw.random() < 0.8
            satisfaction.answer(self.web, CATALOG, is_satisfied=is_satisfied, reason="还在吵", token=asked.token)
            satisfaction.reopen_by_policy(self.web, CATALOG, actor("dispatcher"))


def run(db: Database, n_cases: int, days: int) -> Town:
    prepare(db)
    with signed(db, autocommit=True) as web:
        town = Town(web, random.Random(4499), START + timedelta(days=days), [])
        town.live(n_cases)
        check(db, web, n_cases)
    return town


def check(db: Database, web: psycopg.Connection[object], n_cases: int) -> None:
    """Reported = open + refused + closed by outcome, at every level, in events, log, tallies and rates alike."""
    with db.connect("admin") as admin:
        rows = admin.execute("select grid_code, state, outcome, version from ops.event").fetchall()
        steps = admin.execute("select count(*) from ops.event_step").fetchone()
    assert len(rows) == n_cases and steps == (sum(version for *_, version in rows),)
    assert all((state == "closed") == (outcome in OUTCOMES) for _, state, outcome, _ in rows)
    for level, digits in LENGTHS.items():
        reported = Counter(code[:digits] for code, *_ in rows)
        still_open = Counter(code[:digits] for code, state, *_ in rows if state in OPEN_STATES)
        refused = Counter(code[:digits] for code, state, *_ in rows if state == "refused")
        closed = [Counter(code[:digits] for code, _, o, _ in rows if o == outcome) for outcome in OUTCOMES]
        assert reported == sum(closed, start=still_open + refused)
        counted = tally(web, CATALOG, "call", CITY, level=level, period=None, by=("state",))
        by_grid = counted.groupby("grid_code")["n"].sum()
        assert by_grid[by_grid > 0].to_dict() == dict(reported)
        opened = counted[counted["state"].isin(OPEN_STATES)].groupby("grid_code")["n"].sum()
        assert opened[opened > 0].to_dict() == dict(still_open)
    years = [performance(web, CATALOG, CITY, year, by="4") for year in (2025, 2026, 2027)]
    whole = [frame.iloc[0] for frame in years if len(frame)]
    assert sum(int(row["reported"] + row["settled_on_spot"]) for row in whole) == n_cases
    assert all(row["satisfied"] <= row["answered"] <= row["asked"] <= row["closed"] for row in whole)


def test_a_week_ends_with_the_books_balanced(db: Database) -> None:
    run(db, n_cases=60, days=7)


@pytest.mark.soak
def test_two_years_end_with_the_books_balanced(db: Database) -> None:
    run(db, n_cases=4000, days=600)
