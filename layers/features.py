"""Rows as GeoDataFrames: events, places, things and organisations, one row each, as their dataset declares them.

The rows come through definer functions that carry the scope in the query (`pub.read_event` and its siblings), as
binary COPY into Arrow, and no Python runs for a single row.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray
from psycopg import sql

from layers.access import Scope
from layers.declare.records import Catalog, Column, Dataset
from layers.errors import AccessError, AtlasError, UnknownNameError
from layers.periods import moment
from layers.tables import SRID

if TYPE_CHECKING:
    from layers.database import Database
    from layers.secrets import Role

Value = str | int | float | bool | date | datetime | None

CORE: Mapping[str, tuple[str, ...]] = {
    "event": (
        "id", "source_key", "grid_code", "tied_by", "category", "state", "outcome", "reported_at", "due_at",
        "closed_at", "department", "channel", "is_urgent", "is_on_spot", "is_satisfied", "updated_at",
    ),
    "place": ("id", "source_key", "grid_code", "tied_by", "category", "name", "state", "updated_at"),
    "thing": ("id", "source_key", "grid_code", "tied_by", "category", "name", "state", "updated_at"),
    "organisation": (
        "id", "source_key", "grid_code", "tied_by", "category", "name", "state", "credit_code", "updated_at",
    ),
}  # fmt: skip
"""Typed columns of every row of a table, in the order they are given; the declared rest follows."""

CASTS: Mapping[str, str] = {
    "text": "text",
    "code": "text",
    "key": "text",
    "credit_code": "text",
    "grid_code": "text",
    "integer": "bigint",
    "number": "double precision",
    "boolean": "boolean",
    "date": "date",
    "moment": "timestamptz",
    "month": "timestamptz",
}
"""SQL type of a declared column. Other types name a person or are columns of the core, and are never given."""

_DTYPES = {
    pa.bool_(): pd.BooleanDtype(),
    pa.int64(): pd.Int64Dtype(),
}
_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("srid", "<u4"), ("lon", "<f8"), ("lat", "<f8")])
_POINT_WITH_SRID = 0x20000001


@dataclass(frozen=True)
class Asked:
    """What a read asks for, names checked; made by `ask`."""

    dataset: Dataset
    scope: Scope
    since: datetime | None
    until: datetime | None
    where: Mapping[str, Value | Sequence[Value]]
    limit: int | None
    hidden: tuple[str, ...]
    """Sensitive categories, which are left out."""

    @property
    def declared(self) -> dict[str, Column]:
        """Declared columns that are given beside the core, by key."""
        core = (*CORE[self.dataset.table], "geom", "attrs", "summary")
        # The words of whoever reported an event may name somebody.
        unsaid = {"text"} if self.dataset.table == "event" else set()
        return {c.key: c for c in self.dataset.columns if c.key not in core and c.type in CASTS.keys() - unsaid}


def ask(
    catalog: Catalog,
    dataset: str,
    scope: Scope,
    *,
    within: str | None = None,
    since: str | date | None = None,
    until: str | date | None = None,
    where: Mapping[str, Value | Sequence[Value]] | None = None,
    limit: int | None = None,
) -> Asked:
    """Check what a read asks for against the declarations.

    Raises
    ------
    UnknownNameError
        Nobody declared the dataset, or it has no such column.
    AccessError
        Its rows may not be read one by one, or `within` is outside the scope.
    """
    if dataset not in catalog.datasets:
        raise UnknownNameError("dataset", dataset, catalog.datasets)
    found = catalog.datasets[dataset]
    refuse_rows(catalog, found)
    if found.table != "event" and (since is not None or until is not None):
        raise AtlasError(
            f"{dataset} has no time: a {found.each_row_is_a.en} is as it is now.", "Leave out since and until."
        )
    if limit is not None and limit < 0:
        raise AtlasError(f"limit is {limit}.", "It is the largest number of rows to give, from 0.")
    of_table = (category for category in catalog.categories.values() if category.table == found.table)
    hidden = tuple(sorted(category.key for category in of_table if category.sensitive))
    zone = catalog.city.zone
    asked = Asked(
        found, scope.within(within), moment(since, zone), moment(until, zone), dict(where or {}), limit, hidden
    )
    known = [*CORE[found.table], *asked.declared]
    for column, wanted in asked.where.items():
        if column not in known:
            raise UnknownNameError("column", column, known)
        if column == "category" and set(_listed(wanted)) & set(hidden):
            raise AccessError(
                f"Events of a sensitive category are never shown one by one: {', '.join(map(str, _listed(wanted)))}.",
                "Ask for other categories.",
            )
    return asked


def refuse_rows(catalog: Catalog, dataset: Dataset) -> None:
    """Raise where the rows of a dataset may not be read one by one.

    Raises
    ------
    AccessError
        They are people, or the dataset or the category of all its rows is sensitive.
    AtlasError
        They are nothing that lies on the map.
    """
    if dataset.table == "person":
        raise AccessError(
            f"{dataset.key} holds people, who are never read one by one.",
            "Counts of people are published, rounded: ask for atlas.people(level=..).",
        )
    category = catalog.categories.get(dataset.category or "")
    if dataset.sensitive or (category is not None and category.sensitive):
        raise AccessError(
            f"{dataset.key} is sensitive: its rows are never read one by one.",
            "Ask for another one; households are told by atlas.people(level=.., breakdown=..).",
        )
    if dataset.table == "grid":
        raise AtlasError(f"{dataset.key} holds grids.", "Ask for atlas.grids(level=..).")
    if dataset.table not in CORE:
        raise AtlasError(
            f"{dataset.key} holds rows of {dataset.table}, which lie nowhere on the map by themselves.",
            f"Features can be had of {', '.join(CORE)}.",
        )


def read_features(database: Database, role: Role, asked: Asked, zone: str) -> gpd.GeoDataFrame:
    """Read the rows asked for; a row is what the dataset's `each_row_is_a` says.

    Left out are sensitive rows, rows that a later delivery no longer has, and words that may name somebody. Rows
    without a point of their own have an empty `geom`; `grid_code` says what is known of them.

    Returns
    -------
    GeoDataFrame
        Columns of `CORE`, then the declared ones, then geom (EPSG:4490); moments in the city's zone; ordered by id.
        `attrs["left_out"]` names the sensitive categories, and not how many rows of them there are, which would tell
        too much of a small grid. No rows: the same columns and types, empty.
    """
    import adbc_driver_postgresql.dbapi as adbc

    query = compose(asked).as_string()
    with adbc.connect(database.url(role)) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(query)
            table = cursor.fetch_arrow_table()
        except adbc.Error as error:
            raise AtlasError(
                f"{asked.dataset.key} could not be read: {_first_line(error)}",
                "A column that was declared otherwise when the rows were loaded is the usual reason: "
                f"load them again by `python -m etl run {asked.dataset.key}`.",
            ) from error
    frame = _frame(table, zone)
    frame.attrs["left_out"] = list(asked.hidden) if asked.dataset.table == "event" else []
    return frame


def compose(asked: Asked) -> sql.Composed:
    """Compose the query: the definer function's rows, declared columns typed, conditions added.

    ADBC reads by COPY, which takes no parameters, so values stand in the query as literals that psycopg writes. The
    function gives its rows ordered by id; a million of them are not ordered a second time, a few are.
    """
    table, scope = asked.dataset.table, asked.scope
    conditions = [_condition(asked, column, wanted) for column, wanted in asked.where.items()]
    if table == "event" and asked.hidden:
        # The loader marked their rows; one that was declared sensitive since then is not shown either.
        conditions.append(sql.SQL("category <> all({})").format(sql.Literal(list(asked.hidden))))
    times = [] if table != "event" else [asked.since or "-infinity", asked.until or "infinity"]
    most = None if asked.where else asked.limit  # conditions come after the function, and so must their limit
    values = [*(sql.Literal(v) for v in (scope.low, scope.high, asked.dataset.key, *times)), sql.Literal(most)]
    columns: list[sql.Composable] = [sql.Identifier(name) for name in CORE[table]]
    columns += [
        sql.SQL("{} as {}").format(_declared(column), sql.Identifier(key)) for key, column in asked.declared.items()
    ]
    return sql.SQL("select {}, geom from {}({}){}{}").format(
        sql.SQL(", ").join(columns),
        sql.Identifier("pub", f"read_{table}"),
        sql.SQL(", ").join(values),
        sql.SQL(" where ") + sql.SQL(" and ").join(conditions) if conditions else sql.SQL(""),
        sql.SQL("") if asked.limit is None else sql.SQL(" order by id limit {}").format(asked.limit),
    )


def _declared(column: Column) -> sql.Composed:
    return sql.SQL("(attrs ->> {})::{}").format(sql.Literal(column.key), sql.SQL(CASTS[column.type]))


def _condition(asked: Asked, column: str, wanted: Value | Sequence[Value]) -> sql.Composed:
    """Compose `column is one of`; None stands for "not known"."""
    declared = asked.declared.get(column)
    left = _declared(declared) if declared else sql.Composed([sql.Identifier(column)])
    values = [value for value in _listed(wanted) if value is not None]
    parts = [sql.SQL("{} in ({})").format(left, sql.SQL(", ").join(map(sql.Literal, values)))] if values else []
    if len(values) < len(_listed(wanted)):
        parts.append(sql.SQL("{} is null").format(left))
    return sql.SQL("({})").format(sql.SQL(" or ").join(parts)) if parts else sql.Composed([sql.SQL("false")])


def _listed(wanted: Value | Sequence[Value]) -> list[Value]:
    if isinstance(wanted, str) or not isinstance(wanted, Sequence | set | frozenset | np.ndarray | pd.Series):
        return [wanted]
    return list(wanted)


def _frame(table: pa.Table, zone: str) -> gpd.GeoDataFrame:
    """Turn Arrow columns into a GeoDataFrame; moments in the zone, missing whole numbers and truths as <NA>."""
    geom = _geometries(table.column("geom"))
    frame = table.drop_columns("geom").to_pandas(types_mapper=_DTYPES.get, date_as_object=False)
    moments = frame.select_dtypes("datetimetz").columns
    frame = frame.assign(**{name: frame[name].dt.tz_convert(zone) for name in moments})
    if "id" in frame:
        frame["id"] = frame["id"].astype("int64")
    return gpd.GeoDataFrame(frame.assign(geom=gpd.GeoSeries(geom, crs=SRID)), geometry="geom")


def _geometries(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """Make shapely geometries of EWKB; points, all of one length, without a look at each."""
    one = column.combine_chunks()
    if isinstance(one, pa.ChunkedArray):
        one = pa.concat_arrays(one.chunks) if one.num_chunks else pa.array([], one.type)
    binary = one.storage if isinstance(one, pa.ExtensionArray) else one
    result: NDArray[np.object_] = np.full(len(binary), None, dtype=object)
    is_known = pc.is_valid(binary).to_numpy(zero_copy_only=False)
    known = binary.drop_null()
    offsets = np.frombuffer(known.buffers()[1], dtype=np.int32)[known.offset : known.offset + len(known) + 1]
    if len(known) and (np.diff(offsets) == _POINT.itemsize).all():
        points = np.frombuffer(known.buffers()[2], _POINT, count=len(known), offset=int(offsets[0]))
        if (points["order"] == 1).all() and (points["kind"] == _POINT_WITH_SRID).all():
            with _uncollected():
                result[is_known] = shapely.points(points["lon"], points["lat"])
            return result
    with _uncollected():
        result[is_known] = shapely.set_srid(shapely.from_wkb(known.to_numpy(zero_copy_only=False)), 0)
    return result


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hold the garbage collector off: walking a million new geometries takes longer than making them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
