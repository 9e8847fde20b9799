"""Corrections by request: what is held against deliveries that still have the wrong value."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import run_file

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent


def upgrade() -> None:
    run_file(HERE / "0034_1_tables.sql")


def downgrade() -> None:
    op.execute("drop table raw.amendment")
