"""The first schema: schemas, sequences, tables, rights."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, run_file

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMAS = ("raw", "vault", "ops", "pub", "auth", "audit")
SEQUENCES = ("ops.row_id", "raw.delivery_id", "raw.quarantine_id")
HERE = Path(__file__).parent

# Only an owner may analyse a table before PostgreSQL 17; after a big load the loader has to.
ANALYSE = """
create function ops.analyse(tables regclass[]) returns void language plpgsql as $$
declare one regclass;
begin
    foreach one in array tables loop
        execute format('analyze %s', one);
    end loop;
end $$
"""


def upgrade() -> None:
    for schema in SCHEMAS:
        op.execute(f"create schema {schema}")
    for sequence in SEQUENCES:
        op.execute(f"create sequence {sequence}")
    for path in sorted(HERE.glob("0001_*.sql")):
        run_file(path)
    create_function(ANALYSE, ["atlas_loader"])


def downgrade() -> None:
    op.execute("alter default privileges grant execute on functions to public")
    for schema in reversed(SCHEMAS):
        op.execute(f"drop schema {schema} cascade")
