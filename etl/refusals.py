"""Rows that are not loaded: gathered check by check, the first reason of a row wins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa


@dataclass(frozen=True)
class Refusal:
    """Rows refused by one check: their positions in the batch, the offending field and its values."""

    reason: str
    field: str
    rows: np.ndarray
    values: pa.Array


class Refusals:
    """The refused rows of a batch of `n` rows."""

    def __init__(self, n: int) -> None:
        self.bad = np.zeros(n, bool)
        self.found: list[Refusal] = []

    def add(self, reason: str, field: str, mask: np.ndarray, values: pa.Array | None = None) -> None:
        """Refuse the rows of a mask that no earlier check has refused."""
        rows = np.flatnonzero(mask & ~self.bad)
        if not len(rows):
            return
        self.bad[rows] = True
        taken = values.take(pa.array(rows)) if values is not None else pa.nulls(len(rows), pa.string())
        self.found.append(Refusal(reason, field, rows, taken))

    def merge(self, other: Refusals, at: np.ndarray) -> None:
        """Take over the refusals of a part of the batch, whose rows stand at these positions here."""
        for refusal in other.found:
            rows = at[refusal.rows]
            self.bad[rows] = True
            self.found.append(Refusal(refusal.reason, refusal.field, rows, refusal.values))

    def forget(self, mask: np.ndarray) -> None:
        """Let the rows of a mask be neither good nor refused."""
        if not mask.any():
            return
        self.bad |= mask
        kept = [(one, ~mask[one.rows]) for one in self.found]
        self.found = [
            Refusal(one.reason, one.field, one.rows[rows], one.values.filter(pa.array(rows)))
            for one, rows in kept
            if rows.any()
        ]

    def counts(self) -> dict[str, int]:
        """Refused rows by reason."""
        total: dict[str, int] = {}
        for refusal in self.found:
            total[refusal.reason] = total.get(refusal.reason, 0) + len(refusal.rows)
        return total
