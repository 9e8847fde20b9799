"""The map in a real browser: drill down and back, links, search, languages, and that nothing leaves the machine."""

from __future__ import annotations

import re
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import pytest
from painted import unlike
from pypinyin import lazy_pinyin
from screen import SPREAD, hold_map, keep_picture

from layers.declare.records import Catalog

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route
    from screen import Screen

pytestmark = pytest.mark.browser

CHINESE = re.compile(r"[\u4e00-\u9fff]")

FREE = """() => {
  const box = (one) => document.querySelector(one).getBoundingClientRect();
  const [left, right, top] = ['.left', '.right', '.top'].map(box);
  return [left.right, top.bottom, right.left, innerHeight];
}"""
"""The part of the map that no panel covers: left, top, right, bottom."""

OVERFLOWS = """() => [...document.querySelectorAll('.screen *')].filter((one) =>
    one.children.length === 0 && one.textContent.trim() && one.offsetParent &&
    getComputedStyle(one).display !== 'inline' && one.tagName !== 'SPAN' && one.scrollWidth > one.clientWidth + 1
  ).map((one) => one.textContent)"""

CALLBACK = re.compile(r"/_dash-update-component")

TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"

OUTSIDE = """() => [...document.querySelectorAll('.top, .side, .months, .right .glass')]
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([one, box]) => box.left < 0 || box.top < 0 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1)
  .map(([one]) => one.id || one.className)"""

SCROLLS = "() => { const side = document.querySelector('.left'); return side.scrollHeight - side.clientHeight }"

OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll('.screen .glass')]
    .map((one) => [one.id || one.className, one.getBoundingClientRect()]).filter(([, box]) => box.width);
  const found = [];
  boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
    const beside = p.left >= q.right - 1 || q.left >= p.right - 1 || p.top >= q.bottom - 1 || q.top >= p.bottom - 1;
    if (!beside) found.push(`${a} / ${b}`);
  }));
  return found;
}"""


def test_drill_down_to_a_small_grid_and_back(screen: Screen) -> None:
    screen.open()
    keep_picture(screen.page, "map")
    path = [screen.at()]
    while len(path[-1]) < 15:
        screen.click_cell(screen.cells()[0])
        screen.page.wait_for_function("(code) => window.__map.at !== code && window.__map.idle", arg=path[-1])
        path.append(screen.at())
    assert path[0] == "4499"
    assert [len(code) for code in path][-3:] == [9, 12, 15]
    assert all(code.startswith(above) for above, code in pairwise(path))
    assert screen.texts(".path code") == [path[-1]]
    screen.page.keyboard.press("Escape")
    screen.wait_at(path[-2])
    screen.page.click(".path .steps a >> nth=0")
    screen.wait_at("4499")
    assert screen.page.url.partition("?")[2] == ""


def test_every_cell_is_coloured_by_its_class(screen: Screen) -> None:
    screen.open("?indicator=events_reported")
    shades = {code: screen.page.evaluate("(code) => window.__map.shadeOf(code)", code) for code in screen.cells()}
    assert len(shades) == 6
    assert set(shades.values()) <= set(range(10)) and len(set(shades.values())) > 1
    assert 9 in shades.values()
    n_colours, wrong = unlike(screen.page, ".legend li")
    assert n_colours > 2 and wrong == []


def test_a_row_of_the_ranking_opens_its_grid_and_the_browser_goes_back(screen: Screen) -> None:
    screen.open("?at=449901")
    name = screen.texts(".ranking .row span")[0]
    screen.page.click(".ranking .row >> nth=0")
    screen.page.wait_for_function("() => window.__map.at.length === 9 && window.__map.idle")
    assert screen.texts(".path .steps b") == [name]
    opened = screen.at()
    screen.page.go_back()
    screen.wait_at("449901")
    screen.page.go_forward()
    screen.wait_at(opened)


def test_a_count_of_the_legend_opens_what_it_counts(screen: Screen) -> None:
    screen.open("?indicator=events_reported&period=202605")
    missing = screen.page.locator(".legend .notes .counted")
    n_missing, link = missing.inner_text(), missing.get_attribute("href")
    counted = screen.page.locator(".legend li .counted").first
    n = counted.inner_text()
    counted.click()
    screen.page.wait_for_function("() => document.querySelector('#rows h2')?.textContent.includes('个网格')")
    assert f"：{n} 个网格" in screen.texts("#rows h2")[0]
    assert str(screen.page.locator("#rows tbody tr").count()) == n
    assert "look=" not in screen.page.url and "at=4499&level=" in screen.page.url
    screen.page.goto(f"{screen.address}{link}")
    screen.page.wait_for_selector("#rows caption >> nth=1")
    assert f"共 {n_missing} 行" in screen.texts("#rows caption")[1] and int(n_missing) > 0


def test_a_link_opens_the_same_view(screen: Screen) -> None:
    screen.open()
    code = screen.page.evaluate("() => window.__map.cells[2]")
    link = f"?at={code}&indicator=population&layers=person,company&lang=en&period=202603"
    screen.open(link)
    assert screen.at() == code
    assert screen.page.locator("#indicator").input_value() == "Population"
    assert screen.page.locator("#period").input_value() == "Mar 2026"
    assert screen.texts(".switch.on span") and len(screen.texts(".switch.on")) == 2
    assert screen.page.get_attribute("html", "lang") == "en"


def test_indicator_and_month_are_chosen_and_stand_in_the_address(screen: Screen) -> None:
    screen.open("?at=449901")
    before = screen.texts(".legend li")
    screen.page.click("#indicator")
    screen.page.get_by_role("option", name="事件上报数").click()
    assert screen.texts(".choosers [data-position=left]")[0] == "事件上报数", "at once, before there is an answer"
    screen.page.wait_for_function("() => document.querySelector('.legend h2').textContent.includes('事件上报数')")
    assert screen.texts(".legend li") != before
    assert "indicator=events_reported" in screen.page.url
    screen.page.click(".months .bars a >> nth=5")
    screen.page.wait_for_function("() => location.search.includes('period=')")
    screen.page.wait_for_function("() => document.querySelectorAll('.bars a.here').length === 1 && window.__map.idle")
    assert screen.at() == "449901"


MARKED = "() => window.__map.idle && window.__layers.marked"


def test_a_place_is_searched_marked_and_left(screen: Screen) -> None:
    screen.open()
    screen.page.fill("#search", "xiaoxue")
    hit = screen.page.locator("#found a", has=screen.page.locator("code", has_text="学校")).first
    name = hit.locator("b").inner_text()
    hit.click()
    screen.page.wait_for_function(MARKED)
    marked, (left, top, right, bottom) = screen.page.evaluate(MARKED), screen.page.evaluate(FREE)
    assert marked["name"] == name and left < marked["x"] < right and top < marked["y"] < bottom
    assert screen.texts(".marked b") == [name] and len(screen.at()) == 15
    screen.page.keyboard.press("Escape")
    screen.page.wait_for_function("() => window.__map.at.length === 12")
    assert screen.texts(".marked b") == [name], "it lies in what is above, too"
    screen.page.click(".marked a")
    screen.page.wait_for_function("() => !document.querySelector('.marked') && !window.__layers.marked")
    assert "mark=" not in screen.page.url


DRAWN = "() => window.__layers.drawn.join()"


def test_elements_are_switched_on_and_off(screen: Screen) -> None:
    screen.open("?layers=event")
    screen.page.click(".switch[data-element=thing]")
    screen.page.wait_for_function("() => document.querySelectorAll('.switch.on').length === 2")
    assert "layers=grid_event,street_lamp,manhole,hydrant,monitoring_station" in screen.page.url
    assert screen.page.locator(".switch[data-element=thing]").get_attribute("aria-checked") == "true"


def test_a_layer_is_set_in_its_panel_and_the_address_keeps_it(screen: Screen) -> None:
    screen.open("?layers=grid_event,school&effects=on")
    screen.page.click("#layers .set")
    screen.page.wait_for_selector(".layer-desk li")
    assert screen.page.locator(".ranking").is_hidden()
    screen.page.click(".layer-desk li >> nth=0 >> text=热力")
    screen.page.wait_for_function("() => window.__layers.drawn.includes('layer-grid_event-heat')")
    screen.page.click(".layer-desk li >> nth=0 >> text=−")
    screen.page.wait_for_function("() => location.search.includes('grid_event:heat:70')")
    screen.page.wait_for_function("() => document.querySelector('.layer-desk li').textContent.includes('70%')")
    screen.page.click(".layer-desk li >> nth=0 >> text=↓")
    screen.page.wait_for_function("() => location.search.includes('layers=school,grid_event:heat:70')")
    screen.page.wait_for_function("() => window.__layers.drawn[0] === 'layer-grid_event-heat' && window.__map.idle")
    drawn = screen.page.evaluate(DRAWN)
    screen.open("?" + screen.page.url.partition("?")[2])
    assert screen.page.evaluate(DRAWN) == drawn
    assert screen.page.evaluate(OVERLAPS) == [] and screen.page.evaluate(OUTSIDE) == []


def test_events_are_chosen_by_state_and_day(screen: Screen) -> None:
    screen.open("?at=449901001&layers=event&panel=layers")
    screen.page.click(".layer-desk .chip >> text=已结案")
    screen.page.wait_for_function("() => document.querySelector('.layer-desk').textContent.includes('取消全部筛选')")
    screen.page.fill("input[data-ask=since]", "2026-06-20")
    told = "states=closed&since=2026-06-20"
    screen.page.wait_for_function("(told) => window.__layers.tiles.some((one) => one.includes(told))", arg=told)
    assert "着色和左侧各数不随筛选" in "".join(screen.texts(".layer-desk .notes"))
    screen.page.click(".layer-desk .chip >> text=噪音扰民")
    screen.page.wait_for_function("() => window.__layers.tiles.some((one) => one.includes('categories=noise'))")
    screen.page.click("text=取消全部筛选")
    screen.page.wait_for_function("() => !/states|since|categories/.test(location.search)")
    screen.page.click(".layer-desk .tools:has-text('着色') >> text=−")
    screen.page.wait_for_function("() => location.search.includes('opacity=colours:70')")
    screen.page.wait_for_function("() => document.querySelector('.layer-desk .tools').textContent.includes('70%')")


def test_a_circle_of_many_opens_to_single_events(screen: Screen) -> None:
    screen.open("?at=449901001001&layers=event")
    discs = "() => window.__layers.drawn.length && window.__map.idle && window.__layers.point('discs')"
    for _ in range(6):
        if screen.page.evaluate(discs):
            break
        drawn, zoom = screen.page.evaluate("() => [window.__map.drawn, window.__layers.zoom]")
        screen.page.mouse.click(*screen.page.evaluate("() => window.__layers.point('circles')"))
        screen.page.wait_for_function(
            "([drawn, zoom]) => (window.__map.drawn > drawn || window.__layers.zoom > zoom) && window.__map.idle",
            arg=[drawn, zoom],
        )
    screen.page.mouse.move(*screen.page.evaluate(discs))
    screen.page.wait_for_selector("#row-card.shown")
    category, state, moment = screen.texts("#row-card p")
    assert category and state and re.fullmatch(r"2026年6月\d+日 \d\d:\d\d", moment), (category, state, moment)


def test_a_single_row_says_what_it_is_and_signs_come_from_one_sprite(screen: Screen) -> None:
    asked: list[str] = []
    screen.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    screen.open("?at=449901001&layers=shelter,school,clinic,market,monitoring_station,rescue_team")
    drawn = screen.page.evaluate(DRAWN)
    assert all(f"layer-{key}-signs" in drawn for key in ("school", "monitoring_station", "rescue_team"))
    assert sorted(one for one in asked if "sprite" in one) == ["sprite.json", "sprite.png"], (
        "places, things, organisations"
    )
    screen.page.mouse.move(*screen.page.evaluate("() => window.__layers.point('discs')"))
    screen.page.wait_for_selector("#row-card.shown")
    assert screen.texts("#row-card b")[0] and len(screen.texts("#row-card p")) == 1
    assert not screen.page.locator("#hover").is_visible()


def test_without_a_graphics_card_circles_stand_for_heat_and_grids_lie_flat(screen: Screen) -> None:
    screen.open("?layers=grid_event:heat&height=population&panel=layers")
    assert screen.page.evaluate(DRAWN) == "layer-grid_event-circles,layer-grid_event-discs,layer-grid_event-signs"
    assert screen.page.evaluate("() => window.__layers.pitch") == 0
    assert "没有显卡加速" in "".join(screen.texts(".layer-desk .no-gpu-only"))
    screen.page.click(".no-gpu-only a")
    screen.page.wait_for_function("() => window.__layers.drawn.includes('blocks') && window.__layers.pitch > 40")
    code = screen.cells()[0]
    assert 0 < screen.page.evaluate("(code) => window.__layers.heightOf(code)", code) <= 255


def test_search_by_name_and_by_code(screen: Screen) -> None:
    screen.open()
    code = screen.cells()[1]
    screen.page.fill("#search", code)
    screen.page.wait_for_selector(".found a")
    assert screen.texts(".found a code")[0] == code
    name = screen.texts(".found a b")[0]
    screen.page.fill("#search", "".join(lazy_pinyin(name)))
    screen.page.wait_for_function("(name) => document.querySelector('.found a b')?.textContent === name", arg=name)
    screen.page.fill("#search", name)
    screen.page.wait_for_function("(name) => document.querySelector('.found a b')?.textContent === name", arg=name)
    screen.page.click(".found a >> nth=0")
    screen.wait_at(code)
    screen.page.wait_for_function("() => !document.querySelector('.found a')")


def test_a_search_answered_after_a_hit_was_picked_opens_no_list(screen: Screen) -> None:
    screen.open()
    code = screen.cells()[1]
    screen.page.fill("#search", code)
    screen.page.wait_for_selector(".found a")
    late: list[Route] = []
    screen.page.route(CALLBACK, lambda route: late.append(route))
    with screen.page.expect_request(CALLBACK):
        screen.page.fill("#search", screen.texts(".found a b")[0])
    screen.page.click(".found a >> nth=0")
    screen.wait_at(code)
    for one in late:
        with screen.page.expect_response(CALLBACK):
            one.continue_()
    screen.page.unroute(CALLBACK)
    screen.page.evaluate(TWO_FRAMES)
    screen.page.wait_for_function("() => !document.querySelector('.found a')")
    assert screen.page.input_value("#search") == ""


def test_the_card_names_what_is_under_the_pointer(screen: Screen) -> None:
    screen.open("?at=449901")
    code = screen.cells()[0]
    x, y = screen.page.evaluate("(code) => window.__map.pointOf(code)", code)
    screen.page.mouse.move(x, y)
    screen.page.wait_for_selector(".hover-card.shown")
    card = screen.texts(".hover-card")[0]
    assert code in card
    assert all(part in card for part in ("每平方公里事件数", "人口", "约", "当月事件", "点击进入"))


def test_languages_switch_without_loading_the_page_again(screen: Screen) -> None:
    screen.open("?at=449901")
    screen.page.evaluate("() => { window.stayed = true }")
    screen.page.click(".language")
    screen.page.wait_for_function("() => document.documentElement.lang === 'en' && window.__map.idle")
    assert screen.page.evaluate("() => window.stayed") is True
    assert screen.at() == "449901"
    for part in (".top .brand", ".layers", ".legend", "#layers h2", ".choosers", ".months", ".headline", ".age"):
        for text in screen.texts(part):
            assert not CHINESE.search(text), (part, text)
    assert screen.page.get_attribute("#search", "placeholder") == "Find a grid, place or firm"
    screen.page.click(".language")
    screen.page.wait_for_function("() => document.documentElement.lang === 'zh-CN' && window.__map.idle")
    assert screen.texts(".top h1") == ["民情地图"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_overflows_or_overlaps(screen: Screen, language: str) -> None:
    screen.open(f"?at=449901001001&lang={language}&indicator=events_per_km2")
    if language == "zh":
        before = screen.spread()
        screen.resize(1500, 844)
        pairs = [(a, b) for p, q in zip(before, screen.spread(), strict=True) for a, b in zip(p, q, strict=True)]
        assert max(abs(a - b) for a, b in pairs) < 3, "the map has followed the window"
    for width, height in ((1366, 768), (1920, 1080), (3840, 2160)):
        screen.page.set_viewport_size({"width": width, "height": height})
        hold_map(screen.page)
        assert screen.page.evaluate(OVERFLOWS) == [], width
        assert screen.page.evaluate(OUTSIDE) == [], width
        assert screen.page.evaluate(OVERLAPS) == [], width
        assert screen.page.evaluate(SCROLLS) == 0, width


CHOSEN = """() => [...document.querySelectorAll('.choosers .mantine-Select-wrapper')].map((one) => {
  const [said, input] = [one.querySelector('[data-position=left]'), one.querySelector('input')];
  const [inner, outer] = [said, input].map((part) => part.getBoundingClientRect());
  const isWhole = said.scrollWidth <= said.clientWidth && inner.bottom <= outer.bottom + 1;
  return [said.textContent, input.value, isWhole && inner.right <= outer.right + 1, getComputedStyle(input).color];
})"""


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_long_name_is_seen_whole_where_it_is_chosen(screen: Screen, catalog: Catalog, language: str) -> None:
    names = {key: getattr(one.name, language) for key, one in catalog.indicators.items()}
    for key in sorted(names, key=lambda key: len(names[key]))[-1 if language == "zh" else -2 :]:
        screen.open(f"?lang={language}&indicator={key}")
        hold_map(screen.page)
        for width, height in ((1920, 1080), (1366, 768), (390, 844)):
            screen.page.set_viewport_size({"width": width, "height": height})
            for said, chosen, is_whole, colour in screen.page.evaluate(CHOSEN):
                assert (said, is_whole, colour) == (chosen, True, "rgba(0, 0, 0, 0)"), width
            assert screen.page.locator("#indicator").input_value() == names[key]
            assert width < 900 or screen.page.evaluate(SCROLLS) == 0, "the panels below still have room"


def test_a_map_that_its_panels_cover_lies_as_before_when_it_has_its_room_again(screen: Screen) -> None:
    screen.open()
    before = screen.page.evaluate(SPREAD)
    width = "(length) => { document.getElementById('map').style.width = length }"
    drawn = "() => document.querySelector('#map canvas').clientWidth === document.getElementById('map').clientWidth"
    for length in ("300px", ""):
        screen.page.evaluate(width, length)
        screen.page.wait_for_function(f"() => ({drawn})() && window.__map.idle")
    assert list(chain(*screen.page.evaluate(SPREAD))) == pytest.approx(list(chain(*before)))


def test_a_nonsense_address_shows_the_city(screen: Screen) -> None:
    screen.open("?at=999999&indicator=nope&period=1&layers=x&lang=de")
    assert screen.at() == "4499"


def test_links_and_switches_work_by_keyboard(screen: Screen) -> None:
    screen.open("?at=449901")
    screen.page.focus(".ranking .row >> nth=1")
    screen.page.keyboard.press("Enter")
    screen.page.wait_for_function("() => window.__map.at.length === 9 && window.__map.idle")


def test_figures_stand_without_the_engine_of_the_map_and_a_view_that_does_not_come_is_said(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    page = context.new_page()
    page.route("**/maplibre-gl.mjs", lambda route: route.abort())
    page.goto(f"{address}/sign-in")
    page.locator("button[value=leader]").click(no_wait_after=True)
    page.wait_for_selector(".no-engine-note:visible")
    page.wait_for_selector(".headline b")
    assert page.locator(".ranking .row").count() > 1
    page.wait_for_function("() => document.documentElement.dataset.view === 'there'")
    page.clock.install()
    page.route("**/api/view*", lambda route: route.abort())
    page.click(".ranking .row >> nth=0")
    page.wait_for_function("() => document.documentElement.dataset.view === 'failed'")
    assert "画面未变" in page.inner_text("#notice")
    opened = page.evaluate("() => new URLSearchParams(location.search).get('at')")
    page.unroute("**/api/view*")
    page.clock.fast_forward(10_000)  # it asks again by itself
    page.wait_for_function("(at) => window.atlas.last.view.at === at", arg=opened)
    page.wait_for_function("() => document.documentElement.dataset.view === 'there'")
    assert page.inner_text("#notice") == ""
    context.close()
