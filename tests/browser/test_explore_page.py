"""The explore page in a real browser: drill down and back, choose, compare, play, look behind, take away."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pyarrow.parquet as pq
import pytest
from PIL import Image
from playwright.sync_api import expect
from pypinyin import lazy_pinyin
from python_calamine import CalamineWorkbook
from reading import CONTRAST, UNNAMED
from screen import keep_picture

if TYPE_CHECKING:
    from screen import Screen

pytestmark = pytest.mark.browser

CHINESE = re.compile(r"[\u4e00-\u9fff]")
DRAWN = """() => window.__map && window.__map.idle && document.documentElement.classList.contains('drawn')
    && !document.querySelector('[aria-busy]')"""

CLIPPED = """() => {
  document.querySelector('#ranking .changes tbody td.n:nth-child(4) .number').textContent = '+1,390.4 (+12,282%)';
  const isIn = (one, host) => one.left >= host.left - 1 && one.right <= host.right + 1;
  const box = (selector) => document.querySelector(selector).getBoundingClientRect();
  const lines = [...document.querySelectorAll('#ranking .spark svg')].map((one) => one.getBoundingClientRect());
  const found = lines.every((one) => isIn(one, box('#ranking .rows'))) ? [] : ['a line of the ranking'];
  return isIn(box('#trend .annotation'), box('#trend .plot')) ? found : [...found, 'the unit of the trend'];
}"""
"""What a long change in the ranking, or its own length, pushes out of its panel."""
OUTSIDE = """() => [...document.querySelectorAll('header, .panel, .panel button, .panel select, .panel input')]
  .filter((one) => one.checkVisibility()).map((one) => [one, one.getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.left < -1 || box.right > innerWidth + 1))
  .map(([one]) => one.id || one.className || one.dataset.set)"""

OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll('body > header, .panel')]
    .map((one) => [one.id || one.className, one.getBoundingClientRect()]).filter(([, box]) => box.width);
  const found = [];
  boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
    const beside = p.left >= q.right - 1 || q.left >= p.right - 1 || p.top >= q.bottom - 1 || q.top >= p.bottom - 1;
    if (!beside) found.push(`${a} / ${b}`);
  }));
  return found;
}"""

SWATCHES = """() => [...document.querySelectorAll('#ranking tbody tr')].map((row) =>
  [row.querySelector('.spark').dataset.code, getComputedStyle(row.querySelector('i')).backgroundColor])"""

LEGEND = """() => [...document.querySelectorAll('#legend li')].filter((row) => row.querySelector('i, .number'))
  .map((row) => [row.querySelector('i'), row.querySelector('.number')]).filter(([shown, n]) => shown && n)
  .map(([shown]) => getComputedStyle(shown).backgroundColor.match(/[0-9]+/g).map(Number))"""
"""Colours of the classes that any grid is in."""

FIRST = re.compile(r"/api/explore(\?|$)")

FOCUSED = """() => {
  const one = document.activeElement;
  return one.dataset.set || one.id || one.getAttribute('class') || one.parentElement.className;
}"""


def explore(screen: Screen, search: str = "") -> Screen:
    screen.page.goto(f"{screen.address}/explore{search}")
    screen.page.wait_for_function(DRAWN)
    return screen


def drawn(screen: Screen) -> None:
    screen.page.wait_for_function(DRAWN)


def choose(screen: Screen, which: str, value: str) -> None:
    screen.page.select_option(f"[data-set={which}]", value)
    screen.page.wait_for_function(f"() => location.search.includes('{which}={value}')")
    drawn(screen)


def test_drill_down_to_a_small_grid_and_back(screen: Screen) -> None:
    explore(screen)
    for digits in (9, 12, 15):
        screen.click_cell(screen.cells()[0])
        screen.page.wait_for_function("(n) => window.__map.at?.length === n && window.__map.idle", arg=digits)
        drawn(screen)
        assert screen.texts("#path code") == [screen.at()]
    assert screen.page.locator("tr.here").count() == 1
    for digits in (12, 9):
        screen.page.locator("#play").blur()
        screen.page.keyboard.press("Escape")
        screen.page.wait_for_function("(n) => window.__map.at?.length === n && window.__map.idle", arg=digits)
    screen.page.click("#path a >> nth=0")
    screen.wait_at("4499")
    screen.page.go_back()
    screen.page.wait_for_function("() => window.__map.at?.length === 9 && window.__map.idle")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_map_is_painted_in_the_colours_of_the_legend(screen: Screen, theme: str) -> None:
    explore(screen, f"?indicator=events_reported&theme={theme}&period=202605&level=large&ramp=cividis")
    swatches = dict(screen.page.evaluate(SWATCHES))
    assert len(set(swatches.values())) > 2
    for code, colour in swatches.items():
        x, y = screen.page.evaluate("(code) => window.__map.pointOf(code)", code)
        painted = [screen.page.evaluate("([x, y]) => window.__map.colourAt(x, y)", [x + dx, y + 17]) for dx in (0, 9)]
        wanted = [int(channel) for channel in re.findall(r"\d+", colour)[:3]]
        assert min(max(abs(a - b) for a, b in zip(one, wanted, strict=True)) for one in painted) <= 2, (
            code,
            painted,
            wanted,
        )


def test_indicator_classes_comparison_and_period_are_chosen(screen: Screen) -> None:
    explore(screen, "?period=202605")
    before = screen.texts("#legend li span")
    choose(screen, "classes", "equal")
    assert screen.texts("#legend li span") != before
    choose(screen, "against", "previous")
    assert "基本持平" in screen.texts("#legend li span")
    assert screen.texts("#headline .compared")[0].startswith("2026年4月")
    choose(screen, "indicator", "population")
    assert "含约数 6 个网格" in screen.texts("#legend .notes li")
    assert screen.page.locator("#slider").is_disabled()
    assert screen.page.locator("#ranking .spark").count() == 0, "no column of what there is none of"
    choose(screen, "against", "siblings")
    assert screen.texts("#headline .compared") == ["同级平均：没有可比的数"]
    choose(screen, "indicator", "disputes")
    choose(screen, "category", "labour")
    assert "劳资纠纷" in screen.texts("#headline .what")[0]


def test_another_number_is_told_by_its_colours_first(screen: Screen) -> None:
    explore(screen, "?level=small&indicator=events_reported&period=202605")
    with screen.page.expect_response(re.compile(r"/api/explore/rest")), screen.page.expect_response(FIRST) as waited:
        choose(screen, "indicator", "population")
    first = waited.value.json()
    cells = screen.cells()
    assert set(first["view"]["cells"]) == {"shade"} and len(first["view"]["cells"]["shade"]) == len(cells)
    told = [screen.page.evaluate("(code) => window.__map.shadeOf(code)", code) for code in cells]
    assert told == [int(one) for one in first["view"]["cells"]["shade"]]
    x, y = screen.page.evaluate("(code) => window.__map.pointOf(code)", cells[0])
    screen.page.mouse.move(x, y)
    row = screen.page.locator(f"#ranking [data-rows='{cells[0]}']")
    expect(screen.page.locator("#hover dd")).to_have_text(re.compile(rf"^{re.escape(row.first.inner_text())}"))


def test_the_months_play_and_a_small_multiple_opens_its_month(screen: Screen) -> None:
    explore(screen, "?period=202603")
    assert screen.page.locator(".multiple").count() == 12
    screen.page.click("#play")
    screen.page.wait_for_function("() => !location.search.includes('period=202603')")
    screen.page.evaluate(
        "() => { const one = document.getElementById('play'); if (one.ariaPressed === 'true') one.click(); }"
    )
    assert screen.page.get_attribute("#play", "aria-pressed") == "false"
    drawn(screen)
    screen.page.click(".multiple >> nth=3")
    drawn(screen)
    assert screen.page.locator(".multiple[aria-current=true]").count() == 1
    keep_picture(screen.page, "explore")
    assert screen.page.locator("td.spark svg").count() == 6
    assert screen.page.locator("#trend .main-svg").count() > 0


def test_a_number_opens_what_is_behind_it(screen: Screen) -> None:
    explore(screen, "?indicator=events_reported&at=449901&period=202605&against=previous")
    wanted = int(screen.texts("#ranking td .number")[0].replace(",", ""))
    screen.page.click("#ranking td .number >> nth=0")
    screen.page.wait_for_selector("#rows table >> nth=1")
    counts = screen.page.locator("#rows table >> nth=0").locator("tbody td:last-child").all_inner_texts()
    assert sum(int(n.replace(",", "")) for n in counts) == wanted
    assert f"共 {wanted:,} 行" in screen.texts("#rows caption")[1]
    screen.page.keyboard.press("Escape")
    screen.page.wait_for_function("() => !document.getElementById('behind').open")
    changed = screen.page.locator("#ranking tbody tr >> nth=0").locator("td.n .number")
    assert changed.count() == 2, "the change opens its rows too"
    before, change = screen.texts("#headline .compared .number")
    assert change[0] in "+-"
    screen.page.click("#headline .compared .number >> nth=0")
    screen.page.wait_for_function("() => document.querySelector('#rows h2')?.textContent.includes('2026年4月')")
    assert f"共 {before} 行" in screen.texts("#rows caption")[1]
    screen.page.keyboard.press("Escape")
    strip = screen.page.locator("#ranking td.spark >> nth=0").locator("rect[data-period='202602']")
    strip.click(force=True)  # the line lies under it
    screen.page.wait_for_function("() => document.querySelector('#rows h2')?.textContent.includes('2026年2月')")
    wanted = re.search(r" ([\d,]+)", strip.locator("title").text_content())[1]
    assert f"共 {wanted} 行" in screen.texts("#rows caption")[1]
    screen.page.keyboard.press("Escape")
    group = screen.page.locator("#legend [data-look]").first
    n = int(group.inner_text())
    group.click()
    screen.page.wait_for_function("() => document.querySelector('#rows h2')?.textContent.includes('个网格')")
    assert screen.page.locator("#rows tbody tr").count() == n > 0
    screen.page.keyboard.press("Escape")
    missing = screen.page.locator("#legend [data-look=unplaced]")
    n = int(missing.inner_text())
    missing.click()
    screen.page.wait_for_selector("#rows caption >> nth=1")
    assert f"共 {n} 行" in screen.texts("#rows caption")[1] and n > 0
    screen.page.keyboard.press("Escape")
    screen.page.click("#legend [data-look='grids/all']")
    screen.page.wait_for_function("() => document.querySelector('#rows h2')?.textContent.startsWith('全部')")
    swatches = "(host) => [...document.querySelectorAll(`${host} tbody i`)].map((one) => one.style.background)"
    shown = screen.page.evaluate(swatches, "#rows")
    assert shown == screen.page.evaluate(swatches, "#ranking") and len(set(shown)) > 1, "in the colours of the map"
    assert "事件上报数 · 件 · 2026年5月" in screen.texts("#rows h2")[0]
    assert len(screen.texts("#multiples .keys li")) > 3, "the small maps have other classes than the change"
    screen.page.click("#rows tbody a >> nth=0")
    screen.page.wait_for_function(
        "() => !document.getElementById('behind').open && !location.search.includes('at=449901&')"
    )


def about(kind: str, file: Path) -> dict[str, str]:
    """Read what a file says of itself."""
    match kind:
        case "csv":
            lines = list(csv.reader(file.read_text("utf-8-sig").splitlines()))
            return dict(lines[: lines.index([])])
        case "xlsx":
            return dict(CalamineWorkbook.from_path(file).get_sheet_by_index(1).to_python())
        case "geojson":
            return dict(json.loads(file.read_text("utf-8"))["about"])
        case "parquet":
            return dict(json.loads(pq.read_schema(file).metadata[b"about"]))
        case _:
            told = ElementTree.parse(file).findtext("{http://www.w3.org/2000/svg}desc") or ""
            return {key: text for key, _, text in (one.partition(": ") for one in told.split("; "))}


def test_files_are_taken_away_and_say_what_they_are(screen: Screen, tmp_path: Path) -> None:
    explore(screen, "?indicator=events_reported&period=202605")
    shown = screen.texts("#ranking td .number")
    taken: dict[str, Path] = {}
    for kind in ("csv", "png", "xlsx", "svg", "geojson", "parquet"):
        with screen.page.expect_download() as waited:
            screen.page.click(f"[data-kind={kind}]")
        taken[kind] = tmp_path / waited.value.suggested_filename
        assert taken[kind].name == f"events_reported_4499_large_202605.{kind}"
        waited.value.save_as(taken[kind])
    lines = list(csv.reader(taken["csv"].read_text("utf-8-sig").splitlines()))
    values = sorted((float(line[2]) for line in lines[lines.index([]) + 2 :]), reverse=True)
    assert [f"{value:,.0f}" for value in values] == shown
    for kind in ("csv", "xlsx", "svg", "geojson", "parquet"):
        said = about(kind, taken[kind])
        assert [said[key] for key in ("指标", "时间", "数据更新于", "来源")] == [
            "事件上报数", "2026年5月", "2026年7月1日 09:00", "联勤指挥中心、政务服务局、司法局、农业农村局",
        ], kind  # fmt: skip
    with Image.open(taken["png"]) as picture:
        assert (picture.format, picture.size) == ("PNG", (2560, 1800))
        plain = picture.convert("RGB")
    painted = {colour for _, colour in plain.getcolors(1 << 20) or ()}
    legend = screen.page.evaluate(LEGEND)
    assert len(legend) > 5 and {tuple(one) for one in legend} <= painted, "each class is in the picture"
    foot = plain.crop((80, 1640, 1800, 1790)).getcolors(1 << 20)
    assert foot is not None and len(foot) > 20, "source, period and age are written below"


EVERY = {
    "indicator": "disputes", "level": "medium", "period": "202605", "category": "labour", "against": "year",
    "classes": "fixed", "n": "4", "ramp": "plum", "breaks": "1,3,9", "theme": "dark", "at": "449901",
}  # fmt: skip
CHOSEN = (
    "() => Object.fromEntries([...document.querySelectorAll('[data-set]')].map((one) => [one.dataset.set, one.value]))"
)


def test_the_language_is_switched_without_losing_anything_and_pinyin_is_read(screen: Screen) -> None:
    explore(screen, "?" + "&".join(f"{key}={value}" for key, value in EVERY.items()))
    screen.page.evaluate("() => { window.stayed = true; document.documentElement.scrollTop = 200; }")
    chosen = screen.page.evaluate(CHOSEN)
    assert {key: EVERY[key] for key in chosen} == chosen and len(chosen) == 9
    before, figures = screen.spread(), screen.texts("#ranking td .number")
    screen.page.click("#bar a[lang=en]")
    screen.page.wait_for_function("() => document.documentElement.lang === 'en'")
    drawn(screen)
    for part in (
        "#bar h1",
        "#bar .ways a:not([lang])",
        "#choosers span",
        "#legend",
        "#exports",
        "thead",
        "#slid",
        "#play",
    ):
        for text in screen.texts(part):
            assert not CHINESE.search(text), (part, text)
    assert screen.at() == "449901" and screen.page.evaluate("() => window.stayed") is True
    assert screen.page.evaluate(CHOSEN) == chosen and screen.spread() == before
    assert screen.texts("#ranking td .number") == figures
    assert {key: said for key, (said,) in parse_qs(urlsplit(screen.page.url).query).items()} == EVERY | {"lang": "en"}
    name = screen.texts("#ranking tbody th")[0]
    screen.page.fill("#search", "".join(lazy_pinyin(name)))
    found = screen.page.locator("#found a").first
    expect(found.locator("b")).to_have_text(name)
    code = found.locator("code").inner_text()
    screen.page.focus("#search")
    screen.page.keyboard.press("Tab")
    screen.page.keyboard.press("Enter")
    screen.page.wait_for_function("(code) => window.__map.at === code", arg=code)
    drawn(screen)
    screen.page.click("#bar .ways a:has-text('Light')")
    screen.page.wait_for_function("() => document.documentElement.dataset.theme === 'light'")
    drawn(screen)
    assert screen.page.evaluate("() => window.stayed") is True and "against=year" in screen.page.url


def moved(screen: Screen, by: int) -> None:
    """Move the map sideways by the pointer."""
    x, y = screen.page.evaluate("() => window.__map.pointOf(window.__map.cells[0])")
    screen.page.mouse.move(x, y)
    screen.page.mouse.down()
    screen.page.mouse.move(x + by, y, steps=3)
    screen.page.mouse.up()
    screen.page.wait_for_function(
        "(x) => window.__map.idle && window.__map.pointOf(window.__map.cells[0])[0] > x", arg=x
    )


@pytest.mark.parametrize("said", ["浅色", "English"])
def test_what_the_reader_moved_stays_in_another_theme_and_language(screen: Screen, said: str) -> None:
    explore(screen, "?theme=dark")
    first = screen.spread()
    moved(screen, 200)
    before = screen.spread()
    assert abs(before[0][0] - first[0][0]) > 5
    n = screen.page.evaluate("() => window.__map.drawn")
    screen.page.click(f"#bar .ways a:text-is('{said}'), #bar a:text-is('{said}')")
    screen.page.wait_for_function("(n) => window.__map.drawn > n", arg=n)
    drawn(screen)
    assert screen.spread() == before


def test_another_window_shows_the_same_part_of_the_map(screen: Screen) -> None:
    screen.page.set_viewport_size({"width": 1920, "height": 1080})
    explore(screen)
    before = screen.spread()
    screen.resize(1366, 768)
    assert max(abs(a - b) for p, q in zip(before, screen.spread(), strict=True) for a, b in zip(p, q, strict=True)) < 3
    moved(screen, 200)
    after = screen.spread()[0][0]
    screen.resize(1500, 768)
    assert screen.spread()[0][0] - before[0][0] > (after - before[0][0]) / 2 > 5, "what the reader moved stays"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_size_is_whole_and_every_text_readable(screen: Screen, theme: str) -> None:
    explore(screen, f"?theme={theme}&against=previous&period=202605&lang={'en' if theme == 'dark' else 'zh'}")
    for width, height in ((1920, 1080), (1366, 768), (390, 844)):
        screen.page.set_viewport_size({"width": width, "height": height})
        screen.page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")  # charts follow
        assert screen.page.evaluate(OUTSIDE) == [], width
        assert screen.page.evaluate(OVERLAPS) == [], width
        assert screen.page.evaluate(CLIPPED) == [], width
        assert screen.page.evaluate(UNNAMED) == [], width
        read: dict[str, Any] = screen.page.evaluate(CONTRAST)
        assert read["n"] > 60 and read["found"] == [], width


def test_everything_is_reached_by_keyboard(screen: Screen) -> None:
    explore(screen)
    reached = set()
    for _ in range(60):
        screen.page.keyboard.press("Tab")
        reached.add(screen.page.evaluate(FOCUSED))
    assert {
        "indicator",
        "level",
        "classes",
        "search",
        "maplibregl-canvas",
        "number",
        "slider",
        "play",
        "spark",
        "multiple",
        "plot js-plotly-plot",
        "export",
    } <= reached
    screen.page.focus("#ranking td .number >> nth=0")
    screen.page.keyboard.press("Enter")
    screen.page.wait_for_selector("#rows table >> nth=0")
    screen.page.keyboard.press("Escape")
    screen.page.focus("#slider")
    screen.page.keyboard.press("ArrowLeft")
    screen.page.wait_for_function("() => location.search.includes('period=')")


POINT = "() => { const one = document.activeElement; return [one.role, one.ariaLabel, one.ariaValueText] }"
READING = """() => {
  const one = document.getElementById('reading');
  return one.matches(':popover-open') && one.textContent;
}"""


@pytest.mark.parametrize(
    ("search", "first", "last"), [("", "2026年4月", "2026年5月"), ("&lang=en", "Apr 2026", "May 2026")]
)
def test_the_points_of_sparklines_and_trend_are_read_and_opened_by_keyboard(
    screen: Screen, search: str, first: str, last: str
) -> None:
    explore(screen, f"?indicator=events_reported&period=202605&at=449901{search}")
    page, keyboard = screen.page, screen.page.keyboard
    unit = page.locator("#headline .figure small").inner_text()
    assert page.locator("#ranking svg[tabindex='0']").count() == 1, "one stop for all of them"
    page.focus("#ranking tbody tr:first-child .number")
    keyboard.press("Tab")
    names, figures = screen.texts("#ranking tbody th"), screen.texts("#ranking tbody .number")
    role, label, said = page.evaluate(POINT)
    assert role == "slider" and label.startswith(names[0]) and said == f"{last} {figures[0]} {unit}"
    assert page.evaluate(READING) == said, "what is said is seen too"
    keyboard.press("ArrowDown")
    assert page.evaluate(POINT)[1].startswith(names[1]) and page.evaluate(POINT)[2] == f"{last} {figures[1]} {unit}"
    assert page.locator("#ranking svg[tabindex='0']").count() == 1
    keyboard.press("ArrowLeft")
    said = page.evaluate(POINT)[2]
    assert said.startswith(f"{first} ")
    keyboard.press("Enter")
    expect(page.locator("#rows h2")).to_contain_text(first)
    n = re.search(r"([\d,]+) \S*$", said)[1]
    expect(page.locator("#rows caption").last).to_contain_text(n)
    assert page.evaluate(READING) is False
    keyboard.press("Escape")
    expect(page.locator("#behind")).not_to_be_visible()
    assert page.evaluate(POINT)[2] == said, "one is back where one was"
    keyboard.press("Home")
    keyboard.press("ArrowLeft")
    start = page.evaluate(POINT)[2]
    keyboard.press("ArrowRight")
    assert start != page.evaluate(POINT)[2]
    page.focus("#trend .plot")
    keyboard.press("End")
    total = page.locator("#headline .figure .number").inner_text()
    role, label, said = page.evaluate(POINT)
    assert role == "slider" and said == f"{last} {total} {unit}"
    expect(page.locator("#trend .hovertext")).to_contain_text(total)
    keyboard.press("ArrowLeft")
    expect(page.locator("#trend .hovertext")).to_contain_text(first)
    keyboard.press("Enter")
    expect(page.locator("#rows h2")).to_contain_text(first)
    keyboard.press("Escape")
    page.click("#legend [data-look='grids/all']")
    page.wait_for_selector("#rows svg[tabindex='0']")
    page.focus("#rows svg[tabindex='0']")
    keyboard.press("End")
    assert page.evaluate(READING) == page.evaluate(POINT)[2] and page.evaluate(READING).startswith(last)
    keyboard.press("Enter")
    expect(page.locator("#rows h2")).to_contain_text(last)
    assert page.evaluate("() => document.activeElement.id") == "close"


PARTS = ("choosers", "where", "mapped", "ranking", "time", "multiples", "trend", "exports")


def every_part(screen: Screen, shows: str, says: str) -> None:
    """Expect each panel to say what happens to it."""
    for part in PARTS:
        expect(screen.page.locator(f"#{part}[data-shows={shows}] > .state"), part).to_contain_text(says)
        expect(screen.page.locator(f"#{part} > .state"), part).to_be_visible()


def test_figures_come_first_the_map_after_them_and_charts_last(screen: Screen) -> None:
    asked: list[str] = []
    held: dict[str, Any] = {}
    screen.page.goto("about:blank")  # the page after the sign-in asks no more
    screen.page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    screen.page.route(FIRST, lambda route: held.update(figures=route))
    screen.page.route("**/maplibre-gl.mjs", lambda route: held.update(engine=route))
    with screen.page.expect_request(FIRST):
        screen.page.goto(f"{screen.address}/explore", wait_until="load")
    every_part(screen, "loading", "正在读取…")
    assert not any("maplibre-gl.mjs" in one or "plotly" in one for one in asked), "nothing is before the figures"
    with screen.page.expect_request("**/maplibre-gl.mjs"):
        held["figures"].continue_()
    expect(screen.page.locator("#ranking tbody tr")).to_have_count(6)
    expect(screen.page.locator("#mapped[data-shows=loading] > .state")).to_be_visible()
    assert not any("months" in one or "plotly" in one for one in asked), "charts wait for the map"
    held["engine"].continue_()
    drawn(screen)
    assert (
        asked.index("/api/explore")
        < asked.index("/api/explore/months")
        < asked.index(next(one for one in asked if "plotly" in one))
    )


def test_what_fails_says_so_and_what_was_shown_stays(screen: Screen) -> None:
    screen.page.clock.install()
    explore(screen)
    screen.page.route(FIRST, lambda route: route.abort())
    before = screen.texts("#ranking tbody th")
    screen.page.select_option("[data-set=level]", "medium")
    every_part(screen, "stale", "仍是此前的数字。原因：服务器没有应答")
    assert screen.texts("#ranking tbody th") == before
    assert screen.page.locator(".multiple canvas").count() == 12
    screen.page.unroute(FIRST)
    away = {"status": 503, "content_type": "text/plain", "body": "The database does not answer."}
    screen.page.route(FIRST, lambda route: route.fulfill(**away))
    with screen.page.expect_response(FIRST):
        screen.page.click("#ranking .state button")
    every_part(screen, "stale", "仍是此前的数字。原因：服务器没有应答")
    screen.page.route("**/api/explore/months*", lambda route: route.abort())
    screen.page.unroute(FIRST)
    screen.page.clock.fast_forward(10_000)  # it asks again by itself
    screen.page.wait_for_function("() => document.querySelectorAll('#ranking tbody tr').length > 6")
    for part in ("multiples", "trend"):
        expect(screen.page.locator(f"#{part}[data-shows=stale] > .state")).to_be_visible()
    assert screen.page.locator(".multiple canvas").count() == 12
    screen.page.unroute("**/api/explore/months*")
    screen.page.clock.fast_forward(40_000)
    expect(screen.page.locator("#trend[data-shows=stale]")).to_have_count(0)
    drawn(screen)
    assert screen.page.locator(".state").count() == 0
    behind = re.compile("/api/explore/(rows|search|export)")
    screen.page.route(behind, lambda route: route.abort())
    screen.page.click("#ranking td .number >> nth=0")
    expect(screen.page.locator("#rows")).to_have_text("没有读到数据。")
    screen.page.keyboard.press("Escape")
    screen.page.fill("#search", "x")
    expect(screen.page.locator("#found")).to_have_text("没有读到数据。")
    screen.page.click("[data-kind=png]")
    expect(screen.page.locator("#notice")).to_have_text("文件没有生成，请重试。")
    screen.page.unroute(behind)
    held: list[Any] = []
    screen.page.route(FIRST, lambda route: held.append(route))
    with screen.page.expect_request(FIRST):
        screen.page.reload(wait_until="commit")
    every_part(screen, "loading", "正在读取…")
    held[0].abort()
    every_part(screen, "failed", "没有读到数据。")
    engine = "**/maplibre-gl.mjs"
    screen.page.route(engine, lambda route: route.abort())
    screen.page.route("**/plotly.min.js", lambda route: route.abort())
    screen.page.unroute(FIRST)
    screen.page.clock.fast_forward(10_000)
    expect(screen.page.locator("#trend[data-shows=failed] .state")).to_be_visible()
    expect(screen.page.locator(".no-engine-note")).to_be_visible()
    assert len(screen.texts("#ranking tbody th")) > 6, "figures stand without map and charts"
    expect(screen.page.locator(".multiple canvas")).to_have_count(12)  # what needs no plotly stands without it
    expect(screen.page.locator("#trend[data-shows=failed] .state")).to_be_visible()
    screen.page.unroute("**/plotly.min.js")
    screen.page.clock.fast_forward(40_000)
    expect(screen.page.locator("#trend .main-svg").first).to_be_visible()
    screen.faults = [said for said in screen.faults if "ERR_FAILED" not in said and "503" not in said]
    screen.page.unroute(engine)
    explore(screen, "?indicator=village_satisfaction_rate&at=449901001001&level=small")
    for part in ("where", "mapped", "ranking", "multiples", "trend"):
        expect(screen.page.locator(f"#{part}[data-shows=empty] > .state")).not_to_be_empty()
    assert "无数据" in screen.texts("#headline .figure")[0]
