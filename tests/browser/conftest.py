"""A real Chromium before a real server over the small city; software GL, so that it runs anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from chromium import WITHOUT_GPU, open_chromium
from playwright.sync_api import Browser, expect
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


@pytest.fixture
def screen(browser: Browser, address: str) -> Iterator[Screen]:
    """A fresh page of 1920 x 1080; fails the test if anything was wrong on it, or another host was asked."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="zh-CN")
    screen = Screen(context.new_page(), address)
    screen.sign_in()
    yield screen
    context.close()
    assert screen.faults == []
    assert screen.hosts <= {urlsplit(address).netloc}
