"""The server as a whole, over the small city, without a browser."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import mapbox_vector_tile
import pytest
from dash import Dash
from dash.development.base_component import Component
from fastapi import FastAPI
from signing import cookies, sign_in

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.declare.records import Catalog
from layers.settings import Settings
from mapapp import app as server
from mapapp import ids
from mapapp.app import ENGINE_DIR, create_app, make_dash
from mapapp.desk import Desk
from mapapp.porter import make_porter

Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def atlas(small_city: Database, catalog: Catalog) -> Atlas:
    return Atlas(catalog, small_city, "web", Scope(catalog.city.code))


@pytest.fixture(scope="module")
def ask(atlas: Atlas, settings: Settings) -> Iterator[Ask]:
    """Ask the whole server as a leader who is signed in, its lifespan running."""
    app: Any = create_app(atlas, make_porter(atlas, settings, is_demo=True))
    session = sign_in(atlas.database)
    known = cookies(session) | {"origin": "http://127.0.0.1:8050", "x-csrftoken": session.form_token}
    loop = asyncio.new_event_loop()
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    outbox: asyncio.Queue[Any] = asyncio.Queue()
    life = loop.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, inbox.get, outbox.put))
    loop.run_until_complete(inbox.put({"type": "lifespan.startup"}))
    assert loop.run_until_complete(outbox.get())["type"] == "lifespan.startup.complete"

    def ask(path: str, method: str = "GET", headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8050") as http:
                return await http.request(method, path, headers=known | (headers or {}), **more)

        return loop.run_until_complete(go())

    yield ask
    loop.run_until_complete(inbox.put({"type": "lifespan.shutdown"}))
    loop.run_until_complete(life)
    loop.close()


@pytest.fixture(scope="module")
def dash(atlas: Atlas) -> Dash:
    desk = Desk(atlas.catalog, atlas.database.pool("web"))
    return make_dash(desk, FastAPI(), "6.0.0")


def test_every_callback_of_the_server_is_async(dash: Dash) -> None:
    functions = [inspect.unwrap(one["callback"]) for one in dash.callback_map.values() if "callback" in one]
    assert functions
    assert all(inspect.iscoroutinefunction(function) for function in functions)


def test_there_is_no_inline_script_but_the_renderer(dash: Dash) -> None:
    assert len(dash.csp_hashes()) == 1
    assert callable(dash._setup_server)


def walk(component: Any) -> Iterator[Component]:
    if isinstance(component, Component):
        yield component
        yield from walk(getattr(component, "children", None))
    elif isinstance(component, (list, tuple)):
        for one in component:
            yield from walk(one)


def test_every_id_is_on_the_page_once(dash: Dash) -> None:
    on_page = [component.id for component in walk(dash.layout) if getattr(component, "id", None)]
    assert sorted(on_page) == sorted(ids.ALL)


def test_the_page_names_no_other_host(ask: Ask) -> None:
    page = ask("/").text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert 'lang="zh-CN"' in page
    assert "websocket" not in json.loads(re.findall(r'<script id="_dash-config"[^>]*>(.*?)</script>', page)[0])


def test_health_answers_get_and_head(ask: Ask) -> None:
    assert ask("/healthz").text == "ok\n"
    assert ask("/healthz", "HEAD").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/api/nope", "/nope", "/docs", "/openapi.json", "/redoc", "/static/maplibre/6.0.0/package.json", "/static/x",
     "/static/maplibre/%2e%2e/%2e%2e/package.json", "/tiles/grid/1-1/3/9/9", "/tiles/grid/1-1/99/0/0",
     "/tiles/layer/1/nope/rows/8/1/1", "/tiles/layer/1/resident/counts/8/1/1", "/tiles/layer/1/school/all/8/1/1",
     "/tiles/layer/1/school/counts/14/1/1", "/tiles/layer/1/street_lamp/counts-11/8/1/1",
     "/tiles/layer/1/grid_event/rows/15/1/1?states=gone",
     "/tiles/layer/1/grid_event/rows/15/1/1?categories=family_dispute", "/static/signs/1/sprite.png",
     "/tiles/layer/1/grid_event/rows/15/1/1?since=2026-02-30"],
)  # fmt: skip
def test_what_is_not_there_is_404(ask: Ask, path: str) -> None:
    assert ask(path).status_code == 404


def test_the_engine_is_served_for_good_and_packed(ask: Ask) -> None:
    found = re.findall(r'href="(/static/maplibre/[^"]+\.mjs)"', ask("/").text)
    answer = ask(found[0], headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == (ENGINE_DIR / "dist" / "maplibre-gl.mjs").read_bytes()


def test_tiles_are_kept_for_good_and_known_again(ask: Ask) -> None:
    box = next(t for z in (7,) for x in range(100, 112) for y in range(50, 62) if (t := tile(ask, z, x, y)))
    answer = ask(box, headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    cities = mapbox_vector_tile.decode(answer.content)["city"]["features"]
    assert [one["properties"]["code"] for one in cities] == ["4499"]
    again = ask(box, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_lamps_are_counted_by_the_meshes_they_declare(ask: Ask) -> None:
    tiles = [(x, y) for x in range(104, 107) for y in range(54, 57)]

    def counts(how: str) -> list[int]:
        found = [ask(f"/tiles/layer/1/street_lamp/{how}/7/{x}/{y}").content for x, y in tiles]
        told = [mapbox_vector_tile.decode(one)["thing"]["features"] for one in found if one]
        return [one["properties"]["n"] for features in told for one in features]

    usual, declared = counts("counts"), counts("counts-10")
    assert sum(usual) == sum(declared) > 0
    assert len(declared) < len(usual)


def test_every_layer_of_points_draws_all_that_it_counts(ask: Ask, catalog: Catalog, small_city: Database) -> None:
    lacking = []
    for layer in catalog.layers.values():
        if layer.draw != "point" or layer.element == "event":
            continue
        tiles = [f"/tiles/layer/1/{layer.key}/counts/7/{x}/{y}" for x in range(104, 107) for y in range(54, 57)]
        told = [mapbox_vector_tile.decode(found) for one in tiles if (found := ask(one).content)]
        drawn = sum(one["properties"]["n"] for tile in told for one in tile[layer.element]["features"])
        with small_city.connect("loader") as loader:
            query = f"select count(*) from ops.{layer.element} where dataset = any(%s) and gone_on is null"
            (there,) = loader.execute(query, [list(layer.datasets)]).fetchone() or (0,)
        if drawn != there or not there:
            lacking.append((layer.key, drawn, there))
    assert lacking == []


def test_a_layer_of_places_follows_the_chosen_categories(ask: Ask) -> None:
    path = "/tiles/layer/1/school/counts/7/105/55"
    assert ask(path).content == ask(f"{path}?categories=school").content != b""
    assert ask(f"{path}?categories=clinic").content == b""


def test_days_may_be_any_that_can_be_chosen(ask: Ask) -> None:
    path = "/tiles/layer/1/grid_event/counts/7/105/55"
    whole = ask(f"{path}?since=2020-01-01&until=2030-01-01").content
    assert ask(f"{path}?since=1000-01-01&until=2999-12-31").content == whole
    assert ask(f"{path}?since=0999-12-31&until=2030-01-01").status_code == 404


def tile(ask: Ask, z: int, x: int, y: int) -> str:
    path = f"/tiles/grid/1-1/{z}/{x}/{y}"
    return path if ask(path).content else ""


def test_a_fault_in_a_callback_is_no_secret_told(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    body = {"output": "nope.children", "outputs": {}, "inputs": [], "changedPropIds": []}
    answer = ask("/_dash-update-component", "POST", json=body)
    assert "Traceback" not in answer.text and "File" not in answer.text


def test_a_view_is_sent_once_and_then_known_again(ask: Ask) -> None:
    first = ask("/api/view?at=449901")
    parts = first.json()["parts"]
    assert parts[2]["at"] == "449901"
    assert first.headers["cache-control"] == "private, no-cache"
    again = ask("/api/view?at=449901", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = ask("/api/view?at=449901&lang=en", headers={"if-none-match": first.headers["etag"]})
    assert other.status_code == 200
    known = ask(f"/api/view?at=449901&known={','.join(parts[0].values())}").json()
    assert known["parts"][1] is None and "data" not in known["fields"]["indicator"]


def test_an_empty_database_is_a_sentence_on_the_page(db: Database, catalog: Catalog, settings: Settings) -> None:
    atlas = Atlas(catalog, db, "web", Scope(catalog.city.code))
    app: Any = create_app(atlas, make_porter(atlas, settings, is_demo=True))
    known = cookies(sign_in(db))

    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with (
            app.app.app.router.lifespan_context(app.app.app),
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8050") as http,
        ):
            return await http.get("/api/view?lang=en", headers=known)

    answer = asyncio.run(go())
    assert answer.status_code == 409
    assert "No grids have been loaded yet" in answer.text


def test_the_dictionary_of_pinyin_is_read_before_somebody_searches(
    atlas: Atlas, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "WARMED_AFTER_S", 0.0)
    app: Any = create_app(atlas, make_porter(atlas, settings, is_demo=True))
    monkeypatch.delitem(sys.modules, "pypinyin", raising=False)

    async def go() -> None:
        async with app.app.app.router.lifespan_context(app.app.app), asyncio.timeout(20):
            while "pypinyin" not in sys.modules:
                await asyncio.sleep(0.01)

    asyncio.run(go())
