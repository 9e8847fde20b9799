"""Opening names, numbers and phones one by one, logged before; and lists to take along."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, drop_function, guard_rows, run_file

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
OF_WEB = ("case_people", "ask_identity", "read_identity", "make_visit_list", "read_visit_list")


def upgrade() -> None:
    run_file(HERE / "0026_1_tables.sql")
    guard_rows("vault.opening", "vault.visit_list")
    for name in OF_WEB:
        create_function(_text(name), ["atlas_web"])


def downgrade() -> None:
    for name in reversed(OF_WEB):
        drop_function("pub", name)
    run_file(HERE / "0026_2_undo.sql")


def _text(name: str) -> str:
    return (HERE / f"0026_{name}.sql").read_text(encoding="utf-8")
