"""Counts of rows by grid, time, dataset, category and state: what changed is added to them, signed, and later folded.

Three grains are kept: small grid by month, medium grid by day, large grid by month. Counts of person datasets and of
sensitive rows go to the tables of the same names in `vault`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import sql

from layers.declare.records import Catalog
from layers.errors import AtlasError

Schema = Literal["pub", "vault"]
Grain = Literal["small_month", "medium_day", "large_month"]
Ints = npt.NDArray[np.int64]

SCHEMAS: tuple[Schema, ...] = ("pub", "vault")
GRAINS: tuple[Grain, ...] = ("small_month", "medium_day", "large_month")

_HEADER, _TRAILER = b"PGCOPY\n\xff\r\n\x00" + bytes(8), b"\xff\xff"
_FIELDS = {
    "town_code": "S9", "grid_no": ">i4", "period": ">i4", "dataset_no": ">i2", "category_no": ">i2",
    "state_no": ">i2", "delta_id": ">i8", "n": ">i4",
}  # fmt: skip
_PARTS = 16
"""Batches gathered before they are summed up, so that memory grows with the cells and not with the rows."""
_PIECE = 65_536
"""Rows sent at a time."""
_KEY = "town_code, grid_no, period, dataset_no, category_no, state_no"
_PERIOD, _CATEGORY, _STATE = 1 << 25, 1 << 12, 1 << 4
"""How many values of each part of a packed key there may be; 22 bits are left for the number of the grid."""

_FOLD = """
with changes as (delete from {table} where delta_id <> 0 returning {key}, n),
    sums as (select {key}, sum(n)::int as n from changes group by {key}),
    done as (
        insert into {table} as old ({key}, delta_id, n) select {key}, 0, n from sums order by {key}
        on conflict ({key}, delta_id) do update set n = old.n + excluded.n returning {key}, n
    )
select (select count(*) from changes), {key} from (select 1) as once left join done on done.n = 0
"""
_DROP_ZEROES = """
delete from {table}
where delta_id = 0 and n = 0 and ({key}) in (
    select * from unnest(%s::text[], %s::int[], %s::int[], %s::smallint[], %s::smallint[], %s::smallint[])
)
"""
_NUMBER_DATASETS = """
insert into pub.dataset (dataset_no, dataset, table_name, is_sensitive)
select (select coalesce(max(dataset_no), 0) from pub.dataset) + row_number() over (order by n), one, of_table, closed
from unnest(%s::text[], %s::text[], %s::boolean[]) with ordinality as new (one, of_table, closed, n)
where not exists (select from pub.dataset as old where old.dataset = new.one)
"""
_MEND_DATASETS = """
update pub.dataset as old set table_name = new.of_table, is_sensitive = new.closed
from unnest(%s::text[], %s::text[], %s::boolean[]) as new (one, of_table, closed)
where old.dataset = new.one and (old.table_name, old.is_sensitive) is distinct from (new.of_table, new.closed)
"""
_NUMBER_CATEGORIES = """
insert into pub.category (category_no, category, is_sensitive)
select (select coalesce(max(category_no), 0) from pub.category) + row_number() over (order by n), one, closed
from unnest(%s::text[], %s::boolean[]) with ordinality as new (one, closed, n)
where not exists (select from pub.category as old where old.category = new.one)
"""
_MEND_CATEGORIES = """
update pub.category as old set is_sensitive = new.closed
from unnest(%s::text[], %s::boolean[]) as new (one, closed)
where old.category = new.one and old.is_sensitive is distinct from new.closed
"""


@dataclass(frozen=True)
class Numbers:
    """Integer keys of the declared datasets and categories, as tallies use them."""

    datasets: Mapping[str, int]
    categories: Mapping[str, int]


@dataclass(frozen=True)
class Rows:
    """Rows to be counted, one entry for each: numbers of their grids, civil day as yyyymmdd (0: none), and the rest.

    `n` says how many rows an entry stands for, negative for rows that are no more.
    """

    small: Ints
    medium: Ints
    large: Ints
    day: Ints
    category: Ints
    state: Ints
    is_sealed: npt.NDArray[np.bool_]
    n: Ints | None = None


class TallyChanges:
    """Signed changes of the counts of one dataset, gathered batch by batch."""

    def __init__(self) -> None:
        self._parts: dict[tuple[Schema, Grain], list[tuple[Ints, Ints]]] = {}

    def add(self, rows: Rows) -> None:
        """Add the changes that these rows make."""
        grids: dict[Grain, Ints] = {"small_month": rows.small, "medium_day": rows.medium, "large_month": rows.large}
        for schema in SCHEMAS:
            mine = rows.is_sealed if schema == "vault" else ~rows.is_sealed
            if not mine.any():
                continue
            at: Any = slice(None) if mine.all() else mine
            for grain in GRAINS:
                period = rows.day[at] if grain == "medium_day" else rows.day[at] // 100
                keys = _pack(grids[grain][at], period, rows.category[at], rows.state[at])
                parts = self._parts.setdefault((schema, grain), [])
                parts.append(_sum(keys, None if rows.n is None else rows.n[at]))
                if len(parts) > _PARTS:
                    parts[:] = [_joined(parts)]

    def sum_up(self) -> None:
        """Sum up what was gathered; `write` does so itself, but this needs no database and may be done meanwhile."""
        for parts in self._parts.values():
            parts[:] = [_joined(parts)]

    def write(
        self,
        connection: psycopg.Connection[Any],
        dataset_no: int,
        towns: Mapping[int, str],
        delta_id: int,
        fresh: Collection[str] = (),
    ) -> int:
        """Write the changes under one `delta_id` in the transaction under way; return how many rows that took.

        Counts of a time earlier or later than any counted before are sums at once: nothing is there to add them to, so
        that a year of more rows leaves nothing to fold.

        Parameters
        ----------
        connection
            As loader.
        dataset_no
            Number of the dataset.
        towns
            Town code of each grid number.
        delta_id
            0 for the first rows of a dataset ever, else a number never used before (from `ops.row_id`).
        fresh
            Tables, as `schema.table`, that this transaction emptied, their guard put aside (`raw.drop_indexes`).
        """
        written = 0
        numbers = np.array(sorted(towns), np.int64)
        names = np.array([towns[int(number)] for number in numbers], "S9")
        for (schema, grain), parts in self._parts.items():
            parts[:] = [_joined(parts)]
            keys, n = parts[0]
            at = _rows_of(keys, numbers)
            order = np.argsort(names[at], kind="stable")  # as the primary key has them: its index is made in one go
            order = order[n[order] != 0]
            bounds = _periods(connection, schema, grain, dataset_no) if delta_id else None
            pieces = (
                _wire_rows(keys[rows], n[rows], names[at[rows]], dataset_no, delta_id, bounds)
                for rows in (order[start : start + _PIECE] for start in range(0, len(order), _PIECE))
            )
            written += _copy(connection, schema, grain, pieces, is_fresh=f"{schema}.tally_{grain}" in fresh)
        return written


def number_catalog(connection: psycopg.Connection[Any], catalog: Catalog) -> Numbers:
    """Give every declared dataset and category its integer key: known ones keep theirs, new ones get the next."""
    datasets = (
        list(catalog.datasets),
        [d.table for d in catalog.datasets.values()],
        [d.sensitive for d in catalog.datasets.values()],
    )
    categories = (list(catalog.categories), [c.sensitive for c in catalog.categories.values()])
    connection.execute("lock table pub.dataset, pub.category in share row exclusive mode")
    connection.execute(_NUMBER_DATASETS, datasets)
    connection.execute(_MEND_DATASETS, datasets)
    connection.execute(_NUMBER_CATEGORIES, categories)
    connection.execute(_MEND_CATEGORIES, categories)
    return Numbers(
        dict(connection.execute("select dataset, dataset_no from pub.dataset order by 1").fetchall()),
        dict(connection.execute("select category, category_no from pub.category order by 1").fetchall()),
    )


def fold(connection: psycopg.Connection[Any]) -> int:
    """Fold all changes into the sums, in the transaction under way; return how many changes there were.

    Readers see the same totals before and after, since they add sums and changes.
    """
    folded = 0
    for schema in SCHEMAS:
        for grain in GRAINS:
            table, key = _table(schema, grain), sql.SQL(_KEY)
            done = connection.execute(sql.SQL(_FOLD).format(table=table, key=key)).fetchall()
            folded += done[0][0]
            gone = [row[1:] for row in done if row[1] is not None]
            if gone:
                columns = [list(column) for column in zip(*gone, strict=True)]
                connection.execute(sql.SQL(_DROP_ZEROES).format(table=table, key=key), columns)
    return folded


def _table(schema: Schema, grain: Grain) -> sql.Identifier:
    return sql.Identifier(schema, f"tally_{grain}")


def _periods(connection: psycopg.Connection[Any], schema: Schema, grain: Grain, dataset_no: int) -> tuple[int, int]:
    """First and last period counted of a dataset; of none, such that all others lie outside."""
    query = sql.SQL("select min(period), max(period) from {} where dataset_no = %s").format(_table(schema, grain))
    row = connection.execute(query, [dataset_no]).fetchone()
    return (1 << 31, -1) if row is None or row[0] is None else (int(row[0]), int(row[1]))


def _rows_of(keys: Ints, numbers: Ints) -> npt.NDArray[np.int32]:
    """Where the grid of each packed key stands among the sorted numbers of all grids."""
    grid = keys // (_PERIOD * _CATEGORY * _STATE)
    at = np.minimum(np.searchsorted(numbers, grid), len(numbers) - 1).astype(np.int32)
    strangers = numbers[at] != grid
    if strangers.any():
        raise AtlasError(f"Grid number {grid[strangers][0]} has no town.", "Load the datasets of grids again.")
    return at


def _wire_rows(
    keys: Ints, n: Ints, town: npt.NDArray[Any], dataset_no: int, delta_id: int, bounds: tuple[int, int] | None
) -> bytes:
    """Rows as binary COPY sends them, each field behind its length; those outside the bounds are sums at once."""
    grid, period, category, state = _unpack(keys)
    inside = False if bounds is None else (period >= bounds[0]) & (period <= bounds[1])
    columns = {
        "town_code": town, "grid_no": grid, "period": period, "dataset_no": dataset_no, "category_no": category,
        "state_no": state, "delta_id": np.where(inside, delta_id, 0), "n": n,
    }  # fmt: skip
    layout: list[tuple[str, str]] = [("n_fields", ">i2")]
    for name, kind in _FIELDS.items():
        layout += [(f"{name}_width", ">i4"), (name, kind)]
    rows = np.empty(len(keys), np.dtype(layout))
    rows["n_fields"] = len(_FIELDS)
    for name, kind in _FIELDS.items():
        rows[f"{name}_width"], rows[name] = np.dtype(kind).itemsize, columns[name]
    return rows.tobytes()


def _copy(
    connection: psycopg.Connection[Any],
    schema: Schema,
    grain: Grain,
    pieces: Iterable[bytes],
    *,
    is_fresh: bool,
) -> int:
    table, names = _table(schema, grain), sql.SQL(", ").join(map(sql.Identifier, _FIELDS))
    target, options = table, "format binary, freeze"
    if not is_fresh:
        # COPY is refused on tables under row-level security: by way of a temporary one
        target, options = sql.Identifier("counted"), "format binary"
        connection.execute(sql.SQL("create temp table if not exists counted (like {}) on commit drop").format(table))
        connection.execute("truncate counted")
    with connection.cursor() as cursor:
        with cursor.copy(sql.SQL(f"copy {{}} ({{}}) from stdin ({options})").format(target, names)) as copy:
            copy.write(_HEADER)
            for piece in pieces:
                copy.write(piece)
            copy.write(_TRAILER)
        if is_fresh:
            return cursor.rowcount
        insert = sql.SQL("insert into {} ({}) select {} from counted").format(table, names, names)
        return cursor.execute(insert).rowcount


def _pack(grid: Ints, period: Ints, category: Ints, state: Ints) -> Ints:
    return ((grid * _PERIOD + period) * _CATEGORY + category) * _STATE + state


def _unpack(keys: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    rest, state = np.divmod(keys, _STATE)
    rest, category = np.divmod(rest, _CATEGORY)
    grid, period = np.divmod(rest, _PERIOD)
    return grid, period, category, state


def _joined(parts: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    return _sum(np.concatenate([keys for keys, _ in parts]), np.concatenate([n for _, n in parts]))


def _sum(keys: Ints, n: Ints | None) -> tuple[Ints, Ints]:
    """Sum up equal keys."""
    if n is None:
        values, counts = np.unique(keys, return_counts=True)
        return values, counts.astype(np.int64)
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    first = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]])) if len(ranked) else np.zeros(0, int)
    return ranked[first], np.add.reduceat(n[order], first) if len(first) else np.zeros(0, np.int64)
