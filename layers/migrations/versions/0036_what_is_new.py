"""What is new is read from its end: steps by the log, reports of the last days by their moment."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
FORMER = {"changes": "0005", "reported_cases": "0018", "latest_cases": "0018", "sensitive_counts": "0030"}


def upgrade() -> None:
    for name in FORMER:
        create_function(_text(f"0036_{name}"), [])


def downgrade() -> None:
    for name, number in FORMER.items():
        create_function(_text(f"{number}_{name}").replace("create function", "create or replace function"), [])


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
