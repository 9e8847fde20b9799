"""Row-level security on everything in vault and ops."""

from __future__ import annotations

from layers.migrations.functions import guard_rows, unguard_rows

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

GUARDED = (
    *("vault.person", "vault.identity", "vault.past"),
    *("vault.tally_small_month", "vault.tally_medium_day", "vault.tally_large_month"),
    *("ops.event", "ops.event_step", "ops.promise", "ops.transition", "ops.past", "ops.former_grid"),
    *("ops.place", "ops.thing", "ops.organisation", "ops.grid_worker"),
    *("ops.visit", "ops.link", "ops.measure", "ops.reading"),
)


def upgrade() -> None:
    guard_rows(*GUARDED)


def downgrade() -> None:
    unguard_rows(*GUARDED)
