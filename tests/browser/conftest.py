"""A real Chromium before a real server over the small city; software GL, so that it runs anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from chromium import open_chromium
from playwright.sync_api import Browser, Page, expect
from serving import listening

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.declare.records import Catalog
from layers.settings import CHECKOUT, Settings
from mapapp.app import create_app
from mapapp.base.base import Base
from mapapp.porter import make_porter

IDLE = "() => window.__map && window.__map.idle && document.documentElement.classList.contains('ready')"


@pytest.fixture(scope="module")
def address(small_city: Database, catalog: Catalog, settings: Settings) -> Iterator[str]:
    """Address of a running map over the small city."""
    with serving(Atlas(catalog, small_city, "web", Scope(catalog.city.code)), settings) as address:
        yield address


@contextmanager
def serving(
    atlas: Atlas, settings: Settings, public_pages: tuple[str, ...] = (), base: Base | None = None
) -> Iterator[str]:
    """Serve an atlas, at the address given."""
    porter = make_porter(atlas, settings, is_demo=True)
    with listening(create_app(atlas, porter, public_pages=public_pages, base=base)) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a module; what is expected may take its time while others work."""
    expect.set_options(timeout=20_000)
    with open_chromium() as browser:
        yield browser


def keep_picture(page: Page, name: str) -> None:
    """Take a picture for the readme or the docs where it is missing: take it away to have it made anew."""
    path = CHECKOUT / "docs" / f"{name}.png"
    if not path.exists():
        page.evaluate("() => window.scrollTo(0, 0)")
        page.screenshot(path=path)


class Screen:
    """One page of the map, and what went wrong on it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        page.set_default_timeout(20_000)
        self.faults: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", lambda said: said.type in ("error", "warning") and self.faults.append(said.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("response", lambda answer: answer.status >= 400 and self.faults.append(f"{answer.status} {answer.url}"))
        page.context.on("request", lambda asked: self._note(asked.url))

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob"):
            self.hosts.add(parts.netloc)

    def sign_in(self, role: str = "leader") -> None:
        """Sign in by one click, as the demonstration does."""
        self.page.goto(f"{self.address}/sign-in")
        self.page.locator(f"button[value={role}]").click(no_wait_after=True)
        self.page.wait_for_url(lambda url: "sign-in" not in url, wait_until="commit")

    def open(self, search: str = "") -> Screen:
        """Open a view and wait until it is drawn."""
        self.page.goto(f"{self.address}/{search}")
        self.page.wait_for_function(IDLE, timeout=20_000)
        return self

    def at(self) -> str:
        """Code of the grid that is shown."""
        return str(self.page.evaluate("() => window.__map.at"))

    def wait_at(self, code: str) -> None:
        """Wait until a grid is shown and drawn."""
        self.page.wait_for_function("(code) => window.__map.at === code && window.__map.idle", arg=code, timeout=20_000)

    def cells(self) -> list[str]:
        """Codes of the cells that are coloured."""
        return list(self.page.evaluate("() => window.__map.cells"))

    def click_cell(self, code: str) -> None:
        """Click into a cell on the map."""
        x, y = self.page.evaluate("(code) => window.__map.pointOf(code)", code)
        self.page.mouse.click(x, y)

    def texts(self, selector: str) -> list[str]:
        """Texts of elements."""
        return self.page.locator(selector).all_inner_texts()


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
