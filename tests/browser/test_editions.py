"""The chooser of editions in a real browser: to the grids before a reform, and back to those in force."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from screen import Screen, serving

from layers.database import Database
from layers.settings import Settings
from tests.reforms import ReformTown
from tests.test_reform import LETTERS, REPORTS
from tests.test_reform_laws import MIXED, OUTLINES

pytestmark = pytest.mark.browser


@pytest.fixture
def reformed(db: Database, settings: Settings, tmp_path: Path, browser: Browser) -> Iterator[Screen]:
    """A page of the map of a small town after its reform."""
    town = ReformTown(db, settings, tmp_path)
    town.deliver("letter.csv", LETTERS)
    town.deliver("report.csv", REPORTS)
    town.load()
    town.reform(MIXED, outlines=OUTLINES)
    with serving(town.atlas("web"), settings) as address:
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
        screen = Screen(context.new_page(), address)
        screen.sign_in()
        yield screen
        context.close()
        assert screen.faults == []


def test_the_former_grids_are_chosen_and_left_again(reformed: Screen) -> None:
    page, ranking = reformed.page, reformed.page.locator(".ranking")
    path, here, legend = (page.locator(one) for one in (".path .steps", ".editions .here", ".legend"))
    reformed.open("?at=449901009001&period=202605")
    expect(path).to_contain_text("东街道")
    expect(here).to_have_text("2026")
    expect(legend).to_contain_text("按份额折算")
    page.locator(".editions a", has_text="2023").click()
    expect(here).to_have_text("2023")
    expect(ranking).not_to_contain_text("东街道")
    ranking.locator(".row", has_text="东镇").click()
    expect(path).to_contain_text("东镇")
    reformed.wait_at("449901001")
    assert reformed.cells() == ["449901001001", "449901001002"]
    expect(legend).not_to_contain_text("按份额折算")
    page.locator(".editions a", has_text="2026").click()
    expect(here).to_have_text("2026")
    expect(ranking).to_contain_text("东街道")
    expect(ranking).not_to_contain_text("东镇")
