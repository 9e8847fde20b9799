"""Words of a case are for who works on it; keepers of accounts and of the audit see no data."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
FORMER = {"read_case": "0005", "read_steps": "0005", "folded": "0010", "near_cases": "0010", "linked": "0016"}
AGAIN = "create or replace function"


def upgrade() -> None:
    create_function(_text("0032_span"), [])
    for name in FORMER:
        create_function(_text(f"0032_{name}"), ["atlas_web"])


def downgrade() -> None:
    whole = _text("0001_8_auth")
    start = whole.index("create function auth.span")
    op.execute(whole[start : whole.index("$$;", start) + 2].replace("create function", AGAIN))
    for name, number in FORMER.items():
        create_function(_text(f"{number}_{name}").replace("create function", AGAIN), ["atlas_web"])


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
