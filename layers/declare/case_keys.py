"""Keys of the declarations of the closed loop: `calendar.toml`, `limits.toml` and `routing.toml`."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from layers.codes import LENGTHS
from layers.declare.case_records import Calendar, DuePolicy, Limit, Limits, Route, Year
from layers.declare.kinds import Each, Key, ListOf, NameOf, OneOf, Plain, Shape
from layers.tables.cases import UNITS

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_YES_NO = Plain("true or false", "true", lambda value: isinstance(value, bool))
_DAY = Plain("a day", "2026-10-01", lambda value: isinstance(value, date) and not isinstance(value, datetime))
_CALLED = tuple(level for level in LENGTHS if level != "small")
"""Levels that a call of a grid goes up to."""


def _minutes(text: str) -> tuple[int, int]:
    found = _WINDOW.fullmatch(text)
    assert found is not None
    a, b, c, d = map(int, found.groups())
    return a * 60 + b, c * 60 + d


def _is_window(value: Any) -> bool:
    return isinstance(value, str) and _WINDOW.fullmatch(value) is not None and _minutes(value)[1] <= 1440


def _is_season(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_is_day_of_year(one) for one in value)


def _is_day_of_year(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(f"2024-{value}"))
    except ValueError:
        return False


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) in LENGTHS.values()


_HOURS = Plain("two times of day with - between", '"08:00-12:00"', _is_window, _minutes)
_SEASON = Plain(
    "a list of two days of the year, the first and the first no longer",
    '["06-01", "10-01"]',
    _is_season,
    lambda value: tuple(int(day.replace("-", "")) for day in value),
)
_YEAR = Plain(
    "a year from 2000 to 2099",
    "2026",
    lambda value: isinstance(value, str) and re.fullmatch(r"20\d\d", value) is not None,
)
_GRID = Plain("a text of 4, 6, 9, 12 or 15 digits", '"449901"', _is_code)
_AMOUNT = Plain(
    "a number above 0, 10000 at most",
    "5",
    lambda value: isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 10000,
    float,
)
_MINUTES = Plain(
    "a whole number from 1 to 10000",
    "15",
    lambda value: isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 10000,
)
_CATEGORY = Plain("a category of categories.toml, or any", '"noise"', lambda value: isinstance(value, str))
_LEVEL = Plain("one of " + ", ".join(_CALLED), '"large"', lambda value: value in _CALLED)

YEAR = Shape(
    "a year",
    (Key("holidays", ListOf(_DAY), needed=True), Key("make_up_days", ListOf(_DAY, at_least=0), needed=True)),
    lambda name, values: Year(**values),
)

CALENDAR = Shape(
    "calendar.toml",
    (Key("slots", ListOf(_HOURS), needed=True), Key("years", Each(YEAR, _YEAR), default={})),
    lambda name, values: Calendar(values["slots"], {int(year): one for year, one in (values["years"] or {}).items()}),
)

LIMIT = Shape(
    "a limit",
    (Key("amount", _AMOUNT, needed=True), Key("unit", OneOf(UNITS), needed=True)),
    lambda name, values: Limit(**values),
)

DUE = Shape(
    "[[due]]",
    (
        Key("since", _DAY, needed=True),
        Key("closed_early", _YES_NO, default=True),
        Key("suspended", _YES_NO, default=True),
    ),
    lambda name, values: DuePolicy(**values),
)

LIMITS = Shape(
    "limits.toml",
    (
        Key("normal", Each(LIMIT, _CATEGORY), default={}),
        Key("urgent", Each(LIMIT, _CATEGORY), default={}),
        Key("answer", Each(_MINUTES, _LEVEL), default={}),
        Key("report_in", _MINUTES),
        Key("due", ListOf(DUE), default=()),
        Key("reopens", ListOf(NameOf("categories", '"noise"'), at_least=0), default=()),
    ),
    lambda name, values: Limits(**values),
)

ROUTE = Shape(
    "[[routes]]",
    (
        Key("department", NameOf("departments", '"water"')),
        Key("categories", ListOf(NameOf("categories", '"flood"')), default=()),
        Key("within", ListOf(_GRID), default=()),
        Key("days", OneOf(("any", "working", "off")), default="any"),
        Key("hours", _HOURS, default=(0, 1440)),
        Key("season", _SEASON, default=(101, 1232)),
        Key("urgent", _YES_NO),
    ),
    lambda name, values: Route(**values),
)

ROUTING = Shape(
    "routing.toml",
    (Key("routes", ListOf(ROUTE), needed=True),),
    lambda name, values: tuple(values["routes"] or ()),
)
