"""Names, codes and boxes of all grids of an edition, held in memory: what a screen needs to find and to label them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import psycopg

from layers.access import Scope
from layers.codes import LENGTHS, ancestors_of, range_of
from layers.errors import AtlasError

_READ = """
select code, grid_no, level, name, aliases, ST_X(centre) as lon, ST_Y(centre) as lat, west, south, east, north, area_m2
from pub.grid
where edition = %(edition)s and code >= %(low)s and code < %(high)s
order by code
"""

_NAMED = ["grid_no", "level", "name", "west", "south", "east", "north"]

_EDITION = """
select edition, version from pub.edition
where closed_on is null and %(edition)s::int is null or edition = %(edition)s order by edition desc limit 1
"""


@dataclass(frozen=True)
class GridName:
    """One grid as a screen names it; `no` is its number in tiles, `box` is (west, south, east, north) in degrees."""

    no: int
    code: str
    level: str
    name: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Gazetteer:
    """All grids of one version of one edition that a scope lets through; `grids` has a row for each, by code."""

    edition: int
    version: int
    grids: pd.DataFrame

    def __contains__(self, code: object) -> bool:
        return code in self.grids.index

    def named(self, code: str) -> GridName:
        """Name one grid.

        Raises
        ------
        AtlasError
            There is no such grid, or it is outside the scope.
        """
        if code not in self.grids.index:
            raise AtlasError(
                f"There is no grid {code}.", "Search for it by its name, or open the map of the city.",
                why="no_grid", code=code,
            )  # fmt: skip
        no, level, name, west, south, east, north = self.grids.loc[[code], _NAMED].to_numpy().tolist()[0]
        return GridName(no, code, level, name, (west, south, east, north))

    def area_km2(self, code: str) -> float:
        """Geodesic area of one grid."""
        return float(self.grids.loc[[code], "area_m2"].sum()) / 1e6

    def path(self, code: str) -> list[GridName]:
        """Name the grids from the top of the scope down to and with `code`: the breadcrumb."""
        return [self.named(one) for one in ancestors_of(code) if one in self]

    def inside(self, code: str, level: str) -> pd.DataFrame:
        """Grids of a level in a grid, by code; no rows where there is none."""
        low, high = range_of(code)
        part = self.grids.loc[low:high]
        return part[(part["level"] == level) & (part.index < high)]

    def numbers(self, codes: pd.Index[str]) -> list[int]:
        """Numbers of grids, by which the features of tiles are known."""
        numbers: list[int] = self.grids["grid_no"].reindex(codes).tolist()
        return numbers

    def search(self, words: str, limit: int = 12) -> list[GridName]:
        """Find grids by code, name, former name or pinyin: whole names first, then beginnings, then the rest.

        Large ones come first. Pinyin is written together or by its initials: `fengshanjiedao`, `fsjd`. Several words,
        separated by spaces, must all occur somewhere in the names from the city down.
        """
        parts = words.casefold().split()
        if not parts or not len(self.grids):
            return []
        grids, last = self.grids, parts[-1]
        found = grids["sought"].str.contains(last, regex=False) | grids.index.str.startswith(last)
        for part in parts[:-1]:
            found &= grids["above"].str.contains(part, regex=False)
        hits = grids[found]
        name, spoken, short = (hits[key].str.casefold() for key in ("name", "spoken", "short"))
        whole = (name == last) | (hits.index == last) | (spoken == last) | (short == last)
        begins = name.str.startswith(last) | spoken.str.startswith(last) | short.str.startswith(last)
        rank = np.select([whole, begins], [0, 1], 2)
        order = np.lexsort((hits.index.to_numpy(), hits.index.str.len(), rank))[:limit]
        return [self.named(str(code)) for code in hits.index[order]]


def read_gazetteer(connection: psycopg.Connection[Any], scope: Scope, edition: int | None = None) -> Gazetteer:
    """Read the names of an edition; without one, of the edition in force.

    Raises
    ------
    AtlasError
        No grids have been loaded yet.
    """
    row = connection.execute(_EDITION, {"edition": edition}).fetchone()
    if row is None:
        raise AtlasError(
            "No grids have been loaded yet.", "Load them first: `make demo`, or `python -m etl run`.", why="no_grids"
        )
    cursor = connection.execute(_READ, {"edition": row[0], "low": scope.low, "high": scope.high})
    names = [column.name for column in cursor.description or ()]
    grids = pd.DataFrame(cursor.fetchall(), columns=names).set_index("code")
    aliases = grids["aliases"].map(" ".join)
    grids["spoken"], grids["short"] = pinyin(grids["name"])
    grids["sought"] = (grids["name"] + " " + aliases + " " + grids["spoken"] + " " + grids["short"]).str.casefold()
    grids["above"] = _above(grids)
    return Gazetteer(int(row[0]), int(row[1]), grids)


def _above(grids: pd.DataFrame) -> pd.Series[str]:
    """Names of each grid and of all above it, in one text."""
    said = grids["sought"]
    codes = pd.Series(grids.index, index=grids.index)
    for digits in LENGTHS.values():
        upper = codes.str[:digits].where(codes.str.len() > digits)
        said = said + " " + upper.map(grids["sought"]).fillna("")
    return said


def warm_up() -> None:
    """Read the dictionary of pinyin, so that nobody has to wait for it; does nothing a second time."""
    pinyin(pd.Series(["市"]))


def pinyin(names: pd.Series[str]) -> tuple[pd.Series[str], pd.Series[str]]:
    """Pinyin of names without tones, written together, and its initials; each different name is looked up once."""
    from pypinyin import Style, lazy_pinyin

    known = names.unique()
    spoken = {name: lazy_pinyin(name, style=Style.NORMAL) for name in known}
    whole = {name: "".join(syllables) for name, syllables in spoken.items()}
    short = {name: "".join(syllable[:1] for syllable in syllables) for name, syllables in spoken.items()}
    return names.map(whole), names.map(short)
