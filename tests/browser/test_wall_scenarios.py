"""Every declared scenario on the wall: its page fills every panel, and long names of grids are whole in every size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from databases import copy_of
from playwright.sync_api import Browser, expect
from playwright.sync_api import TimeoutError as TooLate
from screen import hold_map
from test_wall import LETTERS, Served, wait_whole, wall

from etl.demo.backlog import leave_open
from layers.database import Database
from layers.declare.records import Catalog
from layers.settings import Settings

NAMES = """
update pub.grid set name = case length(code)
    when 9 then (array['Royal Borough of Kensington and Chelsea', '临海经济技术开发区管理委员会',
        'Hammersmith and Fulham', 'Richmond upon Thames'])[1 + right(code, 3)::int % 4]
    when 12 then (array['St James''s and Covent Garden', '向阳花园新城社区居民委员会',
        'Queen''s Gate and South Kensington'])[1 + right(code, 3)::int % 3] || right(code, 3)
    else (array['Kensington and Chelsea 018B', '向阳花园新城社区居委会第一百零二网格'])[1 + right(code, 3)::int % 2]
        || right(code, 3) end
where length(code) > 6
"""

SHOWN = """(asked) => ({
  empty: [...document.querySelectorAll('.panel, #legend, figure')]
    .filter((one) => one.dataset.state !== 'there').map((one) => one.id),
  question: document.querySelector('.question')?.textContent,
  n_values: [...document.querySelectorAll('.indicator b')].filter((one) => /\\d/.test(one.textContent)).length,
  n_ranked: Math.min(document.querySelectorAll('#ranking a').length, 2),
  others: window.__layers.tiles.filter((one) => !one || (one.includes('/grid_event/')
    && !(one.includes('states=reported,') && one.includes(`categories=${asked.kinds}&`)))),
  lacking: asked.layers.filter((key) => !window.__layers.drawn.some((id) => id.startsWith(`layer-${key}-`))),
  circles: [...document.querySelectorAll('#legend .circles span')].filter((one) => one.getBoundingClientRect().bottom
    <= document.querySelector('#legend .circles').getBoundingClientRect().bottom).map((one) => one.textContent),
})"""
QUIET = """
select min(code) from pub.grid where length(code) = 15
    and code not in (select grid_code from ops.event where category = 'lighting')
"""
"""A small grid in which no lamp was ever out."""
SIZES = ((1366, 768), (1920, 1080), (5120, 1440))
"""3840 x 2160 is 1920 x 1080 twice as large in every measure."""


@pytest.fixture(scope="module")
def served(settings: Settings, server: Any, city_template: Database, catalog: Catalog) -> Iterator[Served]:
    with copy_of(city_template, server, settings) as db:
        with db.connect("admin") as admin:
            admin.execute(NAMES)
        assert leave_open(db, catalog) > 0
        assert leave_open(db, catalog) == 0, "a second start adds none"
        served = Served(db, catalog, settings)
        yield served
        served.stop()


def test_each_scenario_fills_every_panel_with_long_names_in_every_size(browser: Browser, served: Served) -> None:
    catalog = served.catalog
    with wall(browser, served, "?tour=600", SIZES[0]) as screen:
        page = screen.page
        for key, scenario in catalog.scenarios.items():
            points = [one for one in scenario.layers if catalog.layers[one].draw == "point"]
            asked = {"layers": points, "kinds": ",".join(scenario.categories)}
            wanted = {
                "empty": [], "question": scenario.question.zh, "n_values": len(scenario.indicators[:4]),
                "n_ranked": 2, "others": [], "lacking": [], "circles": [catalog.layers[one].name.zh for one in points],
            }  # fmt: skip
            page.locator(f"#scenarios a[href$='={key}']").click()
            is_there = f"([asked, wanted]) => JSON.stringify(({SHOWN})(asked)) === JSON.stringify(wanted)"
            try:
                page.wait_for_function(is_there, arg=[asked, wanted], polling=100)
            except TooLate:
                assert page.evaluate(SHOWN, asked) == wanted, key
            wait_whole(page)
            assert page.evaluate(LETTERS) >= 15, key
        for language, sizes in (("", SIZES), ("&lang=en", SIZES[:1])):
            page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})
            page.goto(f"{served.address}/wall?tour=600&scenario=epidemic_prevention{language}")
            for width, height in sizes:
                page.set_viewport_size({"width": width, "height": height})
                hold_map(page)
                wait_whole(page)
        with served.db.connect("admin") as admin:
            row = admin.execute(QUIET).fetchone()
        small = row[0] if row else ""
        page.goto(f"{served.address}/wall?tour=600&scenario=street_lighting&at={small}")
        expect(page.locator("#ranking[data-state=empty] > .state")).to_have_text("在办不足10件的网格不排名")
        expect(page.locator("#feed[data-state=empty] > .state")).to_have_text("近三天没有动态")
        assert screen.faults == []
