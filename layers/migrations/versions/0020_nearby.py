"""What lies around a place in an emergency: targets, resources, duty lists, open events; each inside the scope."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from layers.migrations.functions import create_function, drop_function

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
OF_READERS = ("found_inside", "found_near", "roster", "open_inside", "search_places")


def upgrade() -> None:
    op.execute("create index ix_grid_worker_walks on ops.grid_worker using gin (walks)")
    for name in OF_READERS:
        create_function((HERE / f"0020_{name}.sql").read_text(encoding="utf-8"), ["atlas_web", "atlas_analyst"])


def downgrade() -> None:
    for name in reversed(OF_READERS):
        drop_function("pub", name)
    op.execute("drop index ops.ix_grid_worker_walks")
