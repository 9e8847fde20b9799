"""Suggestions fold into one at the command centre, and everybody who is owed the answer gets it."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, drop_function

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
WEB = ["atlas_web"]
INNER = ("folded_into", "original_of")
NEW = ("suggestions", "photo_by_resident")
WIDER = {"folded": "0032", "follow": "0011", "my_reports": "0021", "list_requests": "0019"}
"""Functions that answer more than before, and where they stood."""


def upgrade() -> None:
    for name in INNER:
        create_function(_text(f"0033_{name}"), [])
    for name in WIDER:
        drop_function("pub", name)
    for name in (*WIDER, *NEW, "changes_by_key"):
        create_function(_text(f"0033_{name}"), WEB)
    create_function(_text("0033_move_case"), [])


def downgrade() -> None:
    moves = _text("0005_take_step").replace("pub.take_step(", "ops.move_case(")
    create_function(_again(moves.replace(" or not auth.covers($1, $2)", "")), [])
    create_function(_again(_text("0022_changes_by_key")), WEB)
    for name in (*WIDER, *NEW):
        drop_function("pub", name)
    for name, number in WIDER.items():
        create_function(_text(f"{number}_{name}"), WEB)
    for name in INNER:
        drop_function("ops", name)


def _again(text: str) -> str:
    return text.replace("create function", "create or replace function")


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
