"""Checks of a dataset's columns: codes, bounds, defaults, and what may not stand in the open or be there at all."""

from __future__ import annotations

import re
from collections.abc import Collection

from layers.declare.check_datasets import Check, Said
from layers.declare.core_columns import CORE, WORDS
from layers.declare.out_of_scope import out_of_scope
from layers.declare.problems import either, nearest, quoted
from layers.declare.records import Catalog, Column, Dataset

SEALED = ("person_name", "id_number", "phone")
"""Types of columns that end encrypted in `vault.identity`; a row has one value of each there."""

_WITH_CODES = ("code", "category", "state", "boolean")
_WITH_BOUNDS = ("integer", "number")
_WITHOUT_IDENTITY = ("grid", "event_step", "measure", "reading")
_OF_PEOPLE = ("person", "grid_worker")
_NAMES_PEOPLE = ("person", "event")
_LOOKS_LIKE = {
    "id_number": re.compile(r"身份证|身份号码|证件号|(^|_)id_(number|card)($|_)"),
    "person_name": re.compile(r"姓名|联系人|户主|报料人|报告人|投诉人|当事人|(^|_)(person|full)_name($|_)"),
    "phone": re.compile(r"手机|电话|联系方式|(^|_)(phone|mobile)($|_)"),
}


def columns_are_in_scope(dataset: Dataset, catalog: Catalog) -> Said:
    """Nothing is asked for that is never taken in, by decision."""
    of_people = dataset.table in _OF_PEOPLE or _is_closed(dataset, catalog)
    for column in dataset.columns:
        for word in (column.key, column.heading, column.name.zh if column.name else ""):
            if what := out_of_scope(word, of_people=of_people):
                yield (
                    ("columns", column.key),
                    f"{quoted(word)} is about {what}, which is never taken in; take the column out, and it is dropped "
                    f"when delivered.",
                )
                break


def people_are_sealed(dataset: Dataset, catalog: Catalog) -> Said:
    """What names a person has a type that is kept encrypted, at most once, in a table whose rows have an identity."""
    seen: dict[str, str] = {}
    for column in dataset.columns:
        path = ("columns", column.key)
        if column.type not in SEALED:
            core = CORE[dataset.table].get(column.key)
            if core and column.type not in core:
                continue
            if like := _sealed_type_of(column, dataset, is_closed=_is_closed(dataset, catalog)):
                yield (
                    (*path, "type"),
                    f"{quoted(column.heading)} looks like {_ARTICLES[like]}, which is kept encrypted; give it type = "
                    f"{quoted(like)}, or leave the column out.",
                )
        elif dataset.table in _WITHOUT_IDENTITY:
            yield (*path, "type"), f"rows of {dataset.table} name nobody; leave this {column.type} column out."
        elif dataset.table != "grid_worker" and seen.setdefault(column.type, column.key) != column.key:
            yield (
                (*path, "type"),
                f"a row has one {column.type}, and {seen[column.type]} is it already; leave one of the two out.",
            )


_ARTICLES = {"id_number": "an ID number", "person_name": "a person's name", "phone": "a person's phone"}


def _is_closed(dataset: Dataset, catalog: Catalog) -> bool:
    """Whether rows are organisations of a sensitive category, as households are: people under another name."""
    category = catalog.categories.get(dataset.category or "")
    return dataset.table == "organisation" and category is not None and category.sensitive


def _sealed_type_of(column: Column, dataset: Dataset, *, is_closed: bool) -> str | None:
    for type_, looks in _LOOKS_LIKE.items():
        open_here = type_ != "id_number" and dataset.table not in _NAMES_PEOPLE and not is_closed
        is_plain = column.type in ("text", "key", "integer", "number")
        if is_plain and not open_here and (looks.search(column.heading) or looks.search(column.key)):
            return type_
    return None


def codes_lead_to_known_words(dataset: Dataset, catalog: Catalog) -> Said:
    """Codes stand where the type has codes, and what they lead to is known."""
    for column in dataset.columns:
        path = ("columns", column.key, "codes")
        if column.codes and column.type not in _WITH_CODES:
            yield path, f"codes are for columns of type {either(_WITH_CODES)}, not {column.type}; take them out."
            continue
        words = words_of(column, dataset, catalog)
        if column.type == "code" and not column.codes and words is None:
            yield (
                path,
                f'a column of type code needs codes; add codes = {{ "delivered" = "ours" }} to {column.key}, or make '
                f"it text.",
            )
        for delivered, ours in column.codes.items():
            if words is not None and ours not in words:
                yield (*path, delivered), f"{column.key} cannot be {quoted(ours)}; {nearest(ours, words)}"


def words_of(column: Column, dataset: Dataset, catalog: Catalog) -> Collection[str] | None:
    """Words a column may hold, or None when any will do."""
    if column.type == "boolean":
        return ("true", "false")
    if column.type == "category":
        other = {category.key for category in catalog.categories.values() if category.table != dataset.table}
        return catalog.raw.get("categories", {}).keys() - other or None
    if column.key == "department" and "department" in CORE[dataset.table]:
        return catalog.raw.get("departments")
    return WORDS.get((dataset.table, column.key))


def bounds_make_sense(dataset: Dataset, catalog: Catalog) -> Said:
    """`min` and `max` stand with numbers, the lower first; `max` with a text is its greatest length."""
    for column in dataset.columns:
        for bound in ("min", "max"):
            is_length = bound == "max" and column.type in ("text", "key")
            if getattr(column, bound) is not None and column.type not in _WITH_BOUNDS and not is_length:
                yield (
                    ("columns", column.key, bound),
                    f"{bound} is for columns of type {either(_WITH_BOUNDS)}, not {column.type}; take it out.",
                )
        if column.min is not None and column.max is not None and column.min > column.max:
            says = f"min {column.min:g} of {column.key} is above its max {column.max:g}"
            yield ("columns", column.key, "min"), f"{says}; change them round."


def defaults_fit_the_type(dataset: Dataset, catalog: Catalog) -> Said:
    """A default is something the column may hold, and is not given where a value is required."""
    for column in dataset.columns:
        path = ("columns", column.key, "default")
        if column.default is None:
            continue
        if column.required:
            yield path, f"{column.key} is required and has a default too; keep one of them."
        words = words_of(column, dataset, catalog)
        if words is None and column.codes:
            words = sorted(set(column.codes.values()))
        if words is not None and column.default not in words:
            yield (
                path,
                f"the default of {column.key} cannot be {quoted(column.default)}; {nearest(column.default, words)}",
            )
        elif column.type in _WITH_BOUNDS and not _fits(column):
            yield path, f"the default of {column.key} is {quoted(column.default)} but must be {_NUMBERS[column.type]}."
        elif column.type in SEALED:
            yield path, f"a {column.type} has no default; take it out."


_NUMBERS = {"integer": "a whole number within min and max", "number": "a number within min and max"}


def _fits(column: Column) -> bool:
    try:
        value = int(column.default or "") if column.type == "integer" else float(column.default or "")
    except ValueError:
        return False
    low = float("-inf") if column.min is None else column.min
    high = float("inf") if column.max is None else column.max
    return low <= value <= high


CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (columns_are_in_scope, ("table", "category")),
    (people_are_sealed, ("table", "category")),
    (codes_lead_to_known_words, ("table",)),
    (bounds_make_sense, ()),
    (defaults_fit_the_type, ("table",)),
)
"""Every check of columns, with the keys it looks at beside the columns themselves."""
