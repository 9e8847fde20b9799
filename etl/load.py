"""Load: good rows of a dataset into its table, its identities and the registry, and what changed into the tallies.

New rows are copied straight into the table. Rows whose key is known already are staged: in the same town they are
updated, in another they are inserted anew under their id and the old copy goes; older copies are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import errors, sql

from etl import binary
from etl.copying import Connection, copy_in, look_up, table_name, take_ids
from etl.gone import RollCall, mark_gone
from etl.masks import plain
from etl.pace import WriteBehind
from etl.rows import TABLES, TALLIED, GoodRows, state_column, table_fields
from etl.transform import Identities
from etl.tree import GridTree
from etl.versions import carry_links, keep_past, outdated, worked_on
from layers.declare.records import Dataset
from layers.tables import STATES
from layers.tallies import GRAINS, SCHEMAS, Numbers, Rows, TallyChanges

_FIRST_LOAD = 4_490_003
REGISTRY = "raw.source_registry"
IDENTITY = "vault.identity"
TALLIES = [f"{schema}.tally_{grain}" for schema in SCHEMAS for grain in GRAINS]

_OLD_ROWS = """
select t.grid_code, {day}, {category}, {state}, {sealed}, count(*)
from {table} t join {leaving} i on t.town_code = i.old_town and t.id = i.id
where t.edition = %(edition)s and t.gone_on is null group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
"""


@dataclass
class Counts:
    """What became of the good rows of a delivery."""

    n_inserted: int = 0
    n_updated: int = 0
    n_moved: int = 0
    n_returned: int = 0
    n_gone: int = 0
    n_stale: int = 0
    n_unplaced: int = 0


class TableLoader:
    """Writes the good rows of one delivery inside the transaction under way."""

    def __init__(
        self,
        connection: Connection,
        dataset: Dataset,
        tree: GridTree,
        numbers: Numbers,
        delivery_id: int,
        *,
        key_id: str,
        zone: str,
    ) -> None:
        self._connection, self._dataset, self._tree, self._numbers = connection, dataset, tree, numbers
        self._delivery_id, self._key_id, self._zone = delivery_id, key_id, zone
        self._table = TABLES[dataset.table]
        self._has_version = any(c.key == "updated_at" for c in dataset.columns)
        self.counts = Counts()
        self.changes = TallyChanges()
        self.is_first = not _has_rows(connection, REGISTRY, dataset.key)
        self._held: list[str] = []

    def begin(self) -> None:
        """Drop the indexes of tables that are still empty, until `finish`."""
        wanted = [self._table, REGISTRY]
        wanted += (
            [IDENTITY] if any(c.type in ("person_name", "id_number", "phone") for c in self._dataset.columns) else []
        )
        if self._dataset.table in TALLIED:
            wanted += TALLIES
        self._held = hold_indexes(self._connection, wanted)

    def write(self, rows: GoodRows, identities: Identities | None) -> None:
        """Write one batch."""
        self.counts.n_unplaced += int((rows.placed.grid == self._tree.city).sum())
        if self.is_first:
            self._insert(rows, identities)
            return
        found = look_up(self._connection, self._dataset.key, rows.keys)
        at = found["at"].astype(np.int64)
        new = np.ones(rows.n, bool)
        new[at] = False
        stale = np.zeros(len(found), bool)
        if self._has_version:
            stale = outdated(
                self._connection, self._table, rows, found, self._delivery_id, is_whole=self._dataset.delivery == "full"
            )
        if self._dataset.table == "event":
            stale |= worked_on(self._connection, found)
        if stale.any():
            self.counts.n_stale += int(stale.sum())
            self.counts.n_unplaced -= int((rows.placed.grid[at[stale]] == self._tree.city).sum())
            found, at = found[~stale], at[~stale]
        if new.any():
            fresh = np.flatnonzero(new)
            self._insert(rows.take(fresh), _some(identities, fresh))
        if len(at):
            self._update(rows.take(at), _some(identities, at), found)

    def rewrite(self, rows: GoodRows, identities: Identities | None, at: np.ndarray) -> None:
        """Write some rows anew that are there already, whatever the version of their copy."""
        some = rows.take(at)
        self._update(some, _some(identities, at), look_up(self._connection, self._dataset.key, some.keys))

    def mark_missing(self, roll: RollCall, day: date) -> None:
        """Mark the rows that the roll call did not name as gone, and take them out of the counts."""
        self.counts.n_gone = roll.find_missing(self._dataset.key)
        if self.counts.n_gone:
            self._count_old("leaving")
            mark_gone(self._connection, self._dataset.key, self._table, day)

    def take_out(self) -> None:
        """Take the rows in `leaving` out of the counts."""
        self._count_old("leaving")

    def finish(self, towns: dict[int, str]) -> int:
        """Make the indexes again and write the tallies; return how many tally rows that took."""
        written = 0
        with WriteBehind() as behind:
            behind.submit(release_indexes, self._connection, [table for table in self._held if table not in TALLIES])
            self.changes.sum_up()
            behind.wait()
        if self._dataset.table in TALLIED:
            delta_id = 0 if self.is_first else int(take_ids(self._connection, 1)[0])
            dataset_no = self._numbers.datasets[self._dataset.key]
            written = self.changes.write(self._connection, dataset_no, towns, delta_id, self._held)
        release_indexes(self._connection, [table for table in self._held if table in TALLIES])
        return written

    def _insert(self, rows: GoodRows, identities: Identities | None) -> None:
        ids = take_ids(self._connection, rows.n)
        laid, laid_ids = rows, ids
        if self._dataset.table == "event":
            order = _as_asked(rows, self._zone)
            laid, laid_ids = rows.take(order), ids[order]
        fields = table_fields(laid, self._dataset, self._tree, laid_ids, self._delivery_id)
        self.counts.n_inserted += self._copy(self._table, fields, rows.n)
        self._copy(REGISTRY, self._registry_fields(rows, ids), rows.n)
        if identities is not None:
            self._copy_identities(rows, identities, ids)
        self._count(rows)

    def _copy(self, table: str, fields: dict[str, binary.Field], n: int) -> int:
        return copy_in(self._connection, table, fields, n, is_fresh=table in self._held)

    def _update(self, rows: GoodRows, identities: Identities | None, found: np.ndarray) -> None:
        run = self._connection.execute
        ids = found["id"].astype(np.int64)
        fields = table_fields(rows, self._dataset, self._tree, ids, self._delivery_id)
        fields["old_town"] = binary.fixed_text(np.ascontiguousarray(found["town"]))
        run(
            sql.SQL(
                'create temp table if not exists incoming (like {}, old_town text collate "C") on commit drop'
            ).format(table_name(self._table))
        )
        for column in ("version",) if self._dataset.table == "event" else ():
            run(sql.SQL("alter table incoming alter {} drop not null").format(sql.Identifier(column)))
        run("truncate incoming")
        copy_in(self._connection, "incoming", fields, rows.n)
        run("analyze incoming")
        self._count_old("incoming")
        keep_past(self._connection, self._table, has_identities=identities is not None)
        names = [name for name in fields if name != "old_town"]
        moved = self._move(names)
        self._update_in_place(names)
        self._update_registry(rows, ids)
        if identities is not None:
            run("delete from vault.identity t using incoming i where t.town_code = i.old_town and t.id = i.id")
            self._copy_identities(rows, identities, ids)
        self.counts.n_updated += rows.n
        self.counts.n_returned += int((found["gone"] != 0).sum())
        self.counts.n_moved += moved
        self._count(rows)

    def _move(self, names: list[str]) -> int:
        """Insert rows that changed their town under the same id, with the steps that hang on them; delete the old."""
        run = self._connection.execute
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        moved = run(
            sql.SQL("insert into {} ({}) select {} from incoming where town_code <> old_town").format(
                table_name(self._table), columns, columns
            )
        ).rowcount
        if not moved:
            return 0
        carry_links(self._connection)
        if self._dataset.table == "event":
            run(
                "select ops.carry_events(array_agg(id order by id), array_agg(old_town order by id),"
                " array_agg(town_code order by id)) from incoming where town_code <> old_town"
            )
        run(
            sql.SQL(
                "delete from {} t using incoming i"
                " where t.town_code = i.old_town and t.id = i.id and i.town_code <> i.old_town"
            ).format(table_name(self._table))
        )
        return int(moved)

    def _update_in_place(self, names: list[str]) -> None:
        plain = [name for name in names if name not in ("town_code", "id")]
        sets: list[sql.Composable] = [sql.SQL("{0} = i.{0}").format(sql.Identifier(name)) for name in plain]
        sets.append(sql.SQL("gone_on = null"))
        if self._dataset.table == "event":
            sets.append(sql.SQL("version = t.version + 1"))
        self._connection.execute(
            sql.SQL(
                "update {} t set {} from incoming i"
                " where t.town_code = i.town_code and t.id = i.id and i.town_code = i.old_town"
            ).format(table_name(self._table), sql.SQL(", ").join(sets))
        )

    def _update_registry(self, rows: GoodRows, ids: np.ndarray) -> None:
        run = self._connection.execute
        run("create temp table if not exists registered (like raw.source_registry) on commit drop")
        run("truncate registered")
        copy_in(self._connection, "registered", self._registry_fields(rows, ids), rows.n)
        run(
            "update raw.source_registry t set town_code = r.town_code, row_hash = r.row_hash,"
            " updated_at = r.updated_at, gone_on = null from registered r"
            " where t.dataset = r.dataset and t.source_key = r.source_key"
        )

    def _registry_fields(self, rows: GoodRows, ids: np.ndarray) -> dict[str, binary.Field]:
        return {
            "id": binary.integer(ids, 8),
            "row_hash": binary.integer(rows.row_hash.view(np.int64), 8),
            "updated_at": binary.moments(rows.updated_at),
            "town_code": binary.fixed_text(self._tree.town_bytes[rows.placed.grid]),
            "dataset": binary.constant(self._dataset.key, rows.n),
            "source_key": binary.text(rows.keys),
        }

    def _copy_identities(self, rows: GoodRows, identities: Identities, ids: np.ndarray) -> None:
        fields: dict[str, binary.Field] = {
            "id": binary.integer(ids, 8),
            "town_code": binary.fixed_text(self._tree.town_bytes[rows.placed.grid]),
            "dataset": binary.constant(self._dataset.key, rows.n),
            "key_id": binary.constant(self._key_id, rows.n),
        }
        fields |= {name: binary.text(pa.array(v, pa.binary())) for name, v in identities.columns.items()}
        self._copy(IDENTITY, fields, rows.n)

    def _count(self, rows: GoodRows) -> None:
        if self._dataset.table not in TALLIED:
            return
        grid, tree = rows.placed.grid, self._tree
        columns = rows.shaped.columns
        nothing = np.zeros(rows.n, np.int64)
        day, state = nothing, nothing
        if self._dataset.table == "event":
            day = civil_days(columns["reported_at"], self._zone)
            state = _numbered(state_column(rows), {s: i + 1 for i, s in enumerate(STATES)})
        category = nothing if rows.category is None else _numbered(rows.category, self._numbers.categories)
        sealed = np.ones(rows.n, bool) if self._dataset.table == "person" else rows.is_sensitive
        numbers = tree.numbers
        self.changes.add(
            Rows(numbers[grid], numbers[tree.medium[grid]], numbers[tree.large[grid]], day, category, state, sealed)
        )

    def _count_old(self, leaving: str) -> None:
        """Take the rows that are about to change or to leave out of the counts."""
        table = self._dataset.table
        if table not in TALLIED:
            return
        is_event, is_person = table == "event", table == "person"
        query = sql.SQL(_OLD_ROWS).format(
            table=table_name(self._table),
            leaving=sql.Identifier(leaving),
            day=sql.SQL(
                "to_char(t.reported_at at time zone %(zone)s, 'YYYYMMDD')::bigint" if is_event else "0::bigint"
            ),
            category=sql.SQL("''::text" if is_person else "coalesce(t.category, '')"),
            state=sql.SQL("t.state" if is_event else "''::text"),
            sealed=sql.SQL("true" if is_person else "t.is_sensitive"),
        )
        old = self._connection.execute(query, {"zone": self._zone, "edition": self._tree.edition}).fetchall()
        if not old:
            return
        code, day, category, state, sealed, n = (list(column) for column in zip(*old, strict=True))
        grid, tree = self._tree.find(pa.array(code, pa.string())), self._tree
        states = {s: i + 1 for i, s in enumerate(STATES)}
        self.changes.add(
            Rows(
                tree.numbers[grid],
                tree.numbers[tree.medium[grid]],
                tree.numbers[tree.large[grid]],
                np.array(day, np.int64),
                np.array([self._numbers.categories.get(c, 0) for c in category], np.int64),
                np.array([states.get(s, 0) for s in state], np.int64),
                np.array(sealed, bool),
                -np.array(n, np.int64),
            )
        )


def hold_indexes(connection: Connection, tables: list[str]) -> list[str]:
    """Drop the indexes of those tables that are empty, and name them; one loader at a time does so."""
    empty = [t for t in tables if not _has_rows(connection, t)]
    if not empty:
        return []
    connection.execute("select pg_advisory_xact_lock(%s)", [_FIRST_LOAD])
    held = []
    for table in empty:
        try:
            with connection.transaction():
                connection.execute("set local lock_timeout = '2s'")
                row = connection.execute("select raw.drop_indexes(%s)", [table]).fetchone()
                connection.execute("set local lock_timeout to default")
        except errors.LockNotAvailable:
            continue  # somebody reads it: it is loaded with its indexes in place
        if row and row[0]:
            held.append(table)
    return held


def release_indexes(connection: Connection, held: list[str]) -> None:
    """Make the indexes again that `hold_indexes` dropped."""
    for table in held:
        connection.execute("select raw.make_indexes(%s)", [table])


def civil_days(moments: pa.Array, zone: str) -> np.ndarray:
    """Civil day of each moment in the zone, as yyyymmdd."""
    local = pc.local_timestamp(moments.cast(pa.timestamp("us", zone)))
    day = pc.add(pc.add(pc.multiply(pc.year(local), 10000), pc.multiply(pc.month(local), 100)), pc.day(local))
    return np.asarray(plain(day), np.int64)


def _as_asked(rows: GoodRows, zone: str) -> np.ndarray:
    """Order in which events lie in their table: by month and grid, as they are asked for, so that few pages are read.

    Only inside a batch, which costs next to nothing: the registry and the ids stay in the order of the file.
    """
    month = civil_days(rows.shaped.columns["reported_at"], zone) // 100
    return np.lexsort((rows.placed.grid, month))


def _numbered(values: pa.Array, numbers: Mapping[str, int]) -> np.ndarray:
    """Number of each value; 0 for none."""
    at = plain(pc.index_in(values, pa.array(list(numbers), pa.string())), len(numbers))
    return np.asarray(np.array([*numbers.values(), 0], np.int64)[at])


def _some(identities: Identities | None, rows: np.ndarray) -> Identities | None:
    if identities is None:
        return None
    return Identities({name: [values[i] for i in rows] for name, values in identities.columns.items()})


def _has_rows(connection: Connection, table: str, dataset: str | None = None) -> bool:
    query = sql.SQL("select exists (select from {}{})").format(
        table_name(table),
        sql.SQL("") if dataset is None else sql.SQL(" where dataset = {}").format(sql.Literal(dataset)),
    )
    row = connection.execute(query).fetchone()
    return bool(row and row[0])
