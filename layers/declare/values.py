"""Single values a key may hold: what each must be, how one is written, and how it is read."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from layers.codes import LENGTHS
from layers.declare.kinds import Plain
from layers.declare.rules import read_rule

_URL = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?(\?[^\s#]*)?")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")


def a_text(example: str) -> Plain:
    """A text, with one as an example."""
    return Plain("a text that is not empty", f'"{example}"', is_text)


def is_text(value: Any) -> bool:
    """Whether a value is a text that says something."""
    return isinstance(value, str) and bool(value.strip())


def whole(low: int, high: int, example: int) -> Plain:
    """A whole number between two others, with one as an example."""
    return Plain(
        f"a whole number from {low} to {high}",
        str(example),
        lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high,
    )


def number(says: str, example: str, low: float = float("-inf"), high: float = float("inf")) -> Plain:
    """A number between two others."""
    return Plain(says, example, lambda value: is_number(value) and low <= value <= high, float)


def is_number(value: Any) -> bool:
    """Whether a value is a number, and no yes or no."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _is_share(value: Any) -> bool:
    return is_number(value) and 0 <= value <= 1


def _is_zone(value: Any) -> bool:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, TypeError, OSError):
        return False
    return True


def _is_rows(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(n, int) and not isinstance(n, bool) for n in value)
        and 0 <= value[0] <= value[1]
    )


def code_of(level: str, example: str) -> Plain:
    """The code of a grid of some level."""
    digits = LENGTHS[level]
    return Plain(
        f"a text of {digits} digits",
        example,
        lambda value: isinstance(value, str) and len(value) == digits and value.isascii() and value.isdigit(),
    )


def is_name(value: Any) -> bool:
    """Whether a text can name something declared: it ends up in files, addresses and SQL parameters."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


NAME = Plain("lower case letters, digits and _, a letter first, 48 at most", '"school"', is_name)
"""How whatever is declared may be called."""

ANY_NAME = Plain("a text that is not empty", '"男"', is_text)
ZONE = Plain("a time zone of the IANA list", '"Asia/Shanghai"', _is_zone)
YES_NO = Plain("true or false", "true", lambda value: isinstance(value, bool))
DAY = Plain("a day", "2023-01-01", lambda value: isinstance(value, date) and not isinstance(value, datetime))
COLOUR = Plain(
    "a colour of six hexadecimal digits",
    '"#1f77b4"',
    lambda value: isinstance(value, str) and re.fullmatch("#[0-9A-Fa-f]{6}", value) is not None,
)
CRS = Plain(
    "EPSG and a number, CGCS2000-GK, GCJ-02 or BD-09",
    '"EPSG:4490"',
    lambda value: isinstance(value, str) and re.fullmatch(r"EPSG:\d{4,6}|CGCS2000-GK|GCJ-02|BD-09", value) is not None,
)
EPSG = Plain(
    "EPSG and a number",
    '"EPSG:4547"',
    lambda value: isinstance(value, str) and re.fullmatch(r"EPSG:\d{4,6}", value) is not None,
)
POINT = Plain(
    "a list of two numbers, longitude and latitude or easting and northing",
    "[640185.142, 2520733.069]",
    lambda value: isinstance(value, list) and len(value) == 2 and all(map(is_number, value)),
    tuple,
)
FILES = Plain(
    "a pattern of file names inside the delivery folder",
    '"school*.csv"',
    lambda value: is_text(value) and not re.search(r"^[/\\~]|^\w:|(^|[/\\])\.\.", value),
)
DEFAULT = Plain(
    "a text, a number, true or false",
    '"other"',
    lambda value: isinstance(value, str | bool) or is_number(value),
    lambda value: str(value).lower() if isinstance(value, bool) else str(value),
)
ROWS = Plain("a list of two whole numbers, the least and the most", "[1, 100000]", _is_rows, tuple)

SHARES = Plain(
    "a share from 0 to 1, or a list of the least and the most",
    "0.8",
    lambda value: (
        _is_share(value)
        or (isinstance(value, list) and len(value) == 2 and all(map(_is_share, value)) and value[0] <= value[1])
    ),
    lambda value: (float(value[0]), float(value[1])) if isinstance(value, list) else (float(value), 1.0),
)
RULE = Plain(
    "a rule between columns",
    '"closed_at >= reported_at"',
    lambda value: read_rule(value) is not None,
    read_rule,
)

URL = Plain(
    "an address that begins with https:// or http://, without user and password",
    '"https://data.example.org/collections/schools"',
    lambda value: isinstance(value, str) and _URL.fullmatch(value) is not None,
)
SECRET = Plain(
    "the name of an environment variable that begins with FETCH_",
    '"FETCH_HOUSING"',
    lambda value: isinstance(value, str) and re.fullmatch("FETCH_[A-Z0-9_]+", value) is not None,
)
REMOTE_TABLE = Plain(
    "the name of a table or view, its schema before it",
    '"public.schools"',
    lambda value: isinstance(value, str) and re.fullmatch(r"[^\s.\"']{1,63}(\.[^\s.\"']{1,63})?", value) is not None,
)
