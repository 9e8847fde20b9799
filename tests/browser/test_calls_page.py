"""Calls in a real browser: one person calls, others see it at once, pass it on, answer, report in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from databases import copy_of
from field import PHONE, at_work
from people_at_work import GRID, prepare, working_catalog
from playwright.sync_api import Browser, expect
from screen import serving

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.declare.case_records import Limits
from layers.settings import Settings

LIMITS = Limits(answer={"medium": 15, "large": 15, "county": 30, "city": 30}, report_in=30)


@pytest.fixture(scope="module")
def little(settings: Settings, server: Any, template: Database) -> Iterator[str]:
    with copy_of(template, server, settings) as db:
        prepare(db)
        with serving(Atlas(working_catalog(limits=LIMITS), db, "web", Scope("4499")), settings) as address:
            yield address


def test_a_call_is_seen_at_once_passed_on_and_answered(browser: Browser, little: str) -> None:
    with (
        at_work(browser, little, "grid_worker", "/calls", **PHONE) as worker,
        at_work(browser, little, "dispatcher", "/calls") as centre,
        at_work(browser, little, "department_handler", "/calls?lang=en") as handler,
    ):
        page = worker.page
        page.click("#calling summary")
        page.fill("#grid", GRID)
        page.fill("#what", "内涝，需要水泵")
        page.check("input[value=justice]")
        page.check("input[value=water]")
        expect(page.locator("#lead")).to_contain_text("justice")
        for language in ("en", "zh"):  # what is half written goes along, and who leads
            page.click(".language")
            expect(page.locator(f"html[lang^={language}] #lead")).to_contain_text("justice")
            assert (page.input_value("#grid"), page.input_value("#what")) == (GRID, "内涝，需要水泵")
            expect(page.locator("#form input:checked")).to_have_count(2)
        page.dblclick("#form [type=submit]")
        expect(page.locator("#open > li")).to_have_count(1)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        expect(page.locator("[data-act]")).to_have_count(0)

        call = centre.page.locator("#open > li")
        expect(call).to_have_count(1)  # by live push
        expect(call.locator(".here")).to_have_attribute("data-level", "medium")
        call.locator("[data-act=pass_on]").dblclick()
        expect(call.locator(".here")).to_have_attribute("data-level", "large")
        expect(call.locator(".tag.warm").first).to_have_text("已上升 1 级")

        theirs = handler.page.locator("#open > li")
        expect(theirs.locator(".ladder .here")).to_contain_text("Town sub-centre")
        handler.page.focus("[data-act=report_in]")
        handler.page.keyboard.press("Enter")
        expect(call.locator("[data-department].good")).to_have_count(1)
        call.locator("[data-act=answer]").click()
        expect(centre.page.locator("#answered > li")).to_have_count(1)
        expect(page.locator("#answered > li")).to_have_count(1)
        expect(page.locator("#open > li")).to_have_count(0)
