"""Every number of the explore page opens what it counts, by pointer and by keyboard, or counts nothing."""

from __future__ import annotations

import re
from itertools import cycle
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, expect
from test_explore_page import explore

from layers.declare.records import Catalog

if TYPE_CHECKING:
    from screen import Screen

pytestmark = pytest.mark.browser

OPENS = "[data-rows], [data-look], [data-only], .multiple, td.spark [role=slider], #trend [role=slider]"
"""What opens rows, grids, or the map of a month, by a click and by Enter."""

COUNTS_NOTHING = {
    "code": "which grid it is",
    "th a": "what a grid is called",
    ".age, .what em, #slid": "a time",
    "select, input": "what is chosen",
    ".span, .keys": "where a class begins and ends: the count beside it opens its grids",
    "td.place": "the place in an order",
    ".listed td": "a row itself, which is what is behind a number",
    "#rows h2, #rows h2 + p, #rows caption": "how many there are of what is open below it",
}
"""Numbers that have nothing behind them, and what they are instead."""

TEXTS = """([opens, others]) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const one = texts.currentNode.parentElement;
    if (one.closest(`script, style, ${opens}, ${others}`)) continue;
    const isSeen = one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    if (isSeen) found.push(texts.currentNode.data.trim());
  }
  return found;
}"""

MONTH = re.compile(r"\d{4}年(\d+月)?|[A-Z][a-z]{2} \d{4}")

LOOKS = [
    "?indicator=events_reported&period=202605&against=previous",
    "?indicator=closure_rate&period=202605&at=449901&level=medium&against=siblings&lang=en&theme=dark",
    "?indicator=shelters_per_10000_people&level=medium",
]


def unopened(screen: Screen, catalog: Catalog) -> list[str]:
    """Texts with a number that neither open anything nor are known to count nothing."""
    names = [
        name for one in (*catalog.datasets.values(), *catalog.categories.values()) for name in vars(one.name).values()
    ]
    digits = re.compile("|".join([MONTH.pattern, *(re.escape(name) for name in names if re.search(r"\d", name))]))
    texts = screen.page.evaluate(TEXTS, [OPENS, ", ".join(COUNTS_NOTHING)])
    return [said for said in texts if re.search(r"\d", digits.sub("", said))]


def opened(screen: Screen, one: Locator, by: str) -> str:
    """Open what is behind a number, and give what is then shown; it is named, and says what it counts or why not."""
    page = screen.page
    label, said = one.get_attribute("aria-label") or "", one.inner_text()
    assert said in label and len(label) > len(said), "a screen reader hears more than a number"
    with page.expect_response(re.compile(r"/api/explore/(rows|grids|unplaced)")):
        one.click() if by == "pointer" else one.press("Enter")
    expect(page.locator("#rows h2")).to_be_visible()
    assert page.locator("#rows tbody tr, #rows .hint, #rows .empty").count()
    return page.locator("#rows").inner_text()


@pytest.mark.parametrize("search", LOOKS)
def test_every_number_opens_what_it_counts(screen: Screen, catalog: Catalog, search: str) -> None:
    explore(screen, search)
    assert unopened(screen, catalog) == []
    ways = cycle(("pointer", "keyboard"))
    numbers = screen.page.locator(
        "#headline button, #legend button, #ranking h2 button, #ranking tr:nth-child(1) button"
    )
    assert numbers.count() > 9
    for at in range(0, numbers.count(), 2 if search == LOOKS[0] else 6):  # every one is the same kind of button
        opened(screen, numbers.nth(at), next(ways))
        assert unopened(screen, catalog) == [], numbers.nth(at).get_attribute("aria-label")
        screen.page.keyboard.press("Escape")
        expect(screen.page.locator("#behind")).not_to_be_visible()


def test_a_count_by_kind_leaves_its_rows_and_all_come_back(screen: Screen) -> None:
    explore(screen, "?indicator=events_reported&period=202605")
    page, ranked = screen.page, screen.page.locator("#ranking tbody tr").first
    with page.expect_response(re.compile("period=202604")):
        ranked.locator("rect[data-period='202604']").click(force=True)  # the line lies under it
    kinds = page.locator("#rows .counts [data-only]")
    expect(kinds.nth(1)).to_be_visible()
    heading, n = page.locator("#rows h2").inner_text(), kinds.count()
    for by in ("pointer", "keyboard"):
        wanted = kinds.nth(0).inner_text()
        opened(screen, kinds.nth(0), by)
        expect(kinds).to_have_count(1)
        expect(page.locator("#rows caption").last).to_contain_text(f"共 {wanted} 行")
        assert page.locator("#rows h2").inner_text() == heading, "of the same month"
        page.click("#rows [data-only='']")
        expect(kinds).to_have_count(n)


def test_what_is_not_shown_one_by_one_says_why(screen: Screen) -> None:
    explore(screen, "?indicator=population&level=small")
    for one in ("#headline .number", "#ranking td .number >> nth=0", "#legend [data-look=unplaced]"):
        assert "任何人都不逐个显示" in opened(screen, screen.page.locator(one), "keyboard")
        screen.page.keyboard.press("Escape")
