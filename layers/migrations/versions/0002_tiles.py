"""Vector tiles: three definer functions, the only way by which the web sees where a row lies."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, drop_function

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NAMES = ("grid_tile", "event_tile", "element_tile")
HERE = Path(__file__).parent


def upgrade() -> None:
    for name in NAMES:
        create_function((HERE / f"0002_{name}.sql").read_text(encoding="utf-8"), ["atlas_web"])


def downgrade() -> None:
    for name in reversed(NAMES):
        drop_function("pub", name)
