"""What a watch is kept over: open, due, reported and latest cases, as counts and without words."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, drop_function

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
OF_WEB = ("open_cases", "due_cases", "reported_cases", "latest_cases")


def upgrade() -> None:
    op.execute(
        "create index ix_event_open on ops.event (grid_code)"
        " where state not in ('refused', 'closed') and gone_on is null"
    )
    for name in OF_WEB:
        create_function((HERE / f"0018_{name}.sql").read_text(encoding="utf-8"), ["atlas_web"])


def downgrade() -> None:
    for name in reversed(OF_WEB):
        drop_function("pub", name)
    op.execute("drop index ops.ix_event_open")
