"""Rights of people: tombstones of who was deleted by request, their rows in the ledger, what retention may delete."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function, drop_function, run_file

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent


def upgrade() -> None:
    run_file(HERE / "0031_1_tables.sql")
    run_file(HERE / "0031_note.sql")
    create_function((HERE / "0031_expire_photos.sql").read_text(encoding="utf-8"), ["atlas_loader"])


def downgrade() -> None:
    drop_function("raw", "expire_photos")
    run_file(HERE / "0031_3_note_before.sql")
    run_file(HERE / "0031_2_undo.sql")
