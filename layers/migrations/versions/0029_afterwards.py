"""Keys follow a reform as accounts do; what is put on the echo wall, or taken away, stands in the audit."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, drop_function

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
FORMER = {"release_echo": "0027", "withdraw_echo": "0027"}


def upgrade() -> None:
    drop_function("raw", "follow_scopes")
    create_function(_text("0029_follow_scopes"), ["atlas_loader"])
    for name in FORMER:
        drop_function("pub", name)
        create_function(_text(f"0029_{name}"), ["atlas_web"])


def downgrade() -> None:
    for name, number in FORMER.items():
        drop_function("pub", name)
        create_function(_text(f"{number}_{name}"), ["atlas_web"])
    drop_function("raw", "follow_scopes")
    create_function(_text("0014_follow_scopes"), ["atlas_loader"])


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
