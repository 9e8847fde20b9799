"""Values of spreadsheet cells as text: days counted since 1900, and numbers too long for a spreadsheet."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from etl.sources.batch import BLANK

_FROM_1900, _FROM_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
_LAST_DAY = 109_575  # 2199-12-31
_YEARS = range(1900, 2101)
_EXACT = 1e15
"""A spreadsheet keeps fifteen digits of a number; the others are noughts."""


def cell_texts(values: list[Any], *, is_moment: bool = False, counts_from_1904: bool = False) -> pa.Array:
    """Make a text column out of cells.

    Whole numbers have no point, moments are in ISO form, what is blank is null. A whole number of sixteen digits and
    more, whose last digits are lost, keeps its form with an exponent, so that it is not taken for the number it was.
    In a column of dates or moments a number is a day counted since 1900, unless it can only be a year.
    """
    start = _FROM_1904 if counts_from_1904 else _FROM_1900
    return pa.array([_text(value, start if is_moment else None) for value in values], pa.string())


def _text(value: Any, start: datetime | None) -> str | None:
    if isinstance(value, str):
        if value in BLANK:
            return None
        if start is not None and len(value) == 5 and value.isascii() and value.isdigit():
            return _moment(float(value), start)
        return value
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if start is not None and 1 <= value <= _LAST_DAY and value not in _YEARS:
            return _moment(float(value), start)
        if abs(value) >= _EXACT and float(value).is_integer():
            return f"{value:.14E}"
        return str(int(value)) if float(value).is_integer() else repr(value)
    return str(value)


def _moment(days: float, start: datetime) -> str:
    # there is a 29 February 1900 in spreadsheets: days before it are one off
    first = start + timedelta(days=1) if start is _FROM_1900 and days < 60 else start
    moment = first + timedelta(seconds=round(days * 86_400))
    return moment.strftime("%Y-%m-%d" if days == int(days) else "%Y-%m-%d %H:%M:%S")
