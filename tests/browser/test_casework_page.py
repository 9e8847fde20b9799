"""The closed loop through its pages, in a real browser, by people of different roles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, expect
from screen import Screen


@contextmanager
def at_desk(browser: Browser, address: str, role: str, **more: Any) -> Iterator[Screen]:
    context = browser.new_context(**{"viewport": {"width": 1920, "height": 1080}, "locale": "zh-CN"} | more)
    screen = Screen(context.new_page(), address)
    screen.sign_in(role)
    yield screen
    context.close()
    assert screen.faults == []


def open_cases(screen: Screen, query: str = "") -> None:
    screen.page.goto(f"{screen.address}/cases{query}")
    screen.page.wait_for_function("() => document.body.classList.contains('ready')")


def test_the_desk_shows_the_same_rows_in_table_and_map(browser: Browser, address: str) -> None:
    with at_desk(browser, address, "dispatcher") as screen:
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
        page.click(".language")
        page.wait_for_function("() => document.body.classList.contains('ready')")
        assert page.locator("[data-queue=accept] span").inner_text() == "To accept"
        assert page.locator("#clock").input_value() == "late"
