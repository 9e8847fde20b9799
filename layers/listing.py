"""The declared datasets as a table: how many rows of each lie in a scope, and when they were loaded."""

from __future__ import annotations

from typing import Any

import pandas as pd
import psycopg

from layers.access import Scope
from layers.counts import numbers, rows_of_datasets
from layers.declare.records import Catalog
from layers.editions import edition_on

_COUNTED = ("event", "place", "thing", "organisation")


def list_datasets(connection: psycopg.Connection[Any], catalog: Catalog, scope: Scope) -> pd.DataFrame:
    """List the declared datasets as `Atlas.datasets` says; a row is a dataset."""
    edition = edition_on(connection, catalog.city)
    counted = rows_of_datasets(connection, scope, numbers(connection), edition=edition)
    grids = dict(
        connection.execute(
            "select level, count(*) from pub.grid where edition = %s and code >= %s and code < %s group by level",
            [edition, scope.low, scope.high],
        ).fetchall()
    )
    loaded = dict(connection.execute("select dataset, loaded_at from pub.dataset").fetchall())
    said = [dataset for _, dataset in sorted(catalog.datasets.items())]
    rows = [
        grids.get(one.level or "", 0)
        if one.table == "grid"
        else counted.get(one.key, 0)
        if one.table in _COUNTED and not one.sensitive
        else None
        for one in said
    ]
    frame = pd.DataFrame(
        {
            "dataset": [one.key for one in said],
            "name": [one.name.zh for one in said],
            "department": [one.department for one in said],
            "table": [one.table for one in said],
            "each_row_is": [one.each_row_is_a.zh for one in said],
            "rows": pd.array(rows, dtype="Int64"),
            "loaded_at": pd.to_datetime(pd.Series([loaded.get(one.key) for one in said], dtype=object), utc=True),
            "sensitive": [one.sensitive for one in said],
        }
    )
    frame["loaded_at"] = frame["loaded_at"].dt.tz_convert(catalog.city.zone)
    return frame
