"""Visits and patrols (走访): where a grid worker was, and what was found. The words stay with who wrote them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import psycopg

from layers import cases
from layers.access import Scope
from layers.declare.records import City
from layers.editions import edition_on


def record_visit(
    connection: psycopg.Connection[Any],
    scope: Scope,
    city: City,
    *,
    key: str,
    grid_code: str,
    found: str,
    concerns_id: int | None = None,
    at: datetime | None = None,
) -> int:
    """Write down a visit in the name of the session and give its number; the same key again is the same visit.

    Raises
    ------
    CaseError
        The grid is out of reach, the role makes no visits, or nothing was said of what was found.
    """
    values = [scope.low, scope.high, grid_code, edition_on(connection, city), key, concerns_id, found, at]
    with cases.refused(), connection.transaction():
        row = connection.execute("select pub.record_visit(%s, %s, %s, %s::smallint, %s, %s, %s, %s)", values).fetchone()
    assert row is not None
    return int(row[0])


def my_visits(connection: psycopg.Connection[Any], scope: Scope, *, most: int = 20) -> pd.DataFrame:
    """List the visits of the session's own account: id, grid_code, visited_at, found, the latest first."""
    cursor = connection.execute("select * from pub.my_visits(%s, %s, %s)", [scope.low, scope.high, most])
    assert cursor.description is not None
    return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])


def grid_at(connection: psycopg.Connection[Any], lon: float, lat: float) -> str | None:
    """Find the finest grid in force at a position (EPSG:4490); None outside the city."""
    row = connection.execute(
        "select g.code from pub.grid as g join pub.edition as e on e.edition = g.edition and e.closed_on is null"
        " where st_intersects(g.geom, st_setsrid(st_makepoint(%s, %s), 4490))"
        " order by length(g.code) desc, g.code limit 1",
        [lon, lat],
    ).fetchone()
    return row[0] if row else None
