"""Casts: text columns to the declared type, whole columns at once, with the reasons why a value cannot be cast.

Each cast gives the typed column, null where the value is bad, and (reason, mask) pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.masks import flags, matches, present, where
from etl.moments import parse_civil, parse_moments, parse_months
from etl.sources.batch import BLANK
from layers.declare.records import Catalog, Column, Dataset
from layers.identifiers import check_credit_codes, check_id_numbers
from layers.tables import OUTCOMES, STATES

KEY_LENGTH = 200
TEXT_LENGTH = 2000

Cast = tuple[pa.Array, list[tuple[str, np.ndarray]]]

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_WHOLE = r"^[+-]?\d{1,18}(\.0+)?$"
_AS_WRITTEN = ("text", "key", "person_name")
"""Types whose values are taken as they stand, wide letters and all."""

_TWO_DIGITS = r"^(\d{1,2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2})( .*)?$"
_SERIAL = r"^[1-6]\d{4}(\.\d+)?$"
_AS_AMOUNT = r"^\d(\.\d+)?[eE]\+?\d{2}$|^\d{15}000$"
_IN_POWERS = r"^\d(\.\d+)?[eE]\+\d{2}$"
_GARBLED = ("\ufffd", "锟斤拷")
_HELD = {"step_no": (1, 32767)}
"""Least and most that a column of the core can hold."""
_PHONE = r"^(\+?86[- ]?)?(1[3-9]\d{9}|0\d{2,3}[- ]?\d{7,8}|\d{7,8}|400[- ]?\d{3}[- ]?\d{4}|12\d{3})$"
_TRUE = ("true", "1", "是", "y", "yes", "t", "√", "有")
_FALSE = ("false", "0", "否", "n", "no", "f", "×", "无")


@dataclass(frozen=True)
class Context:
    """What casts have to know beside the column: declarations, the city's zone, and when now is."""

    catalog: Catalog
    dataset: Dataset
    now: datetime


def clean(values: pa.Array) -> pa.Array:
    """Text without surrounding blanks; what is empty or means nothing (`BLANK`) after that is null."""
    if values.null_count == len(values):
        return values
    data = values.buffers()[2]
    if data is not None and b"\x00" in data.to_pybytes():
        values = pc.replace_substring(values, "\x00", "")
    trimmed = pc.utf8_trim_whitespace(values)
    if _n_bytes(trimmed) == _n_bytes(values):
        return values  # readers give what is blank as null already
    return pc.if_else(pc.is_in(trimmed, pa.array(BLANK)), pa.scalar(None, pa.string()), trimmed)


def _n_bytes(values: pa.Array) -> int:
    ends = np.frombuffer(values.buffers()[1], np.int32, len(values) + 1, values.offset * 4)
    return int(ends[-1]) - int(ends[0])


def cast_column(column: Column, values: pa.Array, context: Context) -> Cast:
    """Cast one cleaned text column to its declared type.

    Returns
    -------
    Cast
        The typed column, null where a value is missing or bad, and for each kind of badness its reason and mask.
    """
    cast = _CASTS[column.type]
    typed, problems = cast(column, values, context)
    bad = np.logical_or.reduce([mask for _, mask in problems]) if problems else np.zeros(0, bool)
    if column.type not in _AS_WRITTEN and bad.any():
        narrow = _half_width(values, bad)
        if narrow is not values:
            values = narrow
            typed, problems = cast(column, values, context)
    if column.default is not None and column.type not in ("code", "category", "state"):
        default, _ = _CASTS[column.type](column, pa.array([column.default]), context)
        typed = _fill(typed, values, default[0])
    elif column.default is not None:
        typed = _fill(typed, values, pa.scalar(column.default))
    return typed, problems


def _half_width(values: pa.Array, bad: np.ndarray) -> pa.Array:
    """Write the digits and marks of bad values in half width, as clerks' keyboards do not; unchanged if all are."""
    delivered = values.filter(pa.array(bad))
    narrow = pc.utf8_normalize(delivered, "NFKC")
    if narrow.equals(delivered):
        return values
    return pc.replace_with_mask(values, pa.array(bad), narrow)


def _fill(typed: pa.Array, values: pa.Array, default: pa.Scalar) -> pa.Array:
    return pc.if_else(pc.is_null(values), default, typed) if values.null_count else typed


def _text(column: Column, values: pa.Array, context: Context) -> Cast:
    limit = KEY_LENGTH if column.key in context.dataset.row_key or column.type == "key" else TEXT_LENGTH
    if column.max is not None:
        limit = int(column.max)
    problems = [("garbled_text", matches(values, sign)) for sign in _GARBLED if _holds(values, sign)]
    if limit == KEY_LENGTH:
        problems.append(("digits_lost", matches(values, _IN_POWERS)))
    if (pc.max(pc.binary_length(values)).as_py() or 0) > limit:
        problems.append(("too_long", flags(pc.greater(pc.utf8_length(values), limit))))
    return values, problems


def _holds(values: pa.Array, sign: str) -> bool:
    """Whether a sign is anywhere in a column: one look at all its bytes."""
    data = values.buffers()[2]
    return data is not None and sign.encode() in memoryview(data).tobytes()


def _number(column: Column, values: pa.Array, context: Context) -> Cast:
    is_whole = column.type == "integer"
    good = matches(values, _WHOLE if is_whole else _NUMBER)
    bad = ~good & present(values)
    text = where(values, good)
    if is_whole:
        typed = pc.replace_substring_regex(text, r"^\+|\.0+$", "").cast(pa.int64())
    else:
        typed = pc.replace_substring_regex(text, r"^\+", "").cast(pa.float64())
    out = np.zeros(len(values), bool)
    low, high = _HELD.get(column.key, (None, None))
    for least in (column.min, low):
        out |= flags(pc.less(typed, least)) if least is not None else False
    for most in (column.max, high):
        out |= flags(pc.greater(typed, most)) if most is not None else False
    return typed, [("not_a_number", bad), ("out_of_range", out)]


def _boolean(column: Column, values: pa.Array, context: Context) -> Cast:
    values, unknown = _mapped(column, values)
    low = pc.utf8_lower(values)
    true, false = flags(pc.is_in(low, pa.array(_TRUE))), flags(pc.is_in(low, pa.array(_FALSE)))
    known = true | false
    return pa.array(true, mask=~known), [("unknown_code", ~known & present(values) | unknown)]


def _date(column: Column, values: pa.Array, context: Context) -> Cast:
    moments = parse_civil(values)
    days = moments.cast(pa.timestamp("s"), safe=False).cast(pa.date32(), safe=False)
    return days, _bad_dates(values, moments)


def _moment(column: Column, values: pa.Array, context: Context) -> Cast:
    moments = parse_moments(values, context.catalog.city.zone)
    return moments, _bad_dates(values, moments)


def _bad_dates(values: pa.Array, moments: pa.Array) -> list[tuple[str, np.ndarray]]:
    """Why values are no dates; a nought written as no day at all is one too."""
    bad = present(values) & ~present(moments)
    if not bad.any():
        return []
    return [
        ("date_is_nought", bad & matches(values, r"^(1900[-/]0?1[-/]0?0|0000[-/]00[-/]00)( .*)?$")),
        ("two_digit_year", bad & matches(values, _TWO_DIGITS)),
        ("date_is_serial", bad & matches(values, _SERIAL)),
        ("not_a_date", bad),
    ]


def _month(column: Column, values: pa.Array, context: Context) -> Cast:
    civil = parse_months(values)
    moments = pc.assume_timezone(civil, context.catalog.city.zone, ambiguous="earliest", nonexistent="earliest")
    return moments.cast(pa.timestamp("us", "UTC")), _bad_dates(values, civil)


def _mapped(column: Column, values: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Map delivered codes to ours; a code of ours is taken as it is."""
    if not column.codes:
        return values, np.zeros(len(values), bool)
    known = {**{ours: ours for ours in column.codes.values()}, **column.codes}
    position = pc.index_in(values, pa.array(list(known), pa.string()))
    mapped = pa.array(list(known.values()), pa.string()).take(position)
    return mapped, present(values) & ~present(mapped)


def _code(column: Column, values: pa.Array, context: Context) -> Cast:
    mapped, unknown = _mapped(column, values)
    allowed: tuple[str, ...] | None = None
    if column.key == "department":
        allowed = tuple(context.catalog.departments)
    elif column.key == "outcome" and context.dataset.table == "event":
        allowed = OUTCOMES
    elif column.type == "state" and context.dataset.table in ("event", "event_step"):
        allowed = STATES
    if allowed is not None:
        unknown = unknown | (present(mapped) & ~flags(pc.is_in(mapped, pa.array(allowed))))
    return where(mapped, ~unknown), [("unknown_code", unknown)]


def _category(column: Column, values: pa.Array, context: Context) -> Cast:
    mapped, unknown = _mapped(column, values)
    known = [key for key, c in context.catalog.categories.items() if c.table == context.dataset.table]
    unknown = unknown | (present(mapped) & ~flags(pc.is_in(mapped, pa.array(known, pa.string()))))
    return where(mapped, ~unknown), [("unknown_category", unknown)]


def _id_number(column: Column, values: pa.Array, context: Context) -> Cast:
    upper = pc.utf8_upper(values)
    today = context.now.astimezone(ZoneInfo(context.catalog.city.zone)).date()
    good = np.asarray(check_id_numbers(upper, not_after=today).ok, bool)
    bad = ~good & present(values)
    if not bad.any():
        return upper, []
    return where(upper, good), [
        ("digits_lost", bad & matches(values, _AS_AMOUNT)),
        ("old_id_number", bad & matches(values, r"^\d{15}$")),
        ("bad_id_number", bad),
    ]


def _credit_code(column: Column, values: pa.Array, context: Context) -> Cast:
    upper = pc.utf8_upper(values)
    good = np.asarray(check_credit_codes(upper).ok, bool)
    bad = ~good & present(values)
    return where(upper, good), [("digits_lost", bad & matches(values, _AS_AMOUNT)), ("bad_credit_code", bad)]


def _phone(column: Column, values: pa.Array, context: Context) -> Cast:
    good = matches(values, _PHONE)
    bad = ~good & present(values)
    return where(values, good), [("digits_lost", bad & matches(values, _IN_POWERS)), ("bad_phone", bad)]


def grid_codes(values: pa.Array, city: str) -> Cast:
    """Cast grid codes: digits of a known length inside the city; zero padding of higher levels is taken off."""
    text = pc.replace_substring_regex(values, r"^(\d{9})000$", r"\1")
    text = pc.replace_substring_regex(text, r"^(\d{6})000$", r"\1")
    good = matches(text, r"^(\d{4}|\d{6}|\d{9}|\d{12}|\d{15})$") & flags(pc.starts_with(text, city))
    return where(text, good), [("bad_grid_code", ~good & present(values))]


def _grid_code(column: Column, values: pa.Array, context: Context) -> Cast:
    return grid_codes(values, context.catalog.city.code)


def _grid_code_list(column: Column, values: pa.Array, context: Context) -> Cast:
    lists = pc.split_pattern_regex(values, r"[,，;；、\s]+")
    codes = lists.flatten()
    typed, problems = grid_codes(codes, context.catalog.city.code)
    bad = np.zeros(len(values), bool)
    bad[pc.list_parent_indices(lists).to_numpy()[problems[0][1]]] = True
    made = pa.ListArray.from_arrays(lists.offsets, typed) if not lists.null_count else lists
    return made, [("bad_grid_code", bad)]


_CASTS: Mapping[str, Callable[[Column, pa.Array, Context], Cast]] = MappingProxyType(
    {
        "text": _text,
        "key": _text,
        "person_name": _text,
        "integer": _number,
        "number": _number,
        "boolean": _boolean,
        "date": _date,
        "moment": _moment,
        "month": _month,
        "code": _code,
        "state": _code,
        "category": _category,
        "id_number": _id_number,
        "credit_code": _credit_code,
        "phone": _phone,
        "grid_code": _grid_code,
        "grid_codes": _grid_code_list,
    }
)
