"""Rules between the fields of a row, over whole columns: which rows break those that a dataset declares."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.columns import Context
from etl.masks import Mask, flags, present
from etl.refusals import Refusals
from layers.declare.rules import AGREES, FILLED, REQUIRED, Clause, Rule
from layers.identifiers import birth_and_sex

_COMPARE = {
    "<": pc.less,
    "<=": pc.less_equal,
    "=": pc.equal,
    "!=": pc.not_equal,
    ">=": pc.greater_equal,
    ">": pc.greater,
}

Columns = Mapping[str, pa.Array]


def check_rules(columns: Columns, text: Columns, context: Context, to: Refusals) -> None:
    """Refuse the rows that break a declared rule; `columns` are typed, by our key, `text` is by heading.

    A rule holds where a value it looks at is missing, but for `is required`.
    """
    zone = context.catalog.city.zone
    numbers = {rule.clause.right for rule in context.dataset.rules if rule.clause.sign == AGREES}
    in_numbers = {key: birth_and_sex(columns[key]) for key in numbers}
    for rule in context.dataset.rules:
        if rule.clause.sign == AGREES:
            broken = _disagrees(rule.clause, columns, *in_numbers[rule.clause.right])
        else:
            broken = _broken(rule.clause, columns, zone)
        if rule.condition is not None and broken.any():
            broken &= _holds(rule.condition, columns, zone)
        if broken.any():
            _refuse(rule, broken, text, context, to)


def _broken(clause: Clause, columns: Columns, zone: str) -> Mask:
    values = columns[clause.column]
    if clause.sign == REQUIRED:
        return ~present(values)
    return flags(pc.invert(_compared(clause, columns, zone)))


def _holds(condition: Clause, columns: Columns, zone: str) -> Mask:
    if condition.sign == FILLED:
        return present(columns[condition.column])
    return flags(_compared(condition, columns, zone))


def _compared(clause: Clause, columns: Columns, zone: str) -> pa.Array:
    left = columns[clause.column]
    right = columns[clause.right] if clause.right_is_column else _value(clause.value, left.type)
    if pa.types.is_temporal(left.type) and left.type != right.type:
        left, right = _day(left, zone), _day(right, zone)
    return _COMPARE[clause.sign](left, right)


def _value(written: str, kind: pa.DataType) -> pa.Scalar:
    if pa.types.is_boolean(kind):
        return pa.scalar(written == "true")
    if pa.types.is_temporal(kind):
        return pa.scalar(date.fromisoformat(written))
    return pa.scalar(written if pa.types.is_string(kind) else float(written))


def _day(values: pa.Array | pa.Scalar, zone: str) -> pa.Array | pa.Scalar:
    """Civil day of moments; days stay as they are."""
    if not pa.types.is_timestamp(values.type):
        return values
    return (
        pc.local_timestamp(values.cast(pa.timestamp("us", zone)))
        .cast(pa.timestamp("s"), safe=False)
        .cast(pa.date32(), safe=False)
    )


def _disagrees(clause: Clause, columns: Columns, born: np.ndarray, sex: np.ndarray) -> Mask:
    """Where the day of birth or the sex is not the one in a valid ID number."""
    said = pa.array(sex, pa.string()) if clause.column == "sex" else pa.array(born)
    return flags(pc.not_equal(columns[clause.column], said))


def _refuse(rule: Rule, broken: Mask, text: Columns, context: Context, to: Refusals) -> None:
    """Name the field on the left and, where another is compared that names nobody, that one too."""
    headings = {column.key: column.heading for column in context.dataset.columns}
    clause = rule.clause
    heading = headings[clause.column]
    if clause.sign == REQUIRED:
        to.add("missing_value", heading, broken)
    elif clause.sign == AGREES:
        to.add("disagrees_with_number", heading, broken, text[heading])
    elif clause.right_is_column:
        other = headings[clause.right]
        rows = pa.array(np.flatnonzero(broken & ~to.bad))
        both = pc.binary_join_element_wise(text[heading].take(rows), text[other].take(rows), "、")
        shown = pc.replace_with_mask(text[heading], pa.array(broken & ~to.bad), both)
        to.add("rule_broken", f"{heading}、{other}", broken, shown)
    else:
        to.add("rule_broken", heading, broken, text[heading])
