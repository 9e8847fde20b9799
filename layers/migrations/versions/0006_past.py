"""Older versions of rows, rows that left, refused rows that were mended."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, drop_function, run_file

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
ADDED = {
    "raw.delivery": ("declaration_hash", "grids_version"),
    "raw.quarantine": (
        "row_hash", "rest_hash", "version_at", "open_since", "resolved_at", "resolved_by", "resolution",
    ),
    "raw.source_registry": ("gone_on",),
}  # fmt: skip


def upgrade() -> None:
    run_file(HERE / "0006_past.sql")
    create_function((HERE / "0006_known_on.sql").read_text(encoding="utf-8"), ["atlas_loader"])


def downgrade() -> None:
    drop_function("ops", "known_on")
    for schema in ("ops", "vault"):
        op.execute(f"drop table {schema}.past")
    for table, columns in ADDED.items():
        for column in columns:
            op.execute(f"alter table {table} drop {column}")
    # a file loaded under two declarations is in the ledger twice: the older schema holds one of them
    op.execute(
        "delete from raw.delivery t using raw.delivery o"
        " where o.dataset = t.dataset and o.content_hash = t.content_hash and o.id > t.id"
    )
    op.execute(
        "alter table raw.delivery add constraint uq_delivery_dataset_content_hash unique (dataset, content_hash)"
    )
