"""What is drawn over the coloured grids, as an address says it: layers, how, and which rows of them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, cast, get_args

from layers.declare.records import Catalog, Layer
from layers.tables import STATES

Form = Literal["point", "heat"]
"""Circles that open to single rows, or a surface that glows where rows are many."""

Ground = Literal["colours", "borders", "labels"]
"""What lies under the layers, and can be hidden."""

Fading = Literal["colours", "borders", "labels", "heights"]
"""What of the ground has an opacity of its own."""

Faded = tuple[tuple[Fading, int], ...]
"""Opacities in percent of what is not wholly opaque."""

FAINTEST = 10
"""Opacity below which a layer might as well be off, in percent."""

FIRST_YEAR, LAST_YEAR = 1000, 2999
"""Years that a period may name."""


@dataclass(frozen=True)
class Drawn:
    """One layer that is on, and how it is drawn; `opacity` in percent."""

    key: str
    form: Form = "point"
    opacity: int = 100

    def __str__(self) -> str:
        """As an address says it: `grid_event:heat:60`."""
        form = "" if self.form == "point" else f":{self.form}"
        return f"{self.key}{form}" + ("" if self.opacity == 100 else f":{self.opacity}")


@dataclass(frozen=True)
class Only:
    """Which rows are drawn: of these categories, in these states, reported from `since` to `until`, both included.

    Nothing named is all of them; places, things and organisations have neither state nor time.
    """

    categories: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    @property
    def said(self) -> dict[str, str]:
        """As an address says it; what is left open is not in it."""
        written = {
            "categories": ",".join(self.categories),
            "states": ",".join(self.states),
            "since": str(self.since or ""),
            "until": str(self.until or ""),
        }
        return {key: value for key, value in written.items() if value}


EVERYTHING = Only()
"""Every row."""


def read_drawn(said: str, drawable: Mapping[str, tuple[str, ...]]) -> tuple[Drawn, ...]:
    """Read the layers that are on, the uppermost first; whatever makes no sense is passed over.

    Parameters
    ----------
    said
        Names with commas between, each alone or with form and opacity: `street_lamp,grid_event:heat:60`.
    drawable
        Layers that each name stands for: itself, or all that are drawn of an element.
    """
    found: dict[str, Drawn] = {}
    for written in said.split(","):
        name, *how = written.split(":")
        forms = [cast(Form, one) for one in how if one in get_args(Form)]
        shares = [int(one) for one in how if one.isascii() and one.isdigit() and len(one) <= 3]
        opacity = min(100, max(FAINTEST, shares[0])) if shares else 100
        for key in drawable.get(name, ()):
            found.setdefault(key, Drawn(key, forms[0] if forms else "point", opacity))
    return tuple(found.values())


def read_faded(said: str) -> Faded:
    """Read how opaque the ground is, such as `colours:60,labels:40`; whatever makes no sense is passed over."""
    found: dict[Fading, int] = {}
    for name, _, share in (written.partition(":") for written in said.split(",")):
        if name in get_args(Fading) and share.isascii() and share.isdigit() and len(share) <= 3:
            found[cast(Fading, name)] = min(100, max(FAINTEST, int(share)))
    return tuple((name, found[name]) for name in get_args(Fading) if found.get(name, 100) < 100)


def unheeded(layer: Layer, only: Only, catalog: Catalog, level: str) -> tuple[str, ...]:
    """Tell which choices a layer does not follow where grids of a level are counted: `categories`, `states`, `days`."""
    is_event = layer.element == "event"
    kinds = {catalog.categories[one].table for one in only.categories}
    is_by_day = is_event and (layer.draw == "point" or level != "small")
    follows = {
        "categories": not kinds or (layer.element != "person" and layer.element in kinds),
        "states": not only.states or is_event,
        "days": not (only.since or only.until) or is_by_day,
    }
    return tuple(name for name, does in follows.items() if not does)


def read_only(said: Mapping[str, str], catalog: Catalog) -> Only | None:
    """Read which rows are wanted; None where anything named is not there.

    Parameters
    ----------
    said
        What an address says: `categories`, `states`, `since`, `until`, each or none of them.
    catalog
        Declares the categories; sensitive ones are not there.
    """
    categories, states = _listed(said.get("categories")), _listed(said.get("states"))
    since, until = _day(said.get("since")), _day(said.get("until"))
    is_known = all(one in catalog.categories and not catalog.categories[one].sensitive for one in categories)
    has_days = all(bool(said.get(key)) == (day is not None) for key, day in (("since", since), ("until", until)))
    if not (is_known and has_days and all(one in STATES for one in states)):
        return None
    return Only(categories, states, since, until)


def read_chosen(said: Mapping[str, str], categories: Container[str]) -> Only:
    """Read which rows are wanted; whatever makes no sense is passed over."""
    since, until = _day(said.get("since")), _day(said.get("until"))
    if since and until and since > until:
        since = until = None
    return Only(
        tuple(one for one in _listed(said.get("categories")) if one in categories),
        tuple(one for one in _listed(said.get("states")) if one in STATES),
        since,
        until,
    )


def drawable_of(layers: Iterable[Layer]) -> dict[str, tuple[str, ...]]:
    """Layers that a name in an address stands for: a layer, or an element's layers of points, or else all of it."""
    names: dict[str, tuple[str, ...]] = {}
    listed = sorted(layers, key=lambda one: (one.order, one.key))
    for element in dict.fromkeys(one.element for one in listed):
        own = [one for one in listed if one.element == element]
        names[element] = tuple(one.key for one in own if one.draw == "point") or tuple(one.key for one in own)
    return names | {one.key: (one.key,) for one in listed}


def _listed(said: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in (said or "").split(",") if one))


def _day(said: str | None) -> date | None:
    try:
        day = date.fromisoformat(said or "")
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None
