"""Colours on a map against the values: each cell is painted as its value stands in the legend, read from the canvas."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page

TOLD = """(legend) => ({
  codes: window.__map.cells,
  values: atlas.last.view.cells.value,
  legend: [...document.querySelectorAll(legend)].map((row) =>
    [getComputedStyle(row.querySelector('i')).backgroundColor, row.querySelector('span').innerText.trim()]),
})"""

BESIDE = ((0, 17), (9, 17), (0, -17), (-14, 12), (14, -12), (0, 30))
"""Pixels beside the name of a cell: one of them is bare ground, and neither name nor border."""


def unlike(page: Page, legend: str) -> tuple[int, list[Any]]:
    """Give how many colours of the legend were met, and the cells that are painted otherwise than their values say."""
    told = page.evaluate(TOLD, legend)
    spans = [(numbers(colour), *span(text)) for colour, text in told["legend"]]
    met, found = set(), list[Any]()
    for code, value in zip(told["codes"], told["values"], strict=True):
        n = numbers(value)
        wanted = [colour for colour, low, high in spans if (low <= n[0] <= high if n else low != low)]
        x, y = page.evaluate("(code) => window.__map.pointOf(code)", code)
        painted = [page.evaluate("([x, y]) => window.__map.colourAt(x, y)", [x + dx, y + dy]) for dx, dy in BESIDE]
        met |= {tuple(one) for one in wanted[:1]}
        if not any(is_like(one, other) for one in painted for other in wanted):
            found.append((code, value, wanted, painted))
    return len(met), found


def numbers(text: str) -> list[float]:
    """Read the numbers of a text."""
    return [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", text.replace(",", ""))]


def span(text: str) -> tuple[float, float]:
    """Read which values a row of a legend stands for: both ends count, for what is written is rounded."""
    match numbers(text):
        case [low, high]:
            return low, high
        case [n] if "低于" in text:
            return float("-inf"), n
        case [n] if "及以上" in text:
            return n, float("inf")
        case [n]:
            return n, n
        case _:
            return float("nan"), float("nan")


def is_like(painted: list[int], wanted: list[float]) -> bool:
    """Tell whether two colours are the same but for rounding."""
    return max(abs(a - b) for a, b in zip(painted[:3], wanted[:3], strict=True)) <= 2
