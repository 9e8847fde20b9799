"""A reform from the plan to the last tally, in one transaction: all of it stands afterwards, or none."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import psycopg

from etl.copying import Connection
from etl.deliver import Step, no_step
from etl.ledger import lock_dataset
from etl.reform.lines import Line, outside, read_lines, refuse
from etl.reform.outlines import finest, new_tree, outline_problems, read_redrawn
from etl.reform.plan import Plan, make_plan
from etl.reform.record import Order, ReformReport, carried_out, keep_record
from etl.reform.recount import count_staged
from etl.reform.retie import ELEMENTS, OTHERS, WALKS, retie, stage_succession, stage_ties
from etl.reform.scopes import follow_scopes
from etl.reform.succession import all_shares, home_shares, leaf_shares, write_succession
from etl.tree import GridTree, read_tree
from layers.database import Database
from layers.declare.records import Catalog
from layers.editions import EditionSpan, read_editions
from layers.errors import DeliveryError, ServerError
from layers.grids import read_grids, write_edition
from layers.grids.cover import cover_faults
from layers.succession import became, became_sentence, shares_between
from layers.tables import LEVELS

_MOST_FAULTS = 20
_HOLD = "lock table {} in share row exclusive mode"


@dataclass
class Reform:
    """One reform under way: the connection inside its transaction, and what everything in it needs."""

    connection: Connection
    catalog: Catalog
    order: Order
    cache_dir: Path
    now: datetime
    say: Callable[[str], None]
    at_step: Step = no_step


def reform(
    database: Database,
    catalog: Catalog,
    order: Order,
    *,
    cache_dir: Path,
    now: datetime | None = None,
    say: Callable[[str], None] = print,
    at_step: Step = no_step,
) -> ReformReport:
    """Open a new edition of the grids: grids, succession, rows tied anew, tallies; in one transaction.

    Loaders that are at work are waited for, and those that come wait until it is done. The same plan for the same day
    is carried out once.

    Raises
    ------
    DeliveryError
        The plan, the outlines or the day are wrong: every problem is named, and nothing is changed.
    ServerError
        The database went away; nothing was changed.
    """
    try:
        with database.connect("loader") as connection:
            task = Reform(connection, catalog, order, cache_dir, now or datetime.now(UTC), say, at_step)
            with connection.transaction(force_rollback=order.is_dry):
                report = _carry_out(task)
                at_step("before commit")
            at_step("after commit")
            return report
    except psycopg.OperationalError as error:
        raise ServerError(
            f"The reform was not carried out: {str(error).strip().splitlines()[-1]}",
            "Nothing was changed. Run the same command again.",
        ) from error


def _carry_out(task: Reform) -> ReformReport:
    connection, order, started = task.connection, task.order, time.perf_counter()
    _wait_for_loaders(task)
    editions = read_editions(connection)
    if not editions:
        raise DeliveryError("No grids are loaded yet, so nothing can be reformed.", "Load the datasets of grids first.")
    if (known := carried_out(connection, order)) is not None:
        return ReformReport(known, order.on, "known")
    _check_day(task, editions[-1])
    old = read_grids(connection, editions[-1].edition)
    lines = read_lines(order.plan)
    plan, new = _new_tree(task, lines, old)
    leaves = leaf_shares(plan, old, new).assign(n_homes=0.0)
    report = _report(editions[-1].edition + 1, order, plan, old, new)
    report.became = _became(plan, old)
    if order.is_dry:
        report.status = "dry"
        return report
    _write(task, report, new, leaves, editions[-1].edition)
    report.seconds = {"total": round(time.perf_counter() - started, 3)}
    keep_record(connection, order, report, task.now)
    connection.execute("select pg_notify('atlas', %s)", [json.dumps({"edition": report.edition})])
    return report


def _wait_for_loaders(task: Reform) -> None:
    """Hold every dataset and every table of rows, so that nothing is tied to the old grids meanwhile."""
    if task.order.is_dry:
        return
    for key in sorted(task.catalog.datasets):
        if lock_dataset(task.connection, key):
            task.say(f"{key}: waited for a loader")
    for table in (*ELEMENTS, *OTHERS):
        task.connection.execute(_HOLD.format(table).encode())
    task.at_step("locked")


def _check_day(task: Reform, last: EditionSpan) -> None:
    on, today = task.order.on, task.now.astimezone(ZoneInfo(task.catalog.city.zone)).date()
    if on <= last.opened_on:
        raise DeliveryError(
            f"The edition in force, {last.name}, holds from {last.opened_on} on; {on} is not after that.",
            "Give the first day of the new grids by --on.",
        )
    if on > today:
        raise DeliveryError(f"{on} is still to come.", "Try the plan with --dry-run, and run it on that day or later.")


def _new_tree(task: Reform, lines: Sequence[Line], old: pd.DataFrame) -> tuple[Plan, pd.DataFrame]:
    """Make the new tree, or name everything that keeps it from being made."""
    order, known = task.order, set(old["code"])
    asked = sorted({line.old_code for line in lines} - known)
    gone = {code: said for code in asked if (said := became_sentence(task.connection, code))}
    redrawn = read_redrawn(order.grids)
    plan, problems = make_plan(lines, old, gone)
    problems = problems or outside(lines, order.within) or outline_problems(plan, redrawn)
    refuse(problems, order.plan.name)
    new = new_tree(plan, old, redrawn)
    before, after = finest(old), finest(new)
    faults = cover_faults(
        before["code"].tolist(), before["geom"].to_numpy(dtype=object),
        after["code"].tolist(), after["geom"].to_numpy(dtype=object), after["is_redrawn"].to_numpy(),
        tolerance_m2=order.tolerance_m2,
    )  # fmt: skip
    if faults:
        more = [f"  .. and {len(faults) - _MOST_FAULTS} more"] if len(faults) > _MOST_FAULTS else []
        raise DeliveryError(
            f"The new grids do not cover the old ones; {len(faults)} places:\n"
            + "\n".join([f"  {fault}" for fault in faults[:_MOST_FAULTS]] + more),
            "Mend the outlines there, or allow more by --tolerance (square metres). Nothing was changed.",
        )
    return plan, new


def _write(task: Reform, report: ReformReport, new: pd.DataFrame, leaves: pd.DataFrame, old_edition: int) -> None:
    connection, order = task.connection, task.order
    write_edition(connection, report.edition, order.name or str(order.on.year), order.on, new)
    connection.execute("select ops.analyse(%s::text[]::regclass[])", [["pub.grid", "pub.edition"]])
    task.at_step("edition written")
    tree = read_tree(connection, report.edition, task.cache_dir)
    if leaves["old_code"].duplicated().any():
        leaves = home_shares(connection, leaves.drop(columns="n_homes"), tree.index)
    write_succession(connection, old_edition, report.edition, all_shares(leaves), order.on)
    report.scopes = follow_scopes(connection, old_edition, report.edition)
    task.at_step("succession written")
    shares = shares_between(connection, old_edition, report.edition)
    stage_succession(connection, tree.number_of, became(shares), shares)
    for table in (*ELEMENTS, *OTHERS):
        _retie(task, report, table, tree)
        task.at_step(f"{table} tied")
    connection.execute(WALKS)
    datasets = [key for key, one in task.catalog.datasets.items() if one.table == "grid"]
    connection.execute("delete from raw.source_registry where dataset = any(%s)", [datasets])


def _retie(task: Reform, report: ReformReport, table: str, tree: GridTree) -> None:
    n_points, n_rest = stage_ties(task.connection, table, tree)
    if not n_points + n_rest:
        return
    row = task.connection.execute("select count(*) from tie where unsure is not null").fetchone()
    report.n_carried += row[0] if row else 0
    report.n_by_point += n_points
    report.n_by_succession += n_rest
    report.n_moved += retie(task.connection, table)
    report.n_tally_rows += count_staged(task.connection, table, task.catalog.city.zone)


def _report(edition: int, order: Order, plan: Plan, old: pd.DataFrame, new: pd.DataFrame) -> ReformReport:
    counted = [step for step in plan.steps if step.line or step.old != step.new]
    changes = Counter(step.change if step.line else "followed" for step in counted)
    before, after = old["level"].value_counts(), new["level"].value_counts()
    grids = {level: (int(before.get(level, 0)), int(after.get(level, 0))) for level in LEVELS}
    return ReformReport(edition, order.on, changes=dict(changes), grids=grids)


def _became(plan: Plan, old: pd.DataFrame) -> list[str]:
    """A sentence for each grid that a line of the plan is about."""
    name = dict(zip(old["code"], old["name"], strict=True))
    return [
        f"{step.old} {name[step.old]} -> {step.new} {plan.names[step.new]} ({step.change})"
        for step in sorted(plan.steps, key=lambda one: one.line)
        if step.line
    ]
