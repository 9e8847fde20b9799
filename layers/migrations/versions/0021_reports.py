"""One's own reports, and photos to them by whoever reported, handlers too."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, drop_function

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent


def upgrade() -> None:
    create_function(_text("0021_reported_by"), [])
    create_function(_text("0021_works_on"), [])
    create_function(_text("0021_my_reports"), ["atlas_web"])


def downgrade() -> None:
    drop_function("pub", "my_reports")
    create_function(_text("0016_works_on").replace("create function", "create or replace function"), [])
    drop_function("ops", "reported_by")


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
