"""Checks of what a dataset asks of its rows and deliveries: rules between fields, unique columns, fill rates."""

from __future__ import annotations

import re
from collections.abc import Mapping

from layers.declare.check_datasets import Check, Said
from layers.declare.keys import ELEMENTS
from layers.declare.problems import nearest, quoted
from layers.declare.records import Catalog, Column, Dataset
from layers.declare.rules import AGREES, Clause

_ORDERED = {"integer": "number", "number": "number", "date": "moment", "moment": "moment", "month": "moment"}
"""Kinds of values that come before or after each other, by type."""

_IN_NUMBER = {"born_on": "date", "sex": "code"}
"""What an ID number says too, and the type of the column that must agree."""

_SECRET = ("person_name", "phone", "id_number", "grid_codes")
_LOOKED_UP = ("text", "key", "code", "category", "state", "credit_code", "grid_code", "id_number", "integer", "date")
"""Types whose values are found again in the store as they are written."""


def rules_fit_the_columns(dataset: Dataset, catalog: Catalog) -> Said:
    """Rules name columns of the dataset, and compare what can be compared."""
    columns = {column.key: column for column in dataset.columns}
    for i, rule in enumerate(dataset.rules):
        for clause in (rule.clause, rule.condition):
            if clause is None:
                continue
            unknown = next((key for key in clause.of_columns if key not in columns), None)
            if unknown:
                says = f"the rule {quoted(rule.says)} names {quoted(unknown)}, which is no column of this dataset"
                yield ("rules", i), f"{says}; {nearest(unknown, columns)}"
            elif wrong := _misfit(clause, columns):
                yield ("rules", i), f"the rule {quoted(rule.says)} {wrong}"


def _misfit(clause: Clause, columns: Mapping[str, Column]) -> str | None:
    """What is wrong with a clause whose columns are there."""
    kind = columns[clause.column].type
    if clause.sign == AGREES:
        wanted = _IN_NUMBER.get(clause.column)
        if wanted is None or columns[clause.right].type != "id_number":
            return "cannot be: only born_on or sex agrees with a column of type id_number."
        return None if kind == wanted else f"needs {clause.column} to be of type {quoted(wanted)}."
    if not clause.right:
        return None
    if kind in _SECRET:
        return f"compares {clause.column}, a {kind}; what names a person is not compared."
    if clause.sign not in ("=", "!=") and kind not in _ORDERED:
        return f"asks which is greater, but {clause.column} is of type {kind}; use = or != with it."
    if clause.right_is_column:
        other = columns[clause.right].type
        if _ORDERED.get(kind, "words") != _ORDERED.get(other, "words") or other in _SECRET:
            return f"compares {kind} with {other}; compare columns of one kind."
        return None
    return _misfit_of_value(clause, columns[clause.column])


def _misfit_of_value(clause: Clause, column: Column) -> str | None:
    wanted = {"number": r"-?\d+(\.\d+)?", "moment": r"\d{4}-\d\d-\d\d"}.get(_ORDERED.get(column.type, ""))
    if column.type == "boolean":
        wanted = "true|false"
    if wanted is None:
        if not clause.right.startswith("'"):
            return f"compares {column.key} with {clause.right}; put words into single quotes."
        known = set(column.codes.values())
        return (
            f"compares {column.key} with {quoted(clause.value)}; {nearest(clause.value, known)}"
            if known and clause.value not in known
            else None
        )
    if re.fullmatch(wanted, clause.right) is None:
        example = {"boolean": "true", "integer": "0", "number": "0"}.get(column.type, "2026-01-31")
        return f"compares {column.key}, a {column.type}, with {clause.right}; write a value such as {example}."
    return None


def unique_columns_can_be_looked_up(dataset: Dataset, catalog: Catalog) -> Said:
    """Columns that must be unique are columns of the dataset, and can be compared without opening what is sealed."""
    columns = {column.key: column for column in dataset.columns}
    for i, unique in enumerate(dataset.unique):
        for key in unique.columns:
            kind = columns[key].type if key in columns else ""
            if not kind:
                says = f"unique names {quoted(key)}, which is no column of this dataset"
                yield ("unique", i, "columns"), f"{says}; {nearest(key, columns)}"
            elif kind == "id_number" and (dataset.table != "person" or len(unique.columns) > 1):
                yield (
                    ("unique", i, "columns"),
                    f"{key} is an ID number, which can be unique by itself among people only; take it out.",
                )
            elif kind not in _LOOKED_UP:
                yield ("unique", i, "columns"), f"{key} is of type {kind}, which cannot be unique; take it out."
        if set(unique.columns) == set(dataset.row_key):
            yield ("unique", i, "columns"), "the row key is unique anyhow; take this out."
    if dataset.unique and dataset.table not in ELEMENTS:
        yield ("unique",), f"unique is not for datasets of {dataset.table}; take it out."


def fill_rates_are_of_columns(dataset: Dataset, catalog: Catalog) -> Said:
    """Fill rates are asked of columns of the dataset."""
    keys = [column.key for column in dataset.columns]
    for key in dataset.expect.fill:
        if key not in keys:
            says = f"fill names {quoted(key)}, which is no column of this dataset"
            yield ("expect", "fill", key), f"{says}; {nearest(key, keys)}"


CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (rules_fit_the_columns, ("table", "columns", "rules")),
    (unique_columns_can_be_looked_up, ("table", "columns", "row_key", "unique")),
    (fill_rates_are_of_columns, ("columns", "expect")),
)
"""Every check of rules and expectations, with the keys it looks at."""
