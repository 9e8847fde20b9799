"""One case through the closed loop, through the pages, by people of different roles: from a phone without a net on."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from databases import copy_of
from field import HERE, PHONE, at_work, fill, open_page, photo
from people_at_work import GRID, actor, cases, key, prepare, working_catalog
from PIL import Image
from playwright.sync_api import Browser, expect
from screen import Screen, serving
from signing import signed

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.settings import Settings

CATALOG = working_catalog()
WORDS = "夜里施工，敲打声很大"


@pytest.fixture(scope="module")
def city(settings: Settings, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as db:
        prepare(db)
        yield db


@pytest.fixture(scope="module")
def little(city: Database, settings: Settings) -> Iterator[str]:
    with serving(Atlas(CATALOG, city, "web", Scope("4499")), settings) as address:
        yield address


def take(screen: Screen, step: str, reached: str, **said: str) -> None:
    """Take a step of the case that is open, by two quick clicks, and wait until it is reached."""
    page = screen.page
    page.locator(f"#case [data-step={step}]").dblclick()
    if said:
        for name, value in said.items():
            field = page.locator(f"#case .steps form [name={name}]")
            field.select_option(value) if name in ("department", "outcome") else field.fill(value)
        page.locator("#case .steps form button[type=submit]").dblclick()
    expect(page.locator("#case > header .state")).to_have_class(f"state {reached}")


def open_first(screen: Screen) -> None:
    """Open the one case of the queue."""
    rows = screen.page.locator("#cases tbody tr[data-id]")
    expect(rows).to_have_count(1)  # by live push where it was not there before
    rows.first.click()
    expect(screen.page.locator("#case > header .state")).to_be_visible()


def test_one_case_goes_all_the_way(browser: Browser, little: str, city: Database) -> None:
    with at_work(browser, little, "dispatcher", "/cases?queue=accept") as centre:
        with at_work(browser, little, "grid_worker", "/report", **PHONE, **HERE) as worker:
            page, context = worker.page, worker.page.context
            page.wait_for_selector("body[data-kept=ready]")
            context.set_offline(True)
            fill(worker, WORDS)
            page.set_input_files("#camera", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()})
            expect(page.locator("#photos img")).to_have_count(1)
            page.dblclick("#send")
            expect(page.locator("#outbox li")).to_have_count(1)
            context.set_offline(False)
            page.evaluate("() => window.dispatchEvent(new Event('online'))")
            expect(page.locator("#outbox li")).to_have_count(0)
            worker.faults[:] = [one for one in worker.faults if "ERR_INTERNET_DISCONNECTED" not in one]
        open_first(centre)
        expect(centre.page.locator("#case .photos img")).to_have_count(1)
        take(centre, "accept", "accepted")
        take(centre, "dispatch", "dispatched", department="water")
        with at_work(browser, little, "department_handler", "/cases?queue=mine") as handler:
            open_first(handler)
            take(handler, "take_on", "handling")
            take(handler, "finish", "handled", reason="已责令停工")
        expect(centre.page.locator("#case > header .state")).to_have_class("state handled")  # by live push too
        with at_work(browser, little, "case_officer", "/cases?queue=check") as officer:
            open_first(officer)
            take(officer, "pass", "checked")
            open_page(centre, "/cases?queue=close")
            open_first(centre)
            take(centre, "close", "closed", outcome="settled")
            open_page(officer, "/cases?queue=visit")
            open_first(officer)
            officer.page.locator("#case [data-do=yes]").dblclick()
            expect(officer.page.locator("#cases tbody tr[data-id]")).to_have_count(0)
    with city.connect("admin") as admin:
        steps = [step for (step,) in admin.execute("select step from ops.event_step order by step_no")]
        assert steps == ["report", "accept", "dispatch", "take_on", "finish", "pass", "close"]
        assert admin.execute("select state, outcome, is_satisfied from ops.event").fetchall() == [
            ("closed", "settled", True)
        ]
        assert admin.execute("select count(*) from ops.visit_back").fetchone() == (1,)
        (jpeg,) = (one for (one,) in admin.execute("select jpeg from ops.photo"))
    assert not Image.open(io.BytesIO(jpeg)).getexif() and b"secret" not in jpeg


def test_alike_suggestions_are_folded_by_a_click(browser: Browser, little: str, city: Database) -> None:
    said = ("村口路灯坏了好几天", "村口路灯坏了，晚上看不见", "反映村口的路灯坏了", "幼儿园门口没有斑马线")
    with signed(city, autocommit=True) as web:
        ids = [
            cases.report(web, CATALOG, actor("resident", account=f"receipt {n}"),
                         cases.Report(key(), "drainage", GRID, (0.1 + n / 1000, 0.1), words, dataset="call")).id
            for n, words in enumerate(said)
        ]  # fmt: skip
    with at_work(browser, little, "dispatcher", "/cases?queue=accept&category=drainage") as centre:
        page = centre.page
        page.set_viewport_size({"width": 1920, "height": 1080})
        page.click("#fold")
        group = page.locator("#folding .fold")
        expect(group).to_have_count(1)
        expect(group.locator("article")).to_have_count(3)
        expect(group.locator("[data-fold]")).to_have_text(f"将 2 件并入 {ids[0]}")
        group.get_by_label(f"归并 {ids[1]}").uncheck()
        group.get_by_label(f"以 {ids[2]} 为主件").check()
        expect(group.locator("[data-fold]")).to_have_text(f"将 1 件并入 {ids[2]}")
        page.keyboard.press("j")
        expect(group.locator("[data-fold]")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#folding .folded")).to_contain_text("2 位反映人将得到同一答复")
        page.locator("#folding .folded a").click()
        expect(page.locator("#case [data-author]")).to_have_count(2)
        expect(page.locator("#case .authors")).to_contain_text("凭回执查询")
        page.click("#fold")
        expect(group.locator("article")).to_have_count(2)
        open_page(centre, "/cases?queue=close&lang=en")
        page.click("#fold")
        expect(page.locator("#folding .empty")).to_contain_text("Nothing is alike")
        page.keyboard.press("Escape")
        expect(page.locator("#folding")).to_be_hidden()
    with city.connect("admin") as admin:
        merged = admin.execute("select event_id, duplicate_of, account from ops.event_step where step = 'merge'")
        assert merged.fetchall() == [(ids[0], ids[2], "demo.dispatcher")]
