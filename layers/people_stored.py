"""Published counts of people as they stand in `pub`: how a release is written, and how fine a breakdown is out.

A cell of a breakdown that is shown as 0 has no row; a level that was withheld is named in `pub.people_withheld`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import psycopg

from layers.codes import LENGTHS, town_of
from layers.release import Release
from layers.told import TOTAL

_INSERT = """
insert into pub.people_count (town_code, edition, month, breakdown, cell, grid_code, n, published_at)
select town, %(edition)s, %(month)s, %(breakdown)s, cell, code, n, now()
from unnest(%(towns)s::text[], %(codes)s::text[], %(cells)s::text[], %(figures)s::int[]) as one (town, code, cell, n)
"""

_DIGITS = """
select case when (
    select max(cell) from pub.people_count
    where month = %(month)s and edition = %(edition)s and breakdown = %(breakdown)s
) is not null then coalesce((
    select min(digits) from pub.people_withheld
    where month = %(month)s and edition = %(edition)s and breakdown = %(breakdown)s
), 99) else 0 end
"""


def write_release(
    connection: psycopg.Connection[Any],
    edition: int,
    month: int,
    codes: Sequence[str],
    found: Release,
    cells: Mapping[str, Sequence[str]],
) -> None:
    """Write a release in place of what was published for the month before."""
    connection.execute("delete from pub.people_count where month = %s and edition = %s", [month, edition])
    connection.execute("delete from pub.people_withheld where month = %s and edition = %s", [month, edition])
    length = np.array([len(code) for code in codes])
    known = np.array(codes, dtype=object)
    for key in (TOTAL, *found.parts):
        figures = found.totals[:, None] if key == TOTAL else found.parts[key]
        shown = figures[: len(codes)]
        at, cell = np.nonzero((shown > 0) & (length <= found.digits.get(key, 99))[:, None] | (key == TOTAL))
        names = np.array(cells.get(key, (TOTAL,)), dtype=object)
        connection.execute(
            _INSERT,
            {
                "edition": edition,
                "month": month,
                "breakdown": key,
                "towns": [town_of(code) for code in known[at]],
                "codes": known[at].tolist(),
                "cells": names[cell].tolist(),
                "figures": shown[at, cell].tolist(),
            },
        )
    for key, digits, reason in found.withheld:
        connection.execute(
            "insert into pub.people_withheld values (%s, %s, %s, %s, %s)", [edition, month, key, digits, reason]
        )
    connection.execute("select ops.analyse(array['pub.people_count'::regclass])")


def published_digits(connection: psycopg.Connection[Any], edition: int, month: int, breakdown: str) -> int:
    """Return the length below which codes have figures of a breakdown; 0 when it is not published at all."""
    row = connection.execute(_DIGITS, {"edition": edition, "month": month, "breakdown": breakdown}).fetchone()
    least = int(row[0]) if row else 0
    return max((one for one in LENGTHS.values() if one < least), default=0)
