"""The printed sheet of the emergency command: one page, and every figure on it with unit, age and source."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser
from test_casework_page import at_desk
from test_emergency_page import open_command

pytestmark = pytest.mark.browser

AREAS = {
    "circle": "?lon=115.240235&lat=22.856807&r=2000",
    "shape": "?shape=115.22,22.84;115.27,22.84;115.26,22.88;115.23,22.87",
    "grids": "?grids=449901001,449901002001",
}
FIGURES = {
    "zh": {
        ".people h3": r"约 [\d,]+ 人$|[\d,]+ 件 · 超期 [\d,]+ 件$",
        ".people dd": r"^(约 [\d,]+|<10|无数据) 人",
        ".group.protected h4": r" [\d,]+ 处$",
        ".group li > u": r"^([\d,]+ 米|[\d.]+ 公里|范围内|只知所在网格)$",
        ".columns section:last-child h3": r"^责任人$|^网格员 [\d,]+ 人$",
    },
    "en": {
        ".people h3": r"about [\d,]+ people$|[\d,]+ cases? · [\d,]+ late$",
        ".people dd": r"^(about [\d,]+|<10|No data) people",
        ".group.protected h4": r" [\d,]+ places?$",
        ".group li > u": r"^([\d,]+ m|[\d.]+ km|inside|grid known only)$",
        ".columns section:last-child h3": r"^Who answers$|^Grid workers [\d,]+ people$",
    },
}
"""What each figure of the sheet has to look like, with its unit."""
AGES = {
    "zh": r"资料最早更新于 \d{4}年\d+月\d+日 \d\d:\d\d", "en": r"Oldest data as of \d+ \w+ \d{4} \d\d:\d\d",
}  # fmt: skip
SOURCE = {
    "zh": r"[^：、]+：[^（、]+（\d{4}年\d+月\d+日 \d\d:\d\d）",
    "en": r"[^:,]+: [^(]+ \(\d+ \w+ \d{4} \d\d:\d\d\)",
}
SEEN = """() => [...document.querySelectorAll('body *')]
  .filter((one) => !one.closest('#sheet') && one.tagName !== 'SCRIPT' && one.checkVisibility())
  .map((one) => one.id || one.className)"""
CUT = """() => [...document.querySelectorAll('#sheet *')].map((one) => [one, one.getBoundingClientRect()])
  .filter(([one, box]) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth || box.right > innerWidth + 1)
  .map(([one]) => one.textContent.slice(0, 40))"""
COLOURS = """async () => {
  const image = document.querySelector('#sheet img');
  const canvas = Object.assign(document.createElement('canvas'), { width: 60, height: 40 });
  canvas.getContext('2d').drawImage(image, 0, 0, 60, 40);
  const { data } = canvas.getContext('2d').getImageData(0, 0, 60, 40);
  return new Set(data.reduce((all, n, i) => (i % 4 ? all : [...all, `${n} ${data[i + 1]} ${data[i + 2]}`]), [])).size;
}"""
A4 = {"width": 703, "height": 1040}
"""What the margins leave of A4, in CSS pixels."""


@pytest.mark.parametrize(
    ("kind", "language"),
    [
        ("circle", "zh"),
        ("circle", "en"),
        ("shape", "en"),
        ("grids", "zh"),
        pytest.param("shape", "zh", marks=pytest.mark.soak),
        pytest.param("grids", "en", marks=pytest.mark.soak),
    ],
)
def test_the_sheet_is_one_page_and_says_all_of_it(browser: Browser, address: str, kind: str, language: str) -> None:
    with at_desk(browser, address, "dispatcher", viewport={"width": 1366, "height": 768}) as screen:
        page = screen.page
        page.add_init_script("window.print = () => { document.body.dataset.printed = '1'; }")
        open_command(screen, AREAS[kind] + ("&lang=en" if language == "en" else ""))
        title = page.locator("#answer h2").inner_text()
        page.click("#sheet-button")
        page.wait_for_function("() => document.body.dataset.printed")
        printed = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type /Page\b", printed)) == 1
        assert re.findall(rb"/MediaBox \[([\d. ]+)\]", printed) == [b"0 0 594.95996 841.91998"], "A4"
        page.emulate_media(media="print")
        page.set_viewport_size(A4)
        assert page.evaluate(SEEN) == [], "nothing of the page but the sheet"
        assert page.evaluate(CUT) == []
        assert page.locator("#sheet h2").inner_text() == title
        for part, wanted in FIGURES[language].items():
            said = [one.replace("\n", " ") for one in page.locator(f"#sheet {part}").all_inner_texts()]
            assert said and [one for one in said if not re.search(wanted, one)] == [], part
        text = page.locator("#sheet").inner_text()
        assert re.search(AGES[language], text)
        foot: Any = page.locator("#sheet footer p").nth(1).inner_text()
        n = len(page.evaluate("async () => (await (await fetch('/command/nearby' + location.search)).json()).sources"))
        assert len(re.findall(SOURCE[language], foot)) == n > 10
        assert page.locator("#sheet figcaption li").count() == 6 and page.evaluate(COLOURS) > 5
        assert not re.search("undefined|null|NaN|—", text)
        assert language == "zh" or not re.search("[\u4e00-\u9fff]", page.locator("#sheet h3").first.inner_text())
