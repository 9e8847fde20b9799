"""What sources of reports are answered: their own cases step by step; and figures by channel."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, drop_function

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
OF_WEB = ("read_sent", "changes_by_key", "answer_by_key")


def upgrade() -> None:
    drop_function("pub", "case_facts")
    create_function(_text("0022_case_facts"), ["atlas_web", "atlas_analyst"])
    for name in OF_WEB:
        create_function(_text(f"0022_{name}"), ["atlas_web"])
    op.execute(
        "create index ix_event_step_duplicate_of on ops.event_step (duplicate_of) where duplicate_of is not null"
    )


def downgrade() -> None:
    op.execute("drop index ops.ix_event_step_duplicate_of")
    for name in reversed(OF_WEB):
        drop_function("pub", name)
    drop_function("pub", "case_facts")
    create_function(_text("0009_case_facts"), ["atlas_web", "atlas_analyst"])


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
