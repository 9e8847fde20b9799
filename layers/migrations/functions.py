"""Tools of the revisions: run a file of SQL, make a function that looks where its caller may not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import psycopg
from alembic import op
from psycopg import sql

SEARCH_PATH = "pg_catalog, public, pg_temp"
"""Where a definer function finds names: built-ins, PostGIS, and last, never first, what its caller could have made."""

_NAME = re.compile(r"\bcreate\s+(?:or\s+replace\s+)?function\s+(\w+)\.(\w+)\s*\(", re.IGNORECASE)


def run_file(path: Path) -> None:
    """Run a file of SQL statements as it stands."""
    _driver().execute(path.read_text(encoding="utf-8").encode())


def create_function(statement: str, grantees: Iterable[str]) -> None:
    """Create one function that runs with its owner's rights, and let only the named roles call it.

    Whatever the statement says, the function becomes SECURITY DEFINER with the search path fixed, and PUBLIC may not
    execute it. Names of tables must carry their schema. Put functions for `atlas_web` and `atlas_analyst` into `pub`,
    the only schema these roles may use.

    Parameters
    ----------
    statement
        `create function schema.name(..) ..`, one for each name: no overloads.
    grantees
        Roles that may call it, such as `atlas_web`.
    """
    found = _NAME.search(statement)
    if found is None:
        raise ValueError("the statement does not create a function whose name carries its schema")
    connection = _driver()
    connection.execute(statement.encode())
    function = _signature(connection, *found.groups())
    connection.execute(
        sql.SQL("alter function {} security definer set search_path = {}").format(function, sql.SQL(SEARCH_PATH))
    )
    connection.execute(sql.SQL("revoke all on function {} from public").format(function))
    for role in grantees:
        connection.execute(sql.SQL("grant execute on function {} to {}").format(function, sql.Identifier(role)))


def drop_function(schema: str, name: str) -> None:
    """Drop a function made by `create_function`."""
    connection = _driver()
    connection.execute(sql.SQL("drop function {}").format(_signature(connection, schema, name)))


def guard_rows(*tables: str) -> None:
    """Put tables of `vault` or `ops` under row-level security, forced on their owner too.

    The owner, as whom definer functions run, and the loader see every row. The web and the analysts have no rights on
    these tables; had they any by mistake, they would see the rows of their scope and no more. Every table of the two
    schemas has to be named to this function by the revision that makes it.
    """
    connection = _driver()
    for table in tables:
        schema, _, name = table.partition(".")
        columns = {
            column
            for (column,) in connection.execute(
                "select column_name::text from information_schema.columns where table_schema = %s and table_name = %s",
                [schema, name],
            )
        }
        code = next((one for one in ("grid_code", "town_code") if one in columns), None)
        statements = [
            "alter table {table} enable row level security",
            "alter table {table} force row level security",
            "create policy whole on {table} to atlas_owner, atlas_loader using (true) with check (true)",
        ]
        if code:
            statements.append(
                "create policy scoped on {table} for select to atlas_web, atlas_analyst"
                " using ({code} >= (select auth.low()) and {code} < (select auth.high()))"
            )
        for statement in statements:
            connection.execute(
                sql.SQL(statement).format(table=sql.Identifier(schema, name), code=sql.Identifier(code or "none"))
            )


def unguard_rows(*tables: str) -> None:
    """Undo `guard_rows`."""
    for table in tables:
        for statement in (
            "drop policy whole on {}",
            "drop policy if exists scoped on {}",
            "alter table {} no force row level security",
            "alter table {} disable row level security",
        ):
            _driver().execute(sql.SQL(statement).format(sql.Identifier(*table.split("."))))


def _driver() -> psycopg.Connection[Any]:
    """Return the connection below Alembic's, where `%` and `:` in SQL mean themselves."""
    return cast("psycopg.Connection[Any]", op.get_bind().connection.driver_connection)


def _signature(connection: psycopg.Connection[Any], schema: str, name: str) -> sql.SQL:
    rows = connection.execute(
        "select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
        " where n.nspname = %s and p.proname = %s",
        [schema.lower(), name.lower()],
    ).fetchall()
    if len(rows) != 1:
        raise ValueError(f"there are {len(rows)} functions {schema}.{name}, and there has to be one")
    return sql.SQL(rows[0][0])
