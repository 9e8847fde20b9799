"""Rows on the grids of another edition: points by its own outlines, the rest by succession."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import psycopg
import shapely

from layers.editions import edition_on
from layers.grids import read_grids
from layers.locate import GridIndex
from layers.succession import became, shares_between

if TYPE_CHECKING:
    from layers.atlas import Atlas


def tied_on_day(
    atlas: Atlas, rows: gpd.GeoDataFrame, on: str | date, within: str | None, limit: int | None
) -> gpd.GeoDataFrame:
    """Put rows on the grids of a day, keep those inside a grid of them, and no more than so many."""
    with atlas.connect() as connection:
        now, then = edition_on(connection, atlas.catalog.city), edition_on(connection, atlas.catalog.city, on)
        tied = tied_on(connection, rows, now, then, within)
    return tied if limit is None else tied.head(limit)


def tied_on(
    connection: psycopg.Connection[Any], rows: gpd.GeoDataFrame, in_force: int, edition: int, within: str | None
) -> gpd.GeoDataFrame:
    """Give rows the `grid_code` they have in another edition, and keep those inside a grid of it.

    A row without a point stands in the finest grid that surely holds the one it is known in today.
    """
    if edition == in_force:
        return _inside(rows, within)
    grids = read_grids(connection, edition)
    finest = grids[~grids["code"].isin(grids["parent_code"])]
    index = GridIndex.build(finest["code"].to_numpy(dtype=np.str_), finest["geom"].to_numpy(dtype=object))
    sure = became(shares_between(connection, in_force, edition)).set_index("old_code")["new_code"]
    shapes = shapely.point_on_surface(rows.geometry.to_numpy(dtype=object))
    found = index.locate(shapely.get_x(shapes), shapely.get_y(shapes))
    codes = np.where(found >= 0, index.codes[found], rows["grid_code"].map(sure).to_numpy(dtype=object))
    return _inside(rows.assign(grid_code=codes), within)


def _inside(rows: gpd.GeoDataFrame, within: str | None) -> gpd.GeoDataFrame:
    return rows if within is None else rows[rows["grid_code"].str.startswith(within)].reset_index(drop=True)
