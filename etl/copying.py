"""Sending rows to the database and asking it about many keys at once, by binary COPY."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
from psycopg import sql

from etl import binary
from etl.masks import missing, plain
from etl.pace import read_ahead
from etl.quarantine import Quarantined
from layers.errors import AtlasError

Connection = psycopg.Connection[Any]

_PIECE = 16_384
"""Rows encoded at a time."""


GUARDED = ("vault.", "ops.")
"""Schemas whose tables are under row-level security."""


def table_name(table: str) -> sql.Identifier:
    """Name of a table given as `schema.table`, safe to put into SQL."""
    return sql.Identifier(*table.split("."))


def copy_in(
    connection: Connection, table: str, fields: Mapping[str, binary.Field], n: int, *, is_fresh: bool = False
) -> int:
    """Send rows to a table and return how many the server took in; `is_fresh` when this transaction emptied it.

    COPY is refused where rows are guarded one by one, so there rows come by way of a temporary table, unless the table
    is fresh: then its guard is put aside until the load ends (`raw.drop_indexes`).
    """
    if not n:
        return 0
    if table.startswith(GUARDED) and not is_fresh:
        return _copy_beside(connection, table, fields, n)
    names = sql.SQL(", ").join(map(sql.Identifier, fields))
    options = sql.SQL("format binary, freeze" if is_fresh else "format binary")
    statement = sql.SQL("copy {} ({}) from stdin ({})").format(table_name(table), names, options)
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            copy.write(binary.HEADER)
            for rows in _encoded(list(fields.values()), n):
                copy.write(rows)
            copy.write(binary.TRAILER)
        taken = cursor.rowcount
    if taken != n:
        raise AtlasError(f"{table} took {taken} of {n} rows.", "Nothing was loaded; load the delivery again.")
    return taken


def _encoded(fields: Sequence[binary.Field], n: int) -> Iterator[memoryview]:
    """Encode rows piece by piece: while the server takes one in, the next is made."""
    if n <= _PIECE:
        return iter([binary.encode(fields, n)])
    starts = range(0, n, _PIECE)
    return read_ahead(binary.encode([f.part(a, a + _PIECE) for f in fields], min(_PIECE, n - a)) for a in starts)


def _copy_beside(connection: Connection, table: str, fields: Mapping[str, binary.Field], n: int) -> int:
    beside, names = f"beside_{table.partition('.')[2]}", sql.SQL(", ").join(map(sql.Identifier, fields))
    connection.execute(
        sql.SQL("create temp table if not exists {} (like {} including defaults) on commit drop").format(
            sql.Identifier(beside), table_name(table)
        )
    )
    connection.execute(sql.SQL("truncate {}").format(sql.Identifier(beside)))
    copy_in(connection, beside, fields, n)
    return connection.execute(
        sql.SQL("insert into {} ({}) select {} from {}").format(table_name(table), names, names, sql.Identifier(beside))
    ).rowcount


def fetch(connection: Connection, query: sql.Composable, columns: Mapping[str, str]) -> Any:
    """Fetch rows of fixed width as an array with a field for each column (`i4`, `i8`, `S9`).

    The query gives one value: all rows as bytes behind each other, as `string_agg` makes it. A million rows come at
    once that way, and not one by one.
    """
    with connection.cursor(binary=True) as cursor:
        row = cursor.execute(sql.Composed([query])).fetchone()
    kind = np.dtype([(name, kind if kind.startswith("S") else f">{kind}") for name, kind in columns.items()])
    return np.frombuffer(row[0] if row and row[0] else b"", kind)


def take_ids(connection: Connection, n: int) -> np.ndarray:
    """Take `n` fresh row ids."""
    low, high, count = connection.execute(
        "select min(id), max(id), count(*) from (select nextval('ops.row_id') as id from generate_series(1, %s)) as i",
        [n],
    ).fetchone() or (0, 0, 0)
    if not n or high - low + 1 == count:
        return np.arange(n, dtype=np.int64) + (low or 0)
    # somebody else took ids in between: take others, one by one
    return np.array(
        [r[0] for r in connection.execute("select nextval('ops.row_id') from generate_series(1, %s)", [n])], np.int64
    )


_FOUND = {"at": "i4", "town": "S9", "id": "i8", "updated_us": "i8", "hash": "i8", "gone": "i4"}


def look_up(connection: Connection, dataset: str, keys: pa.Array) -> Any:
    """Find source keys in the registry: at (position in `keys`), town, id, updated_us, hash and gone of each found."""
    connection.execute('create temp table if not exists asked (at int, source_key text collate "C") on commit drop')
    connection.execute("truncate asked")
    n = len(keys)
    copy_in(connection, "asked", {"at": binary.integer(np.arange(n), 4), "source_key": binary.text(keys)}, n)
    connection.execute("analyze asked")
    query = sql.SQL(
        "select string_agg(int4send(a.at) || convert_to(r.town_code, 'UTF8') || int8send(r.id)"
        " || int8send((extract(epoch from r.updated_at) * 1000000)::bigint) || int8send(r.row_hash)"
        " || int4send((r.gone_on is not null)::int), '' order by a.at)"
        " from asked a join raw.source_registry r on r.dataset = {} and r.source_key = a.source_key"
    ).format(sql.Literal(dataset))
    # key by key through the index: joined otherwise, the whole registry is read again for every batch
    connection.execute("set local enable_hashjoin = off")
    connection.execute("set local enable_mergejoin = off")
    found = fetch(connection, query, _FOUND)
    connection.execute("set local enable_hashjoin to default")
    connection.execute("set local enable_mergejoin to default")
    return found


def known_hashes(connection: Connection, dataset: str) -> np.ndarray:
    """Row hashes of everything loaded of a dataset and not gone, sorted."""
    query = sql.SQL(
        "select string_agg(int8send(row_hash), '') from raw.source_registry where dataset = {} and gone_on is null"
    ).format(sql.Literal(dataset))
    return np.sort(fetch(connection, query, {"hash": "i8"})["hash"].astype(np.int64).view(np.uint64))


def write_quarantine(connection: Connection, dataset: str, delivery_id: int, rows: Quarantined, now: datetime) -> int:
    """Write quarantined rows of a delivery, open from now on."""
    rest = pa.array(rows.rest_hash, pa.int64())

    def text(values: list[Any]) -> binary.Varying:
        return binary.text(pa.array(values, pa.string()))

    fields: dict[str, binary.Field] = {
        "delivery_id": binary.integer(np.full(rows.n, delivery_id), 8),
        "line": binary.integer(np.array(rows.line, np.int64), 4),
        "dataset": binary.constant(dataset, rows.n),
        "source_key": text(rows.source_key),
        "field": text(rows.field),
        "value": text(rows.value),
        "reason": text(rows.reason),
        "remedy": text(rows.remedies()),
        "row_sealed": binary.text(pa.array(rows.row_sealed, pa.binary())),
        "row_hash": binary.integer(np.array(rows.row_hash, np.int64), 8),
        "rest_hash": binary.integer(plain(rest), 8, missing(rest)),
        "version_at": binary.moments(pa.array(rows.version_at, pa.timestamp("us", "UTC"))),
        "open_since": binary.moments(pa.array([now] * rows.n, pa.timestamp("us", "UTC"))),
    }
    return copy_in(connection, "raw.quarantine", fields, rows.n)
