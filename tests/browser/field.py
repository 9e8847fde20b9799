"""A little city whose cases people of different roles work on in browsers, each with a window of their own."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, expect
from screen import Screen

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
DESK = {"viewport": {"width": 1600, "height": 900}}
HERE = {"geolocation": {"longitude": 0.1, "latitude": 0.1, "accuracy": 12}, "permissions": ["geolocation"]}


@contextmanager
def at_work(browser: Browser, address: str, role: str, path: str, **more: Any) -> Iterator[Screen]:
    """Sign somebody in and open a page of the closed loop; nothing may have gone wrong on it."""
    context = browser.new_context(**{"locale": "zh-CN"} | DESK | more)
    screen = Screen(context.new_page(), address)
    screen.sign_in(role)
    open_page(screen, path)
    yield screen
    context.close()
    assert screen.faults == []


def open_page(screen: Screen, path: str) -> None:
    """Open a page and wait until its script is done."""
    screen.page.goto(screen.address + path)
    screen.page.wait_for_function("() => document.body.classList.contains('ready')")


def photo() -> bytes:
    """A picture that says where and by whom it was taken."""
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x010E] = "secret words"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (22.0, 33.0, 44.0)
    Image.new("RGB", (60, 40), "red").save(out, "JPEG", exif=exif)
    return out.getvalue()


def fill(screen: Screen, words: str, category: str = "noise") -> None:
    """Fill in a report at the phone's own position."""
    page = screen.page
    page.click("#here")
    expect(page.locator("#place")).to_contain_text("12")
    page.select_option("#category", category)
    page.fill("#words", words)
