"""The map under narrower scopes: the same page, and nothing of what lies beside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import mapbox_vector_tile
import pytest
from serving import Browser, Server, serving
from signing import sign_in

from layers.access import AccountRole
from layers.database import Database
from layers.named import TABLES


@pytest.fixture(scope="module")
def running(small_city: Database, catalog: Any, settings: Any) -> Iterator[Server]:
    with serving(small_city, catalog, settings, is_demo=True) as server:
        yield server


def browser_of(running: Server, city: Database, scope: str, role: AccountRole = "leader") -> Browser:
    browser = Browser(running, "127.0.0.1")
    browser.cookies = {"session": sign_in(city, role, scope=scope).token}
    return browser


@pytest.mark.parametrize("scope", ["4499", "449901", "449901001", "449901001001"])
def test_the_page_begins_at_the_scope_and_names_nothing_beside(
    running: Server, small_city: Database, scope: str
) -> None:
    browser = browser_of(running, small_city, scope)
    for at in ("", f"?at={scope}", "?at=4499", "?at=449902"):
        answer = browser.ask(f"/api/view{at}")
        assert answer.status_code == 200, answer.text
        view = answer.json()["parts"][2]
        assert view["at"].startswith(scope)
        named = set(re.findall(r"\?at=(\d+)", answer.text)) | set(view.get("above", {}).get("code", []))
        assert all(code.startswith(scope) for code in named), named


@pytest.mark.parametrize(
    ("scope", "zh", "en"), [("4499", "海晏市（虚构）", "Haiyan (fictitious)"), ("449901", "临海区", "Linhai")]
)
def test_an_account_reads_what_its_scope_is_called(
    running: Server, small_city: Database, scope: str, zh: str, en: str
) -> None:
    browser = browser_of(running, small_city, scope)
    for lang, name in (("zh", zh), ("en", en)):
        assert f"<dd>{name} {scope}</dd>" in browser.ask("/account", params={"lang": lang}).text
    browser.cookies = {"session": sign_in(small_city, "security_admin", scope).token}
    assert f"<td>{zh} {scope}</td>" in browser.ask("/accounts").text, "and so does who keeps it"


def test_the_smallest_grid_has_the_name_it_was_given(running: Server, small_city: Database) -> None:
    with small_city.connect("loader") as loader:
        code, name = loader.execute("select code, name from pub.grid where level = 'small' order by code").fetchone()
    assert f"<dd>{name} {code}</dd>" in browser_of(running, small_city, code).ask("/account").text


@pytest.mark.parametrize("path", ["/command/search?q=", "/cases/grids?q=", "/api/names/search?sought="])
def test_every_search_for_grids_says_the_county_in_the_language_of_the_page(
    running: Server, small_city: Database, path: str
) -> None:
    browser = browser_of(running, small_city, "4499")
    found = browser.ask(path + "449901")
    assert found.json()[0]["name"] == "临海区"
    from_english = {"referer": "http://127.0.0.1:8050/cases?lang=en"}
    assert browser.ask(path + "449901", headers=from_english).json()[0]["name"] == "Linhai"


@pytest.mark.parametrize(
    ("page", "search"),
    [
        ("/api/view", "/command/search?q=xiaoxue"),
        ("/api/explore", "/api/explore/search?sought=xiaoxue"),
        ("/command", "/command/search?q=xiaoxue"),
    ],
)
def test_names_are_read_while_a_page_is_looked_at(
    writable_city: Database, catalog: Any, settings: Any, page: str, search: str
) -> None:
    with serving(writable_city, catalog, settings, is_demo=True) as server:
        browser = browser_of(server, writable_city, "4499")
        assert browser.ask(page).status_code == 200
        with writable_city.connect("admin") as admin:
            for table in TABLES:
                admin.execute(f"update ops.{table} set name = null".encode())
        assert "小学" in browser.ask(search).text, "a search reads them and somebody waits"


def test_an_answer_kept_for_a_leader_is_not_the_walls(running: Server, small_city: Database) -> None:
    leader, wall = (browser_of(running, small_city, "4499", role) for role in ("leader", "wall"))
    one = leader.ask("/command/search?q=xiaoxue").json()[0]
    with small_city.connect("admin") as admin:
        row = admin.execute("select id, grid_code from ops.place where name = %s", [one["name"]]).fetchone()
    assert row is not None
    path = f"/api/view?at={row[1]}&mark=place.{row[0]}"
    first = leader.ask(path)
    assert first.json()["parts"][2]["mark"]["source"]["data"]["properties"]["name"] == one["name"]
    for headers in ({}, {"if-none-match": first.headers["etag"]}):
        assert one["name"] not in wall.ask(path, headers=headers).text and wall.ask(path).status_code == 200
    assert wall.ask("/api/names/search?sought=xiaoxue").json() == []


def test_a_tile_kept_for_one_scope_is_not_another_ones(running: Server, small_city: Database) -> None:
    whole, part = (browser_of(running, small_city, scope) for scope in ("4499", "449902"))

    def codes(browser: Browser, path: str) -> set[str]:
        content = browser.ask(path).content
        levels = mapbox_vector_tile.decode(content) if content else {}
        return {one["properties"]["code"] for level in levels.values() for one in level["features"]}

    paths = [f"/tiles/grid/1-1/7/{x}/{y}" for x in range(100, 112) for y in range(50, 62)]
    path = next(path for path in paths if codes(whole, path))
    assert "4499" in codes(whole, path)
    assert all(code.startswith("449902") for code in codes(part, path))
    first = whole.ask(path)
    assert "cookie" in first.headers["vary"]
    assert part.ask(path, headers={"if-none-match": first.headers["etag"]}).status_code == 200
    assert codes(whole, path) != codes(part, path)


def test_a_search_finds_nothing_outside(running: Server, small_city: Database) -> None:
    session = sign_in(small_city, scope="449901")
    browser = Browser(running, "127.0.0.1")
    browser.cookies = {"session": session.token}
    found = {}
    for code in ("449901", "449902"):
        body = {
            "output": "found.children@x", "outputs": {"id": "found", "property": "children"}, "changedPropIds": [],
            "inputs": [{"id": "sought", "property": "data", "value": f"?sought={code}"}], "state": [],
        }  # fmt: skip
        known = browser.ask("/_dash-dependencies").json()
        body["output"] = next(one["output"] for one in known if one["output"].startswith("found.children"))
        answer = browser.ask(
            "/_dash-update-component", method="POST", json=body, headers={"x-csrftoken": session.form_token}
        )
        assert answer.status_code == 200, answer.text
        found[code] = f'"{code}' in answer.text.replace("?at=", '"')
    assert found == {"449901": True, "449902": False}
