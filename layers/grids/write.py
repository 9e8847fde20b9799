"""Write delivered grids into the tree, with everything that follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import geopandas as gpd
import pandas as pd
import psycopg
import pyproj
import shapely

from layers.codes import LENGTHS
from layers.declare.records import City
from layers.errors import AtlasError
from layers.grids.check import Rejected, as_multi, bad_borders, checked_frames, not_nested
from layers.grids.derive import with_parents
from layers.grids.shapes import drawn_shapes
from layers.tables.base import SRID

_LOCK = "select pg_advisory_xact_lock(hashtextextended('pub.grid', 0))"

_OPEN_EDITION = """
insert into pub.edition (edition, name, opened_on, version) values (%s, %s, %s, 0) on conflict (edition) do nothing
"""

_NEXT_VERSION = "update pub.edition set version = version + 1 where edition = %s returning version"

_DELIVERED = """
select code, level, name, aliases, ST_AsBinary(geom) as geom
from pub.grid where edition = %s and not is_derived order by code
"""

_STAGE = """
create temp table incoming_grid on commit drop as
select code, level, parent_code, name, aliases, geom, centre, area_m2, west, south, east, north, is_derived
from pub.grid with no data
"""

_COPY_STAGE = """
copy incoming_grid (code, level, parent_code, name, aliases, geom, centre, area_m2, west, south, east, north,
    is_derived) from stdin
"""

_UPSERT = """
with last as (select coalesce(max(grid_no), 0) as n from pub.grid)
insert into pub.grid (edition, code, grid_no, level, parent_code, name, aliases, geom, centre, area_m2,
    west, south, east, north, is_derived)
select %(edition)s, i.code, coalesce(g.grid_no, last.n + row_number() over (order by i.code)), i.level, i.parent_code,
    i.name, i.aliases, i.geom, i.centre, i.area_m2, i.west, i.south, i.east, i.north, i.is_derived
from incoming_grid i
cross join last
left join pub.grid g on g.edition = %(edition)s and g.code = i.code
order by i.code
on conflict (edition, code) do update set
    level = excluded.level, parent_code = excluded.parent_code, name = excluded.name, aliases = excluded.aliases,
    geom = excluded.geom, centre = excluded.centre, area_m2 = excluded.area_m2, west = excluded.west,
    south = excluded.south, east = excluded.east, north = excluded.north, is_derived = excluded.is_derived
"""

_DROP_SHAPES = "delete from pub.grid_shape where edition = %s and level = any(%s)"

_COPY_SHAPES = "copy pub.grid_shape (edition, code, zoom, level, geom) from stdin"


@dataclass(frozen=True)
class GridReport:
    """What became of delivered grids.

    `written` and `derived` count grids by level (as delivered, and united from those below); `repaired` and
    `not_nested` are codes; `n_uneven` counts grids whose border does not match a neighbour's, `n_overlaps` pairs of
    grids that overlap, both by level and 0 where all is well.
    """

    edition: int
    version: int
    written: Mapping[str, int] = field(default_factory=dict)
    derived: Mapping[str, int] = field(default_factory=dict)
    repaired: tuple[str, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    not_nested: tuple[str, ...] = ()
    n_uneven: Mapping[str, int] = field(default_factory=dict)
    n_overlaps: Mapping[str, int] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Return the report without rejected rows, in plain types, to be kept with a delivery."""
        return {
            "edition": self.edition,
            "version": self.version,
            "written": dict(self.written),
            "derived": dict(self.derived),
            "repaired": list(self.repaired),
            "n_rejected": len(self.rejected),
            "not_nested": list(self.not_nested),
            "n_uneven": dict(self.n_uneven),
            "n_overlaps": dict(self.n_overlaps),
        }


def write_edition(conn: psycopg.Connection[Any], edition: int, name: str, opened_on: date, tree: pd.DataFrame) -> None:
    """Open an edition with its whole tree, in the caller's transaction, and close the one that was in force.

    Parameters
    ----------
    conn
        As loader; whoever else writes grids is waited for.
    edition, name, opened_on
        Number and name of the new edition, and the first day it holds.
    tree
        Every grid of it, by code: code, level, parent_code, name, aliases, geom in EPSG:4490, is_derived.
    """
    conn.execute(_LOCK)
    conn.execute("update pub.edition set closed_on = %s where closed_on is null", [opened_on])
    conn.execute(_OPEN_EDITION, [edition, name, opened_on])
    _write_rows(conn, edition, tree)
    _write_shapes(conn, edition, tree)
    conn.execute(_NEXT_VERSION, [edition])


def write_grids(
    conn: psycopg.Connection[Any], city: City, edition: int, frames: Mapping[str, gpd.GeoDataFrame]
) -> GridReport:
    """Write delivered grids into an edition, in the caller's transaction; a row is a grid.

    Parameters
    ----------
    conn
        As loader. Grids of one server are written one after the other: the second waits for the first to commit.
    city, edition
        What the city, and counties that nobody delivers, are called; the number of the edition.
    frames
        For each delivered level (county, large, medium or small; one at a time or together) code, name, aliases
        (text or lists, may be missing) and geom in EPSG:4490. A grid already there is replaced; none is taken away.

    Returns
    -------
    GridReport
        Parents not delivered are united from the grids below, the city always; shapes for drawing are made anew for
        all levels that changed, and the edition's version rises by one, unless every row was rejected.

    Raises
    ------
    AtlasError
        A level is none of the four.
    """
    for level in frames:
        if level not in LENGTHS or level == "city":
            raise AtlasError(
                f"Grids of level {level!r} cannot be delivered.",
                "Deliver county, large, medium or small grids; the city's outline is united from them.",
            )
    delivered, rejected, repaired = checked_frames(city, frames)
    conn.execute(_LOCK)
    conn.execute(_OPEN_EDITION, [edition, city.edition_name, city.opened_on])
    if delivered.empty:
        row = conn.execute("select version from pub.edition where edition = %s", [edition]).fetchone()
        return GridReport(edition, row[0] if row else 0, rejected=rejected)
    tree = with_parents(_merged(conn, edition, delivered), city)
    above = {code[:n] for code in delivered["code"] for n in LENGTHS.values()}
    changed = tree[tree["code"].isin(delivered["code"]) | (tree["is_derived"] & tree["code"].isin(above))]
    levels = list(changed["level"].unique())
    _write_rows(conn, edition, changed)
    _write_shapes(conn, edition, tree[tree["level"].isin(levels)])
    version = conn.execute(_NEXT_VERSION, [edition]).fetchone()
    borders = {level: bad_borders(rows["geom"].to_numpy(dtype=object)) for level, rows in _by_level(tree, frames)}
    return GridReport(
        edition,
        version[0] if version else 0,
        written=_counted(delivered),
        derived=_counted(changed[changed["is_derived"]]),
        repaired=repaired,
        rejected=rejected,
        not_nested=not_nested(tree),
        n_uneven={level: uneven for level, (uneven, _) in borders.items()},
        n_overlaps={level: overlaps for level, (_, overlaps) in borders.items()},
    )


def _merged(conn: psycopg.Connection[Any], edition: int, delivered: pd.DataFrame) -> pd.DataFrame:
    """Delivered grids of the edition, old ones and these."""
    with conn.cursor(binary=True) as cur:
        rows = cur.execute(_DELIVERED, [edition]).fetchall()
    old = pd.DataFrame(rows, columns=["code", "level", "name", "aliases", "geom"], dtype=object)
    old = old[~old["code"].isin(delivered["code"])]
    old["geom"] = shapely.from_wkb(old["geom"].to_numpy(dtype=object))
    return pd.concat([delivered, old], ignore_index=True) if len(old) else delivered


def _by_level(tree: pd.DataFrame, frames: Mapping[str, Any]) -> list[tuple[str, pd.DataFrame]]:
    return [(level, tree[tree["level"] == level]) for level in LENGTHS if level in frames]


def _counted(rows: pd.DataFrame) -> dict[str, int]:
    counts = rows["level"].value_counts()
    return {level: int(counts[level]) for level in LENGTHS if level in counts}


def _write_rows(conn: psycopg.Connection[Any], edition: int, rows: pd.DataFrame) -> None:
    shapes = as_multi(rows["geom"].to_numpy(dtype=object))
    spheroid = pyproj.Geod(ellps="GRS80")
    areas = [abs(spheroid.geometry_area_perimeter(shape)[0]) for shape in shapes]
    boxes = shapely.bounds(shapes).tolist()
    columns = [rows[name] for name in ("code", "level", "parent_code", "name", "aliases")]
    records = zip(*columns, _ewkb(shapes), _ewkb(shapely.point_on_surface(shapes)), areas, boxes, strict=True)
    with conn.cursor() as cur:
        cur.execute("drop table if exists incoming_grid")
        cur.execute(_STAGE)
        with cur.copy(_COPY_STAGE) as copy:
            for (*record, area, box), is_derived in zip(records, rows["is_derived"], strict=True):
                copy.write_row((*record, area, *box, bool(is_derived)))
        cur.execute(_UPSERT, {"edition": edition})
        cur.execute("drop table incoming_grid")


def _write_shapes(conn: psycopg.Connection[Any], edition: int, tree: pd.DataFrame) -> None:
    with conn.cursor() as cur:
        cur.execute(_DROP_SHAPES, [edition, list(tree["level"].unique())])
        with cur.copy(_COPY_SHAPES) as copy:
            for level, rows in tree.groupby("level"):
                for zoom, shapes in drawn_shapes(str(level), rows["geom"].to_numpy(dtype=object)):
                    for code, shape in zip(rows["code"], _ewkb(shapes, 3857), strict=True):
                        copy.write_row((edition, code, zoom, level, shape))


def _ewkb(shapes: Any, srid: int = SRID) -> list[str]:
    text: list[str] = shapely.to_wkb(shapely.set_srid(shapes, srid), hex=True, include_srid=True).tolist()
    return text
