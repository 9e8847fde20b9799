"""What the desks of the closed loop read and write: queues, photos, links, visits."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, drop_function, guard_rows, run_file

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
OF_WEB = (
    "list_cases", "case_place", "linked", "add_photo", "list_photos", "read_photo", "record_visit", "my_visits",
)  # fmt: skip


def upgrade() -> None:
    run_file(HERE / "0016_1_tables.sql")
    guard_rows("ops.photo")
    create_function(_text("works_on"), [])
    for name in OF_WEB:
        create_function(_text(name), ["atlas_web"])


def downgrade() -> None:
    for name in reversed(OF_WEB):
        drop_function("pub", name)
    drop_function("ops", "works_on")
    op.execute("drop table ops.photo")


def _text(name: str) -> str:
    return (HERE / f"0016_{name}.sql").read_text(encoding="utf-8")
