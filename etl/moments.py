"""Dates and moments out of text, whole columns at once.

Taken: 2026-03-05, 2026/3/5, 2026.3.5, 2026年3月5日, 20260305, each with or without a time and an offset. A time
without an offset is civil time of the city's zone.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.masks import matches, plain, present

_ISO = r"^\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?$"
_OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})$"
_REPAIRS = (
    (r"(:\d\d)\.\d+$", r"\1"),
    (r"[年月/.]", "-"),
    (r"日|号", " "),
    (r"T", " "),
    (r"^(\d{4})(\d{2})(\d{2})(\d{2})?(\d{2})?(\d{2})?$", r"\1-\2-\3 \4:\5:\6"),
    (r"^(\d{4}-\d{1,2}-\d{1,2}) [: ]*$", r"\1"),
    (r"^(.* \d{1,2}:\d{2}):?$", r"\1:00"),
    (r"([-: ])(\d)([-: ]|$)", r"\10\2\3"),  # a single digit gets its zero;
    (r"([-: ])(\d)([-: ]|$)", r"\10\2\3"),  # twice, since neighbours share their separator
    (r" +", " "),
)


def parse_moments(values: pa.Array, zone: str) -> pa.Array:
    """Parse text into moments (microseconds, UTC); null where it is no moment, or was null."""
    has_offset = matches(values, r"\d" + _OFFSET) & matches(values, ":")
    naive = parse_civil(pc.if_else(pa.array(has_offset), None, values) if has_offset.any() else values)
    moments = pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="earliest").cast(
        pa.timestamp("us", "UTC")
    )
    if not has_offset.any():
        return moments
    at = np.flatnonzero(has_offset)
    given = values.take(pa.array(at))
    offset = pc.fill_null(pc.struct_field(pc.extract_regex(given, f"(?P<offset>{_OFFSET})"), "offset"), "Z")
    bare = parse_civil(pc.replace_substring_regex(given, _OFFSET, ""))
    shifted = pc.subtract(bare, _seconds(offset)).cast(pa.timestamp("us", "UTC"))
    return pc.replace_with_mask(moments, pa.array(has_offset), shifted)


def parse_civil(values: pa.Array) -> pa.Array:
    """Parse text into civil date and time without a zone (microseconds); null where it is none."""
    is_iso = matches(values, _ISO)
    if not is_iso.all():
        odd = np.flatnonzero(~is_iso & present(values))
        if len(odd):
            mask = np.zeros(len(values), bool)
            mask[odd] = True
            values = pc.replace_with_mask(values, pa.array(mask), _repair(values.take(pa.array(odd))))
            is_iso = matches(values, _ISO)
        values = pc.if_else(pa.array(is_iso), values, pa.scalar(None, pa.string()))
    try:
        return pc.cast(values, pa.timestamp("us"))
    except pa.ArrowInvalid:
        return pc.cast(pc.if_else(_exists(values), values, pa.scalar(None, pa.string())), pa.timestamp("us"))


def parse_months(values: pa.Array) -> pa.Array:
    """Parse text such as 2026-03, 202603 or 2026年3月 into the first civil day of the month, at midnight."""
    month = pc.replace_substring_regex(values, r"^(\d{4})[-/.年]?(\d{1,2})月?$", r"\1-\2-01")
    return parse_civil(month)


def _repair(values: pa.Array) -> pa.Array:
    for pattern, replacement in _REPAIRS:
        values = pc.replace_substring_regex(values, pattern, replacement)
    return values


def _exists(values: pa.Array) -> pa.Array:
    """Whether day and time exist: a mask over text of ISO form."""

    def part(start: int) -> np.ndarray:
        text = pc.utf8_slice_codeunits(values, start, start + 2)
        text = pc.if_else(pc.equal(text, ""), "0", text)
        return plain(text.cast(pa.int32()))

    year = plain(pc.utf8_slice_codeunits(values, 0, 4).cast(pa.int32()))
    month, day = part(5), part(8)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[np.clip(month, 0, 12)] + (leap & (month == 2))
    good = (year > 0) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= days)
    return pa.array(good & (part(11) < 24) & (part(14) < 60) & (part(17) < 60))


def _seconds(offset: pa.Array) -> pa.Array:
    text = pc.if_else(pc.equal(offset, "Z"), "+0000", pc.replace_substring(offset, ":", ""))
    sign = pc.if_else(pc.equal(pc.utf8_slice_codeunits(text, 0, 1), "-"), -1, 1)
    hours = pc.utf8_slice_codeunits(text, 1, 3).cast(pa.int64())
    minutes = pc.utf8_slice_codeunits(text, 3, 5).cast(pa.int64())
    total = pc.multiply(sign, pc.add(pc.multiply(hours, 3600), pc.multiply(minutes, 60)))
    return total.cast(pa.duration("s")).cast(pa.duration("us"))
