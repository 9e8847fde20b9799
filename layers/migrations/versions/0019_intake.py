"""What other systems send and read by a key of their own."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, drop_function, run_file

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
OF_WEB = ("holder", "report_by_key", "list_requests", "request_steps", "number_of")


def upgrade() -> None:
    run_file(HERE / "0019_1_tables.sql")
    create_function(_text("auth_holder"), [])
    create_function(_text("sent_by"), [])
    for name in OF_WEB:
        create_function(_text(name), ["atlas_web"])


def downgrade() -> None:
    for name in reversed(OF_WEB):
        drop_function("pub", name)
    drop_function("ops", "sent_by")
    drop_function("auth", "holder")
    op.execute("drop table auth.key")


def _text(name: str) -> str:
    return (HERE / f"0019_{name}.sql").read_text(encoding="utf-8")
