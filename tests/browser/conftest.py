"""A real Chromium before a real server over the small city; software GL, so that it runs anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from chromium import WITHOUT_GPU, open_chromium
from playwright.sync_api import Browser, BrowserContext, expect
from screen import Screen, serving

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.declare.records import Catalog
from layers.settings import Settings


@pytest.fixture(scope="module")
def address(small_city: Database, catalog: Catalog, settings: Settings) -> Iterator[str]:
    """Address of a running map over the small city."""
    with serving(Atlas(catalog, small_city, "web", Scope(catalog.city.code)), settings) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a module; what is expected may take its time while others work."""
    expect.set_options(timeout=20_000)
    with open_chromium(WITHOUT_GPU) as browser:
        yield browser


@pytest.fixture(scope="module")
def window(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """A window of 1366 x 768 that a leader has signed in to, and that keeps what it has fetched."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    Screen(context.new_page(), address).sign_in()
    yield context
    context.close()


@pytest.fixture
def screen(window: BrowserContext, address: str) -> Iterator[Screen]:
    """A fresh page of the window; fails the test if anything was wrong on it, or another host was asked.

    What lasts longer than a page (a window that is offline, another clock) wants a window of its own.
    """
    screen, cookies = Screen(window.new_page(), address), window.cookies()
    yield screen
    screen.page.close()
    assert (screen.faults, window.cookies()) == ([], cookies)
    assert screen.hosts <= {urlsplit(address).netloc}
