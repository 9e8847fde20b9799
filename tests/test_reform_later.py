"""After a reform: what happens later is right on older editions too, and what is of the past cannot slip in."""

from __future__ import annotations

from pathlib import Path

import pytest
from signing import become, signed

from layers import cases
from layers.access import Actor, Scope
from layers.database import Database
from layers.settings import Settings
from tests.reforms import ReformTown
from tests.test_reform import LETTERS, REPORTS

CITY = Scope("4499")
MERGER = """
    old_code        | new_code        | new_name | change
    449901001001001 | 449901001001001 | 大组     | merged
    449901001001002 | 449901001001001 | 大组     | merged
"""
BEFORE = "2026-06-30"


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path) -> ReformTown:
    town = ReformTown(db, settings, tmp_path)
    town.deliver("letter.csv", LETTERS)
    town.deliver("report.csv", REPORTS)
    town.load()
    return town


def accept(town: ReformTown, key: str) -> None:
    """Have a dispatcher accept a letter."""
    who = Actor("test.dispatcher.4499", "dispatcher", CITY)
    ((event_id,),) = town.rows("select id from ops.event where source_key = %s", [key])
    with signed(town.db) as web:
        become(web, who)
        cases.take_step(web, town.catalog, who, cases.read_case(web, CITY, event_id), "accept", key=f"k{key}")


def states(town: ReformTown, on: str | None = None) -> dict[tuple[str, str], float]:
    """Letters by grid and state."""
    found = town.atlas().tally("letter", level="small", by=("state",), period=None, on=on)
    return {(code[6:], state): n for code, state, n in zip(found["grid_code"], found["state"], found["n"], strict=True)}


def test_a_step_of_a_case_is_counted_on_older_grids_by_the_next_recount(town: ReformTown) -> None:
    town.reform(MERGER)
    accept(town, "L2")
    assert states(town)["001001001", "accepted"] == 1
    assert town.rows("select dataset from raw.recount") == [("letter",)]
    town.load()
    assert states(town, BEFORE)["001001002", "accepted"] == 1
    assert ("001001002", "reported") not in states(town, BEFORE)
    assert town.rows("select dataset from raw.recount") == []


def test_a_run_that_died_before_it_counted_on_older_grids_is_finished_by_the_next(town: ReformTown) -> None:
    town.reform(MERGER)
    before = town.counts("letter", on=BEFORE)
    (town.files / "letter.csv").unlink()
    town.deliver("letter2.csv", LETTERS.replace("L2 ", "M2 "))

    def die(name: str) -> None:
        if name == "after commit":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        town.load("letter", at_step=die)
    assert town.rows("select count(*) from ops.event where source_key = 'M2'") == [(1,)]
    assert town.counts("letter", on=BEFORE) == before
    assert {one.status for one in town.load("letter").deliveries} == {"known"}
    after = town.counts("letter", on=BEFORE)
    assert sum(after.values()) == pytest.approx(sum(before.values()) + 1)
    assert town.rows("select dataset from raw.recount") == []


def test_nothing_is_noted_where_there_was_no_reform(town: ReformTown) -> None:
    accept(town, "L1")
    assert town.rows("select dataset from raw.recount") == []
