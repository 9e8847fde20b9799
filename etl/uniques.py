"""Values that may stand under one key only: compared inside the file and with everything loaded, by sorted hashes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
from psycopg import sql

from etl.copying import Connection, table_name
from etl.keys import SeenKeys, hash_column, hash_rows
from etl.masks import present
from etl.rows import TABLES, core_keys
from layers.declare.records import Dataset, Unique

_SEED = 0x756E6971
_CHUNK = 1 << 24
"""Bytes of the store's answer that are looked at in one go, and so held in memory."""


@dataclass(frozen=True)
class Held:
    """What the store holds of one set of columns: hashes of values, sorted, and of the keys they stand under."""

    values: np.ndarray
    keys: np.ndarray

    def by_another(self, values: np.ndarray, keys: np.ndarray) -> np.ndarray:
        """Mark the values that stand under some other key than the one given."""
        low, high = np.searchsorted(self.values, values), np.searchsorted(self.values, values, side="right")
        taken = high > low
        only = np.flatnonzero(high - low == 1)
        taken[only] = self.keys[low[only]] != keys[only]
        return taken


@dataclass
class UniqueMemory:
    """For each declared set of columns: what the store holds, and what was met in this file so far."""

    held: Sequence[Held] = ()
    seen: list[SeenKeys] = field(default_factory=list)

    def repeated(self, at: int, columns: Sequence[pa.Array], keys: np.ndarray) -> np.ndarray:
        """Mark the rows whose values stood under another key before; rows with a value missing are passed over."""
        again = np.zeros(len(keys), bool)
        rows = np.flatnonzero(np.logical_and.reduce([present(column) for column in columns]))
        if not len(rows):
            return again
        while len(self.seen) <= at:
            self.seen.append(SeenKeys())
        values = hash_rows([c.take(pa.array(rows)) for c in columns], len(rows), _SEED)
        again[rows] = self.seen[at].repeated(values)
        if at < len(self.held):
            again[rows] |= self.held[at].by_another(values, keys[rows])
        return again


def read_held(connection: Connection, dataset: Dataset, known: np.ndarray) -> UniqueMemory:
    """Read what the store holds of each unique set of columns of a dataset of which these rows are known.

    Where none is, its table is not looked at: a first load keeps it locked while others do its batches.
    """
    if not len(known):
        nothing = np.zeros(0, np.uint64)
        return UniqueMemory([Held(nothing, nothing) for _ in dataset.unique])
    return UniqueMemory([_held(connection, dataset, unique) for unique in dataset.unique])


def _held(connection: Connection, dataset: Dataset, unique: Unique) -> Held:
    kinds = {column.key: column.type for column in dataset.columns}
    core = core_keys(dataset.table)
    values: list[sql.Composable] = []
    for key in unique.columns:
        if kinds[key] == "id_number":
            values.append(sql.SQL("case when has_number then encode(subject, 'hex') end"))
        elif key in core:
            values.append(sql.SQL("{}::text").format(sql.Identifier(key)))
        else:
            values.append(sql.SQL("attrs->>{}").format(sql.Literal(key)))
    query = sql.SQL(
        "copy (select source_key, {values} from {table} where dataset = {dataset} and gone_on is null) "
        "to stdout (format csv, force_quote *)"
    ).format(
        values=sql.SQL(", ").join(values), table=table_name(TABLES[dataset.table]), dataset=sql.Literal(dataset.key)
    )
    names = ["key", *unique.columns]
    value_hashes, key_hashes = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
    for part in _tables(connection, query, names):
        columns = [part.column(name).combine_chunks() for name in names]
        there = np.logical_and.reduce([present(column) for column in columns])
        columns = [column.filter(pa.array(there)) for column in columns]
        key_hashes.append(hash_column(columns[0]))
        value_hashes.append(hash_rows(columns[1:], len(columns[0]), _SEED))
    hashes, keys = np.concatenate(value_hashes), np.concatenate(key_hashes)
    order = np.argsort(hashes, kind="stable")
    return Held(hashes[order], keys[order])


def _tables(connection: Connection, query: sql.Composed, names: Sequence[str]) -> Iterator[pa.Table]:
    """Rows of a COPY as text columns, some megabytes at a time; a value that is not there is null."""
    options = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    read, parse = csv.ReadOptions(column_names=list(names)), csv.ParseOptions(newlines_in_values=True)
    for text in _texts(connection, query):
        yield csv.read_csv(io.BytesIO(text), read_options=read, parse_options=parse, convert_options=options)


def _texts(connection: Connection, query: sql.Composed) -> Iterator[bytes]:
    """What a COPY gives, row after whole row: each block that the driver hands on is a row."""
    rows: list[bytes] = []
    size = 0
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for row in copy:
            rows.append(bytes(row))
            size += len(row)
            if size >= _CHUNK:
                yield b"".join(rows)
                rows, size = [], 0
    if rows:
        yield b"".join(rows)
