"""Breakdowns of people that the release gate kept back."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import run_file

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent


def upgrade() -> None:
    run_file(HERE / "0017_withheld.sql")


def downgrade() -> None:
    op.execute("drop table pub.people_withheld")
