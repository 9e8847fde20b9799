"""Staging of batches done by workers."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import run_file

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent


def upgrade() -> None:
    run_file(HERE / "0007_staging.sql")


def downgrade() -> None:
    op.execute("drop table raw.staging")
