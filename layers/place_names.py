"""Names of places, things and organisations as they are searched for: by a part, by pinyin, or by its initials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import psycopg

from layers.access import Scope
from layers.declare.records import Catalog
from layers.gazetteer import pinyin
from layers.nearby import search_places
from layers.tiles import data_version

PLACES_MOST = 200_000
"""Names that are read at most."""


@dataclass(frozen=True)
class PlaceNames:
    """What has a name in a scope at a version of the data, the shortest names first.

    `places` has a row for each place, thing or organisation: id, category, name, grid_code, lon, lat, and its pinyin
    `spoken` and `short`.
    """

    version: int
    places: pd.DataFrame

    def search(self, sought: str, most: int) -> pd.DataFrame:
        """Find by name, pinyin or initials: whole ones first, then beginnings, then parts of name or pinyin."""
        said = "".join(sought.casefold().split())
        if not said or not len(self.places):
            return self.places.iloc[:0]
        name, spoken, short = (self.places[key].str.casefold() for key in ("name", "spoken", "short"))
        whole = (name == said) | (spoken == said) | (short == said)
        begins = name.str.startswith(said) | spoken.str.startswith(said) | short.str.startswith(said)
        holds = [one.str.contains(said, regex=False) for one in (name, spoken, short)]
        rank = np.select([whole, begins, np.logical_or.reduce(holds)], [0, 1, 2], 3)
        order = np.argsort(rank, kind="stable")
        return self.places.iloc[order[rank[order] < 3][:most]]


def read_place_names(connection: psycopg.Connection[Any], catalog: Catalog, scope: Scope) -> PlaceNames:
    """Read the names of all that may be shown one by one in a scope."""
    version, _ = data_version(connection)
    places = search_places(connection, catalog, scope, "", PLACES_MOST).dropna(subset=["name"])
    spoken, short = pinyin(places["name"].astype("str"))
    return PlaceNames(version, places.assign(spoken=spoken, short=short))
