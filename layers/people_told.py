"""What releases told of people, as it stands in the vault from one release to the next.

It has true counts, so nobody but the loader reads it, and only to make the next release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import psycopg

from layers.codes import town_of
from layers.cube import FORMER, REST, Ints
from layers.reformed import edition_before, shares_before, told_of_former
from layers.told import TOTAL, Told, placed

_READ = """
select node, counts, figures, least, most from vault.people_told
where edition = %s and breakdown = %s and cells = %s order by node
"""
_PARTS = ("counts", "figures", "least", "most")
_INSERT = """
insert into vault.people_told (town_code, edition, breakdown, node, cells, counts, figures, least, most)
select town, %(edition)s, %(breakdown)s, node, %(cells)s, c::int[], f::int[], l::int[], m::int[]
from unnest(%(towns)s::text[], %(nodes)s::text[], %(counts)s::text[], %(figures)s::text[], %(least)s::text[],
    %(most)s::text[]) as one (town, node, c, f, l, m)
"""


def read_told(
    connection: psycopg.Connection[Any], edition: int, names: Sequence[str], cells: Mapping[str, Sequence[str]]
) -> Told:
    """Read what was told of nodes by breakdown, in the order of the nodes; of new cells and new nodes nothing is.

    On the first release after a reform it is what was told of the grids before it.
    """
    query = "select distinct node from vault.people_told where edition = %s order by node"
    if not connection.execute(query, [edition]).fetchall():
        before = edition_before(connection, edition)
        former = [node for (node,) in connection.execute(query, [before]).fetchall()]
        if before is None or not former:
            return Told()
        shares = shares_before(connection, edition)
        return told_of_former(shares, names, former, _read(connection, before, former, cells))
    return _read(connection, edition, names, cells)


def _read(
    connection: psycopg.Connection[Any], edition: int, names: Sequence[str], cells: Mapping[str, Sequence[str]]
) -> Told:
    found: dict[str, Told] = {}
    for key in (TOTAL, *cells):
        rows = connection.execute(_READ, [edition, key, _joined(cells.get(key, (TOTAL,)))]).fetchall()
        if rows:
            arrays = (np.array([row[at] for row in rows], dtype=np.int64) for at in range(1, 5))
            one = Told(*({key: values} for values in arrays))
            found[key] = placed(one, [row[0] for row in rows], names)
    return Told(*({key: getattr(one, part)[key] for key, one in found.items()} for part in _PARTS))


def write_told(
    connection: psycopg.Connection[Any],
    edition: int,
    names: Sequence[str],
    told: Told,
    cells: Mapping[str, Sequence[str]],
) -> None:
    """Write what is told now in place of what was."""
    connection.execute("delete from vault.people_told where edition = %s", [edition])
    towns = [town_of(name.rstrip(REST + FORMER)) for name in names]
    for key in told.counts:
        connection.execute(
            _INSERT,
            {
                "edition": edition,
                "breakdown": key,
                "cells": _joined(cells.get(key, (TOTAL,))),
                "towns": towns,
                "nodes": list(names),
                **{part: _rows(getattr(told, part)[key]) for part in _PARTS},
            },
        )


def _joined(cells: Sequence[str]) -> str:
    return ",".join(cells)


def _rows(values: Ints) -> list[str]:
    """Write each row as an array of SQL."""
    return ["{" + ",".join(map(str, row)) + "}" for row in values.tolist()]
