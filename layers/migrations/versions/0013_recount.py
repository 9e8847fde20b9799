"""Changes of rows are noted, so that counts on the grids of older editions follow whoever made them."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, run_file

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent


def upgrade() -> None:
    run_file(HERE / "0013_recount.sql")
    create_function(_text("0013_count_case"), [])


def downgrade() -> None:
    create_function(_text("0005_count_case").replace("create function", "create or replace function"), [])
    op.execute("drop table raw.recount")


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
