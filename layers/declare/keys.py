"""Every key of every kind of declaration: the one place that says what is accepted and what it is when left out.

`docs/declarations.md` has the same keys with their meaning; a test holds the two together.
"""

from __future__ import annotations

from typing import Any

from layers.codes import LENGTHS
from layers.declare.case_keys import CALENDAR, LIMITS, ROUTING
from layers.declare.case_records import CASE_COUNTS
from layers.declare.emergency_keys import EMERGENCY, PART
from layers.declare.kinds import Each, Key, ListOf, NameOf, OneOf, Shape
from layers.declare.records import (
    DIMENSIONS,
    MESHES,
    Breakdown,
    CareGroup,
    Category,
    City,
    Column,
    Count,
    Dataset,
    Datum,
    Department,
    Expect,
    Fetch,
    Indicator,
    Layer,
    Scenario,
    Source,
    Text,
    Unique,
)
from layers.declare.retention import retention_shapes
from layers.declare.values import (
    ANY_NAME,
    COLOUR,
    CRS,
    DAY,
    DEFAULT,
    EPSG,
    FILES,
    NAME,
    POINT,
    REMOTE_TABLE,
    ROWS,
    RULE,
    SECRET,
    SHARES,
    URL,
    YES_NO,
    ZONE,
    a_text,
    code_of,
    number,
    whole,
)

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

GEOMETRIES = ("shapefile", "geopackage", "geojson", "geojsonseq", "kml", "flatgeobuf", "geoparquet")
"""File formats that bring a geometry of their own."""

FORMATS = ("csv", "xlsx", "xls", "ods", "parquet", *GEOMETRIES)
"""File formats, one word for each kind."""

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


TITLE = Shape(
    "a text in both languages",
    (Key("zh", a_text("学校"), needed=True), Key("en", a_text("Schools"), needed=True)),
    lambda name, values: Text(**values),
)
"""A text of the screen."""

CITY = Shape(
    "city.toml",
    (
        Key("code", code_of("city", '"4499"'), needed=True),
        Key("name", TITLE, needed=True),
        Key("zone", ZONE, needed=True),
        Key("edition", whole(1, 32767, 1), needed=True),
        Key("edition_name", a_text("2023"), needed=True),
        Key("opened_on", DAY, needed=True),
        Key("notice", TITLE),
        Key("counties", Each(TITLE, code_of("county", "449901")), default={}),
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
        Key("sensitive", YES_NO, default=False),
    ),
    lambda name, values: Category(name, Text(values.pop("zh"), values.pop("en")), **values),
)

FOUR = ("north_m", "east_m", "rotation_arcsec", "scale_ppm")
"""Parameters of a plane."""

SEVEN = ("x_m", "y_m", "z_m", "rx_arcsec", "ry_arcsec", "rz_arcsec", "scale_ppm")
"""Parameters of space."""


def _datum(name: str, values: dict[str, Any]) -> Datum:
    numbers = {key: values.pop(key) for key in dict.fromkeys((*FOUR, *SEVEN))}
    given = {key: number for key, number in numbers.items() if number is not None}
    return Datum(name, from_crs=values.pop("from"), to_crs=values.pop("to"), values=given, **values)


DATUM = Shape(
    "a datum",
    (
        Key("kind", OneOf(("four", "seven")), needed=True),
        Key("from", EPSG, needed=True),
        Key("to", EPSG, needed=True),
        Key("accuracy_m", number("a number from 0.001 to 10", "0.1", 0.001, 10), needed=True),
        Key("point_from", POINT, needed=True),
        Key("point_to", POINT, needed=True),
        *(Key(key, number("a number", "0")) for key in dict.fromkeys((*FOUR, *SEVEN))),
        Key("convention", OneOf(("position_vector", "coordinate_frame"))),
    ),
    _datum,
)

SOURCE = Shape(
    "[source]",
    (
        Key("files", FILES, needed=True),
        Key("format", OneOf(FORMATS), needed=True),
        Key("encoding", a_text("gb18030")),
        Key("crs", CRS),
        Key("datum", NameOf("datums", '"linhai_xian80"')),
        Key("lon", a_text("经度")),
        Key("lat", a_text("纬度")),
        Key("address", a_text("地址")),
        Key("grid_code", a_text("网格编码")),
        Key("layer", a_text("schools")),
        Key("sheet", a_text("Sheet1")),
        Key("header_row", whole(1, 1000, 3)),
        Key("within_km", whole(1, 40000, 20), default=20),
    ),
    lambda name, values: Source(**values),
)

COLUMN = Shape(
    "a column",
    (
        Key("from", a_text("姓名"), needed=True),
        Key("type", OneOf(COLUMN_TYPES), needed=True),
        Key("required", YES_NO, default=False),
        Key("codes", Each(a_text("male"), ANY_NAME), default={}),
        Key("default", DEFAULT),
        Key("min", number("a number", "0")),
        Key("max", number("a number", "100")),
        Key("name", TITLE),
    ),
    lambda name, values: Column(name, values.pop("from"), **values),
)

FETCH = Shape(
    "[fetch]",
    (
        Key("kind", OneOf(("database", "ogc_features", "open311")), needed=True),
        Key("url", URL),
        Key("secret", SECRET),
        Key("table", REMOTE_TABLE),
        Key("since", DAY),
        Key("mb_max", whole(1, 100_000, 500), default=500),
        Key("minutes_max", whole(1, 1440, 30), default=30),
    ),
    lambda name, values: Fetch(**values),
)

EXPECT = Shape(
    "[expect]",
    (
        Key("rows", ROWS, default=(1, None)),
        Key("quarantine_share_max", number("a number from 0 to 1", "0.05", 0, 1), default=1.0),
        Key("fill", Each(SHARES, NAME), default={}),
        Key("drop_share_max", number("a number from 0 to 1", "0.2", 0, 1)),
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
        Key("row_key", ListOf(a_text("number")), needed=True),
        Key("sensitive", YES_NO, default=False),
        Key("category", NameOf("categories", '"school"')),
        Key("delivery", OneOf(("changes", "full")), default="changes"),
        Key("level", OneOf(tuple(LENGTHS))),
        Key("of_dataset", NameOf("datasets", '"grid_event"')),
        Key("channel", NAME),
        Key("licence", a_text("Open Government Licence v3")),
        Key("source", SOURCE, needed=True),
        Key("columns", Each(COLUMN, NAME), needed=True),
        Key("expect", EXPECT, default=Expect()),
        Key("fetch", FETCH),
        Key("rules", ListOf(RULE), default=()),
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
        Key("colour", COLOUR, needed=True),
        Key("icon", NAME, needed=True),
        Key("order", whole(0, 9999, 10), needed=True),
        Key("shown", YES_NO, default=False),
        Key("zoom_min", number("a number from 0 to 22", "12", 0, 22), default=0.0),
        Key("meshes", whole(4, MESHES, 10), default=MESHES),
    ),
    lambda name, values: Layer(key=name, **values),
)

COUNT = Shape(
    "[count] and [of]",
    (
        Key("datasets", ListOf(NameOf("datasets", '"grid_event"')), needed=True),
        Key("categories", ListOf(NameOf("categories", '"fire_hazard"')), default=()),
        Key("states", ListOf(a_text("closed")), default=()),
        Key("cases", OneOf(CASE_COUNTS)),
    ),
    lambda name, values: Count(**values),
)

CLASSES = Shape(
    "[classes]",
    (
        Key("method", OneOf(("quantile", "equal", "natural", "fixed")), default="quantile"),
        Key("n", whole(2, 9, 6)),
        Key("breaks", ListOf(number("a number", "10")), default=()),
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
        Key("formula", OneOf(("count", "share", "per_area", "per_people", "people", "people_share")), needed=True),
        Key("period", OneOf(("month", "year", "now")), needed=True),
        Key("factor", number("a number above 0", "1000", 1e-12), default=1.0),
        Key("digits", whole(0, 6, 1), default=0),
        Key("better", OneOf(("more", "less", "neither")), default="neither"),
        Key("source", a_text("12345 hotline"), default=""),
        Key("count", COUNT, default=Count(())),
        Key("of", COUNT),
        Key("people", PART),
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

BREAKDOWN = Shape(
    "a breakdown",
    (
        Key("name", TITLE, needed=True),
        Key("by", ListOf(OneOf(DIMENSIONS)), needed=True),
        Key("ages", ListOf(whole(0, 150, 60)), default=()),
        Key("sizes", ListOf(whole(1, 99, 3)), default=()),
        Key("register", NameOf("datasets", '"elder_allowance"')),
        Key("near", NameOf("datasets", '"clinic"')),
        Key("within_m", whole(50, 50000, 500)),
        Key("finest", OneOf(tuple(LENGTHS)), default="small"),
    ),
    lambda name, values: Breakdown(key=name, **values),
)

CARE = Shape(
    "a care group",
    (
        Key("name", TITLE, needed=True),
        Key("dataset", NameOf("datasets", '"care_living_alone"'), needed=True),
        Key("department", NameOf("departments", '"civil_affairs"'), needed=True),
        Key("role", OneOf(("grid_worker", "case_officer")), needed=True),
        Key("visit_days", whole(1, 366, 30), needed=True),
        Key("offers", TITLE, needed=True),
        Key("restricted", YES_NO, default=False),
    ),
    lambda name, values: CareGroup(key=name, **values),
)

RETENTION, RETENTION_RULE = retention_shapes(TITLE)

SHAPES = {
    "city.toml": CITY,
    "departments.toml": DEPARTMENT,
    "categories.toml": CATEGORY,
    "datums.toml": DATUM,
    "calendar.toml": CALENDAR,
    "limits.toml": LIMITS,
    "routing.toml": ROUTING,
    "retention.toml": RETENTION,
    "emergency.toml": EMERGENCY,
    "datasets": DATASET,
    "layers": LAYER,
    "indicators": INDICATOR,
    "scenarios": SCENARIO,
    "breakdowns": BREAKDOWN,
    "care": CARE,
}
"""Where each kind stands: one file, one line each in one file, or one file each in a folder."""

OPTIONAL = ("datums.toml", "calendar.toml", "limits.toml", "routing.toml", "emergency.toml", "retention.toml")
"""Files a folder of declarations may do without."""

LINES = ("departments.toml", "categories.toml", "datums.toml")
"""Files with one declaration for each name."""
