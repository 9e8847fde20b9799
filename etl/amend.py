"""Amend: correct values of a person by request, at once and against every delivery that still has them wrong.

The row that is kept is read back into what a department would have delivered, with the right values, and goes the way
of every delivery: the same casts, rules and counts, a line in the ledger, the former version among the past. What is
left behind for the deliveries to come is an amendment, see `etl.amendments`.
"""

from __future__ import annotations

import secrets as chance
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from psycopg import sql
from psycopg.rows import dict_row

from etl.amendments import PLACE, Amendment, Amendments, as_text, placed_by_code, read_amendments, write_amendments
from etl.columns import Context
from etl.coordinates import conversion
from etl.copying import Connection
from etl.doubts import ADDRESS, CANDIDATES, CONFIDENCE
from etl.errand import make_rules
from etl.keys import Ordinals
from etl.ledger import close_delivery_row, hash_declaration, lock_dataset, open_delivery_row
from etl.load import TableLoader
from etl.outstanding import Outstanding
from etl.place import TIED_BY, Placed
from etl.reasons import REASONS
from etl.reform.follow import follow_changes, note_change
from etl.report import DeliveryReport
from etl.rows import GoodRows
from etl.shape import shape
from etl.sources import RawBatch
from etl.sources.batch import text_column
from etl.tombstones import read_tombstones
from etl.transform import FileMemory, Identities, Rules, Transformed, transform
from etl.tree import GridTree, read_tree
from etl.uniques import read_held
from layers.accounts import audit
from layers.database import Database
from layers.declare.records import Catalog, Column, Dataset
from layers.editions import edition_on
from layers.errors import DeliveryError, UnknownNameError
from layers.people import publish
from layers.seal import Sealer
from layers.secrets import Secrets
from layers.tallies import fold, number_catalog

LABEL = "依申请更正 by request"
"""Stands in the ledger where the name of a file stands."""

_SEALED = {"person_name": "name_sealed", "id_number": "number_sealed", "phone": "phone_sealed"}
_STORED = """
select p.*, st_x(p.geom) as lon, st_y(p.geom) as lat, i.name_sealed, i.number_sealed, i.phone_sealed, r.row_hash
from vault.person p
join raw.source_registry r on r.dataset = p.dataset and r.source_key = p.source_key
left join vault.identity i on i.town_code = p.town_code and i.id = p.id
where p.dataset = %s and p.subject = %s and p.gone_on is null order by p.id
"""
_RENAMED = ("vault.person", "raw.source_registry", "vault.past", "raw.quarantine")


@dataclass
class Amended:
    """Rows corrected of a person by dataset; none where nothing is kept, or all is as asked already."""

    rows: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What is asked for: `values` by column of the declarations (empty: none), `grid_code` for the place."""

    subject: bytes
    values: Mapping[str, str]
    why: str
    run_by: str
    dataset: str | None = None
    dry_run: bool = False


def amend(
    database: Database, catalog: Catalog, secrets: Secrets, request: Request, *, cache_dir: Path, now: datetime
) -> Amended:
    """Correct values of all rows of a person that have them, in one transaction.

    The log has it before a row is read. Counts of people are published anew.

    Parameters
    ----------
    database, catalog, secrets
        The installation.
    request
        Who, what, and why.
    cache_dir
        Where trees of grids are kept.
    now
        Moment of the correction; its month is published anew.

    Raises
    ------
    UnknownNameError
        No dataset of people has such a column.
    DeliveryError
        A value would be refused if it were delivered, or the row cannot be told apart from others.
    """
    datasets = _datasets(catalog, request)
    sealer, amended = Sealer(secrets), Amended()
    with database.connect("loader") as connection:
        _note(connection, request, request.subject, done="correction asked", dry_run=request.dry_run)
        connection.commit()
        tree = read_tree(connection, edition_on(connection, catalog.city), cache_dir)
        for dataset in datasets:
            lock_dataset(connection, dataset.key)
            desk = _Desk(connection, catalog, replace(dataset, delivery="changes"), sealer, tree, now)
            if n := desk.amend(request):
                amended.rows[dataset.key] = n
                note_change(connection, dataset.key)
        if request.dry_run:
            connection.rollback()
            return amended
        _note(connection, request, request.subject, done="corrected", rows=amended.rows)
        if amended.rows:
            local = now.astimezone(ZoneInfo(catalog.city.zone))
            publish(connection, secrets, local.year * 100 + local.month, list(catalog.breakdowns.values()))
        fold(connection)
        connection.commit()
        follow_changes(connection, catalog, cache_dir)
    return amended


@dataclass(frozen=True)
class _Desk:
    """One dataset, in the transaction under way."""

    connection: Connection
    catalog: Catalog
    dataset: Dataset
    sealer: Sealer
    tree: GridTree
    now: datetime

    def amend(self, request: Request) -> int:
        stored = self._read(request.subject)
        if not stored:
            return 0
        rules = self._rules()
        delivered = self._batch(stored, rules.context)
        before = shape(delivered, rules.context, Ordinals())
        values = {key: value for key, value in request.values.items() if key in _fields(self.dataset)}
        wanted = self._with(delivered, values)
        done = transform(wanted, rules, FileMemory(np.zeros(0, np.uint64), uniques=self._held(stored)))
        self._check(done, len(stored))
        placed = self._placed(stored, values.get(PLACE))
        earlier = read_amendments(self.connection, self.dataset.key, self.sealer, self.tree)
        texts = {
            key: (as_text(before.columns[key]), as_text(done.good.shaped.columns[key]))
            for key in values
            if key != PLACE
        }
        if PLACE in values:
            codes = self.tree.codes.take(pa.array(placed.grid))
            texts[PLACE] = pa.array([row["grid_code"] for row in stored], pa.string()), codes
        keys = done.good.keys.to_pylist()
        made = [self._made(row["source_key"], keys[n], n, texts, values, earlier) for n, row in enumerate(stored)]
        rows = np.flatnonzero([any(made_of) for made_of in made])
        if not len(rows) or request.dry_run:
            return len(rows)
        self._write(stored, done, placed, made, rows, earlier, request)
        return len(rows)

    def _read(self, subject: bytes) -> list[dict[str, Any]]:
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(_STORED, [self.dataset.key, subject]).fetchall()

    def _rules(self) -> Rules:
        source = replace(self.dataset.source, lon=None, lat=None, address=None, grid_code=None, crs="EPSG:4490")
        context = Context(self.catalog, replace(self.dataset, source=source), self.now)
        nothing = Outstanding(pa.array([], pa.string()), {})
        forgotten, to = read_tombstones(self.connection), conversion("EPSG:4490")
        return make_rules(context, self.tree, to, self.sealer, self.now, nothing, forgotten, Amendments())

    def _held(self, stored: list[dict[str, Any]]) -> Any:
        return read_held(self.connection, self.dataset, np.array([row["row_hash"] for row in stored]))

    def _batch(self, stored: list[dict[str, Any]], context: Context) -> RawBatch:
        """Rows as they might have been delivered."""
        zone, told = ZoneInfo(context.catalog.city.zone), {}
        opened = {kind: [_open(self.sealer, row[name]) for row in stored] for kind, name in _SEALED.items()}
        for column in self.dataset.columns:
            told[column.heading] = (
                pa.array(opened.pop(column.type, [None] * len(stored)), pa.string())
                if column.type in _SEALED
                else text_column([_delivered(column, row, zone) for row in stored])
            )
        return RawBatch(told, np.arange(len(stored)))

    def _with(self, batch: RawBatch, values: Mapping[str, str]) -> RawBatch:
        headings = {column.key: column.heading for column in self.dataset.columns}
        right = {headings[key]: text_column([value] * batch.n) for key, value in values.items() if key != PLACE}
        return replace(batch, columns={**batch.columns, **right})

    def _check(self, done: Transformed, n: int) -> None:
        if done.good.n == n:
            return
        if not done.quarantined.n:
            raise DeliveryError("Somebody was deleted by request under this number.", "Compare it with the document.")
        reason = REASONS[done.quarantined.reason[0]]
        raise DeliveryError(
            f"{self.dataset.key}, {done.quarantined.field[0]}: {reason.name.zh} {reason.name.en}.",
            f"{reason.remedy.zh} {reason.remedy.en}",
        )

    def _placed(self, stored: list[dict[str, Any]], code: str | None) -> Placed:
        def numbers(name: str) -> np.ndarray:
            return np.array([np.nan if row[name] is None else row[name] for row in stored], float)

        grid = self.tree.find(pa.array([row["grid_code"] for row in stored], pa.string()))
        tied_by = np.array([TIED_BY.index(row["tied_by"]) for row in stored], np.int8)
        placed = Placed(numbers("lon"), numbers("lat"), None, grid, tied_by, np.zeros(len(stored), bool))
        if code is None:
            return placed
        (to,) = self.tree.find(pa.array([code], pa.string()))
        if to < 0 or to == self.tree.city or self.tree.codes[int(to)].as_py() != code:
            raise DeliveryError(f"There is no grid {code} today.", "Take the code of the grid from the map.")
        rows = np.flatnonzero(grid != to)
        return placed_by_code(placed, rows, np.full(len(rows), to, np.int32))

    def _made(
        self,
        old_key: str,
        new_key: str,
        n: int,
        texts: Mapping[str, tuple[pa.Array, pa.Array]],
        values: Mapping[str, str],
        earlier: Amendments,
    ) -> list[Amendment]:
        """Amendments of one row: none for what is as asked already, and one more for what was corrected before."""
        known = {one.field: one for one in earlier.held if one.row_key == old_key}
        delivered = next((one.source_key for one in known.values()), old_key)
        made = []
        for name, (before, after) in texts.items():
            was, now = before[n].as_py(), after[n].as_py()
            if was == now:
                continue
            wrong = dict.fromkeys([*(known[name].refuted if name in known else ()), was])
            wrong.pop(now, None)
            right = now if name == PLACE else values[name].strip() or None
            made.append(Amendment(delivered, new_key, name, self.tree.edition, right, tuple(wrong), self.now))
        return made

    def _write(
        self,
        stored: list[dict[str, Any]],
        done: Transformed,
        placed: Placed,
        made: list[list[Amendment]],
        rows: np.ndarray,
        earlier: Amendments,
        request: Request,
    ) -> None:
        connection, dataset = self.connection, self.dataset
        keys = done.good.keys.to_pylist()
        marks = {(one.row_key, one.field): mark for one, mark in zip(earlier.held, earlier.marks, strict=True)}
        hashes = np.array([row["row_hash"] for row in stored], np.int64).view(np.uint64)
        for n in rows:
            for one in (one for one in made[n] if one.field != PLACE):
                hashes[n] ^= np.uint64(one.mark(self.sealer) ^ marks.get((stored[n]["source_key"], one.field), 0))
            self._rename(stored[n]["source_key"], keys[n])
            write_amendments(connection, dataset.key, made[n], self.sealer, request.why, self.now)
        codes = pa.array([row["delivered_code"] for row in stored], pa.string())
        good = replace(
            done.good,
            shaped=replace(done.good.shaped, delivered_code=codes),
            placed=placed,
            row_hash=hashes,
            updated_at=pa.array([row["updated_at"] for row in stored], pa.timestamp("us", "UTC")),
            doubts=_doubts(stored, placed),
        )
        self._load(good, done.identities, rows)
        for subject in set(good.subjects or ()) - {request.subject}:
            _note(connection, request, subject, done="corrected", before=request.subject.hex())

    def _load(self, good: GoodRows, identities: Identities | None, rows: np.ndarray) -> None:
        connection, dataset = self.connection, self.dataset
        digest = chance.token_bytes(32)
        declaration = hash_declaration(dataset, self.catalog)
        opened = open_delivery_row(
            connection, dataset, Path(LABEL), (digest, 0), declaration, self.tree.edition, self.now
        )
        loader = TableLoader(
            connection, dataset, self.tree, number_catalog(connection, self.catalog), opened,
            key_id=self.sealer.key_id, zone=self.catalog.city.zone,
        )  # fmt: skip
        loader.rewrite(good, identities, rows)
        loader.finish(self.tree.towns)
        report = DeliveryReport(dataset.key, LABEL, n_read=len(rows), n_updated=len(rows), notes={"by_request": True})
        close_delivery_row(connection, opened, report)

    def _rename(self, old: str, new: str) -> None:
        """Let a row whose key was corrected be known by the right one."""
        if old == new:
            return
        taken = self.connection.execute(
            "select from raw.source_registry where dataset = %s and source_key = %s", [self.dataset.key, new]
        ).fetchone()
        if taken is not None:
            raise DeliveryError(
                f"{self.dataset.key} has another row under this number already.",
                "One of the two has to go: ask the department which.",
            )
        for table in _RENAMED:
            self.connection.execute(
                sql.SQL("update {} set source_key = %s where dataset = %s and source_key = %s").format(
                    sql.Identifier(*table.split("."))
                ),
                [new, self.dataset.key, old],
            )
        self.connection.execute(
            "update raw.amendment set row_key = %s where dataset = %s and row_key = %s", [new, self.dataset.key, old]
        )


def _datasets(catalog: Catalog, request: Request) -> Iterator[Dataset]:
    people = {key: one for key, one in catalog.datasets.items() if one.table == "person"}
    if request.dataset is not None and request.dataset not in people:
        raise UnknownNameError("dataset", request.dataset, people)
    named = [one for key, one in people.items() if request.dataset in (None, key)]
    known = sorted({key for one in named for key in _fields(one)})
    for key in request.values:
        if key not in known:
            raise UnknownNameError("column", key, known)
    return (one for one in named if not _fields(one).isdisjoint(request.values))


def _fields(dataset: Dataset) -> set[str]:
    """What can be corrected of a dataset: nothing where a row is known by all of it."""
    if dataset.row_key == ("*",):
        return set()
    return {column.key for column in dataset.columns if column.key != "updated_at"} | {PLACE}


def _note(connection: Connection, request: Request, subject: bytes, **told: Any) -> None:
    audit.note_load(
        connection, "person_change", request.run_by, f"person {subject.hex()}",
        why=request.why, fields=sorted(request.values), **told,
    )  # fmt: skip


def _open(sealer: Sealer, sealed: bytes | None) -> str | None:
    return None if sealed is None else sealer.open(bytes(sealed))


def _delivered(column: Column, row: Mapping[str, Any], zone: ZoneInfo) -> Any:
    """A stored value as a department would write it."""
    value = row[column.key] if column.key in row else row["attrs"].get(column.key)
    if isinstance(value, list):
        return ",".join(value)
    if column.type == "month" and value is not None:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return f"{moment.astimezone(zone):%Y-%m}"
    return value


def _doubts(stored: list[dict[str, Any]], placed: Placed) -> dict[str, pa.Array]:
    """What was kept of a tie by address, for rows that stay where they are."""
    kinds = {CONFIDENCE: pa.float64(), CANDIDATES: pa.list_(pa.string()), ADDRESS: pa.string()}
    stays = placed.tied_by == TIED_BY.index("address")
    if not any(key in row["attrs"] for row in stored for key in kinds):
        return {}
    return {
        key: pa.array([row["attrs"].get(key) if stay else None for row, stay in zip(stored, stays, strict=True)], kind)
        for key, kind in kinds.items()
    }
