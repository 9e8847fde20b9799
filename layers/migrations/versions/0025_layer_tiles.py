"""Tiles of one layer: the layer says whether rows stand one by one, and they are chosen by category and state."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, drop_function

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
TILES = ("event_tile", "element_tile")


def upgrade() -> None:
    for name in TILES:
        drop_function("pub", name)
        create_function((HERE / f"0025_{name}.sql").read_text(encoding="utf-8"), ["atlas_web"])


def downgrade() -> None:
    for name in TILES:
        drop_function("pub", name)
        create_function((HERE / f"0002_{name}.sql").read_text(encoding="utf-8"), ["atlas_web"])
