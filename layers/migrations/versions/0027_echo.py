"""Links that residents answer by, and the problem and echo wall."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, drop_function, guard_rows, run_file

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
OF_WEB = ("asked_back", "release_echo", "withdraw_echo", "echo_of", "read_echo")


def upgrade() -> None:
    run_file(HERE / "0027_1_tables.sql")
    guard_rows("ops.echo")
    create_function(_text("0027_carry_events"), ["atlas_loader"])
    drop_function("pub", "answer_back")
    create_function(_answer_back(), ["atlas_web"])
    for name in OF_WEB:
        create_function(_text(f"0027_{name}"), ["atlas_web"])


def downgrade() -> None:
    for name in reversed(OF_WEB):
        drop_function("pub", name)
    drop_function("pub", "answer_back")
    create_function(_text("0011_answer_back"), ["atlas_web"])
    create_function(_text("0009_carry_events"), ["atlas_loader"])
    op.execute("drop table ops.echo")


def _answer_back() -> str:
    """A link lives thirty days."""
    return _text("0011_answer_back").replace(
        "else v.token_hash = $4 end",
        "else v.token_hash = $4 and v.asked_at > clock_timestamp() - interval '30 days' end",
    )


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
