"""The wall in a real browser: three sizes, live steps to pixels, an outage, the tour, keys, two languages."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from painted import unlike
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as TooLate
from screen import Screen, keep_picture

from etl.demo.backlog import leave_open
from etl.demo.live import live_city
from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.declare.records import Catalog
from layers.settings import Settings
from mapapp.app import create_app
from mapapp.porter import make_porter

READY = "() => window.__wall && window.__wall.ready && window.__map.idle"
FAULTS = """() => {
  const box = (one) => one.getBoundingClientRect();
  const all = (selector) => [...document.querySelectorAll(selector)];
  const faults = [];
  const panels = all(".screen .glass");
  panels.forEach((a, i) => panels.slice(i + 1).forEach((b) => {
    const [p, q] = [box(a), box(b)];
    const crosses = p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 1 && q.top < p.bottom - 1;
    if (crosses) faults.push(`${a.id || a.className} lies over ${b.id || b.className}`);
  }));
  for (const one of panels) {
    const p = box(one);
    const isIn = p.left >= 0 && p.top >= 0 && p.right <= innerWidth + 1 && p.bottom <= innerHeight + 1;
    if (!isIn) faults.push(`${one.id} leaves the screen`);
  }
  for (const one of all(".wall .panel")) {
    const isFull = one.dataset.state === "there" && one.querySelector(".body").innerText.trim();
    if (!isFull) faults.push(`${one.id} is ${one.dataset.state}`);
    const [p, last] = [box(one.querySelector(".body")), one.querySelector(".body").lastElementChild];
    if (last && box(last).bottom > p.bottom + 2) faults.push(`${one.id} is cut below`);
  }
  for (const one of all(".top *, .panel h2, .panel .body *, #legend li, figcaption")) {
    const isCut = one.clientWidth && one.scrollWidth > one.clientWidth + 1;
    if (isCut) faults.push(`cut: ${one.className || one.tagName} ${one.innerText?.slice(0, 40)}`);
  }
  // Sixteen minutes of arc at three metres, on a screen two metres wide of 1920 pixels.
  const least = 15 * innerHeight / 1080;
  const texts = all(".screen *").filter((one) => one.checkVisibility()
    && [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
  for (const one of texts) {
    const px = parseFloat(getComputedStyle(one).fontSize);
    if (px < least) faults.push(`small: ${px} ${one.textContent}`);
  }
  for (const one of all("figure")) {
    const marks = [...one.querySelectorAll(".ytick text")].map((mark) => mark.textContent);
    if (!marks.length || new Set(marks).size < marks.length) faults.push(`${one.id} has the marks ${marks}`);
    const p = box(one);
    for (const mark of one.querySelectorAll(".xtick text, .ytick text, svg")) {
      const q = box(mark);
      const isOut = q.width && (q.left < p.left - 1 || q.right > p.right + 1 || q.bottom > p.bottom + 1);
      if (isOut) faults.push(`${one.id} is left by ${mark.textContent}`);
    }
  }
  const tops = new Set(all("#scenarios a").map((one) => box(one).top));
  if (tops.size > 1) faults.push("the scenarios take more than one line");
  return faults;
}"""


MARKS = """() => ['hours', 'days'].map((id) => [...document.querySelectorAll(`#${id} .xtick text`)]
  .map((one) => one.textContent))"""


class Served:
    """A server of the map that can be stopped and started at the same address."""

    def __init__(self, db: Database, catalog: Catalog, settings: Settings) -> None:
        self.db, self.catalog, self.settings, self.port = db, catalog, settings, 0
        self.start()

    def start(self) -> None:
        atlas = Atlas(self.catalog, self.db, "web", Scope(self.catalog.city.code))
        listening = socket.socket(proto=socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        listening.listen(64)
        self.port = listening.getsockname()[1]
        app = create_app(atlas, make_porter(atlas, self.settings, is_demo=True))
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1, ws="none"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listening]})
        self.thread.start()
        self._listening = listening

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(15)
        self._listening.close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def live(self, steps: int, hours: float = 0, seed: int = 1) -> None:
        live_city(self.db, self.catalog, rate=0, steps=steps, hours=hours, seed=seed, say=lambda line: None)


@pytest.fixture(scope="module")
def served(settings: Settings, server: Any, city_template: Database, catalog: Catalog) -> Iterator[Served]:
    from databases import copy_of

    with copy_of(city_template, server, settings) as db:
        served = Served(db, catalog, settings)
        leave_open(db, catalog)
        served.live(260, hours=8)
        yield served
        served.stop()


LETTERS = """() => Math.min(...window.drawn.querySourceFeatures('label').map(({ properties: { size, more, small } }) =>
  size * (more ? small : 1) * window.drawn.getGlobalState().scale)) * 1080 / innerHeight"""
"""Height of the smallest letters on the map, in pixels of a screen of 1080."""


@contextmanager
def wall(browser: Browser, served: Served, query: str = "", size: tuple[int, int] = (1366, 768)) -> Iterator[Screen]:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="zh-CN")
    screen = Screen(context.new_page(), served.address)
    screen.page.add_init_script("window.addEventListener('atlas-map', ({ detail }) => { window.drawn = detail; })")
    screen.sign_in("wall")
    screen.page.goto(f"{served.address}/wall{query}")
    screen.page.wait_for_function(READY, timeout=60_000)
    yield screen
    context.close()
    assert screen.hosts <= {served.address.removeprefix("http://")}


def wait_whole(page: Page) -> None:
    """Wait until nothing is cut, empty, small or over another."""
    try:
        page.wait_for_function(f"() => window.__map?.idle && !({FAULTS})().length", polling=200)
    except TooLate:
        assert page.evaluate(FAULTS) == []


def test_everything_is_there_and_nothing_cut(browser: Browser, served: Served) -> None:
    with wall(browser, served, "?tour=600", (1920, 1080)) as screen:
        page = screen.page
        wait_whole(page)
        hours, days = page.evaluate(MARKS)
        assert all(re.fullmatch(r"[0-2]\d时", one) for one in hours) and len(hours) > 3
        assert all(re.fullmatch(r"1?\d月[1-3]?\d日", one) for one in days) and len(days) > 2
        spoken = [page.locator(f"#{one} [role=img]").get_attribute("aria-label") for one in ("hours", "days")]
        assert all(re.fullmatch(r"近\d+(小时|天)：上报 [\d,]+，其中已结案 [\d,]+", one or "") for one in spoken), spoken
        due = screen.texts("#due time")
        assert due and all(re.fullmatch(r"(超 |剩 )[\d,]+(分钟|小时|天)", one) for one in due), due
        n_colours, wrong = unlike(page, "#legend li")
        assert n_colours > 2 and wrong == []
        served.live(12, seed=5)
        page.wait_for_function("() => window.__wall.pulses > 3")
        keep_picture(page, "wall")
        for width, height in ((3840, 2160), (5120, 1440)):
            page.set_viewport_size({"width": width, "height": height})
            wait_whole(page)
            assert page.evaluate(LETTERS) >= 15
            keep_picture(page, f"wall-{width}")
        assert screen.faults == []


def test_a_step_is_seen_at_once_and_an_outage_loses_none(browser: Browser, served: Served) -> None:
    with wall(browser, served, "?tour=600") as screen:
        seen = screen.page.evaluate("() => window.__wall.steps")
        served.live(3, seed=7)
        is_new = "document.querySelector('#feed a.event.new')"
        is_shown = f"(n) => window.__wall.steps >= n && window.__wall.pulses && {is_new}"
        screen.page.wait_for_function(is_shown, arg=seen + 3)  # at one look, for figures read anew follow soon
        first = screen.page.locator("#feed a").first
        assert first.get_attribute("data-state")
        assert screen.faults == []
        served.stop()
        served.live(20, seed=8)
        served.start()
        screen.page.wait_for_function("(n) => window.__wall.steps >= n", arg=seen + 23, timeout=60_000)
        assert screen.page.evaluate("() => window.__wall.steps") == seen + 23, "nothing missed, nothing twice"
        assert screen.page.evaluate("() => document.getElementById('age').dataset.age") == "fresh"
        first.click()
        screen.page.wait_for_function("() => window.__wall.at.length === 12 && window.__map.at === window.__wall.at")
        screen.page.wait_for_function("() => window.__map.idle")
        cell = screen.cells()[0]
        screen.click_cell(cell)
        screen.page.wait_for_function("(code) => window.__wall.at === code", arg=cell)


def test_an_outage_is_said_by_every_panel_and_by_the_age_of_the_data(browser: Browser, served: Served) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    screen = Screen(context.new_page(), served.address)
    screen.sign_in("wall")
    page, away = screen.page, "**/api/**"
    page.clock.install()
    page.route(away, lambda route: route.abort())
    page.goto(f"{served.address}/wall?tour=20")
    expect(page.locator("[data-state=failed]")).to_have_count(7)  # and charts that wait for the map
    assert set(screen.texts("[data-state=failed] > .state")) == {"暂时读不到，正在重试"}
    expect(page.locator("[data-state=loading] > .state")).to_have_text(["正在读取…"] * 2)
    page.unroute(away)
    page.clock.fast_forward(3000)
    page.wait_for_function(READY, timeout=60_000)
    expect(page.locator("#age")).to_have_attribute("data-age", "fresh")
    expect(page.locator(".months .no-gpu-note")).to_be_visible()  # the map keeps clear of the strip
    full = screen.texts("#today .body")
    context.set_offline(True)
    page.clock.fast_forward(61_000)
    expect(page.locator("#age")).to_have_attribute("data-age", "late")
    expect(page.locator(".panel[data-state=stale], figure[data-state=stale]")).to_have_count(8)
    assert "暂时读不到新数" in screen.texts("#today > .state")[0] and screen.texts("#today .body") == full
    page.clock.fast_forward(240_000)
    expect(page.locator("#age")).to_have_attribute("data-age", "old")
    context.set_offline(False)
    page.clock.fast_forward(30_000)
    expect(page.locator("#age")).to_have_attribute("data-age", "fresh")
    expect(page.locator("[data-state=stale]")).to_have_count(0)
    page.keyboard.press("Shift")
    expect(page.locator("#tour")).to_have_attribute("data-tour", "rests")
    at = page.evaluate("() => window.__wall.at")
    page.clock.fast_forward(60_000)
    expect(page.locator("#tour")).to_have_attribute("data-tour", "rests")
    assert page.evaluate("() => window.__wall.at") == at, "it stands still for two minutes"
    page.clock.fast_forward(60_000)
    page.clock.fast_forward(20_000)
    expect(page.locator("#tour")).to_have_attribute("data-tour", "on")
    page.wait_for_function("(at) => window.__wall.at !== at", arg=at)
    context.close()


def test_figures_come_first_the_map_after_them_and_charts_last(browser: Browser, served: Served) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    screen = Screen(context.new_page(), served.address)
    screen.sign_in("wall")
    page, late = screen.page, list[Any]()
    asked: list[str] = []
    page.goto("about:blank")  # the page after the sign-in asks no more
    page.on("request", lambda request: asked.append(request.url))
    page.route("**/maplibre-gl.mjs", lambda route: late.append(route))
    page.goto(f"{served.address}/wall?tour=600", wait_until="commit")
    expect(page.locator("#today[data-state=there]")).to_be_visible()
    assert not any("plotly" in one for one in asked)
    if not any("/api/view" in one for one in asked):
        page.wait_for_event("request", lambda request: "/api/view" in request.url)
    view = next(at for at, one in enumerate(asked) if "/api/view" in one)
    assert any("/api/watch" in one for one in asked[:view])
    late[0].continue_()
    page.wait_for_function(READY, timeout=60_000)
    context.close()


def rest_at(page: Page, top: str) -> None:
    """Have the tour rest, and go up from where it has come to meanwhile."""
    page.keyboard.press("Shift")
    while page.evaluate("() => window.__wall.at") != top:
        deep = page.evaluate("() => window.__wall.at")
        page.keyboard.press("Escape")
        page.wait_for_function("(deep) => window.__wall.at !== deep", arg=deep)


def test_keys_scenarios_tour_and_the_other_language(browser: Browser, served: Served) -> None:
    with wall(browser, served, "?tour=5") as screen:
        page, top = screen.page, served.catalog.city.code  # the tour may be under way already
        page.wait_for_function("(top) => window.__wall.at.length > top.length", arg=top)
        rest_at(page, top)
        assert page.locator("#tour").get_attribute("data-tour") == "rests"
        page.wait_for_function("() => document.querySelector('#ranking a') && window.__map.idle")
        page.keyboard.press("ArrowDown")
        page.wait_for_function("() => document.activeElement.matches('#ranking a')")
        page.keyboard.press("Enter")
        page.wait_for_function("(top) => window.__wall.at.length > top.length && window.__map.idle", arg=top)
        page.keyboard.press("ArrowRight")
        page.wait_for_function("() => document.querySelector('.question')")
        is_on = page.evaluate("() => document.querySelectorAll('.element')[2].matches('.on')")
        page.keyboard.press("3")
        page.wait_for_function("(on) => document.querySelectorAll('.element')[2].matches('.on') !== on", arg=is_on)
        page.keyboard.press("/")
        page.keyboard.type("haiyan")
        expect(page.locator("#search .found a").first).to_contain_text(top)
        page.keyboard.press("Enter")
        page.wait_for_function("(top) => window.__wall.at === top && window.__map.idle", arg=top)
        scenario = page.evaluate("() => window.__wall.scenario")
        switches = [one.get_attribute("aria-checked") for one in page.locator(".element").all()]
        page.locator("#language").click()
        page.wait_for_function(READY, timeout=60_000)
        rest_at(page, top)
        assert page.evaluate("() => window.__wall.scenario") == scenario
        assert [one.get_attribute("aria-checked") for one in page.locator(".element").all()] == switches
        page.keyboard.press("f")
        page.wait_for_function("() => document.fullscreenElement")
        page.keyboard.press("f")
        page.wait_for_function("() => !document.fullscreenElement")
        chinese = page.evaluate("() => document.querySelector('.wall .screen').innerText.match(/[\\u4e00-\\u9fff]+/g)")
        names = set(page.evaluate("() => fetch('/api/names?lang=en').then((it) => it.json()).then((it) => it.name)"))
        said = [one for one in chinese or [] if not any(one in name for name in names)]
        assert said == ["中文"]
        hours, days = page.evaluate(MARKS)
        assert all(re.fullmatch(r"[0-2]\d:00", one) for one in hours) and len(hours) > 3
        assert all(re.fullmatch(r"[1-3]?\d [A-Z][a-z]+", one) for one in days) and len(days) > 2
        wait_whole(page)
        assert screen.faults == []
