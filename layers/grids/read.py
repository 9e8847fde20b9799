"""Read the tree of grids: as frames, as names, as the index that ties points to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import shapely

from layers.codes import LENGTHS, range_of
from layers.errors import AtlasError, UnknownNameError
from layers.locate import GridIndex
from layers.locate.index import FORMAT
from layers.tables.base import SRID

_COLUMNS = ["code", "grid_no", "level", "parent_code", "name", "aliases", "area_m2", "is_derived"]

_GRIDS = """
select code, grid_no, level, parent_code, name, aliases, area_m2, is_derived, ST_AsBinary(geom)
from pub.grid
where edition = %(edition)s and (%(level)s::text is null or level = %(level)s)
    and (%(low)s::text is null or (code >= %(low)s and code < %(high)s))
order by code
"""

_NAMES = "select code, level, name, aliases from pub.grid where edition = %s order by code"

_LEAVES = """
select code, ST_AsBinary(geom)
from pub.grid g
where edition = %s and not exists (select from pub.grid c where c.edition = g.edition and c.parent_code = g.code)
order by code
"""

_STATE = """
select s.system_identifier::text, d.oid::text, e.version, e.xmin::text
from pub.edition e, pg_control_system() s, pg_database d
where e.edition = %s and d.datname = current_database()
"""


def read_grids(
    conn: psycopg.Connection[Any], edition: int, level: str | None = None, within: str | None = None
) -> gpd.GeoDataFrame:
    """Read grids of an edition with their full shapes; a row is a grid, by code.

    Parameters
    ----------
    conn, edition
        Any role may read them.
    level
        Only grids of this level.
    within
        Only the grid of this code and those below it.

    Returns
    -------
    geopandas.GeoDataFrame
        code, grid_no, level, parent_code, name, aliases, area_m2, is_derived, geom (MultiPolygon, EPSG:4490); no rows
        but the same columns when there is nothing.

    Raises
    ------
    UnknownNameError
        There is no such level.
    """
    if level is not None and level not in LENGTHS:
        raise UnknownNameError("level", level, LENGTHS)
    low, high = range_of(within) if within is not None else (None, None)
    with conn.cursor(binary=True) as cur:
        rows = cur.execute(_GRIDS, {"edition": edition, "level": level, "low": low, "high": high}).fetchall()
    frame = pd.DataFrame([row[:-1] for row in rows], columns=_COLUMNS)
    return gpd.GeoDataFrame(frame.assign(geom=_shapes(row[-1] for row in rows)), geometry="geom", crs=f"EPSG:{SRID}")


def grid_names(conn: psycopg.Connection[Any], edition: int) -> pd.DataFrame:
    """Read what the grids of an edition are called: code, level, name, aliases (lists); a row is a grid, by code."""
    return pd.DataFrame(conn.execute(_NAMES, [edition]).fetchall(), columns=["code", "level", "name", "aliases"])


def grid_index(conn: psycopg.Connection[Any], edition: int, cache_dir: Path) -> GridIndex:
    """Give the index that ties points to the finest grids of an edition, those with none below them.

    It is built when the grids have changed, and kept in `cache_dir` otherwise; indexes of older versions are deleted.

    Raises
    ------
    AtlasError
        No grids are loaded.
    """
    state = conn.execute(_STATE, [edition]).fetchone()
    if state is None:
        raise AtlasError(f"There are no grids of edition {edition}.", "Load the datasets of grids first.")
    server, database, version, written_by = state
    of_edition = f"grids-{server}-{database}-{edition}-"
    path = cache_dir / f"{of_edition}{version}-{written_by}-{FORMAT}.npz"
    if path.exists():
        try:
            return GridIndex.load(path)
        except AtlasError:
            path.unlink(missing_ok=True)  # cut off or of another version: built anew below
    with conn.cursor(binary=True) as cur:
        rows = cur.execute(_LEAVES, [edition]).fetchall()
    index = GridIndex.build(np.array([code for code, _ in rows], dtype=np.str_), _shapes(shape for _, shape in rows))
    index.save(path)
    for old in cache_dir.glob(f"{of_edition}*.npz"):
        if old != path:
            old.unlink(missing_ok=True)
    return index


def _shapes(wkb: Any) -> np.ndarray[Any, np.dtype[np.object_]]:
    shapes: np.ndarray[Any, np.dtype[np.object_]] = shapely.from_wkb(np.array(list(wkb), dtype=object))
    return shapes
