"""After a reform: what happens later is right on older editions too, and what is of the past cannot slip in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from signing import become, signed

from layers import cases
from layers.access import Actor, Scope
from layers.database import Database
from layers.errors import AtlasError
from layers.settings import Settings
from tests.deliveries import write_declarations
from tests.reforms import MORE, NAMES, ReformTown, strip_of, write_outlines
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


@pytest.mark.parametrize(
    ("plan", "level", "said"),
    [
        (MERGER, "small", "449901001001002 乙组 became 449901001001001 大组, on 2026-07-01."),
        (
            "old_code | new_code | new_name | change\n449901002 | 449901002 | 西街道 | renamed",
            "large",
            "449901002 西镇.",
        ),
        (MERGER.replace("大组", "甲组"), "small", "2 of these grids are as they were before 2026-07-01"),
    ],
)
def test_grids_of_before_do_not_undo_a_reform(town: ReformTown, plan: str, level: str, said: str) -> None:
    town.reform(plan)
    state = "select code, name, round(area_m2) from pub.grid where edition = 2 order by 1"
    after = town.rows(state)
    path = town.files / f"grids_{level}.geojson"
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")  # not the very file
    (done,) = town.load(f"grid_{level}").deliveries
    assert (done.status, done.exit_code) == ("refused", 6)
    assert said in done.problem and "Edition 2 (2026) is in force" in done.problem
    assert "python -m etl reform PLAN.csv" in done.problem
    assert town.rows(state) == after
    # those of the edition in force are taken
    strips = {code: strip_of(code) for code in NAMES if len(code) == len(after[-1][0])}
    names = {code: name for code, name, _ in after}
    if level == "small":
        strips["449901001001001"] = (115.0, 115.2)
        del strips["449901001001002"]
    else:
        strips = {code: strip_of(code) for code in names if len(code) == 9}
    write_outlines(path, strips, names)
    (done,) = town.load(f"grid_{level}").deliveries
    assert (done.status, done.problem) == ("loaded", "")


def in_the_background(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Begin something in a thread; what came of it, or what it failed with, stands in the list afterwards."""
    done: list[object] = []

    def go() -> None:
        try:
            done.append(work())
        except AtlasError as error:
            done.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    return thread, done


def wait_for_its_turn(town: ReformTown, thread: threading.Thread) -> None:
    """Return when what was begun waits for a lock, or has ended without."""
    query = "select count(*) from pg_locks l join pg_database d on d.oid = l.database where not l.granted"
    while thread.is_alive() and not town.rows(f"{query} and d.datname = current_database()")[0][0]:
        pass


def test_a_loader_waits_for_a_reform_or_leaves_with_a_sentence(town: ReformTown) -> None:
    town.deliver("letter2.csv", LETTERS.replace("L2 ", "M2 "))
    told: list[str] = []
    begun: list[tuple[threading.Thread, list[object]]] = []

    def meanwhile(name: str) -> None:
        if name != "succession written":
            return
        told.extend({d.problem for d in town.load("letter", waits=False).deliveries})
        begun.append(in_the_background(lambda: town.load("letter", say=told.append)))
        wait_for_its_turn(town, begun[0][0])
        assert town.rows("select count(*) from ops.event where source_key = 'M2'") == [(0,)]

    town.reform(MERGER, at_step=meanwhile)
    begun[0][0].join(60)
    assert "Another loader is at work on letter" in told[0]
    assert any("waiting for it to end" in line for line in told[1:])
    assert town.rows("select grid_code, edition from ops.event where source_key = 'M2'") == [("449901001001001", 2)]
    assert town.counts("letter")["001001001"] == 3


def test_a_reform_waits_for_a_loader(town: ReformTown) -> None:
    (town.files / "letter.csv").unlink()
    town.deliver("letter2.csv", LETTERS.replace("L2 ", "M2 "))
    said: list[str] = []
    begun: list[tuple[threading.Thread, list[object]]] = []

    def meanwhile(name: str) -> None:
        if name == "before commit":
            begun.append(in_the_background(lambda: town.reform(MERGER, say=said.append)))
            wait_for_its_turn(town, begun[0][0])
            assert town.rows("select count(*) from pub.edition") == [(1,)]

    town.load("letter", at_step=meanwhile)
    begun[0][0].join(60)
    assert [getattr(one, "status", one) for one in begun[0][1]] == ["done"]
    assert any("letter" in line and "wait" in line for line in said)
    assert town.rows("select grid_code, edition from ops.event where source_key = 'M2'") == [("449901001001001", 2)]


def test_shares_by_households_are_used_where_enough_are_known(town: ReformTown) -> None:
    more = {
        "categories.toml": MORE["categories.toml"]
        + 'household = { zh = "住户", en = "Household", table = "place", sensitive = true }',
        "datasets/home.toml": MORE["datasets/shop.toml"].replace("shop", "household").replace("店", "户"),
    }
    town.catalog = write_declarations(town.catalog_dir, {**MORE, **more})
    homes = [115.11] * 8 + [115.13] + [115.17] * 3  # nine of twelve west of the new border, which halves the ground
    rows = [f"H{n} | {lon} | 22.05" for n, lon in enumerate(homes)]
    town.deliver("household.csv", "\n".join(["no | lon | lat", *rows]))
    town.load("home")
    town.reform(
        """
        old_code        | new_code        | new_name | change
        449901001001002 | 449901001001002 | 乙一组   | split
        449901001001002 | 449901001001003 | 乙二组   | split
        """,
        outlines={"449901001001002": (115.1, 115.15), "449901001001003": (115.15, 115.2)},
    )
    shares = "select new_code, round(share::numeric, 2)::float, household_share from pub.succession"
    assert town.rows(f"{shares} where old_code = '449901001001002' order by 1") == [
        ("449901001001002", 0.5, 0.75),
        ("449901001001003", 0.5, 0.25),
    ]
    counts = town.counts("letter")
    assert (counts["001001002"], counts["001001003"]) == (pytest.approx(0.75), pytest.approx(0.25))
    assert town.rows("select count(*) from ops.place where dataset = 'home'") == [(12,)]
    assert town.counts("home") == {}, "homes are in no open tally"


def test_codes_that_lead_nowhere_sure_are_reported(town: ReformTown) -> None:
    plan = """
        old_code        | new_code        | new_name | change
        449901001001002 | 449901001001003 | 乙一组   | split
        449901001001002 | 449901001001004 | 乙二组   | split
    """
    town.reform(plan, outlines={"449901001001003": (115.1, 115.15), "449901001001004": (115.15, 115.2)})
    codes = ["449901001001002", "449901001001002", "449901009009001", "449901002001001"]
    rows = [f"N{n} | noise | 2026-06-20 08:00:00 | {code}" for n, code in enumerate(codes)]
    town.deliver("letter2.csv", "\n".join([LETTERS.splitlines()[1], *rows]))
    done = town.load("letter").deliveries[-1]
    assert done.notes["codes_never_grids"] == {"449901009009001": 1}
    assert done.notes["codes_of_split_grids"] == {"449901001001002": 2}


def test_nothing_is_noted_where_there_was_no_reform(town: ReformTown) -> None:
    accept(town, "L1")
    assert town.rows("select dataset from raw.recount") == []
