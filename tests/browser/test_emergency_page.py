"""The emergency command in a real browser: chosen by pointer and by keyboard, linked to, printed on one page."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser, expect
from screen import Screen, keep_picture
from test_casework_page import at_desk

SPOT = (115.240235, 22.856807)
IDLE = "() => document.body.classList.contains('whole') && window.__emergency.idle"


def open_command(screen: Screen, query: str = "") -> None:
    screen.page.goto(f"{screen.address}/command{query}")
    screen.page.wait_for_function(IDLE)


def settled(screen: Screen, wanted: str) -> None:
    """Wait until the answer to an address stands on the page."""
    screen.page.wait_for_url(re.compile(wanted))
    screen.page.wait_for_function("() => document.querySelector('#answer[aria-busy=false] .figures')")
    screen.page.wait_for_function(IDLE)


def click_at(screen: Screen, lon: float, lat: float) -> None:
    x, y = screen.page.evaluate("([lon, lat]) => window.__emergency.pointOf(lon, lat)", [lon, lat])
    screen.page.mouse.click(x, y)


def test_a_place_is_searched_linked_to_and_printed(browser: Browser, address: str) -> None:
    with at_desk(browser, address, "dispatcher") as screen:
        page = screen.page
        open_command(screen)
        assert page.locator("#sheet-button").is_disabled()
        page.keyboard.press("/")
        page.keyboard.type("xiaoxue")
        expect(page.locator("#hits [role=option]").first).to_contain_text("小学")
        page.keyboard.press("Enter")
        settled(screen, "lon=.*r=1000")
        name = page.locator("#answer h2").inner_text()
        assert "小学" in name and "1 公里" in name
        expect(page.locator("#answer .age")).to_have_text("资料最早更新于 2026年7月1日 09:00")
        page.click("[data-r='2000']")
        settled(screen, "r=2000")
        shown = page.locator("#answer").inner_text()
        assert "null" not in shown and "undefined" not in shown and "约" in shown
        assert page.locator("#answer .posts a[href^='tel:']").count() > 3
        page.locator("#answer [data-spot^=resource]").first.hover()
        keep_picture(page, "command")
        link = page.url
        page.evaluate("() => { window.print = () => { document.body.dataset.printed = '1'; }; }")
        page.click("#sheet-button")
        page.wait_for_function("() => document.body.dataset.printed")
        assert page.locator("#sheet img").get_attribute("src").startswith("data:image/png;base64,")  # type: ignore[union-attr]
        assert len(re.findall(rb"/Type /Page\b", page.pdf(prefer_css_page_size=True))) == 1
        page.click(".language")
        settled(screen, "lang=en")
        assert "2 km" in page.locator("#answer h2").inner_text()
        assert not re.search("[\u4e00-\u9fff]", page.locator("#answer h3").first.inner_text())
        open_command(screen, link.partition("/command")[2])
        settled(screen, "r=2000")
        assert page.locator("#answer h2").inner_text() == name.replace("1 公里", "2 公里")


def test_an_area_is_drawn_and_grids_are_named(browser: Browser, address: str) -> None:
    with at_desk(browser, address, "grid_worker", viewport={"width": 1920, "height": 1080}) as screen:
        page = screen.page
        lon, lat = SPOT
        open_command(screen, f"?lon={lon}&lat={lat}&r=500")
        settled(screen, "r=500")
        expect(page.locator("#answer .posts .hint").first).to_be_visible()
        assert page.locator("#answer a[href^='tel:']").count() == 0
        ends = "([lon, lat]) => [0, 0.005].map((more) => window.__emergency.pointOf(lon + more, lat)[0])"
        x, past = page.evaluate(ends, SPOT)
        page.set_viewport_size({"width": 1536, "height": 864})
        page.wait_for_function("() => document.querySelector('#map canvas').clientWidth === 1536")
        page.wait_for_function(IDLE)
        left, right = page.evaluate(ends, SPOT)
        assert abs(left - 0.8 * x) < 10 and 0.75 < (right - left) / (past - x) < 0.85, "the same part in another window"
        page.click("[data-kind=shape]")
        for x, y in ((-3, -2), (3, -2), (2, 2)):
            click_at(screen, lon + x / 1000, lat + y / 1000)
        expect(page.locator("#corners")).to_contain_text("3")
        page.keyboard.press("Enter")
        settled(screen, "shape=")
        assert page.evaluate("() => new URLSearchParams(location.search).get('shape').split(';').length") == 3
        shape = page.evaluate("() => new URLSearchParams(location.search).get('shape')")
        click_at(screen, lon + 0.001, lat)
        page.click("[data-kind=circle]")
        page.fill("#r", "750")
        page.click(".language")
        settled(screen, "lang=en")
        assert page.evaluate("() => new URLSearchParams(location.search).get('shape')") == shape
        assert page.input_value("#r") == "750" and "#" not in page.url
        assert page.get_attribute("[data-kind=circle]", "aria-selected") == "true"
        page.click("[data-kind=shape]")
        expect(page.locator("#corners")).to_have_text(re.compile(r"^1 corner"))
        page.click("[data-kind=grids]")
        click_at(screen, lon, lat)
        settled(screen, "grids=")
        expect(page.locator("#chips li")).to_have_count(1)
        page.fill("#sought", "449901001")
        expect(page.locator("#hits [role=option]").first).to_be_visible()
        page.keyboard.press("Enter")
        settled(screen, "grids=.*(,|%2C)")
        expect(page.locator("#chips li")).to_have_count(2)
        page.locator("#chips button").first.click()
        expect(page.locator("#chips li")).to_have_count(1)
        page.go_back()
        expect(page.locator("#chips li")).to_have_count(2)


def test_without_a_pointer_and_from_the_map(browser: Browser, address: str) -> None:
    with at_desk(browser, address, "leader") as screen:
        page = screen.page
        screen.open("?at=449901001001")
        page.locator("a[href^='/command']").click()
        settled(screen, "grids=449901001001")
        page.goto(f"{address}/command?grids=449901001")
        expect(page.locator("#answer h2")).to_have_text("锦绣街道")
        expect(page.locator("#chips li")).to_contain_text("锦绣街道")
        page.locator("[data-kind=circle]").focus()
        page.keyboard.press("Enter")
        page.fill("#lon", str(SPOT[0]))
        page.fill("#lat", str(SPOT[1]))
        page.fill("#r", "300")
        page.keyboard.press("Enter")
        settled(screen, "r=300")
        assert "300" in page.locator("#answer h2").inner_text()
        page.click("#clear")
        page.wait_for_selector("#answer .empty")


def test_figures_come_before_the_map_and_every_state_is_said(browser: Browser, address: str) -> None:
    with at_desk(browser, address, "dispatcher") as screen:
        page, held, asked = screen.page, dict[str, Any](), list[str]()
        answer, line, state = (
            re.compile("/command/nearby"),
            page.locator("#answer > .shows"),
            page.locator("#map-state"),
        )
        page.goto("about:blank")
        page.on("request", lambda request: asked.append(request.url))
        page.route(answer, lambda route: held.update(answer=route))
        page.route("**/maplibre-gl.mjs", lambda route: held.update(engine=route))
        with page.expect_request(answer):
            page.goto(f"{address}/command?lon={SPOT[0]}&lat={SPOT[1]}&r=500")
        expect(line).to_have_text("正在查找…")
        expect(state).to_have_text("地图正在读取…")
        assert not any("maplibre-gl.mjs" in one for one in asked), "nothing is before the figures"
        with page.expect_request("**/maplibre-gl.mjs"):
            held["answer"].continue_()
        expect(page.locator("#answer .figures")).to_be_visible()
        expect(line).to_have_count(0)
        expect(state).to_be_visible()
        held["engine"].continue_()
        page.wait_for_function(IDLE)
        expect(state).to_be_hidden()
        expect(page.locator(".no-gpu-note")).to_be_visible()
        page.unroute(answer)
        page.route(answer, lambda route: route.abort())
        before = page.locator("#answer h2").inner_text()
        page.click("[data-r='2000']")
        expect(line).to_contain_text("仍是此前范围的结果。原因：服务器没有应答")
        assert page.locator("#answer h2").inner_text() == before
        page.unroute("**/maplibre-gl.mjs")
        page.route("**/maplibre-gl.mjs", lambda route: route.abort())
        page.reload()
        expect(line).to_contain_text("没有读到这一范围。原因：服务器没有应答")
        expect(page.locator(".no-engine-note")).to_be_visible()
        page.unroute(answer)
        line.locator("button").click()
        expect(page.locator("#answer[data-shows=''] .figures")).to_be_visible()
        page.evaluate("() => history.pushState(null, '', '?shape=115,22;115.1,22.1;115.1,22;115,22.1')")
        page.evaluate("() => window.dispatchEvent(new PopStateEvent('popstate'))")
        expect(line).to_contain_text("仍是此前范围的结果。原因：手绘范围自相交叉或没有面积，请重画")
        page.click("#clear")
        expect(page.locator("#answer[data-shows=empty] .empty")).to_be_visible()
        screen.faults = [said for said in screen.faults if "ERR_FAILED" not in said and "422" not in said]
