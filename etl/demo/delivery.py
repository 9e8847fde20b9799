"""A delivery before it is written: its rows, and what is wrong with some of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Fault:
    """One fault planted: which row of the delivery, under which heading, and the reason it must be refused for."""

    row: int
    heading: str | None
    reason: str


@dataclass(frozen=True)
class Delivery:
    """Rows of one dataset as its department sends them, with the faults planted among them.

    `how` names the writer (`csv`, `xlsx`, `shapefile`, `geopackage`, `geojson`), `options` are that writer's.
    """

    dataset: str
    file: str
    rows: pd.DataFrame
    how: str
    options: dict[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    n_unplaced: int = 0

    def answers(self) -> dict[str, Any]:
        """Answer sheet: rows, clean rows, unplaced rows among the clean, and each fault with its line in the file."""
        first = self.options.get("header_row", 1) + 1 if self.how in ("csv", "xlsx") else 1
        faults = [
            {"line": int(f.row) + first, "field": f.heading, "reason": f.reason}
            for f in sorted(self.faults, key=lambda f: f.row)
        ]
        n = len(self.rows)
        return {
            "file": self.file,
            "rows": n,
            "clean": n - len(faults),
            "unplaced": self.n_unplaced,
            "faults": faults,
        }
