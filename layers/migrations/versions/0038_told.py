"""What releases of people counts told, kept in the vault, so that a figure stays where its count does."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import guard_rows, run_file

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
FORMER = "A change of rows, not yet counted on the grids of older editions; empty when all are."


def upgrade() -> None:
    run_file(HERE / "0038_1_tables.sql")
    guard_rows("vault.people_told")


def downgrade() -> None:
    op.execute("drop table vault.people_told")
    op.execute(f"comment on table raw.recount is '{FORMER}'")
