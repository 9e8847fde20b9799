"""A map of others under the grids, in a real browser: seen, named, and asked for from our host alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, expect
from screen import serving
from test_casework_page import at_desk
from test_wall import READY
from tile_server import serving_tiles

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.declare.records import Catalog
from layers.settings import Settings, read_settings
from mapapp.base.base import open_base
from mapapp.base.sources import read_base

IS_SEEN = """() => {
  const one = document.querySelector('.attribution').getBoundingClientRect();
  const isFree = (panel) => {
    const box = panel.getBoundingClientRect();
    return one.right <= box.left || box.right <= one.left || one.bottom <= box.top || box.bottom <= one.top;
  };
  return one.width && one.bottom <= innerHeight && [...document.querySelectorAll('.screen .glass')].every(isFree);
}"""


def test_the_base_is_seen_and_named_and_comes_from_our_host(
    browser: Browser, small_city: Database, catalog: Catalog, settings: Settings, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("mapapp.base.base.REST_S", 0.0)
    atlas = Atlas(catalog, small_city, "web", Scope(catalog.city.code))
    with serving_tiles() as tiles:
        setting = {
            "BASE_MAP": f"{tiles.address}/{{z}}/{{x}}/{{y}}",
            "ALLOWED_HOSTS": tiles.address,
            "BASE_NAME": "Survey",
        }
        base = open_base(read_base(read_settings(setting)), tmp_path)
        with serving(atlas, settings, base=base) as address, at_desk(browser, address, "dispatcher") as screen:
            screen.open("?at=449901")
            assert screen.texts(".attribution") == ["Survey"]
            seen = screen.page.evaluate("() => window.__map.colourAt(innerWidth / 2, innerHeight / 2)")
            assert seen[0] > seen[1] + 20, f"the pink of the base shines through: {seen}"
            with at_desk(browser, address, "wall", viewport={"width": 1366, "height": 768}) as wall:
                wall.page.goto(f"{address}/wall?tour=600")
                wall.page.wait_for_function(READY, timeout=60_000)
                assert wall.texts(".attribution") == ["Survey"]
                assert wall.page.evaluate(IS_SEEN), "no panel lies over the name of the map, where they are closest"
                left, right = wall.page.evaluate("() => [0.23 * innerWidth, 0.755 * innerWidth]")
                colours = [
                    wall.page.evaluate(f"() => window.__map.colourAt({x}, innerHeight / 10)") for x in (left, right)
                ]
                assert any(seen[0] > seen[1] + 20 for seen in colours), f"the pink of the base: {colours}"
                assert wall.hosts == {urlsplit(address).netloc}
            screen.page.goto(f"{address}/explore")
            screen.page.wait_for_selector(".attribution:visible")
            name, note = (screen.page.locator(one).bounding_box() for one in (".attribution", ".no-gpu-note"))
            assert name and note and name["x"] + name["width"] < note["x"], "neither lies over the other"
            screen.page.goto(f"{address}/command?lon=115.24&lat=22.85&r=500")
            screen.page.wait_for_function("() => document.body.classList.contains('ready') && window.__emergency.idle")
            assert screen.texts("#base") == ["Survey"]
            expect(screen.page.locator(".base-note")).to_be_empty()
            tiles.status = 500
            screen.page.clock.install()
            screen.open("?at=449901002001")
            expect(screen.page.locator(".base-note")).to_contain_text("底图服务没有应答")
            tiles.status = 200
            with screen.page.expect_response("**/base/tiles/**"):
                screen.page.clock.fast_forward(15_000)  # looks, and asks for the tiles again
            screen.page.clock.fast_forward(15_000)
            expect(screen.page.locator(".base-note")).to_be_empty()
            assert screen.hosts == {urlsplit(address).netloc}
            assert len(tiles.asked) > 4
