"""The head of the order of commits, where a live push begins."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, drop_function

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent


def upgrade() -> None:
    create_function((HERE / "0012_last_change.sql").read_text(encoding="utf-8"), ["atlas_web"])


def downgrade() -> None:
    drop_function("pub", "last_change")
