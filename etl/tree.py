"""The tree of grids as arrays: rows are tied to positions in it, and counted by its integer keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from etl.masks import plain
from layers.codes import LENGTHS, town_of
from layers.editions import read_editions
from layers.errors import DeliveryError
from layers.grids import grid_index
from layers.locate import GridIndex
from layers.succession import became, shares_between

_KM_PER_DEGREE = 111.2

_GRIDS = """
select grid_no, code, level, name, aliases, west, south, east, north
from pub.grid where edition = %s order by code
"""


@dataclass(frozen=True)
class GridTree:
    """Grids of one edition in the order of their codes; `codes` and `numbers` (grid_no) go by position.

    `of_index` turns positions of the raster index into positions here; `medium` and `large` give, for each grid, the
    position of the grid of that level above it, or of itself when it is known no finer. `gone` are codes of older
    editions that are no more, `gone_to` the positions of the grids that hold what they were.
    """

    edition: int
    version: int
    index: GridIndex
    codes: pa.Array
    town_bytes: np.ndarray
    numbers: np.ndarray
    of_index: np.ndarray
    medium: np.ndarray
    large: np.ndarray
    city: int
    box: tuple[float, float, float, float]
    names: pd.DataFrame
    gone: pa.Array
    gone_to: np.ndarray

    @property
    def towns(self) -> dict[int, str]:
        """Town code of each grid number."""
        return {int(n): town.decode() for n, town in zip(self.numbers, self.town_bytes.tolist(), strict=True)}

    @property
    def number_of(self) -> dict[str, int]:
        """Number of each code."""
        return dict(zip(self.codes.to_pylist(), self.numbers.tolist(), strict=True))

    def find(self, codes: pa.Array) -> np.ndarray:
        """Positions of delivered codes; -1 where a code is missing or was never a grid.

        A code of an older edition that is no more leads to the finest grid that surely holds what it was.
        """
        found = plain(pc.index_in(codes, self.codes), -1).astype(np.int32)
        if len(self.gone) and (found < 0).any():
            was = plain(pc.index_in(codes, self.gone), -1)
            use = (found < 0) & (was >= 0)
            found[use] = self.gone_to[was[use]]
        return found

    def is_near(self, lon: np.ndarray, lat: np.ndarray, within_km: float) -> np.ndarray:
        """Whether points lie in the city's box widened by so many kilometres; False for NaN."""
        west, south, east, north = self.box
        up = within_km / _KM_PER_DEGREE
        side = up / np.cos(np.radians((south + north) / 2))
        near: np.ndarray = (lon >= west - side) & (lon <= east + side) & (lat >= south - up) & (lat <= north + up)
        return near


def read_tree(connection: psycopg.Connection[Any], edition: int, cache_dir: Path) -> GridTree:
    """Read the tree of an edition; its raster index comes from the cache when it was made before.

    Raises
    ------
    DeliveryError
        No grids are loaded yet.
    """
    rows = connection.execute(_GRIDS, [edition]).fetchall()
    if not rows:
        raise DeliveryError("No grids are loaded yet, so nothing can be tied.", "Load the datasets of grids first.")
    index = grid_index(connection, edition, cache_dir)
    codes = [row[1] for row in rows]
    at = {code: position for position, code in enumerate(codes)}
    names = pd.DataFrame([row[1:5] for row in rows], columns=["code", "level", "name", "aliases"])

    def above(level: str) -> np.ndarray:
        n = LENGTHS[level]
        return np.array([at.get(code[:n], position) for position, code in enumerate(codes)], np.int32)

    boxes = np.array([row[5:9] for row in rows], float)
    version = connection.execute("select version from pub.edition where edition = %s", [edition]).fetchone()
    array = pa.array(codes, pa.string())
    gone = _gone(connection, edition, at)
    return GridTree(
        edition=edition,
        version=version[0] if version else 0,
        index=index,
        codes=array,
        town_bytes=np.array([town_of(code) for code in codes], "S9"),
        numbers=np.array([row[0] for row in rows], np.int64),
        of_index=np.array([at[str(code)] for code in index.codes], np.int32),
        medium=above("medium"),
        large=above("large"),
        city=at[codes[0][: LENGTHS["city"]]],
        box=(boxes[:, 0].min(), boxes[:, 1].min(), boxes[:, 2].max(), boxes[:, 3].max()),
        names=names,
        gone=pa.array(list(gone), pa.string()),
        gone_to=np.array(list(gone.values()), np.int32),
    )


def _gone(connection: psycopg.Connection[Any], edition: int, at: dict[str, int]) -> dict[str, int]:
    """Codes of older editions that this one has not, and the positions of what they became."""
    found: dict[str, int] = {}
    for one in read_editions(connection):
        if one.edition < edition:
            sure = became(shares_between(connection, one.edition, edition))
            pairs = zip(sure["old_code"], sure["new_code"], strict=True)
            found |= {old: at[new] for old, new in pairs if old not in at and new in at}
    return found
