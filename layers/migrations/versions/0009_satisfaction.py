"""Visits back and what the rates of the closed loop are made of."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, drop_function, guard_rows, run_file

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
OF_WEB = ("ask_back", "answer_back", "reopening_requests", "decline_reopening")


def upgrade() -> None:
    run_file(HERE / "0009_1_tables.sql")
    guard_rows("ops.visit_back")
    create_function(_text("0009_carry_events"), ["atlas_loader"])
    for name in OF_WEB:
        create_function(_text(f"0009_{name}"), ["atlas_web"])
    create_function(_text("0009_case_facts"), ["atlas_web", "atlas_analyst"])


def downgrade() -> None:
    for name in ("case_facts", *reversed(OF_WEB)):
        drop_function("pub", name)
    create_function(
        _text("0005_carry_events").replace("create function", "create or replace function"), ["atlas_loader"]
    )
    op.execute("drop table ops.visit_back")


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
