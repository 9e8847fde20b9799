"""Checks of the closed loop's declarations: working time, limits, and routes of where a case goes.

A route that cannot work is an error: one that names a grid outside the city, whose window is empty, that would send a
case to nobody, or that no case can ever reach because earlier routes take all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, product

from layers.declare.case_records import Calendar, Limits, Route
from layers.declare.check_datasets import Said
from layers.declare.check_screens import Check
from layers.declare.problems import nearest, quoted
from layers.declare.records import Catalog

_DAY_MINUTES, _YEAR_END = 1440, 1232


def slots_follow_each_other(calendar: Calendar, catalog: Catalog) -> Said:
    """Slots of a day are not empty, rise, and do not overlap."""
    for i, (begin, end) in enumerate(calendar.slots):
        if begin >= end:
            yield ("slots", i), "a slot must end after it begins, on the same day; write the earlier time first."
    for i, (one, two) in enumerate(pairwise(calendar.slots), start=1):
        if two[0] < one[1]:
            yield ("slots", i), "this slot begins before the one before it ends; sort them and part them."


def days_lie_in_their_year(calendar: Calendar, catalog: Catalog) -> Said:
    """Holidays and make-up days lie in their year; no day is both; a make-up day is on a weekend."""
    for year, one in calendar.years.items():
        for key, days in (("holidays", one.holidays), ("make_up_days", one.make_up_days)):
            for i, day in enumerate(days):
                if day.year != year:
                    yield ("years", str(year), key, i), f"{day} does not lie in {year}; move it to its year."
        for i, day in enumerate(one.make_up_days):
            if day in one.holidays:
                yield ("years", str(year), "make_up_days", i), f"{day} is a holiday too; keep one of the two."
            elif day.weekday() < 5:
                yield ("years", str(year), "make_up_days", i), f"{day} is no Saturday or Sunday; it is worked anyhow."


def limits_are_of_categories(limits: Limits, catalog: Catalog) -> Said:
    """Every line names a category of events, or `any`."""
    kinds = [c.key for c in catalog.categories.values() if c.table == "event"]
    if "categories" not in catalog.raw:  # the file cannot be read: then every name will do
        return
    unread = catalog.raw["categories"].keys() - catalog.categories.keys()
    for part, table in (("normal", limits.normal), ("urgent", limits.urgent)):
        for name in table:
            if name not in ("any", *kinds, *unread):
                yield (part, name), f"{quoted(name)} is no category of events; {nearest(name, kinds)}"


def policies_begin_on_days_of_their_own(limits: Limits, catalog: Catalog) -> Said:
    """No two policies of what is due begin on the same day."""
    days = [policy.since for policy in limits.due]
    for i, day in enumerate(days):
        if day in days[:i]:
            yield ("due", i, "since"), f"another policy begins on {day} too; keep one of the two."


def routes_can_match(routes: Sequence[Route], catalog: Catalog) -> Said:
    """Windows are not empty, grids lie in the city, and there is a department to send to."""
    city = catalog.city.code if catalog.city else ""
    counties = tuple(catalog.city.counties) if catalog.city else ()
    for i, route in enumerate(routes):
        for key in ("hours", "season"):
            begin, end = getattr(route, key)
            if begin == end:
                yield ("routes", i, key), f"{key} is empty, so the route never matches; leave it out to mean always."
        for n, code in enumerate(route.within):
            if code != city and not code.startswith(counties or (city,)):
                says = f"grid {code} lies in no county of city.toml, so the route never matches"
                yield ("routes", i, "within", n), f"{says}; correct the code."
        for n, name in enumerate(route.categories):
            category = catalog.categories.get(name)
            if category and category.table != "event":
                says = f"{quoted(name)} is a category of {category.table}, not of events"
                yield ("routes", i, "categories", n), f"{says}; take it out."
            elif category and route.department is None and category.department is None:
                says = f"{quoted(name)} is on no department's duty, so this route sends it to nobody"
                yield ("routes", i, "categories", n), f"{says}; name a department here or in categories.toml."


def routes_are_reached(routes: Sequence[Route], catalog: Catalog) -> Said:
    """No route stands behind others that take all its cases."""
    kinds = [c.key for c in catalog.categories.values() if c.table == "event"]
    root = catalog.city.code if catalog.city else ""
    for i, route in enumerate(routes):
        earlier = routes[:i]
        if earlier and all(any(_matches(one, case) for one in earlier) for case in _cases(route, earlier, kinds, root)):
            yield ("routes", i), "earlier routes take every case of this one; move it up, or take it out."


_Case = tuple[str, str, str, int, int, bool]


def _cases(route: Route, others: Sequence[Route], kinds: Sequence[str], root: str) -> Iterator[_Case]:
    """Give one case of each sort that the route and the others can tell apart, out of those the route matches."""
    routes = [*others, route]
    grids = [root, *{code for one in routes for code in one.within}]
    borders = {edge for one in routes for edge in one.hours}
    days = {edge for one in routes for edge in one.season}
    sorts = product(
        route.categories or kinds or [""],
        [code for code in grids if not route.within or code.startswith(route.within)],
        ("working", "off"),
        sorted(edge for edge in borders | {0} if edge < _DAY_MINUTES),
        sorted(edge for edge in days | {101} if edge < _YEAR_END),
        (False, True),
    )
    return (case for case in sorts if _matches(route, case))


def _matches(route: Route, case: _Case) -> bool:
    category, grid, day, minute, date, urgent = case
    return (
        (not route.categories or category in route.categories)
        and (not route.within or grid.startswith(route.within))
        and route.days in ("any", day)
        and _inside(route.hours, minute)
        and _inside(route.season, date)
        and route.urgent in (None, urgent)
    )


def _inside(window: tuple[int, int], value: int) -> bool:
    begin, end = window
    return begin <= value < end if begin < end else value >= begin or value < end


CALENDAR_CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (slots_follow_each_other, ("slots",)),
    (days_lie_in_their_year, ("years",)),
)
LIMITS_CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (limits_are_of_categories, ("normal", "urgent")),
    (policies_begin_on_days_of_their_own, ("due",)),
)
ROUTING_CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (routes_can_match, ("routes",)),
    (routes_are_reached, ("routes",)),
)
"""Every check of each kind, with the keys it looks at."""
