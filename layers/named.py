"""Places, things and organisations as they are searched for: by a part of their name, by pinyin, or by its initials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import psycopg

from layers.access import Scope
from layers.declare.records import Catalog
from layers.gazetteer import pinyin
from layers.tiles import data_version

NAMES_MOST = 200_000
"""Names that are read at most."""

TABLES = ("place", "thing", "organisation")
"""Tables whose rows are found by name; people never are."""


@dataclass(frozen=True)
class Named:
    """What has a name in a scope at a version of the data, the shortest names first.

    `rows` has a row for each place, thing or organisation: element, id, category, name, grid_code, lon, lat, and its
    pinyin `spoken` and `short`.
    """

    version: int
    rows: pd.DataFrame

    def search(self, sought: str, most: int) -> pd.DataFrame:
        """Find by name, pinyin or initials: whole ones first, then beginnings, then parts of name or pinyin."""
        said = "".join(sought.casefold().split())
        if not said or not len(self.rows):
            return self.rows.iloc[:0]
        name, spoken, short = (self.rows[key].str.casefold() for key in ("name", "spoken", "short"))
        whole = (name == said) | (spoken == said) | (short == said)
        begins = name.str.startswith(said) | spoken.str.startswith(said) | short.str.startswith(said)
        holds = [one.str.contains(said, regex=False) for one in (name, spoken, short)]
        rank = np.select([whole, begins, np.logical_or.reduce(holds)], [0, 1, 2], 3)
        order = np.argsort(rank, kind="stable")
        return self.rows.iloc[order[rank[order] < 3][:most]]

    def row(self, element: str, number: int) -> pd.DataFrame:
        """The row of an element by its id; no row where there is none of that name to be seen."""
        return self.rows[(self.rows["id"] == number) & (self.rows["element"] == element)]


def read_named(connection: psycopg.Connection[Any], catalog: Catalog, scope: Scope) -> Named:
    """Read the names of all that may be shown one by one in a scope."""
    version, _ = data_version(connection)
    rows = search_by_name(connection, catalog, scope, "", NAMES_MOST)
    spoken, short = pinyin(rows["name"].astype("str"))
    return Named(version, rows.assign(spoken=spoken, short=short))


def search_by_name(
    connection: psycopg.Connection[Any], catalog: Catalog, scope: Scope, sought: str, most: int = 8
) -> pd.DataFrame:
    """Find places, things and organisations by a part of their name, short names first; a wall finds none.

    Returns
    -------
    element, id, category, name, grid_code, lon, lat.
    """
    datasets = [one.key for one in catalog.datasets.values() if one.table in TABLES and not one.sensitive]
    cursor = connection.execute(
        "select * from pub.search_by_name(%s, %s, %s, %s, %s)", [scope.low, scope.high, datasets, sought, most]
    )
    return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])
