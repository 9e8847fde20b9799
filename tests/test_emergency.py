"""What `/command` is told: an area from its address, the answer in words, names by right and written down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from databases import copy_of
from serving import Browser, Server, serving
from signing import sign_in

from layers.accounts import audit
from layers.database import Database

AROUND = "lon=115.240235&lat=22.856807&r=1500"


@pytest.fixture(scope="module")
def city(settings: Any, server: Any, city_template: Database) -> Iterator[Database]:
    with copy_of(city_template, server, settings) as copy:
        yield copy


@pytest.fixture(scope="module")
def running(city: Database, catalog: Any, settings: Any) -> Iterator[Server]:
    with serving(city, catalog, settings) as server:
        yield server


def browser_of(server: Server, city: Database, role: Any = "dispatcher", scope: str = "4499") -> Browser:
    browser, session = Browser(server, "127.0.0.1"), sign_in(city, role, scope, "water")
    browser.cookies = {"session": session.token, "_csrf_token": session.form_token}
    return browser


def noted(city: Database, kind: str) -> list[audit.Entry]:
    with city.connect("door") as door:
        return audit.read_entries(door, kind=kind)


def test_an_area_is_answered_in_words(running: Server, city: Database, catalog: Any) -> None:
    told = browser_of(running, city).ask(f"/command/nearby?{AROUND}").json()
    assert (told["area"]["kind"], told["area"]["r"], len(told["area"]["ring"])) == ("circle", 1500, 257)
    assert told["people"]["all"]["n"].startswith("约")
    assert [one["category"] for one in told["protected"]] == list(catalog.emergency.protected)
    assert [one["category"] for one in told["resources"]] == list(catalog.emergency.resources)
    school = told["protected"][0]["rows"][0]
    assert dict(school["told"])["办学类型"] in ("幼儿园", "小学", "初中", "高中")
    assert all(one["department"] for one in told["protected"] + told["resources"])
    english = browser_of(running, city).ask(f"/command/nearby?{AROUND}&lang=en").json()
    assert english["protected"][0]["rows"][0]["told"][0][1] in ("kindergarten", "primary", "junior", "senior")
    assert {one["department"] for one in told["sources"]} >= {"教育局", "应急管理局"}
    assert told["events"]["n"] == sum(one["n"] for one in told["events"]["by_category"]) >= len(told["events"]["rows"])


def test_the_map_names_the_towns_of_the_reader(running: Server, city: Database) -> None:
    page = browser_of(running, city).ask("/command").text
    told = json.loads(page.split('id="told">')[1].split("</script>")[0])
    assert {"锦绣街道", "公渡镇"} <= {one["name"] for one in told["towns"]} and len(told["towns"]) == 6
    assert all(115 < one["lon"] < 116 and 22 < one["lat"] < 23.5 for one in told["towns"])


def test_no_words_of_residents_nothing_sensitive_and_no_household_is_told(
    running: Server, city: Database, catalog: Any
) -> None:
    sent = browser_of(running, city).ask("/command/nearby?grids=4499").text
    closed = [key for key, one in catalog.categories.items() if one.sensitive]
    assert closed and not [key for key in closed if f'"{key}"' in sent]
    with city.connect("admin") as admin:
        rows = admin.execute("select distinct summary from ops.event where length(summary) > 6 limit 300").fetchall()
    assert rows and not [words for (words,) in rows if words in sent]
    assert len(json.loads(sent)["grids"]["rows"]) == 300


def test_names_are_told_by_right_and_that_is_written_down_before(running: Server, city: Database) -> None:
    before = len(noted(city, "person_read"))
    shut = browser_of(running, city, "grid_worker").ask(f"/command/nearby?{AROUND}").json()
    assert {one["name"] for one in shut["workers"] + shut["contacts"]} == {None}
    assert len(noted(city, "person_read")) == before
    open_ = browser_of(running, city).ask(f"/command/nearby?{AROUND}").json()
    assert all(one["name"] for one in open_["workers"] + open_["contacts"])
    entry = noted(city, "person_read")[0]
    assert len(noted(city, "person_read")) == before + 1
    assert (entry.subject, entry.detail["area"]["r"], entry.role) == ("duty_list", "1500", "dispatcher")


def test_a_sheet_is_written_down(running: Server, city: Database) -> None:
    browser = browser_of(running, city)
    said = {"lon": "115.2", "lat": "22.8", "r": "500", "lang": "en"}
    headers = {"x-csrftoken": browser.cookies["_csrf_token"], "content-type": "application/json"}
    answer = browser.ask("/command/sheet", method="POST", content=json.dumps(said), headers=headers)
    assert answer.status_code == 200
    entry = noted(city, "export")[0]
    assert (entry.subject, entry.detail) == ("emergency_sheet", {"area": {"lon": "115.2", "lat": "22.8", "r": "500"}})


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("", 422, "names no area"),
        ("lon=east&lat=22", 422, "names no area"),
        ("lon=115.2&lat=22.8&r=nan", 422, "radius"),
        ("lon=115.2&lat=22.8&r=900000", 422, "radius"),
        ("shape=115,22;115.1", 422, "names no area"),
        ("shape=115,22;115.1,22.1;115.1,22;115,22.1", 422, "crosses"),
        ("grids=449901999", 422, "not there"),
        ("grids=4400", 404, "nothing at 4400"),
        ("grids=x", 422, "not a grid code"),
    ],
)
def test_an_address_that_names_no_area_is_told_so(
    running: Server, city: Database, query: str, status: int, says: str
) -> None:
    answer = browser_of(running, city).ask(f"/command/nearby?{query}")
    assert answer.status_code == status
    assert says in answer.json()["message"] and answer.json()["hint"]


def test_grids_and_places_are_found_by_what_is_typed(running: Server, city: Database) -> None:
    hits = browser_of(running, city).ask("/command/search?q=小学").json()
    assert {one["kind"] for one in hits} == {"place"} and all(one["lon"] and one["above"] for one in hits)
    first = browser_of(running, city).ask("/command/search?q=449901001").json()[0]
    assert (first["kind"], first["code"]) == ("grid", "449901001")
    assert browser_of(running, city).ask("/command/search?q=").json() == []
    town = browser_of(running, city, "leader", "449901002").ask("/command/search?q=小学").json()
    assert len(town) < len(hits) or all(one["name"] not in {hit["name"] for hit in hits} for one in town)


def test_the_page_is_for_desks(running: Server, city: Database) -> None:
    assert browser_of(running, city, "analyst").ask("/command").status_code == 200
    for role in ("wall", "security_admin", "auditor"):
        assert browser_of(running, city, role).ask("/command").status_code == 404
        assert browser_of(running, city, role).ask(f"/command/nearby?{AROUND}").status_code == 404
