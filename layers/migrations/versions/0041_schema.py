"""The schema of the first release: sequences, tables, keys, rights, and the guard of every row."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import make_function
from layers.migrations.operations import driver, guard_rows, run_file

revision = "0041"
down_revision = None
branch_labels = None
depends_on = None

SCHEMAS = ("raw", "vault", "ops", "pub", "auth", "audit")
GUARDED = "select schemaname || '.' || tablename from pg_tables where schemaname in ('vault', 'ops') order by 1"
HERE = Path(__file__).parent


def upgrade() -> None:
    for schema in SCHEMAS:
        op.execute(f"create schema {schema}")
    for path in sorted(HERE.glob("0041_*.sql")):
        run_file(path)
    for name in ("span", "low", "high"):  # what guards of rows ask
        make_function(driver(), "auth", name)
    guard_rows(*(table for (table,) in driver().execute(GUARDED)))


def downgrade() -> None:
    op.execute("alter default privileges grant execute on functions to public")
    for schema in reversed(SCHEMAS):
        op.execute(f"drop schema {schema} cascade")
