"""The functions of the database: one file each, `layers/functions/SCHEMA/NAME.sql`, as they are now.

They hold no rows, so they are no part of the history that revisions are: when the last revision has run, all of them
are made as their files say, in the same transaction. A changed function is a changed file.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from layers.tables import SCHEMAS

SEARCH_PATH = "pg_catalog, public, pg_temp"
"""Where a function finds names: built-ins, PostGIS, and last, never first, what its caller could have made."""

# Functions that guards of rows ask cannot be dropped; the others are, so that they may change what they answer.
_REPLACED = """
select p.oid::regprocedure::text from pg_proc as p
where p.pronamespace = any (select oid from pg_namespace where nspname = any(%s))
    and not exists (select from pg_depend as d where d.refclassid = 'pg_proc'::regclass and d.refobjid = p.oid)
"""


def function_files() -> dict[tuple[str, str], Path]:
    """Return the file of each function by schema and name."""
    folder = Path(__file__).parents[1] / "functions"
    return {(path.parent.name, path.stem): path for path in sorted(folder.glob("*/*.sql"))}


def make_function(connection: psycopg.Connection[Any], schema: str, name: str) -> None:
    """Make one function as its file says, run with its owner's rights and closed to whom the file does not name.

    Whatever the file says, the function becomes SECURITY DEFINER with the search path fixed, and PUBLIC may not execute
    it. What `atlas_web` and `atlas_analyst` may call has to be in `pub`, the only schema these roles may use.
    """
    connection.execute(function_files()[schema, name].read_text(encoding="utf-8").encode())
    function = sql.Identifier(schema, name)
    connection.execute(
        sql.SQL("alter function {} security definer set search_path = {}").format(function, sql.SQL(SEARCH_PATH))
    )
    connection.execute(sql.SQL("revoke all on function {} from public").format(function))


def make_functions(connection: psycopg.Connection[Any]) -> None:
    """Make every function as its file says and drop those that have none; nothing where that was done before."""
    if are_made(connection):
        return
    connection.execute("set local check_function_bodies to off")  # they call each other, whichever is made first
    for (function,) in connection.execute(_REPLACED, [list(SCHEMAS)]).fetchall():
        connection.execute(sql.SQL("drop function {}").format(sql.SQL(function)))
    for schema, name in function_files():
        make_function(connection, schema, name)
    connection.execute(sql.SQL("comment on schema pub is {}").format(sql.Literal(_written())))


def are_made(connection: psycopg.Connection[Any]) -> bool:
    """Whether the functions of the database were made of the files as they are."""
    row = connection.execute("select obj_description(to_regnamespace('pub'), 'pg_namespace')").fetchone()
    return row is not None and row[0] == _written()


def _written() -> str:
    """Return what the comment of the schema says once the functions are made: a digest of their files."""
    digest = sha256()
    for (schema, name), path in function_files().items():
        digest.update(f"{schema}.{name}\n".encode() + path.read_bytes())
    return f"What the web and the analysts may read and call; functions of {digest.hexdigest()[:16]}."
