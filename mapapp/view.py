"""What is shown, as the address of the page says it: a link opens the same view."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args
from urllib.parse import parse_qs, urlencode

from layers.codes import LENGTHS

Language = Literal["zh", "en"]

ELEMENTS = ("person", "event", "place", "thing", "organisation")
"""Elements in the order of their switches."""

FIELDS_MOST = 20
"""Parts that the query of an address may have."""

_NONE = "none"


@dataclass(frozen=True)
class Defaults:
    """What a view shows where the address says nothing, and what it may say at all."""

    at: str
    indicator: str
    indicators: tuple[str, ...]
    period: int | None
    periods: tuple[int, ...]
    layers: tuple[str, ...]
    editions: tuple[int, ...] = ()


@dataclass(frozen=True)
class View:
    """One view of the map: grid, indicator, month, layers switched on, language; edition None is the one in force."""

    at: str
    indicator: str
    period: int | None
    layers: tuple[str, ...]
    language: Language
    edition: int | None = None

    def but(self, **changed: Any) -> View:
        """The same view with something changed."""
        return replace(self, **changed)


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
    language = said.get("lang", "zh")
    layers = defaults.layers
    if "layers" in said:
        wanted = said["layers"].split(",")
        layers = tuple(element for element in ELEMENTS if element in wanted)
    return View(
        at=at,
        indicator=indicator if indicator in defaults.indicators else defaults.indicator,
        period=month or defaults.period,
        layers=layers,
        language=cast(Language, language) if language in get_args(Language) else "zh",
        edition=edition_asked(search, defaults.editions),
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
        "layers": (",".join(view.layers) or _NONE) if view.layers != defaults.layers else None,
        "edition": str(view.edition) if view.edition is not None else None,
        "lang": view.language if view.language != "zh" else None,
    }
    return "?" + urlencode({key: value for key, value in said.items() if value is not None}, safe=",")
