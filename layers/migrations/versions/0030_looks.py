"""A look at the rows behind a number is no export; and sensitive cases are counted for the wall, by medium grid."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, drop_function, run_file

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
KINDS = (
    "sign_in", "sign_in_refused", "sign_out", "account", "scope", "session", "person_read", "rows_view", "export",
    "quarantine_view", "case_step", "release",
)  # fmt: skip


def upgrade() -> None:
    _let(KINDS)
    run_file(HERE / "0030_looks.sql")
    create_function((HERE / "0030_sensitive_counts.sql").read_text(encoding="utf-8"), ["atlas_web"])


def downgrade() -> None:
    drop_function("pub", "sensitive_counts")
    text = (HERE / "0001_9_audit.sql").read_text(encoding="utf-8")
    begin = text.index("create function pub.note")
    op.execute(text[begin : text.index("comment on function pub.note")].replace("create", "create or replace", 1))
    _let([kind for kind in KINDS if kind != "rows_view"], " not valid")  # entries of that kind stay as they are


def _let(kinds: list[str] | tuple[str, ...], how: str = "") -> None:
    """Say of which kinds an entry can be."""
    op.execute("alter table audit.entry drop constraint ck_entry_kind")
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute(f"alter table audit.entry add constraint ck_entry_kind check (kind in ({listed})){how}")
