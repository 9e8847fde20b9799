"""Households are closed because their category is sensitive, and no longer by name."""

from __future__ import annotations

from pathlib import Path

from layers.migrations.functions import create_function

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
READERS = ["atlas_web", "atlas_analyst"]
FORMER = {
    "element_tile": ("0025", ["atlas_web"]),
    "read_organisation": ("0003", READERS),
    "found_inside": ("0020", READERS),
    "found_near": ("0020", READERS),
}
AGAIN = "create or replace function"


def upgrade() -> None:
    for name, (_, grantees) in FORMER.items():
        create_function(_text(f"0041_{name}"), grantees)


def downgrade() -> None:
    for name, (number, grantees) in FORMER.items():
        create_function(_text(f"{number}_{name}").replace("create function", AGAIN), grantees)


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
