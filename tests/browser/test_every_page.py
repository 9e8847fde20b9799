"""Every page as its readers meet it: both languages, three sizes, contrast, names, keyboard, and no other host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser
from reading import BEYOND, CONTRAST, CROSSING, CUT, MAPS, SMALL, TEXTS, UNNAMED, UNREACHED, UNSEEN
from screen import Screen, hold_map

from layers.access import ROLES
from layers.database import Database

READY = "() => document.body.classList.contains('ready')"
MAP = "() => window.__map && window.__map.idle && document.documentElement.classList.contains('ready')"
EXPLORE = """() => window.__map && window.__map.idle && document.documentElement.classList.contains('drawn')
    && !document.querySelector('[aria-busy=true]')"""
WALL = "() => window.__wall && window.__wall.ready && window.__map.idle"
MAP_STOP = ["canvas application"]
PLAIN = "() => document.readyState === 'complete'"

PAGES = [
    ("leader", "/?panel=layers&layers=grid_event,resident", MAP),
    ("leader", "/explore?period=202605&against=previous", EXPLORE),
    ("leader", "/care", READY),
    ("leader", "/account", PLAIN),
    ("wall", "/wall?tour=600", WALL),
    ("dispatcher", "/command?lon=115.240235&lat=22.856807&r=2000", READY),
    ("dispatcher", "/cases?queue=open", READY),
    ("dispatcher", "/calls", READY),
    ("dispatcher", "/figures?period=2026-05", PLAIN),
    ("grid_worker", "/report", READY),
    ("grid_worker", "/figures/worker", PLAIN),
    ("security_admin", "/accounts", PLAIN),
    ("auditor", "/audit", PLAIN),
    ("", "/sign-in", PLAIN),
    ("", "/pair", PLAIN),
]
SIZES = {"zh": ((1366, 768), (1920, 1080)), "en": ((1366, 768), (3840, 2160))}

LOOKS = (("leaves the page", BEYOND), ("lies over another", CROSSING), ("is cut", CUT), ("is small", SMALL))
"""What is looked at in each size."""

LATIN = re.compile(r"[A-Za-z][A-Za-z]+")
CHINESE = re.compile(r"[\u3400-\u9fff]+")
FOREIGN = {"English", "km", "PNG", "SVG", "XLSX", "CSV", "GeoJSON", "Parquet", "WebGL", "Esc", "Enter"}
"""What is written in Latin letters in Chinese too."""
MACHINE = re.compile(r"(?<!\d)(?:\d\d|\d{4})-\d\d(?!\d)|(?<!\d)\d{1,2}/\d{1,2}(?:/\d+)?,? \d|(?<![\d:])24:\d\d")
"""Dates as a program keeps them, not as people of either language write them; and what is no time of day."""
ACCOUNT = re.compile(r"(?:demo|test)\.[a-z_.\d]+")


def query(path: str, language: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}lang={language}"


@pytest.fixture(scope="module")
def screens(browser: Browser, address: str) -> Iterator[dict[str, Screen]]:
    """A window for each role, signed in once."""
    opened: dict[str, Screen] = {}
    for role in dict.fromkeys(role for role, _, _ in PAGES):
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
        opened[role] = Screen(context.new_page(), address)
        if role:
            opened[role].sign_in(role)
    yield opened
    for screen in opened.values():
        screen.page.context.close()


@pytest.fixture(scope="module")
def names(small_city: Database) -> re.Pattern[str]:
    """Names of the city, which are Chinese in every language; its counties and itself have English ones."""
    tables = ("place", "thing", "organisation", "grid_worker")
    kinds = " union ".join(f"select name from ops.{table} where name is not null" for table in tables)
    with small_city.connect("loader") as connection:
        rows = connection.execute(f"select name from pub.grid where length(code) > 6 union {kinds}").fetchall()
    return re.compile("|".join(sorted(map(re.escape, (name for (name,) in rows)), key=len, reverse=True)))


@pytest.mark.parametrize(("role", "path", "ready"), PAGES, ids=[path.partition("?")[0] for _, path, _ in PAGES])
def test_a_page_reads_well_in_both_languages_at_three_sizes(
    screens: dict[str, Screen], names: re.Pattern[str], role: str, path: str, ready: str
) -> None:
    screen, found = screens[role], list[str]()
    for language in ("zh", "en"):
        screen.faults.clear()
        screen.page.set_viewport_size({"width": 1366, "height": 768})
        screen.page.goto(screen.address + query(path, language))
        screen.page.wait_for_function(ready, timeout=60_000)

        def note(what: str, faults: list[Any], language: str = language) -> None:
            found.extend(f"{language} {what}: {one}" for one in faults)

        note("is faint", screen.page.evaluate(CONTRAST)["found"])
        note("has no name", screen.page.evaluate(UNNAMED))
        note("is not reached by keyboard", screen.page.evaluate(UNREACHED))
        screen.page.keyboard.press("Tab")
        note("does not show that the keyboard is there", screen.page.evaluate(UNSEEN))
        maps = screen.page.evaluate(MAPS)
        note("is not one stop with a role", [one for one in maps if (one["stops"], one["role"]) != (MAP_STOP, None)])
        texts = screen.page.evaluate(TEXTS) + [one["label"] for one in maps]
        note("is in the other language", leaks(language, texts, names))
        note("is no date of the language", [said for said in texts if MACHINE.search(said)])
        hold_map(screen.page)
        for width, height in SIZES[language]:
            screen.page.set_viewport_size({"width": width, "height": height})
            for name, look in (
                ("leaves the page", BEYOND),
                ("lies over another", CROSSING),
                ("is cut", CUT),
                ("is small", SMALL),
            ):
                note(f"{name} at {width}", screen.page.evaluate(look))
        note("went wrong", screen.faults)
    screen.page.goto("about:blank")  # a map that goes on drawing would slow the next page
    assert "\n".join(found) == ""
    assert screen.hosts <= {screen.address.removeprefix("http://")}


def leaks(language: str, texts: list[str], names: re.Pattern[str]) -> list[str]:
    if language == "zh":
        return [said for said in texts if said not in ROLES and set(LATIN.findall(ACCOUNT.sub("", said))) - FOREIGN]
    return [said for said in texts if said != "中文" and CHINESE.search(names.sub("", said))]
