"""Scopes of accounts and of analysts' logins follow a reform of the grids."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, drop_function

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent


def upgrade() -> None:
    create_function((HERE / "0014_follow_scopes.sql").read_text(encoding="utf-8"), ["atlas_loader"])


def downgrade() -> None:
    drop_function("raw", "follow_scopes")
