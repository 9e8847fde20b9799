"""What revisions do beside Alembic's own operations: run a file of SQL, guard the rows of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import psycopg
from alembic import op
from psycopg import sql


def driver() -> psycopg.Connection[Any]:
    """Return the connection below Alembic's, where `%` and `:` in SQL mean themselves."""
    return cast("psycopg.Connection[Any]", op.get_bind().connection.driver_connection)


def run_file(path: Path) -> None:
    """Run a file of SQL statements as it stands."""
    driver().execute(path.read_text(encoding="utf-8").encode())


def guard_rows(*tables: str) -> None:
    """Put tables of `vault` or `ops` under row-level security, forced on their owner too.

    The owner, as whom definer functions run, and the loader see every row. The web and the analysts have no rights on
    these tables; had they any by mistake, they would see the rows of their scope and no more. Every table of the two
    schemas has to be named to this function by the revision that makes it.
    """
    connection = driver()
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
