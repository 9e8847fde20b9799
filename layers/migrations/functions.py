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
