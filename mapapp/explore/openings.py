"""Numbers of the explore page as buttons that open what they count: rows of a grid, or a list of grids."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from layers.declare.records import Indicator
from layers.periods import Period
from mapapp.explore.findings import Findings
from mapapp.pages.map import Children
from mapapp.text import Words


def number(words: Words, indicator: Indicator, value: float) -> str:
    """Write a value; a count of people as the rounded count it is."""
    if indicator.formula == "people" and math.isfinite(value):
        return words.people(int(value))
    return words.number(value, indicator.digits)


def change(words: Words, indicator: Indicator, value: float, before: float) -> str:
    """Write a change with its sign; of what is no rate already also in percent."""
    if not math.isfinite(value):
        return words("none")
    said = f"{value:+,.{indicator.digits}f}"
    if indicator.formula not in ("share", "people_share") and before > 0:
        said += f" ({value / before * 100:+.0f}%)"
    return said


def figure(words: Words, findings: Findings, code: str, value: float, period: Period | None = None) -> Component:
    """A number that opens the rows behind it, of another period if one is named; plain text where there is none."""
    said = number(words, findings.indicator, value)
    return (
        opens_rows(words, findings, code, said, period) if math.isfinite(value) else html.Span(said, className="none")
    )


def opens_rows(words: Words, findings: Findings, code: str, said: str, period: Period | None = None) -> Component:
    """A button that opens the rows behind a number of a grid."""
    told = {"data-rows": code, "aria-label": words("behind_of", name=findings.name_of(code), n=said)}
    if period is not None:
        told["data-period"] = str(period.number)
    return html.Button(said, type="button", className="number", **named(told))


def opens_grids(said: str, opens: str, label: str) -> Component:
    """A button that opens what a count counts: `grids/GROUP`, or `unplaced`."""
    return html.Button(said, type="button", className="number", **named({"data-look": opens, "aria-label": label}))


def with_openings(words: Words, key: str, filled: Mapping[str, tuple[str, str]]) -> Children:
    """A text whose counts, each as it is written and with what it opens, are buttons; none where that is nothing."""
    plain = words(key, **{name: said for name, (said, _) in filled.items()})
    pieces: Children = []
    for at, one in enumerate(words(key, **{name: f"\0{name}\0" for name in filled}).split("\0")):
        said, opens = filled[one] if at % 2 else (one, "")
        pieces.append(opens_grids(said, opens, words("opens_counted", said=plain, n=said)) if opens else said)
    return pieces


def named(attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes whose names are no words of Python."""
    return attributes
