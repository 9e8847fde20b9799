"""A page of the map as the browser tests see it, and the server it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page
from serving import listening

from layers.atlas import Atlas
from layers.settings import CHECKOUT, Settings
from mapapp.app import create_app
from mapapp.base.base import Base
from mapapp.porter import make_porter

IDLE = "() => window.__map && window.__map.idle && document.documentElement.classList.contains('ready')"


@contextmanager
def serving(
    atlas: Atlas, settings: Settings, public_pages: tuple[str, ...] = (), base: Base | None = None
) -> Iterator[str]:
    """Serve an atlas, at the address given."""
    porter = make_porter(atlas, settings, is_demo=True)
    with listening(create_app(atlas, porter, public_pages=public_pages, base=base)) as address:
        yield address


def resize(page: Page, width: int, height: int) -> None:
    """Change the window, and wait until the map has followed."""
    before = page.evaluate("() => document.querySelector('#map canvas').clientWidth")
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function(
        "(n) => document.querySelector('#map canvas').clientWidth !== n && window.__map.idle", arg=before
    )


def hold_map(page: Page) -> None:
    """Have the map stay as large as it is, where a look at the panels in larger windows does not need it drawn."""
    page.evaluate("""() => {
      const map = document.getElementById('map');
      const { width, height } = map?.getBoundingClientRect() ?? {};
      if (map) Object.assign(map.style, { width: `${width}px`, height: `${height}px`, right: 'auto', bottom: 'auto' });
    }""")


def keep_picture(page: Page, name: str) -> None:
    """Take a picture for the readme or the docs where it is missing: take it away to have it made anew.

    It is at least 1920 wide: a test may look at a smaller window, which costs less to draw.
    """
    path, size = CHECKOUT / "docs" / f"{name}.png", page.viewport_size
    if not path.exists():
        if size and size["width"] < 1920:
            resize(page, 1920, 1080)
        page.evaluate("() => window.scrollTo(0, 0)")
        page.screenshot(path=path)
        if size:
            page.set_viewport_size(size)


SPREAD = """() => {
  const { left, top, width, height } = document.getElementById('map').getBoundingClientRect();
  return window.__map.cells.map(window.__map.pointOf)
    .map(([x, y]) => [(100 * (x - left)) / width, (100 * (y - top)) / height]);
}"""
"""Where the cells lie on the map, in percent of its width and height."""


READ_BACK = "GPU stall due to ReadPixels"
"""What Chromium says of itself where it puts pages together without a GPU; it is not said by a page."""


class Screen:
    """One page of the map, and what went wrong on it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        page.set_default_timeout(20_000)
        self.faults: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", lambda said: said.type in ("error", "warning") and self._complain(said.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("response", lambda answer: answer.status >= 400 and self.faults.append(f"{answer.status} {answer.url}"))
        page.context.on("request", lambda asked: self._note(asked.url))

    def _complain(self, text: str) -> None:
        if READ_BACK not in text:
            self.faults.append(text)

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob"):
            self.hosts.add(parts.netloc)

    def sign_in(self, role: str = "leader") -> None:
        """Sign in as a click on the demonstration's button does, without the page that has it."""
        sent: dict[str, Any] = {"form": {"demo": role}, "headers": {"origin": self.address}, "max_redirects": 0}
        answer = self.page.context.request.post(f"{self.address}/sign-in", **sent)
        assert answer.status == 303, answer.text()

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

    def spread(self) -> list[list[float]]:
        """Where the cells lie on the map, in percent of its width and height."""
        return [[round(share, 3) for share in one] for one in self.page.evaluate(SPREAD)]

    def resize(self, width: int, height: int) -> None:
        """Change the window, and wait until the map has followed."""
        resize(self.page, width, height)

    def click_cell(self, code: str) -> None:
        """Click into a cell on the map."""
        x, y = self.page.evaluate("(code) => window.__map.pointOf(code)", code)
        self.page.mouse.click(x, y)

    def texts(self, selector: str) -> list[str]:
        """Texts of elements."""
        return self.page.locator(selector).all_inner_texts()
