"""Who has a receipt reads with the own report what is needed to take it back: its clock."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, drop_function

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent


def upgrade() -> None:
    drop_function("pub", "follow")
    create_function(_text("0035_follow"), ["atlas_web"])


def downgrade() -> None:
    drop_function("pub", "follow")
    create_function(_text("0033_follow"), ["atlas_web"])


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
