"""A case is asked about by a link, answered by a stranger, and put on the wall that everybody sees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from databases import copy_of
from field import PHONE, at_work
from people_at_work import case_in, prepare, working_catalog
from playwright.sync_api import Browser, expect
from screen import Screen, serving
from signing import signed

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.settings import Settings

CATALOG = working_catalog()


@pytest.fixture(scope="module")
def city(settings: Settings, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as db:
        prepare(db)
        with signed(db, autocommit=True) as web:
            case_in(web, CATALOG, "closed")
        yield db


@pytest.fixture(scope="module")
def little(city: Database, settings: Settings) -> Iterator[str]:
    with serving(Atlas(CATALOG, city, "web", Scope("4499")), settings, ("echo",)) as address:
        yield address


def test_a_link_is_answered_and_the_wall_shows_it(browser: Browser, little: str) -> None:
    with at_work(browser, little, "case_officer", "/cases?queue=all") as officer:
        page = officer.page
        page.locator("#cases tbody tr[data-id]").first.click()
        page.locator("#case [data-do=link]").click()
        address = page.locator("#case input.address")
        expect(address).to_have_value(re.compile("/answer/"))
        link = address.input_value()
        page.fill("#case .echo [name=problem]", "社区夜间噪音")
        page.fill("#case .echo [name=measure]", "约谈施工方，限时施工")
        page.locator("#case [data-do=release]").click()
        expect(page.locator("#case .echo [data-do=withdraw]")).to_be_visible()
        context = browser.new_context(locale="zh-CN", **PHONE)
        stranger = Screen(context.new_page(), little)
        stranger.page.goto(link)
        stranger.page.locator("button[value=no]").click()
        expect(stranger.page.locator(".alarm")).to_be_visible()
        stranger.faults[:] = [one for one in stranger.faults if "422" not in one]
        stranger.page.locator("button[value=yes]").click()
        expect(stranger.page.locator("form")).to_have_count(0)
        stranger.page.goto(f"{little}/echo")
        echoes = stranger.page.locator("section.echoes article")
        expect(echoes).to_have_count(1)
        expect(echoes).to_contain_text("群众满意")
        assert stranger.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "fits a phone"
        assert stranger.faults == []
        context.close()
        page.fill("#case .echo [name=reason]", "写错了")
        page.locator("#case [data-do=withdraw]").click()
        expect(page.locator("#case .echo [data-do=withdraw]")).to_have_count(0)
