"""Run: every delivery in its turn, each in one transaction, from the file to the report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors

from etl.crew import Crew
from etl.deliver import Desk, Step, load_delivery, no_step
from etl.executors import open_executor
from etl.fetch import Fetcher, fetch_file
from etl.plan import Job, Plan, make_plan
from etl.reform.follow import follow_changes, note_change
from etl.released import publish_changes
from etl.report import DeliveryReport, RunReport
from etl.sources import DEFAULT_LIMITS, Limits, warm_up
from etl.staging import Staging, empty
from layers.care import keep_groups
from layers.database import Database
from layers.declare.records import Catalog
from layers.errors import EXIT_CODES, AtlasError, DeliveryError, ServerError
from layers.seal import Sealer
from layers.secrets import Secrets
from layers.tallies import Numbers, fold, number_catalog

_MEND = "Nothing of the file was loaded. Ask the department to mend it, or declare a type that fits."


def run(
    database: Database,
    catalog: Catalog,
    secrets: Secrets,
    folder: Path,
    names: Sequence[str] = (),
    *,
    cache_dir: Path,
    now: datetime | None = None,
    say: Callable[[str], None] = print,
    at_step: Step = no_step,
    accepted_by: str | None = None,
    waits: bool = True,
    limits: Limits = DEFAULT_LIMITS,
    executor: str = "local",
    fetcher: Fetcher | None = None,
) -> RunReport:
    """Load the deliveries in a folder: those of the named datasets, or all.

    Files of datasets that declare a `[fetch]` are fetched first when there is a `fetcher`; one that cannot be had is
    reported, and keeps the others from nothing.

    A delivery that cannot be taken in leaves nothing behind and does not keep the others from being loaded; its report
    carries the problem and the exit code. Deliveries that are not what their datasets expect are taken in only when
    somebody answers for them: `accepted_by`, who is put into the ledger. `executor` says who does the batches of rows:
    `local`, `processes:N` or the address of a Dask scheduler; what comes out is the same. A dataset that
    another loader is at work on is waited for, or refused unless one `waits`.

    Raises
    ------
    UnknownNameError, DeliveryError
        As for `etl.plan.make_plan`.
    ServerError
        The database cannot be had, or went away.
    """
    started = time.perf_counter()
    warm_up()
    fetched = _fetch(catalog, folder, names, fetcher, say) if fetcher else []
    there = [name for name in names if name not in {report.dataset for report in fetched}]
    if names and not there:
        return RunReport(fetched, (), (), time.perf_counter() - started)
    plan = make_plan(catalog, folder, there, limits)
    with database.connect("loader") as connection:
        numbers = _numbers(connection, catalog)
        moment = now or datetime.now(UTC)
        desk = Desk(connection, catalog, secrets, Sealer(secrets), numbers, cache_dir, moment, at_step)
        desk.accepted_by, desk.waits = accepted_by, waits
        desk.limits = limits
        with _crew(database, executor) as desk.crew:
            reports = [_one(desk, job, say) for job in plan.jobs]
        fold(connection)
        connection.commit()
        _publish(desk, say)
        follow_changes(connection, catalog, cache_dir)
    return _whole(plan, [*fetched, *reports], time.perf_counter() - started)


def _publish(desk: Desk, say: Callable[[str], None]) -> None:
    """Publish the counts of people once for the whole run."""
    started = time.perf_counter()
    try:
        n_grids = publish_changes(desk.connection, desk.catalog, desk.secrets, desk.now)
    except psycopg.OperationalError as error:
        raise ServerError(
            f"The database went away while counts of people were published: {str(error).strip().splitlines()[-1]}",
            "What was loaded is kept; the counts are as they were. Run the same command again.",
        ) from error
    if n_grids == 0:
        say("people: counts are older than the rows; they are published with the next month, or when there are grids")
    elif n_grids:
        desk.at_step("people published")
        say(f"people: counts of {n_grids:,} grids published ({time.perf_counter() - started:.1f} s)")


def _fetch(
    catalog: Catalog, folder: Path, names: Sequence[str], fetcher: Fetcher, say: Callable[[str], None]
) -> list[DeliveryReport]:
    """Fetch what is declared to be fetched; a report for each dataset whose file could not be had."""
    refused = []
    for name, dataset in catalog.datasets.items():
        if dataset.fetch is None or (names and name not in names):
            continue
        try:
            say(fetch_file(dataset, folder, fetcher).said())
        except AtlasError as error:
            code = EXIT_CODES[type(error)]
            report = DeliveryReport(name, dataset.source.files, "refused", problem=str(error), exit_code=code)
            report.seconds["total"] = 0.0
            say(_line(report))
            refused.append(report)
    return refused


@contextmanager
def _crew(database: Database, executor: str) -> Iterator[Crew | None]:
    """Open an executor and staging; what killed loaders left in staging goes, whoever loads next."""
    opened = open_executor(executor)
    with database.connect("loader", autocommit=True) as cleaner:
        with _at_this_schema():
            empty(cleaner)
        if opened is None:
            yield None
            return
        with Staging(database) as staging, opened as workers:
            yield Crew(workers, staging)
        empty(cleaner)


def _numbers(connection: psycopg.Connection[Any], catalog: Catalog) -> Numbers:
    with _at_this_schema(), connection.transaction():
        keep_groups(connection, catalog)
        return number_catalog(connection, catalog)


@contextmanager
def _at_this_schema() -> Iterator[None]:
    try:
        yield
    except (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName) as error:
        raise ServerError(
            f"The database is not at the schema of this version: {error.diag.message_primary}.",
            "Run `python -m layers.migrations upgrade`.",
        ) from error


def _whole(plan: Plan, reports: list[DeliveryReport], seconds: float) -> RunReport:
    return RunReport(reports, plan.absent, plan.strangers, seconds)


def _one(desk: Desk, job: Job, say: Callable[[str], None]) -> DeliveryReport:
    started = time.perf_counter()
    report = DeliveryReport(job.dataset.key, job.name or job.path.name)
    desk.seconds = report.seconds
    try:
        with desk.connection.transaction():
            load_delivery(desk, job, report, say)
            if report.n_inserted + report.n_updated + report.n_gone:
                note_change(desk.connection, job.dataset.key)
            desk.at_step("before commit")
        desk.at_step("after commit")
    except psycopg.OperationalError as error:
        raise _gone(error, job) from error
    except psycopg.DataError as error:
        said = str(error.diag.message_primary)
        report = _refused(desk, job, DeliveryError(f"{job.path.name} holds what the database cannot: {said}.", _MEND))
    except AtlasError as error:
        if isinstance(error, ServerError):
            raise
        report = _refused(desk, job, error)
    report.seconds["total"] = round(time.perf_counter() - started, 3)
    say(_line(report))
    return report


def _refused(desk: Desk, job: Job, error: AtlasError) -> DeliveryReport:
    desk.tree = None  # grids of the transaction that was undone
    code = EXIT_CODES[type(error)]
    return DeliveryReport(job.dataset.key, job.name or job.path.name, "refused", problem=str(error), exit_code=code)


def _gone(error: psycopg.OperationalError, job: Job) -> ServerError:
    if isinstance(error, errors.DiskFull):
        return ServerError(
            f"The disk of the database is full; nothing of {job.path.name} was kept.",
            "Make room on the disk that holds the database, then run the same command again.",
        )
    if error.sqlstate is not None and not error.sqlstate.startswith(("08", "57")):
        return ServerError(
            f"The database could not take in {job.path.name}: {error.diag.message_primary}.",
            "Nothing of that file was kept. Run the same command again.",
        )
    return ServerError(
        f"The database went away while {job.path.name} was loaded: {str(error).strip().splitlines()[-1]}",
        "Nothing of that file was kept. Start the server again (`make demo`) and run the same command.",
    )


def _line(report: DeliveryReport) -> str:
    seconds = report.seconds["total"]
    if report.status == "known":
        return f"{report.dataset}: {report.file} was loaded before, nothing to do"
    if report.status == "refused":
        return f"{report.dataset}: {report.file} was not loaded. {report.problem}"
    rate = f", {report.n_read / seconds:,.0f} rows/s" if seconds > 0.5 else ""
    return (
        f"{report.dataset}: {report.n_read:,} rows of {report.file}, {report.n_inserted:,} new, "
        f"{report.n_updated:,} updated, {report.n_quarantined:,} refused ({seconds:.1f} s{rate})"
    )
