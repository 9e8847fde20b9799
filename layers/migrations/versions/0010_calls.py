"""Calls of grids, near-duplicates, and the authors of what was folded."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, drop_function, guard_rows, run_file

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
OF_WEB = ("raise_call", "answer_call", "report_in", "read_calls", "near_cases", "folded")


def upgrade() -> None:
    run_file(HERE / "0010_1_tables.sql")
    guard_rows("ops.call", "ops.report_in")
    for name in OF_WEB:
        create_function((HERE / f"0010_{name}.sql").read_text(encoding="utf-8"), ["atlas_web"])


def downgrade() -> None:
    for name in reversed(OF_WEB):
        drop_function("pub", name)
    op.execute("drop table ops.report_in")
    op.execute("drop table ops.call")
