"""Reads of events, places, things and organisations for analysts: the scope stands in the query."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, drop_function

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ELEMENTS = ("event", "place", "thing", "organisation")
HERE = Path(__file__).parent


def upgrade() -> None:
    for element in ELEMENTS:
        statement = (HERE / f"0003_read_{element}.sql").read_text(encoding="utf-8")
        create_function(statement, ["atlas_analyst", "atlas_web"])


def downgrade() -> None:
    for element in reversed(ELEMENTS):
        drop_function("pub", f"read_{element}")
