"""The care register: its groups, the visits made, what a list may show of a name, and how fine counts may be."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, drop_function, guard_rows, run_file

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
INNER = ("cares", "care_records")
OF_WEB = ("list_care", "care_visits", "visit_care", "late_care")


def upgrade() -> None:
    run_file(HERE / "0023_1_tables.sql")
    guard_rows("vault.care_group", "vault.care_visit")
    for name in INNER:
        create_function(_text(name), [])
    for name in OF_WEB:
        create_function(_text(name), ["atlas_web"])


def downgrade() -> None:
    for name in reversed(OF_WEB):
        drop_function("pub", name)
    for name in reversed(INNER):
        drop_function("vault", name)
    run_file(HERE / "0023_2_undo.sql")


def _text(name: str) -> str:
    return (HERE / f"0023_{name}.sql").read_text(encoding="utf-8")
