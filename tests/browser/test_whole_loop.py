"""One case through the closed loop, through the pages, by people of different roles: from a phone without a net on."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Screen, serving
from databases import copy_of
from field import HERE, PHONE, at_work, fill, open_page, photo
from people_at_work import prepare, working_catalog
from PIL import Image
from playwright.sync_api import Browser, expect

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.settings import Settings

WORDS = "夜里施工，敲打声很大"


@pytest.fixture(scope="module")
def city(settings: Settings, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as db:
        prepare(db)
        yield db


@pytest.fixture(scope="module")
def little(city: Database, settings: Settings) -> Iterator[str]:
    with serving(Atlas(working_catalog(), city, "web", Scope("4499")), settings) as address:
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
