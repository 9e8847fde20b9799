"""Whoever sent an item that was merged into another is answered with the result of that one."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, drop_function

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent


def upgrade() -> None:
    op.execute(
        "create index ix_event_step_duplicate_of on ops.event_step (duplicate_of) where duplicate_of is not null"
    )
    drop_function("pub", "changes_by_key")
    create_function(_text("0033_changes_by_key"), ["atlas_web"])


def downgrade() -> None:
    drop_function("pub", "changes_by_key")
    create_function(_text("0022_changes_by_key"), ["atlas_web"])
    op.execute("drop index ops.ix_event_step_duplicate_of")


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
