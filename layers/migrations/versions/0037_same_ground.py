"""Scopes follow a reform to the same ground only; a first load leaves no table unguarded; visits keep what is seen."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, run_file

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
FORMER = {
    "follow_scopes": ("0029", "atlas_loader"),
    "raise_call": ("0024", "atlas_web"),
    "record_visit": ("0016", "atlas_web"),
}
AGAIN = "create or replace function"


def upgrade() -> None:
    run_file(HERE / "0037_1_tables.sql")
    for name, (_, role) in FORMER.items():
        create_function(_text(f"0037_{name}"), [role])


def downgrade() -> None:
    for name, (number, role) in FORMER.items():
        create_function(_text(f"{number}_{name}").replace("create function", AGAIN), [role])
    run_file(HERE / "0037_2_undo.sql")


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
