"""What the wall is told: counts and moments, nobody's words; ranked by neglect and never by how much was reported."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from databases import copy_of
from serving import Browser, Server, serving
from signing import carry_on, sign_in

from etl.demo.live import live_city
from layers.access import Scope
from layers.database import Database
from layers.errors import AtlasError
from layers.watch import ranked_by_neglect, sensitive_counts
from mapapp.desk import Desk
from mapapp.visitor import visiting
from mapapp.watch import read_watch


@pytest.fixture(scope="module")
def city(settings: Any, server: Any, city_template: Database) -> Iterator[Database]:
    with copy_of(city_template, server, settings) as copy:
        yield copy


@pytest.fixture(scope="module")
def running(city: Database, catalog: Any, settings: Any) -> Iterator[Server]:
    live_city(city, catalog, rate=0, steps=150, hours=6, say=lambda line: None)
    live_city(city, catalog, rate=0, steps=20, seed=2, say=lambda line: None)  # just past midnight too there is a today
    with serving(city, catalog, settings) as server:
        yield server


def browser_of(server: Server, city: Database, role: Any = "wall", scope: str = "4499") -> Browser:
    browser = Browser(server, "127.0.0.1")
    browser.cookies = {"session": sign_in(city, role, scope).token}
    return browser


def test_the_wall_is_told_category_grid_state_and_time(running: Server, city: Database) -> None:
    told = browser_of(running, city).ask("/api/watch").json()
    assert [one["key"] for one in told["elements"]] == ["person", "event", "place", "thing", "organisation"]
    assert told["elements"][0]["value"].startswith("约"), "people only as published"
    assert {key for one in told["feed"] for key in one} == {"at", "category", "grid_code", "state"}
    assert {key for one in told["due"] for key in one} == {"grid_code", "category", "state", "due_at", "is_urgent"}
    assert len(told["feed"]) == 30 and told["due"] and told["ranking"] and told["today"]
    assert [one["at"] for one in told["feed"]] == sorted((one["at"] for one in told["feed"]), reverse=True)
    assert (len(told["hours"]["n"]), len(told["days"]["n"])) == (24, 30)
    assert sum(told["days"]["n"]) >= sum(told["hours"]["n"]) > 20
    assert told["open"]["n"] >= told["open"]["n_late"] > 0


def test_without_declared_indicators_the_map_says_so_and_the_wall_shows_the_rest(
    city: Database, catalog: Any, settings: Any
) -> None:
    with serving(city, replace(catalog, indicators={}, scenarios={}), settings) as server:
        browser = browser_of(server, city, "leader")
        for path in ("/api/view", "/api/explore"):
            answer = browser.ask(path)
            assert answer.status_code == 409 and "No indicator is declared" in answer.text, path
        told = browser.ask("/api/watch").json()
    assert told["indicators"] == [] and told["elements"]


def test_no_words_of_residents_and_nothing_sensitive_are_sent(running: Server, city: Database, catalog: Any) -> None:
    browser = browser_of(running, city)
    sent = browser.ask("/api/watch").text + browser.ask("/api/names").text
    closed = [key for key, one in catalog.categories.items() if one.sensitive]
    assert closed and not [key for key in closed if f'"{key}"' in sent]
    with city.connect("admin") as admin:
        rows = admin.execute("select distinct summary from ops.event where length(summary) > 6 limit 400").fetchall()
    assert rows and not [words for (words,) in rows if words in sent]


def test_sensitive_cases_are_counts_of_medium_grids_and_no_finer(running: Server, city: Database, catalog: Any) -> None:
    now = datetime.now(UTC)
    rows = [("449901001001", 2), ("449901001001001", 2), ("449901001002", 1)]
    with city.connect("admin") as admin:
        for grid, n in rows:
            for number in range(n):
                admin.execute(
                    "insert into ops.event (town_code, grid_code, edition, dataset, source_key, delivery_id,"
                    " updated_at, tied_by, is_sensitive, attrs, category, state, reported_at, is_urgent, is_on_spot)"
                    " values ('449901001', %s, 1, 'grid_event', %s, 1, now(), 'code', true, '{}', 'family_dispute',"
                    " 'reported', %s, false, false)",
                    [grid, f"sealed-{grid}-{number}", now],
                )
    with city.connect("web", autocommit=True) as web:
        carry_on(web, sign_in(city, "wall", "4499"))
        counted = sensitive_counts(web, Scope("4499"), now - timedelta(minutes=1))
        assert counted.values.tolist() == [["449901001001", "family_dispute", 4], ["449901001002", "family_dispute", 1]]
        carry_on(web, sign_in(city, "grid_worker", "449901001001001"))
        assert sensitive_counts(web, Scope("449901001001001"), now - timedelta(minutes=1)).empty

    def told(at: str) -> Any:
        return browser_of(running, city).ask(f"/api/watch?at={at}").json()["sensitive"]

    assert ["家庭纠纷", "5", "分布于 2 个中网格"] in told("449901001")
    assert told("449901001002") == [["家庭纠纷", "<3", ""]]
    assert told("449901001001001") == []


def test_just_past_midnight_the_last_day_is_still_there(running: Server, city: Database, catalog: Any) -> None:
    desk = Desk(catalog, city.pool("web", max_size=2))
    desk.open()
    midnight = datetime(2026, 6, 29, 16, tzinfo=UTC)  # 30 June begins there
    with visiting(sign_in(city)):
        told = read_watch(desk, "4499", "", "zh", now=midnight)
    desk.close()
    reported = sum(n for _, states in told["last_24"] for n in states.values())
    assert reported >= sum(told["hours"]["n"]) > 0
    assert told["days"]["x"][-1] == "2026-06-30"


@pytest.mark.parametrize(
    "scenario",
    [
        "disputes",
        "epidemic_prevention",
        "fire_safety",
        "flood_and_typhoon",
        "old_age_care",
        "poverty_watch",
        "street_lighting",
    ],
)
def test_a_scenario_narrows_the_wall_to_its_categories(
    running: Server, city: Database, catalog: Any, scenario: str
) -> None:
    declared = catalog.scenarios[scenario]
    told = browser_of(running, city).ask(f"/api/watch?scenario={scenario}").json()
    assert [one["key"] for one in told["indicators"]] == list(declared.indicators)[:4]
    assert all(re.search(r"\d", one["value"]) for one in told["indicators"])
    still_open = [one["value"] for one in told["indicators"] if one["key"].startswith("open_")]
    assert all(int(value) == told["open"]["n"] for value in still_open), "the panels tell the same number"
    found = {one["category"] for one in told["feed"] + told["due"]} | {key for key, _ in told["today"]}
    assert found and (not declared.categories or found <= set(declared.categories))


def test_a_scope_sees_its_own_part(running: Server, city: Database) -> None:
    whole, part = browser_of(running, city), browser_of(running, city, "leader", "449901001")
    told = part.ask("/api/watch").json()
    assert told["at"] == "449901001" and {one["grid_code"][:9] for one in told["feed"] + told["due"]} <= {"449901001"}
    assert told["open"]["n"] < whole.ask("/api/watch").json()["open"]["n"]
    assert all(code.startswith("449901001") for code in part.ask("/api/names").json()["code"])


def test_a_wall_gets_no_single_rows_and_no_desk(running: Server, city: Database) -> None:
    wall, leader = browser_of(running, city), browser_of(running, city, "leader")
    for path in ("/tiles/layer/1/grid_event/rows/14/13700/6700", "/tiles/layer/1/school/rows/12/3400/1680", "/"):
        assert (wall.ask(path).status_code, leader.ask(path).status_code) == (404, 200), path
    assert (
        wall.ask("/tiles/layer/1/grid_event/counts/13/6850/3350?since=2026-06-01&until=2026-06-30").status_code == 200
    )
    page = wall.ask("/wall").text
    assert all(f'id="{name}"' in page for name in ("feed", "due", "ranking", "today", "elements", "said"))
    said = json.loads(page.partition('id="said">')[2].partition("</script>")[0])
    assert len(said["scenarios"]) >= 5 and said["tours"] is True


def test_a_day_is_for_the_sample_city_only(city: Database, catalog: Any) -> None:
    other = replace(catalog, city=replace(catalog.city, code="3301"))
    with pytest.raises(AtlasError, match="not the sample city"):
        live_city(city, other, steps=1)


def test_grids_are_ranked_by_neglect_and_few_cases_are_not_ranked() -> None:
    counted = pd.DataFrame(
        [("much", 500, 50, 0), ("bad", 20, 9, 5), ("few", 9, 9, 0), ("good", 40, 0, 0)],
        columns=["grid_code", "n", "n_late", "n_unanswered"],
    )
    ranked = ranked_by_neglect(counted)
    assert ranked.index.tolist() == ["bad", "much", "good"]
    assert ranked["share"].tolist() == [0.7, 0.1, 0.0]
