"""Checks of `emergency.toml`: what is sought is there to be found, and none of it is people one by one."""

from __future__ import annotations

from collections.abc import Iterator

from layers.declare.check_datasets import Said
from layers.declare.check_screens import Check
from layers.declare.emergency_records import Emergency, Sought, holds
from layers.declare.problems import nearest, quoted
from layers.declare.records import Catalog, Column

_TABLES = ("place", "thing", "organisation")
_TOLD = ("text", "integer", "number", "boolean", "date", "moment", "month", "code")
"""Types of columns that may be told; the others name somebody, or are keys."""


def sought_can_be_found(emergency: Emergency, catalog: Catalog) -> Said:
    """Every target and resource is a category of places, things or organisations, and is shown one by one."""
    if "categories" not in catalog.raw:  # the file cannot be read: then every name will do
        return
    fitting = [c.key for c in catalog.categories.values() if c.table in _TABLES and not c.sensitive]
    unread = catalog.raw["categories"].keys() - catalog.categories.keys()
    for part, sought in _all(emergency):
        category = catalog.categories.get(sought.category)
        at = (part, sought.category)
        if category is None:
            hint = nearest(sought.category, fitting)
            if sought.category not in unread:
                yield at, f"{quoted(sought.category)} is no category of categories.toml; {hint}"
        elif category.table not in _TABLES:
            says = f"{category.key} is a category of {category.table}, not of places, things or organisations"
            yield at, f"{says}; take it out."
        elif category.sensitive:
            yield at, f"{category.key} is never shown one by one, so it cannot be looked for; take it out."


def what_is_told_is_declared(emergency: Emergency, catalog: Catalog) -> Said:
    """Columns of `show` are declared and name nobody; states of `without` are among those declared."""
    for part, sought in _all(emergency):
        columns = _columns(sought, catalog)
        for i, key in enumerate(sought.show):
            found = [column for column in columns if column.key == key]
            at = (part, sought.category, "show", i)
            if columns and not found:
                hint = nearest(key, {column.key for column in columns if column.type in _TOLD})
                yield at, f"no dataset of {sought.category} has a column {quoted(key)}; {hint}"
            elif any(column.type not in _TOLD for column in found):
                yield at, f"column {key} is never shown; take it out."
        states = {said for column in columns if column.key == "state" for said in column.codes.values()}
        for i, state in enumerate(sought.without):
            if columns and state not in states:
                says = f"no {sought.category} is ever in state {quoted(state)}"
                yield (part, sought.category, "without", i), f"{says}; {nearest(state, states)}"


def rosters_are_of_grid_workers(emergency: Emergency, catalog: Catalog) -> Said:
    """Who walks and who answers for grids stands in datasets of the duty list."""
    for part, names in (("workers", emergency.workers), ("contacts", emergency.contacts)):
        for i, name in enumerate(names):
            dataset = catalog.datasets.get(name)
            if dataset and dataset.table != "grid_worker":
                yield (part, i), f"{name} is a dataset of {dataset.table}, not of grid_worker; take it out."


def care_groups_are_cells(emergency: Emergency, catalog: Catalog) -> Said:
    """The cells of a care group are cells of its breakdown."""
    for key, care in emergency.care.items():
        breakdown = catalog.breakdowns.get(care.breakdown)
        for i, cell in enumerate(care.cells):
            if breakdown and cell not in breakdown.cells:
                says = f"breakdown {breakdown.key} has no cell {quoted(cell)}"
                yield ("care", key, "cells", i), f"{says}; {nearest(cell, breakdown.cells)}"


def _all(emergency: Emergency) -> Iterator[tuple[str, Sought]]:
    for part, sought in (("protected", emergency.protected), ("resources", emergency.resources)):
        for one in sought.values():
            yield part, one


def _columns(sought: Sought, catalog: Catalog) -> list[Column]:
    """Columns of all datasets that deliver a category."""
    category = catalog.categories.get(sought.category)
    if category is None:
        return []
    fitting = [one for one in catalog.datasets.values() if one.table == category.table and holds(one, category.key)]
    return [column for dataset in fitting for column in dataset.columns]


CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (sought_can_be_found, ("protected", "resources")),
    (what_is_told_is_declared, ("protected", "resources")),
    (rosters_are_of_grid_workers, ("workers", "contacts")),
    (care_groups_are_cells, ("care",)),
)
"""Every check, with the keys it looks at."""
