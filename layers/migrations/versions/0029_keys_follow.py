"""Keys follow a reform as accounts do; scopes follow once for each edition, and never to a grid above."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, drop_function

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent


def upgrade() -> None:
    drop_function("raw", "follow_scopes")
    create_function(_text("0029_follow_scopes"), ["atlas_loader"])


def downgrade() -> None:
    drop_function("raw", "follow_scopes")
    create_function(_text("0014_follow_scopes"), ["atlas_loader"])


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
