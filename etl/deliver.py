"""Deliver: one delivery inside one transaction, from the file to the sums that have to agree."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from etl.amendments import end_amendments, read_amendments
from etl.columns import Context
from etl.coordinates import Conversion
from etl.copying import Connection, known_hashes, write_quarantine
from etl.corrections import NUMBER, CorrectionSource, as_correction
from etl.crew import Crew
from etl.crs import conversion_of
from etl.errand import make_rules
from etl.expectations import keep_expectations
from etl.gone import RollCall
from etl.grids import GridLoader
from etl.ledger import (
    close_delivery_row,
    hash_declaration,
    hash_file,
    loaded_before,
    lock_dataset,
    open_delivery_row,
)
from etl.load import IDENTITY, REGISTRY, TALLIES, TableLoader
from etl.outstanding import Settlement, call, read_outstanding
from etl.pace import WriteBehind, read_ahead
from etl.plan import Job
from etl.released import is_of_people, note_people
from etl.report import DeliveryReport
from etl.rows import TABLES
from etl.sources import DEFAULT_LIMITS, Limits, RawBatch, Source, headings_of, open_delivery
from etl.steps import PARENT_KEY, ChildLoader
from etl.tombstones import read_tombstones
from etl.transform import FileMemory, Rules, Summary, Transformed, transform
from etl.tree import GridTree, read_tree
from etl.uniques import read_held
from layers.declare.out_of_scope import out_of_scope
from layers.declare.records import Catalog, Dataset
from layers.editions import edition_on
from layers.seal import Sealer
from layers.secrets import Secrets
from layers.tallies import Numbers

Step = Callable[[str], None]
_ANALYSE_FROM, _ANALYSE_SHARE = 1000, 0.1
_MOST_CODES = 10
"""Codes that say no grid and are named in a report; the others are counted together."""


def no_step(name: str) -> None:
    """Do nothing at a step; a test hands in something that kills the process."""


@dataclass
class Desk:
    """What all deliveries of a run share."""

    connection: Connection
    catalog: Catalog
    secrets: Secrets
    sealer: Sealer
    numbers: Numbers
    cache_dir: Path
    now: datetime
    at_step: Step = no_step
    limits: Limits = DEFAULT_LIMITS
    tree: GridTree | None = None
    accepted_by: str | None = None
    waits: bool = True
    crew: Crew | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def grid_tree(self) -> GridTree:
        """The tree of grids in force, read again when somebody wrote a newer edition or version."""
        edition = self.edition()
        row = self.connection.execute("select version from pub.edition where edition = %s", [edition]).fetchone()
        if self.tree is None or row is None or (self.tree.edition, self.tree.version) != (edition, row[0]):
            self.tree = read_tree(self.connection, edition, self.cache_dir)
        return self.tree

    def edition(self) -> int:
        """Number of the edition of the grids in force."""
        return edition_on(self.connection, self.catalog.city)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the time of a block to the seconds of this name."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - start, 4)


def load_delivery(desk: Desk, job: Job, report: DeliveryReport, say: Callable[[str], None]) -> None:
    """Load one delivery inside the transaction under way, filling in its report.

    Raises
    ------
    DeliveryError
        The file cannot be taken in, or does not keep what the dataset expects.
    """
    if job.is_correction:
        job = replace(job, dataset=as_correction(job.dataset))
    dataset, connection = job.dataset, desk.connection
    with desk.timed("hash"):
        content = hash_file(job.path, dataset)
    lock_dataset(connection, dataset.key, say, waits=desk.waits)
    desk.at_step("locked")
    declaration = hash_declaration(dataset, desk.catalog)
    known = loaded_before(connection, dataset.key, content[0], declaration)
    if known == "as_declared":
        report.status = "known"
        return
    if known == "otherwise":
        say(f"{dataset.key}: the declaration has changed, {job.path.name} is loaded again")
    opened = open_delivery(job.path, dataset, desk.limits)
    if NUMBER in opened.headings and not job.is_correction:  # under a name of the department's own
        opened.close()
        load_delivery(desk, replace(job, is_correction=True), report, say)
        return
    source: Source = CorrectionSource(opened) if job.is_correction else opened
    _note_dropped(report, source, job)
    delivery_id = open_delivery_row(connection, dataset, job.path, content, declaration, desk.edition(), desk.now)
    desk.at_step("delivery opened")
    context = Context(desk.catalog, dataset, desk.now)
    if dataset.table == "grid":
        conversion = conversion_of(dataset, desk.catalog, job.path, None, desk.limits)
        _note_conversion(report, conversion)
        _load_grids(desk, source, context, conversion, delivery_id, report)
    elif dataset.table in PARENT_KEY:
        _load_children(desk, source, _rules(desk, context, job, report), delivery_id, report)
    else:
        _load_rows(desk, source, _rules(desk, context, job, report), delivery_id, report)
    keep_expectations(connection, dataset, delivery_id, report, desk.accepted_by)
    _close(desk, dataset.table, dataset.key, delivery_id, report)


def _rules(desk: Desk, context: Context, job: Job, report: DeliveryReport) -> Rules:
    file_time = datetime.fromtimestamp(int(job.path.stat().st_mtime), UTC)
    with desk.timed("grids"):
        tree = desk.grid_tree()
    conversion = conversion_of(job.dataset, desk.catalog, job.path, tree, desk.limits)
    _note_conversion(report, conversion)
    outstanding = read_outstanding(desk.connection, job.dataset)
    forgotten = read_tombstones(desk.connection)
    amendments = read_amendments(desk.connection, job.dataset.key, desk.sealer, tree)
    return make_rules(context, tree, conversion, desk.sealer, file_time, outstanding, forgotten, amendments)


def _note_conversion(report: DeliveryReport, conversion: Conversion) -> None:
    if conversion.steps:
        report.notes["coordinates"] = conversion.said()


def _load_rows(desk: Desk, source: Source, rules: Rules, delivery_id: int, report: DeliveryReport) -> None:
    dataset, connection = rules.dataset, desk.connection
    loader = TableLoader(
        connection,
        dataset,
        rules.tree,
        desk.numbers,
        delivery_id,
        key_id=desk.sealer.key_id,
        zone=desk.catalog.city.zone,
    )
    with desk.timed("compare"):
        known = known_hashes(connection, dataset.key)
        memory = FileMemory(known, uniques=read_held(connection, dataset, known))
    loader.begin()
    desk.at_step("indexes dropped")
    roll = RollCall(connection) if dataset.delivery == "full" else None
    settlement = Settlement()

    def write(done: Transformed) -> None:
        with desk.timed("load"):
            loader.write(done.good, done.identities)
            desk.at_step("rows copied")
            write_quarantine(connection, dataset.key, delivery_id, done.quarantined, desk.now)
            settlement.add(done.called)
            if done.summary.ended:
                end_amendments(connection, dataset.key, done.summary.ended, delivery_id, desk.now)
            if roll is not None:
                roll.add(done.called.keys, done.summary.reasons.get("wrong_field_count", 0))
        desk.at_step("batch written")

    with WriteBehind() as behind:
        batches = read_ahead(source.batches(headings_of(dataset)))
        for done in _transformed(desk, batches, rules, memory):
            _add(report, done.summary)
            behind.submit(write, done)
        behind.wait()
    with desk.timed("settle"):
        _find_missing(desk, loader, roll, report)
        _settle(desk, settlement, dataset, delivery_id, report, is_whole=roll is not None)
    with desk.timed("indexes and tallies"):
        report.notes["tally_rows"] = loader.finish(rules.tree.towns)
    desk.at_step("tallies written")
    counts = loader.counts
    report.n_inserted, report.n_updated, report.n_moved = counts.n_inserted, counts.n_updated, counts.n_moved
    report.n_stale, report.n_unplaced = counts.n_stale, counts.n_unplaced
    report.n_gone, report.n_returned = counts.n_gone, counts.n_returned
    report.n_unchanged += counts.n_stale
    if is_of_people(dataset) and counts.n_inserted + counts.n_updated + counts.n_gone:
        note_people(connection, dataset.key)
        desk.at_step("people noted")
    # the planner has to hear of it when the table is not what it was: after first loads and great changes
    if counts.n_inserted + counts.n_updated >= max(_ANALYSE_FROM, _ANALYSE_SHARE * len(memory.known)):
        with desk.timed("analyse"):
            tables = [TABLES[dataset.table], REGISTRY, *([IDENTITY] if dataset.table == "person" else []), *TALLIES]
            connection.execute("select ops.analyse(%s::text[]::regclass[])", [tables])


def _transformed(desk: Desk, batches: Iterator[RawBatch], rules: Rules, memory: FileMemory) -> Iterator[Transformed]:
    """Do the batches here, or have the crew do them."""
    here = (transform(batch, rules, memory) for batch in batches)
    done = here if desk.crew is None else desk.crew.transform(batches, rules, memory)
    while True:
        with desk.timed("transform"):
            batch = next(done, None)
        if batch is None:
            return
        yield batch


def _find_missing(desk: Desk, loader: TableLoader, roll: RollCall | None, report: DeliveryReport) -> None:
    """Mark what a delivery of the whole no longer has, unless a refused row without a key may be one of them."""
    if roll is None:
        return
    if roll.n_nameless:
        report.notes["not_looked_for_missing"] = f"{roll.n_nameless:,} refused rows have no key that can be read"
        return
    loader.mark_missing(roll, desk.now.astimezone(ZoneInfo(desk.catalog.city.zone)).date())
    desk.at_step("missing marked")


def _settle(
    desk: Desk, settlement: Settlement, dataset: Dataset, delivery_id: int, report: DeliveryReport, *, is_whole: bool
) -> None:
    left = settlement.settle(desk.connection, dataset, delivery_id, desk.now, is_whole=is_whole)
    if left:
        report.notes["left_quarantine"] = left
    desk.at_step("quarantine settled")


def _load_children(desk: Desk, source: Source, rules: Rules, delivery_id: int, report: DeliveryReport) -> None:
    dataset, connection = rules.dataset, desk.connection
    loader = ChildLoader(connection, dataset, rules, delivery_id)
    settlement = Settlement()
    loader.begin()
    desk.at_step("indexes dropped")
    for batch in read_ahead(source.batches(headings_of(dataset))):
        with desk.timed("load"):
            quarantined, summary, called = loader.write(batch)
            write_quarantine(connection, dataset.key, delivery_id, quarantined, desk.now)
            settlement.add(called)
        _add(report, summary)
        desk.at_step("batch written")
    with desk.timed("indexes and tallies"):
        loader.finish()
        _settle(desk, settlement, dataset, delivery_id, report, is_whole=False)
    report.n_inserted = loader.counts.n_inserted
    if report.n_inserted >= _ANALYSE_FROM:
        connection.execute("select ops.analyse(%s::text[]::regclass[])", [[TABLES[dataset.table]]])


def _load_grids(
    desk: Desk, source: Source, context: Context, conversion: Conversion, delivery_id: int, report: DeliveryReport
) -> None:
    dataset = context.dataset
    loader = GridLoader(desk.connection, context, conversion, desk.sealer, desk.edition())
    for batch in source.batches(headings_of(dataset)):
        loader.check(batch)
    with desk.timed("tree"):
        report.n_unchanged, notes = loader.finish()
    if dataset.delivery == "full" and (missing := loader.missing()):
        report.notes["missing_left_to_a_reform"] = missing
    settlement, outstanding = Settlement(), read_outstanding(desk.connection, dataset)
    for quarantined, summary, shaped in loader.results():
        write_quarantine(desk.connection, dataset.key, delivery_id, quarantined, desk.now)
        settlement.add(call(shaped, shaped.keys, ~shaped.refusals.bad, None, outstanding, desk.sealer))
        _add(report, summary)
    _settle(desk, settlement, dataset, delivery_id, report, is_whole=False)
    report.notes.update(notes)
    # Few rows, and yet: without knowing that all of them lie in the city, a plan walks them once for each count.
    desk.connection.execute("select ops.analyse(%s::text[]::regclass[])", [["pub.grid"]])
    desk.tree = None
    desk.at_step("grids written")
    report.n_inserted, report.n_updated = loader.counts.n_inserted, loader.counts.n_updated


def _add(report: DeliveryReport, summary: Summary) -> None:
    report.n_read += summary.n_read
    report.n_unchanged += summary.n_unchanged
    report.n_forgotten += summary.n_forgotten
    for name, n in (("amended", summary.n_amended), ("amendments_ended", len(summary.ended))):
        if n:
            report.notes[name] = report.notes.get(name, 0) + n
    if summary.repaired:
        report.n_repaired += len(summary.repaired)
        report.notes.setdefault("repaired", []).extend(summary.repaired)
    report.n_quarantined += sum(summary.reasons.values())
    _sum_into(report.reasons, summary.reasons)
    _sum_into(report.tied, summary.tied)
    _sum_into(report.filled, summary.filled)
    _sum_into(report.repeats, summary.repeats)
    _sum_into(report.alike, summary.alike)
    for kind, codes in summary.codes.items():
        told = report.notes.setdefault(kind, {})
        for code, n in codes.items():
            key = code if code in told or len(told) < _MOST_CODES else "others"
            told[key] = told.get(key, 0) + n


def _sum_into(total: dict[str, int], more: Mapping[str, int]) -> None:
    for key, n in more.items():
        total[key] = total.get(key, 0) + n


def _note_dropped(report: DeliveryReport, source: Source, job: Job) -> None:
    declared = headings_of(job.dataset)
    left = [heading for heading in source.headings if heading not in declared]
    of_people = job.dataset.table in ("person", "grid_worker")
    report.out_of_scope = [heading for heading in left if out_of_scope(heading, of_people=of_people)]
    report.dropped = [heading for heading in left if heading not in report.out_of_scope]
    if source.notes:
        report.notes["file"] = "; ".join(source.notes)


def _close(desk: Desk, table: str, dataset: str, delivery_id: int, report: DeliveryReport) -> None:
    connection: Any = desk.connection
    close_delivery_row(connection, delivery_id, report)
    desk.at_step("sums checked")
    connection.execute("update pub.dataset set loaded_at = %s where dataset = %s", [desk.now, dataset])
    told = json.dumps({"dataset": dataset, "delivery": delivery_id})
    connection.execute("select pg_notify('atlas', %s)", [told])
