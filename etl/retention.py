"""Retention: what is kept of people longer than `retention.toml` says is deleted or cleared, rule by rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from etl.forget import remove
from layers.accounts import audit
from layers.database import Database
from layers.declare.retention import Retention, Rule
from layers.secrets import Role

Connection = psycopg.Connection[Any]

_DOOMED = """
create temp table doomed on commit drop as
select dataset, source_key, town_code, id from vault.person where gone_on < %s
"""


@dataclass(frozen=True)
class Expired:
    """What one rule deleted or cleared, or would."""

    table: str
    do: str
    days: int
    n: int


def expire(
    database: Database, retention: Retention, now: datetime, *, run_by: str, dry_run: bool = False
) -> list[Expired]:
    """Delete or clear what is older than its rule allows; a transaction for each rule, one entry in the audit.

    Parameters
    ----------
    database
        The installation's.
    retention
        The declared register.
    now
        Moment that days are counted back from.
    run_by
        Who runs it, for the log.
    dry_run
        Only count.
    """
    done = []
    for rule in retention.rules:
        if rule.days is None or rule.since is None:
            continue
        role: Role = "door" if rule.table.startswith("auth.") else "loader"
        before = now - timedelta(days=rule.days)
        with database.connect(role) as connection:
            n = _expire_one(connection, rule, before, dry_run=dry_run)
        done.append(Expired(rule.table, rule.do, rule.days, n))
    if not dry_run:
        told = {f"{one.do} {one.table}": one.n for one in done if one.n}
        with database.connect("loader") as connection:
            audit.note_load(connection, "person_change", run_by, "retention", done="expired", rows=told)
    return done


def _expire_one(connection: Connection, rule: Rule, before: datetime, *, dry_run: bool) -> int:
    if rule.table == "ops.photo":
        row = connection.execute("select raw.expire_photos(%s, %s)", [before, dry_run]).fetchone()
        return int(row[0]) if row else 0
    if dry_run:
        row = connection.execute(_counted(rule), [before]).fetchone()
        return int(row[0]) if row else 0
    if rule.table == "vault.person":  # with all that hangs on them
        connection.execute(_DOOMED, [before.date()])
        return remove(connection)
    return connection.execute(_statement(rule), [before]).rowcount


def _condition(rule: Rule) -> sql.Composed:
    since = sql.Identifier("o" if rule.of else "t", rule.since or "")
    parts: list[sql.Composable] = [sql.SQL("{} < %s").format(since)]
    if rule.of:
        parts.append(sql.SQL("o.town_code = t.town_code and o.id = t.{}").format(sql.Identifier(rule.by)))
    if rule.do == "clear":
        filled = [sql.SQL("t.{} is not null").format(sql.Identifier(column)) for column in rule.columns]
        parts.append(sql.SQL("({})").format(sql.SQL(" or ").join(filled)))
    return sql.SQL(" and ").join(parts)


def _table(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))


def _counted(rule: Rule) -> sql.Composed:
    other = sql.SQL(", {} as o").format(_table(rule.of)) if rule.of else sql.SQL("")
    return sql.SQL("select count(*) from {} as t{} where {}").format(_table(rule.table), other, _condition(rule))


def _statement(rule: Rule) -> sql.Composed:
    other = _table(rule.of) if rule.of else None
    if rule.do == "delete":
        using = sql.SQL(" using {} as o").format(other) if other else sql.SQL("")
        return sql.SQL("delete from {} as t{} where {}").format(_table(rule.table), using, _condition(rule))
    sets = sql.SQL(", ").join(sql.SQL("{} = null").format(sql.Identifier(column)) for column in rule.columns)
    using = sql.SQL(" from {} as o").format(other) if other else sql.SQL("")
    return sql.SQL("update {} as t set {}{} where {}").format(_table(rule.table), sets, using, _condition(rule))
