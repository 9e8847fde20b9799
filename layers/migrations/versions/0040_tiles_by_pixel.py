"""Tiles of the grids on a raster of one pixel up to zoom 11: their shapes are no finer."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
FORMER = {"grid_tile": "0002", "level_tile": "0015"}


def upgrade() -> None:
    for name in FORMER:
        create_function(_text(f"0040_{name}"), [])


def downgrade() -> None:
    for name, number in FORMER.items():
        create_function(_text(f"{number}_{name}").replace("create function", "create or replace function"), [])


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
