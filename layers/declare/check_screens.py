"""Checks of what stands on the screen: layers, indicators, and the city itself.

They keep people and what is sensitive from being drawn or counted anywhere but through the published counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from layers.declare.check_datasets import Said
from layers.declare.problems import either, nearest, quoted
from layers.declare.records import Catalog, City, Count, Indicator, Layer
from layers.draw.signs import icons_in
from layers.tables.events import STATES

MANY, MANY_FROM = 20_000, 11
"""Rows from which a layer is drawn one by one from that zoom on only."""

EVENTS_FROM = 14
"""The same for events, which are many and grow."""

_COUNTED = ("event", "place", "thing", "organisation")


def city_holds_its_counties(city: City, catalog: Catalog) -> Said:
    """The code of a county begins with the code of the city."""
    for code in city.counties:
        if not code.startswith(city.code):
            yield ("counties", code), f"county {code} does not lie in city {city.code}; its code must begin with that."


def datasets_are_of_the_element(layer: Layer, catalog: Catalog) -> Said:
    """Every dataset of a layer lands in the table of the layer's element."""
    for i, name in enumerate(layer.datasets):
        dataset = catalog.datasets.get(name)
        if dataset and dataset.table != layer.element:
            yield (
                ("datasets", i),
                f"{name} is a dataset of {dataset.table}, but the layer draws element {quoted(layer.element)}; make "
                f"two layers, or change the element.",
            )


def nobody_is_drawn_as_a_point(layer: Layer, catalog: Catalog) -> Said:
    """People, and what is sensitive, are drawn as counts by grid."""
    if layer.draw != "point":
        return
    if layer.element == "person":
        yield ("draw",), 'people are never drawn as points; write draw = "grid".'
        return
    for i, name in enumerate(layer.datasets):
        if why := _sensitive(name, catalog):
            yield ("datasets", i), f'{why}, so it is never drawn as points; write draw = "grid" or leave it out.'


def its_sign_is_drawn(layer: Layer, catalog: Catalog) -> Said:
    """The icon of a layer is one of our signs, or an SVG file beside the declarations."""
    icons = icons_in(Path(catalog.folder))
    if layer.icon not in icons:
        says = f"there is no sign {quoted(layer.icon)}; {nearest(layer.icon, icons)}"
        yield ("icon",), f"{says} Or draw one and keep it as icons/{layer.icon}.svg beside the declarations."


def many_rows_stay_counts_far_out(layer: Layer, catalog: Catalog) -> Said:
    """Rows stand one by one far out only where they are few: no tile may hold a whole city's lamps."""
    if layer.draw != "point":
        return
    if layer.element == "event" and layer.zoom_min < EVENTS_FROM:
        yield ("zoom_min",), f"events are too many to stand one by one below zoom {EVENTS_FROM}; write that zoom."
        return
    for name in layer.datasets:
        dataset = catalog.datasets.get(name)
        n = (dataset.expect.rows_max or 0) if dataset else 0
        if n > MANY and layer.zoom_min < MANY_FROM:
            says = f"{name} may have {n:,} rows, too many to stand one by one below zoom {MANY_FROM}"
            yield ("zoom_min",), f"{says}; write zoom_min = {MANY_FROM}."


def formula_has_its_counts(indicator: Indicator, catalog: Catalog) -> Said:
    """`[count]` and `[of]` are there exactly when the formula works with them."""
    counts, divides = bool(indicator.count.datasets), indicator.formula == "share"
    if indicator.is_of_people and counts:
        yield ("count",), "people are published as counts of all person datasets together; take [count] out."
    if not indicator.is_of_people and not counts:
        says = f"formula {quoted(indicator.formula)} needs to know what to count"
        yield ("count",), f'{says}; add a table [count] with datasets = ["…"].'
    if divides and indicator.of is None:
        yield ("of",), 'formula "share" needs what the share is of; add a table [of] with datasets = ["…"].'
    if not divides and indicator.of is not None:
        yield ("of",), f'[of] is for formula "share", not for {quoted(indicator.formula)}; take it out.'


def people_are_cells(indicator: Indicator, catalog: Catalog) -> Said:
    """`[people]` stands where people are counted, and names cells of its breakdown."""
    part = indicator.people
    if part is None:
        if indicator.formula == "people_share":
            yield ("people",), 'formula "people_share" needs to know whose share; add a table [people].'
        return
    if not indicator.is_rounded:
        yield ("people",), f"formula {quoted(indicator.formula)} counts no people; take [people] out."
    breakdown = catalog.breakdowns.get(part.breakdown)
    for i, cell in enumerate(part.cells):
        if breakdown and cell not in breakdown.cells:
            says = f"breakdown {breakdown.key} has no cell {quoted(cell)}"
            yield ("people", "cells", i), f"{says}; {nearest(cell, breakdown.cells)}"


def counts_can_be_seen(indicator: Indicator, catalog: Catalog) -> Said:
    """What is counted is of one table, of no person, and not sensitive; categories and states belong to it."""
    for part, count in _counts(indicator):
        tables: dict[str, int] = {}
        for i, name in enumerate(count.datasets):
            dataset = catalog.datasets.get(name)
            if dataset and dataset.table not in _COUNTED:
                remedy = (
                    'use formula "people", "people_share" or "per_people"'
                    if dataset.table == "person"
                    else f"name one of {either(_COUNTED)}"
                )
                yield (part, "datasets", i), f"rows of {name} ({dataset.table}) are not counted here; {remedy}."
            elif why := _sensitive(name, catalog):
                yield (part, "datasets", i), f"{why}, so it is in no indicator; take it out."
            elif dataset:
                tables[dataset.table] = i
        if len(tables) > 1:
            says = f"[{part}] counts rows of {' and of '.join(tables)} together"
            yield (part, "datasets", max(tables.values())), f"{says}; make an indicator for each."
        elif tables:
            yield from _parts_belong(part, count, next(iter(tables)), catalog)


def period_fits_what_is_counted(indicator: Indicator, catalog: Catalog) -> Said:
    """Only events have a time; all else, people too, is as it is now."""
    if indicator.period == "now":
        return
    tables = {d.table for name in indicator.count.datasets if (d := catalog.datasets.get(name))} & {*_COUNTED}
    if indicator.is_of_people:
        yield ("period",), 'people are counted as they are now; write period = "now".'
    elif tables and "event" not in tables:
        yield (
            ("period",),
            f'only events have a time, {" and ".join(sorted(tables))} rows have none; write period = "now".',
        )


def cases_are_counted_alike(indicator: Indicator, catalog: Catalog) -> Said:
    """`cases` stands in `[count]` and `[of]` or in neither, for events, by a period, and without `states`."""
    parts = list(_counts(indicator))
    if not any(count.cases for _, count in parts):
        return
    for part, count in parts:
        if count.cases is None:
            yield (part,), 'cases are divided by cases; add for example cases = "due" here too.'
        if count.states:
            yield (part, "states"), "cases says what is counted, states has no say; take it out."
        for i, name in enumerate(count.datasets):
            dataset = catalog.datasets.get(name)
            if dataset and dataset.table != "event":
                yield (
                    (part, "datasets", i),
                    f"{name} is a dataset of {dataset.table}, only events are cases; take it out.",
                )
    if indicator.formula not in ("count", "share"):
        yield ("formula",), f'cases are for formula "count" or "share", not for {quoted(indicator.formula)}.'
    if indicator.period == "now":
        yield ("period",), 'cases are counted in a period; write period = "month".'


def classes_have_their_borders(indicator: Indicator, catalog: Catalog) -> Said:
    """`breaks` are given for method fixed alone, rising, one less than there are classes."""
    breaks = indicator.breaks
    if (indicator.classes == "fixed") != bool(breaks):
        says = "are for method" if breaks else "are missing for method"
        yield ("classes", "breaks"), f'breaks {says} "fixed"; write both, or neither.'
    elif any(low >= high for low, high in pairwise(breaks)):
        yield ("classes", "breaks"), "breaks must rise from each to the next; sort them."
    elif breaks and indicator.n_classes != len(breaks) + 1:
        says = f"{len(breaks)} breaks make {len(breaks) + 1} classes, not {indicator.n_classes}"
        yield ("classes", "n"), f"{says}; change n, or leave it out."


def _counts(indicator: Indicator) -> Iterator[tuple[str, Count]]:
    """Give the counts an indicator works with, by the name of their table in the file."""
    if not indicator.is_of_people:
        yield "count", indicator.count
    if indicator.of is not None:
        yield "of", indicator.of


def _parts_belong(part: str, count: Count, table: str, catalog: Catalog) -> Said:
    """Check the categories and states of a count whose datasets are of one table."""
    for i, name in enumerate(count.categories):
        category = catalog.categories.get(name)
        if category and category.table != table:
            fitting = [c.key for c in catalog.categories.values() if c.table == table and not c.sensitive]
            says = f"{quoted(name)} is a category of {category.table}, but {table} rows are counted"
            yield (part, "categories", i), f"{says}; {nearest(name, fitting)}"
        elif category and category.sensitive:
            yield (part, "categories", i), f"category {name} is sensitive, so it is in no indicator; take it out."
    for i, state in enumerate(count.states):
        if table != "event":
            yield (part, "states"), f"only events have states that are counted, {table} rows have not; take states out."
            return
        if state not in STATES:
            yield (part, "states", i), f"{quoted(state)} is no state of an event; {nearest(state, STATES)}"


def _sensitive(name: str, catalog: Catalog) -> str:
    """Why a dataset is sensitive, or nothing."""
    dataset = catalog.datasets.get(name)
    if dataset and dataset.sensitive:
        return f"dataset {name} is sensitive"
    category = catalog.categories.get(dataset.category or "") if dataset else None
    return f"dataset {name} has the sensitive category {category.key}" if category and category.sensitive else ""


Check = Callable[[Any, Catalog], Said]

CITY_CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = ((city_holds_its_counties, ("code",)),)
LAYER_CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (datasets_are_of_the_element, ("datasets", "element")),
    (nobody_is_drawn_as_a_point, ("datasets", "element", "draw")),
    (its_sign_is_drawn, ("icon",)),
    (many_rows_stay_counts_far_out, ("datasets", "element", "draw", "zoom_min")),
)
INDICATOR_CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (formula_has_its_counts, ("formula", "count", "of")),
    (people_are_cells, ("formula", "people")),
    (counts_can_be_seen, ("formula", "count", "of")),
    (period_fits_what_is_counted, ("formula", "period", "count")),
    (cases_are_counted_alike, ("formula", "period", "count", "of")),
    (classes_have_their_borders, ("classes",)),
)
"""Every check of each kind, with the keys it looks at."""
