"""Rows that hang on others: the steps of events, the readings of things. They are appended, never edited."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from psycopg import sql

from etl import binary
from etl.copying import Connection, copy_in, look_up, table_name, take_ids
from etl.keys import Ordinals, SeenKeys, hash_column
from etl.load import Counts, hold_indexes, release_indexes
from etl.outstanding import Called, call
from etl.quarantine import Quarantined, broken_rows, refused_rows
from etl.rows import TABLES, core_keys, encoded
from etl.shape import Shaped, shape
from etl.sources import RawBatch
from etl.transform import Rules, Summary
from layers.declare.records import Dataset

PARENT_KEY = {"event_step": "event_key", "reading": "thing_key"}
"""Column that holds the source key of what a row hangs on, by table."""

_ONCE = {
    "event_step": "town_code, event_id, step_no",
    "reading": "town_code, dataset, thing_key, measure, read_at",
}


@dataclass
class ChildMemory:
    """What is remembered from batch to batch of one file."""

    seen: SeenKeys
    ordinals: Ordinals


class ChildLoader:
    """Writes the steps or readings of one delivery inside the transaction under way."""

    def __init__(self, connection: Connection, dataset: Dataset, rules: Rules, delivery_id: int) -> None:
        self._connection, self._dataset, self._rules = connection, dataset, rules
        self._delivery_id = delivery_id
        self._table = TABLES[dataset.table]
        self._memory = ChildMemory(SeenKeys(), Ordinals())
        self._held: list[str] = []
        self.counts = Counts()

    def begin(self) -> None:
        """Drop the indexes of the table when it is still empty, until `finish`."""
        self._held = hold_indexes(self._connection, [self._table])

    def write(self, batch: RawBatch) -> tuple[Quarantined, Summary, Called]:
        """Check one batch, find what its rows hang on, and write it."""
        rules = self._rules
        shaped = shape(batch, rules.context, self._memory.ordinals)
        rows = np.flatnonzero(~shaped.refusals.bad)
        again = np.zeros(shaped.n, bool)
        again[rows] = self._memory.seen.repeated(hash_column(shaped.keys)[rows])
        headings = {c.key: c.heading for c in self._dataset.columns}
        shaped.refusals.add(
            "duplicate_key", "、".join(headings.get(k, k) for k in self._dataset.row_key), again, shaped.keys
        )
        parent = PARENT_KEY[self._dataset.table]
        found = look_up(self._connection, self._dataset.of_dataset or "", shaped.columns[parent])
        position = np.full(shaped.n, -1, np.int64)
        position[found["at"]] = np.arange(len(found))
        shaped.refusals.add("unknown_parent", headings[parent], position < 0, shaped.columns[parent])
        good = np.flatnonzero(~shaped.refusals.bad)
        inserted = self._insert(shaped.take(good), found[position[good]])
        self.counts.n_inserted += inserted
        quarantined = refused_rows(shaped, shaped.keys, self._dataset, rules.sealer)
        reasons = shaped.refusals.counts()
        if batch.broken:
            reasons["wrong_field_count"] = len(batch.broken)
        summary = Summary(shaped.n + len(batch.broken), len(good) - inserted, reasons, {}, shaped.filled)
        called = call(shaped, shaped.keys, ~shaped.refusals.bad, batch.answers, rules.outstanding, rules.sealer)
        return quarantined.joined(broken_rows(batch.broken, rules.sealer)), summary, called

    def finish(self) -> None:
        """Make the indexes again."""
        release_indexes(self._connection, self._held)

    def _insert(self, rows: Shaped, parents: np.ndarray) -> int:
        if not rows.n:
            return 0
        fields = self._fields(rows, parents)
        if self._held:
            return copy_in(self._connection, self._table, fields, rows.n, is_fresh=True)
        run = self._connection.execute
        run(
            sql.SQL("create temp table if not exists steps_in (like {}) on commit drop").format(table_name(self._table))
        )
        run("truncate steps_in")
        copy_in(self._connection, "steps_in", fields, rows.n)
        names = sql.SQL(", ").join(map(sql.Identifier, fields))
        return run(
            sql.SQL("insert into {} ({}) select {} from steps_in order by id on conflict ({}) do nothing").format(
                table_name(self._table), names, names, sql.SQL(_ONCE[self._dataset.table])
            )
        ).rowcount

    def _fields(self, rows: Shaped, parents: np.ndarray) -> dict[str, binary.Field]:
        n, table = rows.n, self._dataset.table
        fields: dict[str, binary.Field] = {
            "id": binary.integer(take_ids(self._connection, n), 8),
            "delivery_id": binary.integer(np.full(n, self._delivery_id), 8),
            "town_code": binary.fixed_text(np.ascontiguousarray(parents["town"])),
        }
        if table == "event_step":
            fields["event_id"] = binary.integer(parents["id"].astype(np.int64), 8)
        else:
            fields["dataset"] = binary.constant(self._dataset.of_dataset or "", n)
        columns: dict[str, pa.Array] = dict(rows.columns)
        return fields | {key: encoded(TABLES[table], key, columns[key]) for key in core_keys(table) if key in columns}
