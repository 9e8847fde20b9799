"""The care register in a real browser: a worker opens a phone, writes a visit down, takes a list; a leader counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from people_at_work import prepare
from playwright.sync_api import Browser, expect
from reading import BEYOND
from screen import Screen, serving
from test_care import CATALOG, enrol
from test_every_page import MACHINE

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.seal import Sealer
from layers.secrets import read_secrets
from layers.settings import Settings


@pytest.fixture
def care(db: Database, settings: Settings) -> Iterator[str]:
    """Address of a map over the little city, where six people are offered care."""
    prepare(db)
    enrol(db, Sealer(read_secrets(settings)))
    with serving(Atlas(CATALOG, db, "web", Scope("4499")), settings) as address:
        yield address


def open_care(browser: Browser, address: str, role: str) -> Screen:
    context: Any = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    screen = Screen(context.new_page(), address)
    screen.sign_in(role)
    screen.page.goto(f"{address}/care")
    screen.page.wait_for_function("() => document.body.classList.contains('ready')")
    return screen


def test_a_worker_opens_a_phone_and_writes_a_visit_down(browser: Browser, care: str) -> None:
    screen = open_care(browser, care, "grid_worker")
    page = screen.page
    rows = page.locator("#records tbody tr[data-id]")
    expect(rows).to_have_count(3)
    expect(page.locator("#count")).to_contain_text("共 3 人")
    rows.first.click()
    phone = page.locator("[data-field=number]")
    expect(phone).to_be_disabled()
    page.select_option(".identity select", "visit")
    phone.click()
    expect(page.locator(".opened")).to_have_text("11010519491231002X")
    assert "乙二" not in page.locator("body").inner_text()
    page.select_option("select[name=status]", "away")
    page.fill("textarea", "外出探亲")
    page.click("#case form button")
    expect(page.locator("#case .log")).to_contain_text("外出探亲")
    expect(page.locator("#count")).to_contain_text("1 人走访逾期")
    page.select_option("#group", index=1)
    rows.first.click()
    page.fill("#case form textarea", "写到一半")
    kept = [page.locator("#group").input_value(), rows.first.get_attribute("data-id")]
    page.click(".language")
    expect(page.locator("#case header h2")).to_contain_text("*")
    assert [page.locator("#group").input_value(), page.locator("tr.open").get_attribute("data-id")] == kept
    expect(page.locator("#case form textarea")).to_have_value("写到一半")
    assert not MACHINE.search(page.locator("main").inner_text())
    page.click(".language")
    expect(page.locator("#case header h2")).to_contain_text("*")
    page.select_option("#group", "")
    with page.expect_popup() as opened:
        page.click("#take")
    expect(opened.value.locator("h1")).to_have_text("走访清单")
    assert "乙*" in opened.value.locator("table").inner_text()
    page.context.close()
    assert screen.faults == []


@pytest.mark.parametrize(("role", "wanted"), [("grid_worker", 4), ("leader", None)])
def test_a_small_phone_shows_when_the_next_visit_is_due(
    browser: Browser, care: str, role: str, wanted: int | None
) -> None:
    screen = open_care(browser, care, role)
    heads = screen.page.locator("thead th")
    n_all, last = heads.count(), heads.last.inner_text()
    screen.page.set_viewport_size({"width": 390, "height": 844})
    seen = screen.texts("thead th:visible")
    assert (len(seen), seen[-1]) == (wanted or n_all, last)
    assert screen.page.evaluate(BEYOND) == []
    screen.page.context.close()


def test_a_leader_sees_overdue_visits_and_no_name(browser: Browser, care: str) -> None:
    screen = open_care(browser, care, "leader")
    page = screen.page
    expect(page.locator("#counts tbody tr")).to_have_count(2)
    page.locator("#counts tbody button").first.click()
    expect(page.locator("#path button")).to_have_count(2)
    page.click(".language")
    expect(page.locator("html[lang=en] #path button")).to_have_count(2)
    page.click(".language")
    expect(page.locator("html[lang=zh-CN] #path button")).to_have_count(2)
    expect(page.locator("#counts td.late").first).to_have_text("不超过 10")
    expect(page.locator(".hint")).to_contain_text("“不超过 10”即 1 至 10")
    assert "*" not in page.locator("body").inner_text()
    page.context.close()
    assert screen.faults == []
