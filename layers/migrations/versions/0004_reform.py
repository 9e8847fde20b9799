"""A reform of the grids: households by succession, former grids of rows, counts carried by share."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import run_file

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent


def upgrade() -> None:
    run_file(HERE / "0004_reform.sql")


def downgrade() -> None:
    op.execute("drop table raw.reform")
    op.execute("drop table pub.tally_carried")
    op.execute("drop table ops.former_grid")
    op.execute("alter table pub.succession drop column household_share")
