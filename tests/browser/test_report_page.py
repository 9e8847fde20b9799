"""Reporting from a phone in a real browser: without a connection, once, with what lies near offered first."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from databases import copy_of
from field import HERE, PHONE, at_work, fill, open_page, photo
from people_at_work import prepare, working_catalog
from PIL import Image
from playwright.sync_api import Browser, expect
from screen import Screen, serving

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.duplicates import likeness
from layers.settings import Settings

ON_PHONE = PHONE | HERE


@pytest.fixture(scope="module")
def city(settings: Settings, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as db:
        prepare(db)
        yield db


@pytest.fixture(scope="module")
def little(city: Database, settings: Settings) -> Iterator[str]:
    likeness(["words", "are read once"])  # reading the dictionary takes longer than a phone waits
    with serving(Atlas(working_catalog(), city, "web", Scope("4499")), settings, ("form",)) as address:
        yield address


def test_what_is_reported_without_a_connection_is_sent_once(browser: Browser, little: str, city: Database) -> None:
    with at_work(browser, little, "grid_worker", "/report", **ON_PHONE) as screen:
        page, context = screen.page, screen.page.context
        page.wait_for_selector("body[data-kept=ready]")
        before = len(screen.faults)
        context.set_offline(True)
        open_page(screen, "/report")  # from what the phone keeps
        fill(screen, "夜里施工，敲打声很大")
        open_page(screen, "/report")  # a phone may shut the page while the camera is open
        expect(page.locator("#words")).to_have_value("夜里施工，敲打声很大")
        expect(page.locator("#place")).to_contain_text("0.10000")
        page.set_input_files("#camera", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()})
        expect(page.locator("#photos img")).to_have_count(1)
        page.dblclick("#send")
        expect(page.locator("#outbox li")).to_have_count(1)
        expect(page.locator("body.offline")).to_have_count(1)
        page.reload()
        expect(page.locator("#outbox li")).to_have_count(1)
        context.set_offline(False)
        page.evaluate("() => window.dispatchEvent(new Event('online'))")
        expect(page.locator("#mine li[data-id]")).to_have_count(1)
        expect(page.locator("#outbox li")).to_have_count(0)
        screen.faults[before:] = [one for one in screen.faults[before:] if "ERR_INTERNET_DISCONNECTED" not in one]
    with city.connect("admin") as admin:
        sent = admin.execute("select count(*), min(grid_code), min(reported_at) < now() from ops.event").fetchone()
        assert sent == (1, "449901001001001", True)
        jpeg = admin.execute("select jpeg from ops.photo").fetchall()
    assert len(jpeg) == 1
    assert not Image.open(io.BytesIO(jpeg[0][0])).getexif() and b"secret" not in jpeg[0][0]


def test_what_may_be_the_same_thing_is_offered_first(browser: Browser, little: str, city: Database) -> None:
    with at_work(browser, little, "grid_worker", "/report", **ON_PHONE) as screen:
        page = screen.page
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        fill(screen, "井盖丢了", "drainage")
        page.click("#send")
        expect(page.locator("#mine li", has_text="井盖丢了")).to_have_count(1)
        fill(screen, "井盖不见了", "drainage")
        page.dblclick("#send")
        expect(page.locator("[data-same]")).to_have_count(1)
        expect(page.locator("#send")).to_be_hidden()
        page.click("[data-same]")
        expect(page.locator("#words")).to_have_value("")
        fill(screen, "写到一半", "drainage")
        page.set_input_files("#camera", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()})
        expect(page.locator("#photos img")).to_have_count(1)
        page.click(".language")
        expect(page.locator("#mine li", has_text="Reported").first).to_be_visible()
        expect(page.locator("#words")).to_have_value("写到一半")
        expect(page.locator("#category")).to_have_value("drainage")
        expect(page.locator("#photos img")).to_have_count(1)
        assert page.evaluate("() => document.querySelector('#photos img').decode().then(() => true)")
        page.locator("#photos button").click()
        page.focus("[data-choose=visit]")
        page.keyboard.press("Enter")
        expect(page.locator("#category")).to_be_hidden()
        page.click("#here")
        expect(page.locator("#place")).to_contain_text("12")
        page.fill("#words", "独居老人，一切都好")
        page.focus("#send")
        page.keyboard.press("Enter")
        expect(page.locator("#visits li", has_text="独居老人")).to_have_count(1)
    with city.connect("admin") as admin:
        assert admin.execute("select count(*) from ops.event where category = 'drainage'").fetchone() == (1,)
        assert admin.execute("select count(*) from ops.visit").fetchone() == (1,)


def test_a_page_that_cannot_be_kept_says_why(browser: Browser, little: str) -> None:
    with at_work(browser, little, "grid_worker", "/report", **ON_PHONE) as screen:
        page = screen.page  # served to another machine without TLS, a browser counts the page as not secure
        page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
        for path, words in (("/report", "不是加密连接"), ("/report?lang=en", "needs HTTPS")):
            open_page(screen, path)
            page.wait_for_selector("body[data-kept=insecure]")
            expect(page.locator("#kept")).to_contain_text(words)
            assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        page.click("#here")
        expect(page.locator("#notice")).to_contain_text("HTTPS")
        page.click("#pick")
        page.wait_for_selector("#map[data-is=ready]")
        expect(page.get_by_role("application", name="Map to pick a place on", exact=True)).to_have_count(1)
        page.click("#middle")
        expect(page.locator("#place")).to_contain_text("picked")
        page.select_option("#category", "noise")
        page.fill("#words", "小区门口积水")
        page.click("#send")
        expect(page.locator("#mine li", has_text="小区门口积水")).to_have_count(1)


def test_what_is_refused_is_mended_and_what_waits_for_a_session_stays(browser: Browser, little: str) -> None:
    with at_work(browser, little, "grid_worker", "/report", **ON_PHONE) as screen:
        page, context = screen.page, screen.page.context
        context.set_geolocation({"longitude": 9.0, "latitude": 0.1})
        page.click("#here")
        expect(page.locator("#place .late")).to_have_text("不在您负责的网格内")
        page.select_option("#category", "noise")
        page.fill("#words", "远处很吵")
        page.click("#send")
        expect(page.locator("#outbox .late")).to_contain_text("位置须在您负责的网格内")
        page.reload()
        page.get_by_text("修改后重发").click()
        expect(page.locator("#words")).to_have_value("远处很吵")
        expect(page.locator("#outbox li")).to_have_count(0)
        context.set_geolocation({"longitude": 0.3, "latitude": 0.3, "accuracy": 12})
        fill(screen, "远处很吵")
        context.clear_cookies()
        page.click("#send")
        expect(page.locator("#state a")).to_have_attribute("href", "/sign-in?next=%2Freport")
        expect(page.locator("#outbox li")).to_have_count(1)
        kept = "async () => Boolean(await (await caches.open('report 1')).match('/report', { ignoreVary: true }))"
        page.wait_for_selector("body[data-kept=ready]")
        assert page.evaluate(kept)
        page.goto(f"{little}/report")
        assert "/sign-in" in page.url
        assert not page.evaluate("() => caches.has('report 1')"), "who is signed out leaves nothing behind"
        screen.sign_in("dispatcher")
        open_page(screen, "/report")
        page.wait_for_selector("body[data-kept=ready]")
        shelf = "async (name) => (await caches.open('report 1')){}"
        page.evaluate(shelf.format(".put(name, new Response('names'))"), "/tiles/grid/of/another")
        screen.sign_in("grid_worker")
        open_page(screen, "/report")
        page.wait_for_selector("body[data-kept=ready]")
        assert page.evaluate(kept)
        found = page.evaluate(shelf.format(".match(name).then(Boolean)"), "/tiles/grid/of/another")
        assert not found, "nobody is given what was kept for another"
        expect(page.locator("#mine li", has_text="远处很吵")).to_have_count(1)
        expect(page.locator("#outbox li")).to_have_count(0)
        known = ("422", "401", "Failed to load resource")
        screen.faults[:] = [one for one in screen.faults if not one.startswith(known)]


def test_everybody_reports_by_the_form_and_follows_the_receipt(browser: Browser, little: str) -> None:
    context = browser.new_context(**ON_PHONE, locale="zh-CN")
    screen = Screen(context.new_page(), little)
    page = screen.page
    page.goto(f"{little}/form?lang=en")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.select_option("[name=category]", "drainage")
    page.click("#here")
    expect(page.locator("#where")).to_contain_text("position will be sent")
    page.fill("[name=words]", "路口积水")
    page.focus("form .first")
    page.keyboard.press("Enter")
    receipt = page.locator(".receipt").inner_text()
    page.click("a[href^='/form/follow']")
    page.fill("[name=receipt]", receipt)
    page.click("form .first")
    expect(page.locator("dl")).to_contain_text("Reported")
    assert screen.faults == [] and context.cookies() == []
    context.close()
