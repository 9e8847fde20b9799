"""What is shown, as the address of the page says it: a link opens the same view."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args
from urllib.parse import parse_qs, urlencode

from layers.codes import LENGTHS
from layers.declare.records import Catalog
from layers.errors import AtlasError
from layers.named import TABLES
from mapapp.drawn import EVERYTHING, Drawn, Faded, Fading, Ground, Only, read_chosen, read_drawn, read_faded
from mapapp.language import Language, language_in

ELEMENTS = ("person", "event", "place", "thing", "organisation")
"""Elements in the order of their switches."""

FIRST_INDICATOR = "events_per_km2"
"""Indicator shown first, where it is declared."""

FIELDS_MOST = 20
"""Parts that the query of an address may have."""

_NONE = "none"


def first_indicator(catalog: Catalog) -> str:
    """Return the indicator that is shown where the address names none.

    Raises
    ------
    AtlasError
        None is declared.
    """
    if not catalog.indicators:
        raise AtlasError(
            "No indicator is declared.", "Add a file to data/indicators, see CONTRIBUTING.md.", why="no_indicator"
        )
    return FIRST_INDICATOR if FIRST_INDICATOR in catalog.indicators else next(iter(catalog.indicators))


@dataclass(frozen=True)
class Defaults:
    """What a view shows where the address says nothing, and what it may say at all."""

    at: str
    indicator: str
    indicators: tuple[str, ...]
    period: int | None
    periods: tuple[int, ...]
    layers: tuple[Drawn, ...]
    editions: tuple[int, ...] = ()
    drawable: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Layers that each name in an address stands for."""
    categories: tuple[str, ...] = ()
    """Categories by which rows can be chosen."""


@dataclass(frozen=True)
class View:
    """One view of the map: grid, indicator, month, layers switched on, the uppermost first, language.

    Edition None is the one in force. `only` says which rows are drawn, `hidden` what of the ground is not, `faded` how
    opaque the rest is, `height` is the indicator that stands up from it. `is_current` views draw the events that are
    open now, whenever they were reported; `is_counted` ones hold no single rows, `with_effects` draws on a slow machine
    what costs most, and `is_open` shows the panel in which layers are set. `mark` is what is marked where it lies, see
    `read_mark`.
    """

    at: str
    indicator: str
    period: int | None
    layers: tuple[Drawn, ...]
    language: Language
    edition: int | None = None
    only: Only = EVERYTHING
    hidden: tuple[Ground, ...] = ()
    faded: Faded = ()
    height: str | None = None
    is_current: bool = False
    is_counted: bool = False
    with_effects: bool = False
    is_open: bool = False
    mark: str = ""

    def but(self, **changed: Any) -> View:
        """The same view with something changed."""
        return replace(self, **changed)

    def opacity(self, of: Fading) -> int:
        """How opaque a part of the ground is, in percent."""
        return dict(self.faded).get(of, 100)


def read_mark(said: str) -> str:
    """The mark that an address says, such as `place.12`; empty where it makes no sense."""
    element, _, number = said.partition(".")
    is_number = number.isascii() and number.isdigit() and len(number) < 19
    return f"{element}.{int(number)}" if element in TABLES and is_number else ""


def read_view(search: str | None, defaults: Defaults, known: Container[object]) -> View:
    """Read a view from the query part of an address; whatever makes no sense becomes the default.

    Parameters
    ----------
    search
        Query part, such as `?at=449901001&lang=en`.
    defaults
        What stands where the address says nothing, and what it may say.
    known
        Codes there are; anything that tells by `in`.
    """
    said = said_in(search)
    at = said.get("at", "")
    at = at if at.isdigit() and len(at) in LENGTHS.values() and at in known else defaults.at
    indicator = said.get("indicator", "")
    period = said.get("period", "")
    month = (
        int(period)
        if period.isascii() and period.isdigit() and len(period) == 6 and int(period) in defaults.periods
        else None
    )
    layers = defaults.layers
    if "layers" in said:
        layers = read_drawn(said["layers"], defaults.drawable)
    hidden, height = said.get("hide", "").split(","), said.get("height", "")
    return View(
        at=at,
        indicator=indicator if indicator in defaults.indicators else defaults.indicator,
        period=month or defaults.period,
        layers=layers,
        language=language_in(search) or "zh",
        edition=edition_asked(search, defaults.editions),
        only=read_chosen(said, defaults.categories),
        hidden=tuple(one for one in get_args(Ground) if one in hidden),
        faded=read_faded(said.get("opacity", "")),
        height=height if height in defaults.indicators else None,
        is_current=said.get("events") == "open",
        is_counted=said.get("rows") == _NONE,
        with_effects=said.get("effects") == "on",
        is_open=said.get("panel") == "layers",
        mark=read_mark(said.get("mark", "")),
    )


def edition_asked(search: str | None, editions: Container[int]) -> int | None:
    """Read the edition an address asks for; None, the one in force, where it asks for none of these."""
    edition = said_in(search).get("edition", "")
    return int(edition) if edition.isascii() and edition.isdigit() and int(edition[:6]) in editions else None


def said_in(search: str | None) -> dict[str, str]:
    """What the query part of an address says, by key; the last where one is said twice; nothing where it says much."""
    said = (search or "").lstrip("?")
    if said.count("&") >= FIELDS_MOST:
        return {}
    return {key: values[-1] for key, values in parse_qs(said).items()}


def search_of(view: View, defaults: Defaults) -> str:
    """Write a view as the query part of an address; what is default is left out."""
    said = {
        "at": view.at if view.at != defaults.at else None,
        "indicator": view.indicator if view.indicator != defaults.indicator else None,
        "period": str(view.period) if view.period != defaults.period else None,
        "layers": (",".join(map(str, view.layers)) or _NONE) if view.layers != defaults.layers else None,
        "edition": str(view.edition) if view.edition is not None else None,
        **view.only.said,
        "hide": ",".join(view.hidden) or None,
        "opacity": ",".join(f"{name}:{share}" for name, share in view.faded) or None,
        "height": view.height,
        "events": "open" if view.is_current else None,
        "rows": _NONE if view.is_counted else None,
        "effects": "on" if view.with_effects else None,
        "panel": "layers" if view.is_open else None,
        "mark": view.mark or None,
        "lang": view.language if view.language != "zh" else None,
    }
    return "?" + urlencode({key: value for key, value in said.items() if value is not None}, safe=",:")
