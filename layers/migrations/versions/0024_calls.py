"""Calls that are passed on, and departments that work on a case together, one of them leading."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, drop_function, guard_rows, run_file

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
FORMER = {"raise_call": "0011", "read_calls": "0010"}


def upgrade() -> None:
    run_file(HERE / "0024_1_tables.sql")
    guard_rows("ops.pass_on")
    create_function(_text("0024_called_to"), [])
    create_function(_text("0024_works_on"), [])
    for name in FORMER:
        drop_function("pub", name)
    for name in (*FORMER, "pass_on"):
        create_function(_text(f"0024_{name}"), ["atlas_web"])


def downgrade() -> None:
    for name in (*FORMER, "pass_on"):
        drop_function("pub", name)
    for name, number in FORMER.items():
        create_function(_text(f"{number}_{name}"), ["atlas_web"])
    create_function(_text("0021_works_on"), [])
    drop_function("ops", "called_to")
    op.execute("drop index ops.ix_call_event_id")
    op.execute("drop table ops.pass_on")


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
