"""The closed loop through its pages, in a real browser, by people of different roles."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Route, expect
from reading import CONTRAST, CROSSING, CUT
from screen import Screen

from layers.draw.palette import CASES


@contextmanager
def at_desk(browser: Browser, address: str, role: str, **more: Any) -> Iterator[Screen]:
    context = browser.new_context(**{"viewport": {"width": 1366, "height": 768}, "locale": "zh-CN"} | more)
    screen = Screen(context.new_page(), address)
    screen.sign_in(role)
    yield screen
    context.close()
    assert screen.faults == []


def open_cases(screen: Screen, query: str = "") -> None:
    screen.page.goto(f"{screen.address}/cases{query}")
    screen.page.wait_for_function("() => document.body.classList.contains('ready')")


def test_the_desk_shows_the_same_rows_in_table_and_map(browser: Browser, address: str) -> None:
    with at_desk(browser, address, "dispatcher", viewport={"width": 1920, "height": 1080}) as screen:
        page = screen.page
        open_cases(screen, "?queue=open")
        rows = page.locator("#cases tbody tr[data-id]")
        expect(rows.first).to_be_visible()
        low, high = page.evaluate("() => [window.__cases.box[1], window.__cases.box[3]]")
        page.set_viewport_size({"width": 1366, "height": 768})
        page.wait_for_function(
            "(was) => was.every((one, i) => Math.abs(window.__cases.box[2 * i + 1] - one) < (was[1] - was[0]) / 20)"
            " && document.querySelector('#map canvas').clientWidth < 560",
            arg=[low, high],
        )
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator("#case .log li").first).to_be_visible()
        assert page.locator("#case header small").inner_text() == rows.first.get_attribute("data-id")
        shown = page.locator("#case").inner_text()
        assert "null" not in shown and "[object" not in shown
        assert "case=" in page.url
        page.keyboard.press("Escape")
        expect(page.locator("#case .log")).to_have_count(0)
        page.select_option("#clock", "late")
        page.click("#save")
        expect(page.locator("#views a")).to_have_count(1)
        rows.first.click()
        number = rows.first.get_attribute("data-id") or ""
        expect(page.locator("#case header small")).to_have_text(number)
        page.click(".language")
        expect(page.locator("[data-queue=accept] span")).to_have_text("To accept")
        expect(page.locator("#clock")).to_have_value("late")
        expect(page.locator("#case header small")).to_have_text(number)
        expect(page.locator("[data-queue=open]")).to_have_attribute("aria-selected", "true")
        open_cases(screen, "?queue=accept")
        rows.first.click()
        page.click("#case [data-step=refuse]")
        page.fill("#case form[data-of=refuse] textarea", "写到一半")
        page.click(".language")
        expect(page.locator("html[lang=en] #case form[data-of=refuse] textarea")).to_have_value("写到一半")
        assert page.evaluate("() => Object.keys(sessionStorage)") == []


LEGEND = """() => [...document.querySelectorAll('#legend [data-kind]')].map((one) =>
  [one.dataset.kind, one.parentElement.textContent, getComputedStyle(one).color.match(/[0-9]+/g).map(Number)])"""


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_map_beside_the_rows_says_what_its_points_are(browser: Browser, address: str, language: str) -> None:
    with at_desk(browser, address, "dispatcher") as screen:
        page = screen.page
        open_cases(screen, f"?queue=all&lang={language}")
        page.wait_for_function("() => window.__cases.kinds.length > 1 && window.__cases.idle")
        legend = {kind: (said, tuple(colour)) for kind, said, colour in page.evaluate(LEGEND)}
        assert list(legend) == [*CASES, "chosen"] and len({colour for _, colour in legend.values()}) == len(legend)
        wanted = {"zh": ["已超期", "一日内到期"], "en": ["Overdue", "Due within a day"]}[language]
        assert [said for said, _ in legend.values()][:2] == wanted
        seen = {legend[kind][1] for kind in page.evaluate("() => window.__cases.kinds")}
        with Image.open(io.BytesIO(page.locator("#map").screenshot())) as picture:
            painted = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20) or ()}
        assert seen <= painted, "each kind is drawn as the legend has it"
        for width, height in ((1366, 768), (1920, 1080), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate(CONTRAST)["found"] == [], width
            assert page.evaluate(CROSSING) == page.evaluate(CUT) == [], width
            assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), width
            box, whole = (page.locator(one).bounding_box() for one in ("#legend", "figure"))
            assert box and whole and box["y"] + box["height"] <= whole["y"] + whole["height"] + 1, width


MOMENT = """() => {
  const field = document.createElement('day-field');
  field.append(Object.assign(document.createElement('input'), { type: 'datetime-local', value: '2026-01-02T08:05' }));
  document.body.append(field);
  return field.dataset.said;
}"""
DAYS = """() => [...document.querySelectorAll('day-field')].map((one) =>
  [getComputedStyle(one, '::after').content, one.firstElementChild.value, one.getBoundingClientRect().width > 60])"""


@pytest.mark.parametrize(
    ("role", "path"),
    [("auditor", "/audit?since=2026-01-02"), ("leader", "/?layers=grid_event&panel=layers&since=2026-01-02")],
)
def test_a_field_for_a_day_says_it_in_the_language_of_the_page(
    browser: Browser, address: str, role: str, path: str
) -> None:
    with at_desk(browser, address, role, locale="de-DE") as screen:
        for lang, day, none in (("zh", "2026年1月2日", "选择日期"), ("en", "2 Jan 2026", "Choose a day")):
            screen.page.goto(f"{address}{path}&lang={lang}")
            screen.page.wait_for_function("() => document.querySelectorAll('day-field[data-said]').length === 2")
            assert screen.page.evaluate(DAYS) == [[f'"{day}"', "2026-01-02", True], [f'"{none}"', "", True]]
        until = screen.page.locator("day-field input").nth(1)
        until.focus()
        assert screen.page.evaluate(DAYS)[1][0] == "none", "who types sees what is typed"
        if role == "auditor":
            until.fill("2026-03-04")
            until.blur()
            assert screen.page.evaluate(DAYS)[1][:2] == ['"4 Mar 2026"', "2026-03-04"]
            assert screen.page.evaluate(MOMENT) == "2 Jan 2026, 08:05"


def test_rows_come_before_the_map_and_stand_without_it(browser: Browser, address: str) -> None:
    with at_desk(browser, address, "dispatcher") as screen:
        page, held = screen.page, list[Route]()
        page.goto("about:blank")  # the page after the sign-in asks no more
        page.route("**/maplibre-gl.mjs", lambda route: held.append(route))
        with page.expect_request("**/maplibre-gl.mjs"):
            page.goto(f"{address}/cases?queue=open", wait_until="commit")
        page.locator("#cases tbody tr[data-id]").first.click()
        expect(page.locator("#case .log li").first).to_be_visible()
        expect(page.locator("#map > *")).to_have_count(0)
        held[0].abort()
        expect(page.locator("#map [role=alert]")).to_contain_text("地图引擎没有下载成功")
        screen.faults = [
            fault for fault in screen.faults if "maplibre-gl.mjs" not in fault and "ERR_FAILED" not in fault
        ]
        page.unroute("**/maplibre-gl.mjs")
        page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
        open_cases(screen, "?queue=open")
        expect(page.locator("#cases tbody tr[data-id]").first).to_be_visible()
        expect(page.locator("#map [role=alert]")).to_contain_text("WebGL2")


def test_a_page_that_was_cut_off_looks_again_where_data_are_new(browser: Browser, address: str) -> None:
    with at_desk(browser, address, "dispatcher") as screen:
        page, streams = screen.page, list[Route]()
        page.route("**/live*", lambda route: route.continue_() if streams else streams.append(route))
        open_cases(screen, "?queue=open")
        before = 'retry: 50\nevent: hello\ndata: {"version": 1, "edition": "1-1"}\n\n'
        with page.expect_request("**/cases/list*"):  # the stream that follows says what is in force now
            streams[0].fulfill(body=before, content_type="text/event-stream")


def test_the_other_language_keeps_what_the_address_of_a_page_says(browser: Browser, address: str) -> None:
    asked = {
        "auditor": "/audit?kind=sign_in&account=demo.leader&since=2026-01-01&until=2099-01-01",
        "dispatcher": "/figures?by=channel&period=2026-05&of=hotline&count=filed",
    }
    for role, path in asked.items():
        with at_desk(browser, address, role) as screen:
            screen.page.goto(address + path)
            before = [one.input_value() for one in screen.page.locator("select, input:not([type=hidden])").all()]
            for language in ("en", "zh"):
                screen.page.click(".language")
                expect(screen.page.locator(f"html[lang^={language}]")).to_be_visible()
                fields = screen.page.locator("select, input:not([type=hidden])")
                expect(fields).to_have_count(len(before))  # the language is known before the page is read to its end
                assert [one.input_value() for one in fields.all()] == before
                assert all(one in screen.page.url for one in path.partition("?")[2].split("&"))
