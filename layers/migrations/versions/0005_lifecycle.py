"""The closed loop: allowed transitions, steps held to them, promises, and the functions that alone write cases."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, drop_function, run_file

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
INNER = ("count_case", "append_step", "missing_need")
OUTER = ("report_case", "take_step", "read_case", "read_steps", "changes")


def upgrade() -> None:
    run_file(HERE / "0005_1_tables.sql")
    run_file(HERE / "0005_2_transitions.sql")
    create_function(_text("carry_events"), ["atlas_loader"])
    for name in INNER:
        create_function(_text(name), [])
    for name in OUTER:
        create_function(_text(name), ["atlas_web"])


def downgrade() -> None:
    for name in reversed(OUTER):
        drop_function("pub", name)
    for name in (*reversed(INNER), "carry_events"):
        drop_function("ops", name)
    op.execute(
        "alter table ops.event_step drop constraint fk_event_step_step_from_state_state,"
        " drop constraint ck_event_step_made_here, drop column step, drop column account, drop column request_key,"
        " drop column until_at, drop column duplicate_of, drop column change_no,"
        " drop column recorded_at"
    )
    op.execute("grant update, delete on ops.event_step to atlas_loader")
    op.execute("drop table ops.promise")
    op.execute("drop table ops.transition")
    op.execute("drop sequence ops.change_no")


def _text(name: str) -> str:
    return (HERE / f"0005_{name}.sql").read_text(encoding="utf-8")
