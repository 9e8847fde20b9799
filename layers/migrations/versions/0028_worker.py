"""Figures of one grid worker, for the worker and the command centre, and for nobody else."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, drop_function

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
OF_WEB = ("workers", "worker_cases", "worker_visits")


def upgrade() -> None:
    create_function(_text("may_look_at"), [])
    for name in OF_WEB:
        create_function(_text(name), ["atlas_web"])


def downgrade() -> None:
    for name in reversed(OF_WEB):
        drop_function("pub", name)
    drop_function("auth", "may_look_at")


def _text(name: str) -> str:
    return (HERE / f"0028_{name}.sql").read_text(encoding="utf-8")
