"""Every key of every kind of declaration: the one place that says what is accepted and what it is when left out.

`docs/declarations.md` has the same keys with their meaning; a test holds the two together.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from layers.codes import LENGTHS
from layers.declare.kinds import Each, Key, ListOf, NameOf, OneOf, Plain, Shape
from layers.declare.records import (
    Category,
    City,
    Column,
    Count,
    Dataset,
    Department,
    Expect,
    Indicator,
    Layer,
    Scenario,
    Source,
    Text,
    Unique,
)
from layers.declare.rules import read_rule

TABLES = (
    "person",
    "event",
    "place",
    "thing",
    "organisation",
    "grid",
    "grid_worker",
    "event_step",
    "measure",
    "reading",
)
"""Tables a dataset may land in; the first five are the elements."""

ELEMENTS = TABLES[:5]
"""The five elements: people, events, places, things, organisations."""

FORMATS = ("csv", "xlsx", "shapefile", "geopackage", "geojson")
"""File formats; the last three bring a geometry of their own."""

COLUMN_TYPES = (
    "text",
    "integer",
    "number",
    "boolean",
    "date",
    "moment",
    "month",
    "code",
    "category",
    "state",
    "id_number",
    "person_name",
    "phone",
    "credit_code",
    "grid_code",
    "grid_codes",
    "key",
)
"""What a column may hold."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")


def _text(example: str) -> Plain:
    return Plain("a text that is not empty", f'"{example}"', _is_text)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _whole(low: int, high: int, example: int) -> Plain:
    return Plain(
        f"a whole number from {low} to {high}",
        str(example),
        lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high,
    )


def _number(says: str, example: str, low: float = float("-inf"), high: float = float("inf")) -> Plain:
    return Plain(says, example, lambda value: _is_number(value) and low <= value <= high, float)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


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


def _code(level: str, example: str) -> Plain:
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

_ANY_NAME = Plain("a text that is not empty", '"男"', _is_text)
_YES_NO = Plain("true or false", "true", lambda value: isinstance(value, bool))
_DAY = Plain("a day", "2023-01-01", lambda value: isinstance(value, date) and not isinstance(value, datetime))
_COLOUR = Plain(
    "a colour of six hexadecimal digits",
    '"#1f77b4"',
    lambda value: isinstance(value, str) and re.fullmatch("#[0-9A-Fa-f]{6}", value) is not None,
)
_CRS = Plain(
    "EPSG and a number, GCJ-02 or BD-09",
    '"EPSG:4490"',
    lambda value: isinstance(value, str) and re.fullmatch(r"EPSG:\d{4,6}|GCJ-02|BD-09", value) is not None,
)
_FILES = Plain(
    "a pattern of file names inside the delivery folder",
    '"school*.csv"',
    lambda value: _is_text(value) and not re.search(r"^[/\\~]|^\w:|(^|[/\\])\.\.", value),
)
_DEFAULT = Plain(
    "a text, a number, true or false",
    '"other"',
    lambda value: isinstance(value, str | bool) or _is_number(value),
    lambda value: str(value).lower() if isinstance(value, bool) else str(value),
)
_ROWS = Plain("a list of two whole numbers, the least and the most", "[1, 100000]", _is_rows, tuple)

_SHARES = Plain(
    "a share from 0 to 1, or a list of the least and the most",
    "0.8",
    lambda value: (
        _is_share(value)
        or (isinstance(value, list) and len(value) == 2 and all(map(_is_share, value)) and value[0] <= value[1])
    ),
    lambda value: (float(value[0]), float(value[1])) if isinstance(value, list) else (float(value), 1.0),
)
_RULE = Plain(
    "a rule between columns",
    '"closed_at >= reported_at"',
    lambda value: read_rule(value) is not None,
    read_rule,
)

TITLE = Shape(
    "a text in both languages",
    (Key("zh", _text("学校"), needed=True), Key("en", _text("Schools"), needed=True)),
    lambda name, values: Text(**values),
)
"""A text of the screen."""

CITY = Shape(
    "city.toml",
    (
        Key("code", _code("city", '"4499"'), needed=True),
        Key("name", TITLE, needed=True),
        Key("zone", Plain("a time zone of the IANA list", '"Asia/Shanghai"', _is_zone), needed=True),
        Key("edition", _whole(1, 32767, 1), needed=True),
        Key("edition_name", _text("2023"), needed=True),
        Key("opened_on", _DAY, needed=True),
        Key("notice", TITLE),
        Key("counties", Each(TITLE, _code("county", "449901")), default={}),
    ),
    lambda name, values: City(**{**values, "counties": values["counties"] or {}}),
)

DEPARTMENT = Shape("a department", TITLE.keys, lambda name, values: Department(name, Text(values["zh"], values["en"])))

CATEGORY = Shape(
    "a category",
    (
        *TITLE.keys,
        Key("table", OneOf(ELEMENTS[1:]), needed=True),
        Key("department", NameOf("departments", '"education"')),
        Key("sensitive", _YES_NO, default=False),
    ),
    lambda name, values: Category(name, Text(values.pop("zh"), values.pop("en")), **values),
)

SOURCE = Shape(
    "[source]",
    (
        Key("files", _FILES, needed=True),
        Key("format", OneOf(FORMATS), needed=True),
        Key("encoding", _text("gb18030")),
        Key("crs", _CRS),
        Key("lon", _text("经度")),
        Key("lat", _text("纬度")),
        Key("address", _text("地址")),
        Key("grid_code", _text("网格编码")),
        Key("layer", _text("schools")),
        Key("sheet", _text("Sheet1")),
        Key("header_row", _whole(1, 1000, 3), default=1),
        Key("within_km", _whole(1, 40000, 20), default=20),
    ),
    lambda name, values: Source(**values),
)

COLUMN = Shape(
    "a column",
    (
        Key("from", _text("姓名"), needed=True),
        Key("type", OneOf(COLUMN_TYPES), needed=True),
        Key("required", _YES_NO, default=False),
        Key("codes", Each(_text("male"), _ANY_NAME), default={}),
        Key("default", _DEFAULT),
        Key("min", _number("a number", "0")),
        Key("max", _number("a number", "100")),
        Key("name", TITLE),
    ),
    lambda name, values: Column(name, values.pop("from"), **values),
)

EXPECT = Shape(
    "[expect]",
    (
        Key("rows", _ROWS, default=(1, None)),
        Key("quarantine_share_max", _number("a number from 0 to 1", "0.05", 0, 1), default=1.0),
        Key("fill", Each(_SHARES, NAME), default={}),
        Key("drop_share_max", _number("a number from 0 to 1", "0.2", 0, 1)),
    ),
    lambda name, values: Expect(*values.pop("rows"), **values),
)

UNIQUE = Shape(
    "[[unique]]",
    (
        Key("columns", ListOf(NAME), needed=True),
        Key("repeats", OneOf(("refused", "reported")), default="refused"),
    ),
    lambda name, values: Unique(**values),
)

DATASET = Shape(
    "a dataset",
    (
        Key("name", TITLE, needed=True),
        Key("department", NameOf("departments", '"education"'), needed=True),
        Key("table", OneOf(TABLES), needed=True),
        Key("each_row_is_a", TITLE, needed=True),
        Key("row_key", ListOf(_text("number")), needed=True),
        Key("sensitive", _YES_NO, default=False),
        Key("category", NameOf("categories", '"school"')),
        Key("level", OneOf(tuple(LENGTHS))),
        Key("of_dataset", NameOf("datasets", '"grid_event"')),
        Key("licence", _text("Open Government Licence v3")),
        Key("source", SOURCE, needed=True),
        Key("columns", Each(COLUMN, NAME), needed=True),
        Key("expect", EXPECT, default=Expect()),
        Key("rules", ListOf(_RULE), default=()),
        Key("unique", ListOf(UNIQUE), default=()),
    ),
    lambda name, values: Dataset(key=name, **{**values, "columns": tuple((values["columns"] or {}).values())}),
)

LAYER = Shape(
    "a layer",
    (
        Key("name", TITLE, needed=True),
        Key("element", OneOf(ELEMENTS), needed=True),
        Key("datasets", ListOf(NameOf("datasets", '"school"')), needed=True),
        Key("draw", OneOf(("point", "grid")), needed=True),
        Key("colour", _COLOUR, needed=True),
        Key("icon", NAME, needed=True),
        Key("order", _whole(0, 9999, 10), needed=True),
        Key("shown", _YES_NO, default=False),
        Key("zoom_min", _number("a number from 0 to 22", "12", 0, 22), default=0.0),
    ),
    lambda name, values: Layer(key=name, **values),
)

COUNT = Shape(
    "[count] and [of]",
    (
        Key("datasets", ListOf(NameOf("datasets", '"grid_event"')), needed=True),
        Key("categories", ListOf(NameOf("categories", '"fire_hazard"')), default=()),
        Key("states", ListOf(_text("closed")), default=()),
    ),
    lambda name, values: Count(**values),
)

CLASSES = Shape(
    "[classes]",
    (
        Key("method", OneOf(("quantile", "equal", "natural", "fixed")), default="quantile"),
        Key("n", _whole(2, 9, 6)),
        Key("breaks", ListOf(_number("a number", "10")), default=()),
    ),
)


CLASSES_DEFAULT: dict[str, Any] = {"method": "quantile", "n": 6, "breaks": ()}
"""How an indicator is coloured when its declaration does not say."""


def _indicator(name: str, values: dict[str, Any]) -> Indicator:
    classes = values.pop("classes") or CLASSES_DEFAULT
    breaks = classes["breaks"]
    n = classes["n"] or (len(breaks) + 1 if breaks else CLASSES_DEFAULT["n"])
    return Indicator(key=name, **values, classes=classes["method"], n_classes=n, breaks=breaks)


INDICATOR = Shape(
    "an indicator",
    (
        Key("name", TITLE, needed=True),
        Key("unit", TITLE, needed=True),
        Key("formula", OneOf(("count", "share", "per_area", "per_people", "people")), needed=True),
        Key("period", OneOf(("month", "year", "now")), needed=True),
        Key("factor", _number("a number above 0", "1000", 1e-12), default=1.0),
        Key("digits", _whole(0, 6, 1), default=0),
        Key("better", OneOf(("more", "less", "neither")), default="neither"),
        Key("source", _text("12345 hotline"), default=""),
        Key("count", COUNT, default=Count(())),
        Key("of", COUNT),
        Key("classes", CLASSES, default=None),
    ),
    _indicator,
)

SCENARIO = Shape(
    "a scenario",
    (
        Key("name", TITLE, needed=True),
        Key("question", TITLE, needed=True),
        Key("layers", ListOf(NameOf("layers", '"shelter"')), needed=True),
        Key("indicators", ListOf(NameOf("indicators", '"population"')), needed=True),
        Key("categories", ListOf(NameOf("categories", '"flood"')), default=()),
    ),
    lambda name, values: Scenario(key=name, **values),
)

SHAPES = {
    "city.toml": CITY,
    "departments.toml": DEPARTMENT,
    "categories.toml": CATEGORY,
    "datasets": DATASET,
    "layers": LAYER,
    "indicators": INDICATOR,
    "scenarios": SCENARIO,
}
"""Where each kind stands: one file, one line each in one file, or one file each in a folder."""
