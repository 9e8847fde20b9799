"""Simulated weeks run through the routes of the pages by simulated people; the books balance each week, everywhere."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime

import psycopg
import pytest
from little_city import GRIDS, table
from people_at_work import prepare, working_catalog
from serving import serving
from signing import signed
from simulated_weeks import Weeks

from layers.access import Scope
from layers.codes import LENGTHS
from layers.counts import tally
from layers.database import Database
from layers.declare.case_records import Calendar, DuePolicy, Limit, Limits
from layers.lifecycle import OPEN_STATES, steps
from layers.performance import performance
from layers.settings import Settings
from layers.tables import OUTCOMES
from layers.tallies import fold

CITY = Scope("4499")
CATALOG = working_catalog(
    calendar=Calendar(),
    limits=Limits(normal={"any": Limit(1, "working_days")}, due=(DuePolicy(date(2023, 1, 1)),), reopens=("noise",)),
)


def run(db: Database, settings: Settings, *, weeks: int, reports: int) -> set[str]:
    """Run weeks of so many reports each, checking the books after every one; give the steps that were taken."""
    prepare(db)
    with (
        serving(db, CATALOG, settings, public_pages=("form",)) as server,
        signed(db, autocommit=True) as web,
        db.connect("loader", autocommit=True) as loader,
    ):
        town = Weeks(server, db, random.Random(4499))
        town.sign_everybody_in()
        for week in range(weeks):
            if week:
                town.pass_week()
                fold(loader)
            town.live(reports)
            check(db, web, town)
    return town.taken


def check(db: Database, web: psycopg.Connection[object], town: Weeks) -> None:
    """Reported = open + refused + closed by outcome, at every level: in events, log, counts, rates and queues alike."""
    with db.connect("admin") as admin:
        rows = admin.execute("select grid_code, state, outcome, version from ops.event").fetchall()
        n_steps = admin.execute("select count(*) from ops.event_step").fetchone()
    assert len(rows) == town.n_reported and n_steps == (sum(version for *_, version in rows),)
    assert all((state == "closed") == (outcome in OUTCOMES) for _, state, outcome, _ in rows)
    for level, digits in LENGTHS.items():
        known = [row for row in rows if len(row[0]) >= digits]  # the form knows the community and no finer grid
        reported = Counter(code[:digits] for code, *_ in known)
        still_open = Counter(code[:digits] for code, state, *_ in known if state in OPEN_STATES)
        refused = Counter(code[:digits] for code, state, *_ in known if state == "refused")
        closed = [Counter(code[:digits] for code, _, o, _ in known if o == outcome) for outcome in OUTCOMES]
        assert reported == sum(closed, start=still_open + refused)
        counted = tally(web, CATALOG, "grid_event", CITY, level=level, period=None, by=("state",))
        by_form = tally(web, CATALOG, "call", CITY, level=level, period=None, by=("state",))
        for states, expected in ((None, reported), (OPEN_STATES, still_open)):
            told: Counter[str] = Counter()
            for frame in (counted, by_form):
                kept = frame if states is None else frame[frame["state"].isin(states)]
                told.update({str(code): int(n) for code, n in kept.groupby("grid_code")["n"].sum().items()})
            assert +told == expected, level
    for code in (row["code"] for row in table(GRIDS)):
        asked = f"/cases/list?queue=open&at={code}"
        n = sum(grid.startswith(code) and state in OPEN_STATES for grid, state, *_ in rows)
        assert town.staff["centre"].ask(asked).json()["n"] == n
    year = datetime.now(UTC).year
    years = [performance(web, CATALOG, CITY, one, by="4") for one in range(year - 3, year + 2)]
    whole = [frame.iloc[0] for frame in years if len(frame)]
    assert sum(int(row["reported"] + row["settled_on_spot"]) for row in whole) == town.n_reported
    assert all(row["satisfied"] <= row["answered"] <= row["asked"] <= row["closed"] for row in whole)


def test_weeks_end_with_the_books_balanced(db: Database, settings: Settings) -> None:
    taken = run(db, settings, weeks=2, reports=7)
    assert {"report", "accept", "dispatch", "take_on"} <= taken


@pytest.mark.soak
def test_two_years_end_with_the_books_balanced(db: Database, settings: Settings) -> None:
    taken = run(db, settings, weeks=104, reports=6)
    assert {*steps(), "withdraw by resident", "decline", "joint handling", "visit back"} == taken
