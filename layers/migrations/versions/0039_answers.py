"""Words of who was not satisfied, and who released an answer, are for who works on the case."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
FORMER = {"reopening_requests": "0009", "echo_of": "0027"}


def upgrade() -> None:
    for name in FORMER:
        create_function(_text(f"0039_{name}"), ["atlas_web"])


def downgrade() -> None:
    for name, number in FORMER.items():
        again = _text(f"{number}_{name}").replace("create function", "create or replace function")
        create_function(again, ["atlas_web"])


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
