"""Tiles of the grids down to a level at every zoom, for heatmaps of a whole city."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, drop_function

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    statement = Path(__file__).with_name("0015_level_tile.sql").read_text(encoding="utf-8")
    create_function(statement, ["atlas_web"])


def downgrade() -> None:
    drop_function("pub", "level_tile")
