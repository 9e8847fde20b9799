"""Whoever acts on cases and calls is read from the session, and never taken from what the program says."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, drop_function

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
FORMER = {
    "report_case": "0005", "take_step": "0005", "ask_back": "0009", "answer_back": "0009",
    "decline_reopening": "0009", "raise_call": "0010", "answer_call": "0010", "report_in": "0010",
}  # fmt: skip
INNER = {"make_case": "report_case", "move_case": "take_step"}
"""What the functions of 0005 are from now on: they are told who acts by functions that know it, and by nobody else."""
NEW = ("report_by_resident", "step_by_resident", "follow")


def upgrade() -> None:
    op.execute("create index ix_event_step_account on ops.event_step (account) where step = 'report'")
    for name in FORMER:
        drop_function("pub", name)
    create_function(_text("0011_actor"), [])
    create_function(_text("0011_of_receipt"), [])
    for name, former in INNER.items():
        text = _text(f"0005_{former}").replace(f"pub.{former}(", f"ops.{name}(")
        create_function(text.replace(" or not auth.covers($1, $2)", ""), [])
    for name in (*FORMER, *NEW):
        create_function(_text(f"0011_{name}"), ["atlas_web"])


def downgrade() -> None:
    for name in (*FORMER, *NEW):
        drop_function("pub", name)
    for name in (*INNER, "of_receipt"):
        drop_function("ops", name)
    drop_function("auth", "actor")
    for name, number in FORMER.items():
        create_function(_text(f"{number}_{name}"), ["atlas_web"])
    op.execute("drop index ops.ix_event_step_account")


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
