"""What a declaration becomes: frozen records, one class for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from typing import Any, Literal

from layers.declare.case_records import Calendar, Limits, Route
from layers.declare.emergency_records import Emergency
from layers.declare.retention import Retention
from layers.declare.rules import Rule

Table = Literal[
    "person", "event", "place", "thing", "organisation", "grid", "grid_worker", "event_step", "measure", "reading"
]
Level = Literal["city", "county", "large", "medium", "small"]


@dataclass(frozen=True)
class Text:
    """A text of the screen in both languages."""

    zh: str
    en: str

    def said(self, language: str) -> str:
        """The text in `zh` or `en`."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class City:
    """The city the map shows (`city.toml`)."""

    code: str
    name: Text
    counties: Mapping[str, Text]
    zone: str
    edition: int
    edition_name: str
    opened_on: date
    notice: Text | None = None

    @property
    def names(self) -> dict[str, Text]:
        """Names of the city and its counties by code, the only grids named in both languages."""
        return {self.code: self.name, **self.counties}


@dataclass(frozen=True)
class Department:
    """Who delivers a dataset or handles an event (one line of `departments.toml`)."""

    key: str
    name: Text


@dataclass(frozen=True)
class Category:
    """Kind of an event, place, thing or organisation (one line of `categories.toml`)."""

    key: str
    name: Text
    table: Literal["event", "place", "thing", "organisation"]
    department: str | None = None
    sensitive: bool = False


@dataclass(frozen=True)
class Datum:
    """A county's own way from an old datum to CGCS2000 (one table of `datums.toml`).

    `values` has the four or the seven parameters by key; `point_from` and `point_to` are one control point in both
    systems, (lon, lat) or (easting, northing).
    """

    key: str
    kind: Literal["four", "seven"]
    from_crs: str
    to_crs: str
    accuracy_m: float
    point_from: tuple[float, float]
    point_to: tuple[float, float]
    values: Mapping[str, float]
    convention: Literal["position_vector", "coordinate_frame"] | None = None


@dataclass(frozen=True)
class Column:
    """One column of a dataset: where it stands in the delivery and what it must be."""

    key: str
    heading: str
    type: str
    required: bool = False
    codes: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None
    min: float | None = None
    max: float | None = None
    name: Text | None = None


@dataclass(frozen=True)
class Source:
    """How the files of a dataset look and where their coordinates come from."""

    files: str
    format: str
    crs: str | None = None
    datum: str | None = None
    lon: str | None = None
    lat: str | None = None
    address: str | None = None
    grid_code: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    layer: str | None = None
    header_row: int | None = None
    within_km: int = 20  # a point farther outside the city's box than this is taken for an error


@dataclass(frozen=True)
class Fetch:
    """From where the files of a dataset are fetched, for those that nobody delivers (`[fetch]`)."""

    kind: Literal["database", "ogc_features", "open311"]
    url: str | None = None
    secret: str | None = None
    table: str | None = None
    since: date | None = None
    mb_max: int = 500
    minutes_max: int = 30


@dataclass(frozen=True)
class Expect:
    """Bounds a delivery must keep, or it is refused whole; `fill` has the least and greatest share filled by column."""

    rows_min: int = 1
    rows_max: int | None = None
    quarantine_share_max: float = 1.0
    fill: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    drop_share_max: float | None = None


@dataclass(frozen=True)
class Unique:
    """Columns that together stand under one row key only; `repeats` are refused, or loaded and reported."""

    columns: tuple[str, ...]
    repeats: Literal["refused", "reported"] = "refused"


@dataclass(frozen=True)
class Dataset:
    """One class of data from one department (`datasets/NAME.toml`)."""

    key: str
    name: Text
    department: str
    table: Table
    each_row_is_a: Text
    row_key: tuple[str, ...]
    source: Source
    columns: tuple[Column, ...]
    sensitive: bool = False
    category: str | None = None
    delivery: Literal["changes", "full"] = "changes"
    level: Level | None = None
    of_dataset: str | None = None
    channel: str | None = None
    licence: str | None = None
    expect: Expect = Expect()
    fetch: Fetch | None = None
    rules: tuple[Rule, ...] = ()
    unique: tuple[Unique, ...] = ()


MESHES = 20
"""Meshes along each side of a tile of counts, where a layer declares no other number."""


@dataclass(frozen=True)
class Layer:
    """One way to draw datasets (`layers/NAME.toml`)."""

    key: str
    name: Text
    element: Literal["person", "event", "place", "thing", "organisation"]
    datasets: tuple[str, ...]
    draw: Literal["point", "grid"]
    colour: str
    icon: str
    order: int
    shown: bool = False
    zoom_min: float = 0
    meshes: int = MESHES


@dataclass(frozen=True)
class Count:
    """Which rows an indicator counts; empty means all."""

    datasets: tuple[str, ...]
    categories: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    cases: str | None = None


@dataclass(frozen=True)
class Part:
    """Which people an indicator speaks of: those in some cells of a breakdown."""

    breakdown: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Indicator:
    """One number with a unit, for a grid and a period (`indicators/NAME.toml`)."""

    key: str
    name: Text
    unit: Text
    formula: Literal["count", "share", "per_area", "per_people", "people", "people_share"]
    count: Count
    of: Count | None
    period: Literal["month", "year", "now"]
    factor: float
    digits: int
    better: Literal["more", "less", "neither"]
    classes: Literal["quantile", "equal", "natural", "fixed"]
    n_classes: int
    breaks: tuple[float, ...] = ()
    source: str = ""
    people: Part | None = None
    """Which people are meant; None for all of them."""

    @property
    def is_of_people(self) -> bool:
        """Whether it counts people and nothing else."""
        return self.formula in ("people", "people_share")

    @property
    def is_rounded(self) -> bool:
        """Whether published counts of people are in it, and so it is as rough as they are."""
        return self.is_of_people or self.formula == "per_people"


@dataclass(frozen=True)
class Scenario:
    """A duty question answered by layers and indicators (`scenarios/NAME.toml`)."""

    key: str
    name: Text
    question: Text
    layers: tuple[str, ...]
    indicators: tuple[str, ...]
    categories: tuple[str, ...] = ()


DIMENSIONS = ("sex", "age", "residence", "household", "household_size", "register", "near")
"""What people can be told apart by."""

UNKNOWN = "unknown"
"""Value of a dimension for people of whom it is not known."""

_WORDS = {
    "sex": ("female", "male", UNKNOWN),
    "residence": ("floating", "from_abroad", "left_behind", "registered", UNKNOWN),
    "household": ("first", "other"),
    "register": ("off", "on"),
    "near": ("far", "near", UNKNOWN),
}


@dataclass(frozen=True)
class Breakdown:
    """One way to part all people, published by grid and month (`breakdowns/NAME.toml`)."""

    key: str
    name: Text
    by: tuple[str, ...]
    ages: tuple[int, ...] = ()
    """First year of each band of age; the first is 0, the last has no end."""
    sizes: tuple[int, ...] = ()
    """First size of each band of households; the first is 1."""
    register: str | None = None
    """Dataset of people: is one on it or not."""
    near: str | None = None
    """Dataset of places: does one live near any of them."""
    within_m: int | None = None
    finest: Level = "small"
    """Finest level it may be published on."""

    def values_of(self, dimension: str) -> tuple[str, ...]:
        """Return the values of a dimension; bands are called by where they begin."""
        bands = {"age": self.ages, "household_size": self.sizes}.get(dimension)
        return _WORDS[dimension] if bands is None else (*map(str, bands), UNKNOWN)

    def shares(self, other: Breakdown) -> tuple[str, ...]:
        """Return the dimensions by which both tell the same people apart."""
        keys = {"register": ("register",), "near": ("near", "within_m")}
        return tuple(
            one
            for one in self.by
            if one in other.by and all(getattr(self, key) == getattr(other, key) for key in keys.get(one, ()))
        )

    @property
    def cells(self) -> tuple[str, ...]:
        """Names of all cells: values of the dimensions with a dot between."""
        return tuple(".".join(values) for values in product(*(self.values_of(one) for one in self.by)))


CARE_STATUS = ("at_home", "away", "in_care", "declined")
"""How somebody who is offered care is found: at home, away, in a hospital or home, or wanting none of it now."""


@dataclass(frozen=True)
class CareGroup:
    """People who are offered care (关爱服务对象): by whom, what, and how often they are visited (`care/NAME.toml`)."""

    key: str
    name: Text
    dataset: str
    department: str
    role: Literal["grid_worker", "case_officer"]
    visit_days: int
    offers: Text
    restricted: bool = False
    """Seen by the worker named in the record alone, and counted at the large level and above."""


@dataclass(frozen=True)
class Catalog:
    """All declarations of one folder, cross-references checked."""

    folder: str
    city: City
    departments: Mapping[str, Department]
    categories: Mapping[str, Category]
    datasets: Mapping[str, Dataset]
    layers: Mapping[str, Layer]
    indicators: Mapping[str, Indicator]
    scenarios: Mapping[str, Scenario]
    datums: Mapping[str, Datum] = field(default_factory=dict)
    breakdowns: Mapping[str, Breakdown] = field(default_factory=dict)
    care: Mapping[str, CareGroup] = field(default_factory=dict)
    calendar: Calendar = field(default_factory=Calendar)
    limits: Limits = field(default_factory=Limits)
    routing: tuple[Route, ...] = ()
    retention: Retention = field(default_factory=Retention)
    emergency: Emergency = field(default_factory=Emergency)
    raw: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
