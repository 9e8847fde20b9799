"""What the wall is told: counts and moments, nobody's words; ranked by neglect and never by how much was reported."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import mapbox_vector_tile
import pandas as pd
import pytest
from databases import copy_of
from serving import Browser, Server, serving
from signing import carry_on, sign_in
from test_base import tile_at

from etl.demo.live import live_city
from layers import cases
from layers.access import Actor, Scope
from layers.database import Database
from layers.errors import AtlasError, CaseError
from layers.watch import ranked_by_neglect, sensitive_counts
from mapapp.desk import Desk
from mapapp.visitor import visiting
from mapapp.watch import read_watch

OPEN = """
select count(*)::int from ops.event
where dataset = any(%s) and category = any(%s) and state not in ('closed', 'refused') and not is_sensitive
    and gone_on is null and ST_GeometryType(geom) = 'ST_Point'
"""


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
            assert answer.status_code == 409 and "尚未声明任何指标" in answer.text, path
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
        before = read_watch(desk, "4499", "", "zh", now=midnight - timedelta(seconds=1))
        told = read_watch(desk, "4499", "", "zh", now=midnight)
    desk.close()
    reported = sum(n for _, states in told["last_24"] for n in states.values())
    assert reported >= sum(told["hours"]["n"]) > 0
    assert before["days"]["x"][-1] == told["days"]["x"][-2] == "2026-06-29"
    assert before["days"]["n"][-1] == told["days"]["n"][-2] == sum(n for _, by in before["today"] for n in by.values())
    assert told["days"]["x"][-1] == "2026-06-30", "and what is today's begins anew"
    assert told["days"]["n"][-1] == sum(n for _, by in told["today"] for n in by.values())


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


def test_much_reported_ranks_below_much_neglected(running: Server, city: Database) -> None:
    now = datetime.now(UTC)
    rows = [("449901002", 60, now, now + timedelta(days=2)), ("449901100", 14, now, now - timedelta(hours=1))]
    with city.connect("admin") as admin:
        small = "select min(code) from pub.grid where starts_with(code, %s) and length(code) = 15"
        for town, n, reported, due in rows:
            admin.execute(
                "insert into ops.event (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at,"
                " tied_by, is_sensitive, attrs, category, state, reported_at, due_at, is_urgent, is_on_spot)"
                " select %s, (" + small + "), 1, 'grid_event', 'much-' || %s || n, 1, now(), 'code', false, '{}',"
                " 'noise', 'handling', %s, %s, false, false from generate_series(1, %s) as n",
                [town, town, town, reported, due, n],
            )
    ranking = {one["code"]: one for one in browser_of(running, city).ask("/api/watch?at=449901").json()["ranking"]}
    order, (much, neglected) = list(ranking), (ranking[town] for town, *_ in rows)
    assert order.index("449901100") < order.index("449901002")
    assert much["open"] == max(one["open"] for one in ranking.values()), "where most is reported"
    shares = [one["share"] for one in ranking.values()]
    assert neglected["share"] > much["share"] == round((much["late"] + much["unanswered"]) / much["open"], 4)
    assert shares == sorted(shares, reverse=True)
    assert all(one["open"] >= 10 for one in ranking.values()), "of few there is no order"


TEXTS = {"summary", "reason", "name", "address", "door", "phone", "building", "attrs"}
"""Columns of words, names and house numbers: whatever stands in them is nothing for a wall."""


def test_no_word_name_or_house_number_goes_to_a_wall(running: Server, city: Database, catalog: Any) -> None:
    with city.connect("admin") as admin:
        columns = admin.execute(
            "select table_name::text, column_name::text, data_type from information_schema.columns"
            " where table_schema = 'ops' and column_name = any(%s) and table_name in ('event', 'event_step', 'place',"
            " 'thing', 'organisation', 'grid_worker', 'call', 'visit')",
            [sorted(TEXTS)],
        ).fetchall()
        assert {("event", "summary"), ("place", "name"), ("organisation", "name")} <= {one[:2] for one in columns}
        for table, column, kind in columns:
            value = """'{"kanari": "kanari"}'""" if kind == "jsonb" else "'kanari'"
            admin.execute(f"update ops.{table} set {column} = {value} where {column} is not null")
        towns = [code for (code,) in admin.execute("select code from pub.grid where length(code) = 9").fetchall()]
        spot = "select st_x(geom), st_y(geom) from ops.place where category = 'school' and name is not null"
        place = admin.execute(f"{spot} and st_geometrytype(geom) = 'ST_Point' order by id limit 1").fetchone()
    wall, leader = browser_of(running, city), browser_of(running, city, "leader")
    layers = ",".join(catalog.layers)
    asked = ["/wall", "/api/names", "/api/names/search?sought=kanari", f"/api/view?layers={layers}&rows=none"]
    for at in ("4499", "449901", *towns, towns[0] + "001", towns[0] + "001001"):
        asked += [f"/api/watch?at={at}", f"/api/view?at={at}&layers={layers}"]
    asked += [f"/api/watch?scenario={one}" for one in catalog.scenarios]
    points = [key for key, one in catalog.layers.items() if one.draw == "point"]
    assert place is not None
    column, row = tile_at(*place, 12)
    mesh = f"counts/12/{column}/{row}?since=2026-01-01&until=2026-12-31"
    asked += [f"/tiles/layer/9/{key}/{mesh}" for key in points]
    answers = {path: wall.ask(path) for path in asked}
    assert {path: one.status_code for path, one in answers.items() if one.status_code != 200} == {}
    assert [path for path, one in answers.items() if b"kanari" in one.content] == []
    assert len(answers[f"/tiles/layer/9/school/{mesh}"].content) > 20, "the tiles are not empty"
    single = f"/tiles/layer/9/school/rows/12/{column}/{row}"
    assert wall.ask(single).status_code == 404 and b"kanari" in leader.ask(single).content
    others = ("/cases/photo/1", "/cases", "/care", "/command", "/explore", "/figures", "/report", "/calls")
    assert all(wall.ask(path).status_code == 404 for path in others)


def test_a_wall_writes_nothing(city: Database, catalog: Any) -> None:
    with city.connect("web", autocommit=True) as web:
        carry_on(web, sign_in(city, "wall", "4499"))
        who = Actor("test.wall.4499", "wall", Scope("4499"))
        with pytest.raises(CaseError):
            cases.report(web, catalog, who, cases.Report("k" * 20, "noise", "449901001001001", dataset="grid_event"))
        for wanted in (
            "select * from pub.list_cases('4499', '4500', '{}', 10)",
            "select * from pub.read_case('4499', '4500', 1)",
        ):
            assert web.execute(wanted.encode()).fetchall() == []


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


def test_the_map_draws_what_is_open_now_and_every_step_anew(running: Server, city: Database, catalog: Any) -> None:
    kinds = [one.key for one in catalog.categories.values() if one.table == "event" and not one.sensitive][:8]
    wall = browser_of(running, city)
    with city.connect("admin") as admin:
        box = admin.execute("select min(west), max(north), max(east), min(south) from pub.grid").fetchone() or ()
    (left, top), (right, foot) = tile_at(*box[:2], 8), tile_at(*box[2:], 8)

    def open_now() -> int:
        with city.connect("admin") as admin:
            row = admin.execute(OPEN, [list(catalog.layers["grid_event"].datasets), kinds]).fetchone()
        return row[0] if row else 0

    def drawn(told: Any) -> tuple[str, int]:
        address = told["parts"][2]["overlay"]["sources"]["layer-grid_event-counts"]["tiles"][0]
        n = 0
        for x in range(left, right + 1):
            for y in range(top, foot + 1):
                tile = wall.ask(address.replace("{z}/{x}/{y}", f"8/{x}/{y}")).content
                features = mapbox_vector_tile.decode(tile)["event"]["features"] if tile else []
                n += sum(one["properties"]["n"] for one in features)
        return address, n

    asked = f"/api/view?layers=grid_event&events=open&categories={','.join(kinds)}&rows=none"
    past = "/api/view?layers=grid_event&period=202605&rows=none"
    first, before = wall.ask(asked), drawn(wall.ask(past).json())
    address, n = drawn(first.json())
    assert n == open_now() > 5
    assert wall.ask(asked, headers={"if-none-match": first.headers["etag"]}).status_code == 304, "nothing has happened"
    for seed in range(3, 30):
        live_city(city, catalog, rate=0, steps=5, seed=seed, say=lambda line: None)
        if open_now() != n:
            break
    again = wall.ask(asked, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 200
    anew, more = drawn(again.json())
    assert anew != address
    assert more == open_now() != n
    assert drawn(wall.ask(past).json()) == before, "a month that is over keeps its tiles"


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
