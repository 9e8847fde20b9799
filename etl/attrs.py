"""JSON text made of whole columns: the declared rest of a row, and rows as they are sealed into quarantine."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

_NOTHING = pa.scalar("", pa.string())


def json_objects(columns: Mapping[str, pa.Array], n: int) -> pa.Array:
    """Make one JSON object for each row, a member for each column; missing values are left out."""
    if not columns:
        return pa.array(["{}"], pa.string()).take(pa.array([0] * n)) if n else pa.array([], pa.string())
    members = [_member(key, column) for key, column in columns.items()]
    # every member brings its own comma: joining with nulls skipped loses rows that have no member at all
    inside = pc.binary_join_element_wise(*members, _NOTHING, null_handling="replace", null_replacement="")
    inside = pc.ascii_rtrim(inside, characters=",")
    return pc.binary_join_element_wise(pa.scalar("{"), inside, pa.scalar("}"), _NOTHING)


def _member(key: str, column: pa.Array) -> pa.Array:
    head, comma = pa.scalar(json.dumps(key, ensure_ascii=False) + ":"), pa.scalar(",")
    kind = column.type
    if pa.types.is_list(kind):
        joined = pc.binary_join(column, '","')
        return pc.binary_join_element_wise(head, pa.scalar('["'), joined, pa.scalar('"],'), _NOTHING)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_floating(kind):
        return pc.binary_join_element_wise(head, column.cast(pa.string()), comma, _NOTHING)
    if pa.types.is_timestamp(kind):
        column = pc.binary_join_element_wise(
            pc.replace_substring(column.cast(pa.timestamp("s")).cast(pa.string()), " ", "T"),
            pa.scalar("Z"),
            _NOTHING,
        )
    elif pa.types.is_string(kind):
        column = _escaped(column)
    else:
        column = column.cast(pa.string())
    quote = pa.scalar('"')
    return pc.binary_join_element_wise(head, quote, column, quote, comma, _NOTHING)


def _escaped(column: pa.Array) -> pa.Array:
    needs = pc.any(pc.match_substring_regex(column, '["\\\\\\x00-\\x1f]')).as_py()
    if not needs:
        return column
    for raw, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        column = pc.replace_substring(column, raw, escaped)
    return pc.replace_substring_regex(column, r"[\x00-\x1f]", " ")
