"""Refused rows, ready for `raw.quarantine`: line, field, value, reason and remedy to read, the row itself sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.attrs import json_objects
from etl.keys import hash_column, hash_rows, join_hashes
from etl.reasons import remedy_of
from etl.refusals import Refusal
from etl.shape import IDENTITY_TYPES, Shaped
from layers.declare.records import Dataset
from layers.identifiers import mask_name, mask_number, mask_phone
from layers.seal import Sealer

_VALUE_LENGTH = 100


@dataclass(frozen=True)
class Quarantined:
    """Quarantined rows column by column, as the table has them; one entry for each row."""

    line: list[int]
    source_key: list[str | None]
    field: list[str | None]
    value: list[str | None]
    reason: list[str]
    row_sealed: list[bytes]
    row_hash: list[int]
    rest_hash: list[int | None]
    version_at: list[datetime | None]

    @property
    def n(self) -> int:
        """How many rows."""
        return len(self.line)

    def joined(self, other: Quarantined) -> Quarantined:
        """These rows and others."""
        return Quarantined(
            self.line + other.line,
            self.source_key + other.source_key,
            self.field + other.field,
            self.value + other.value,
            self.reason + other.reason,
            self.row_sealed + other.row_sealed,
            self.row_hash + other.row_hash,
            self.rest_hash + other.rest_hash,
            self.version_at + other.version_at,
        )

    def remedies(self) -> list[str]:
        """Remedy of each row, in both languages."""
        known = {reason: remedy_of(reason) for reason in set(self.reason)}
        return [known[reason] for reason in self.reason]


def refused_rows(shaped: Shaped, keys: pa.Array, dataset: Dataset, sealer: Sealer) -> Quarantined:
    """Turn the refusals of a batch into quarantined rows; values that name a person are masked."""
    found = shaped.refusals.found
    rows = np.concatenate([r.rows for r in found]) if found else np.zeros(0, np.int64)
    at = pa.array(rows)
    field: list[str | None] = []
    value: list[str | None] = []
    for refusal in found:
        field += [refusal.field or None] * len(refusal.rows)
        value += _shown(refusal.values, refusal.field, dataset).to_pylist()
    delivered = {heading: values.take(at) for heading, values in shaped.text.items()}
    whole = json_objects(delivered, len(rows))
    sealed = [row or b"" for row in sealer.seal_column(whole.to_pylist())]
    hashed = {heading: hash_column(delivered[heading]) for heading in sorted(delivered)}
    return Quarantined(
        shaped.lines[rows].tolist(),
        keys.take(at).to_pylist(),
        field,
        value,
        [refusal.reason for refusal in found for _ in refusal.rows],
        sealed,
        join_hashes(list(hashed.values()), len(rows), sealer.seed("row")).view(np.int64).tolist(),
        _rest_hashes(hashed, found, sealer),
        _versions(shaped, at),
    )


def _versions(shaped: Shaped, at: pa.Array) -> list[datetime | None]:
    if "updated_at" not in shaped.columns:
        return [None] * len(at)
    moments: list[datetime | None] = shaped.columns["updated_at"].cast(pa.timestamp("us", "UTC")).take(at).to_pylist()
    return moments


def row_hashes(text: Mapping[str, pa.Array], sealer: Sealer, without: str = "") -> np.ndarray:
    """Hash rows as they were delivered, under whatever headings, one heading left out."""
    columns = [text[heading] for heading in sorted(text) if heading != without]
    n = len(next(iter(text.values()))) if text else 0
    return hash_rows(columns, n, sealer.seed("row"))


def _rest_hashes(hashed: Mapping[str, np.ndarray], found: Sequence[Refusal], sealer: Sealer) -> list[int | None]:
    """Hash the refused rows without the field that each is refused for, from the hashes of all their fields."""
    hashes: list[int | None] = []
    for refusal in found:
        mine = slice(len(hashes), len(hashes) + len(refusal.rows))
        rest = [values[mine] for heading, values in hashed.items() if heading != refusal.field]
        hashes += join_hashes(rest, len(refusal.rows), sealer.seed("row")).view(np.int64).tolist()
    return hashes


def broken_rows(broken: Sequence[tuple[int, str]], sealer: Sealer) -> Quarantined:
    """Turn rows that could not be split into fields into quarantined rows."""
    n = len(broken)
    lines = pa.array([text for _, text in broken], pa.string())
    sealed = [row or b"" for row in sealer.seal_column([text or " " for _, text in broken])]
    return Quarantined(
        [line for line, _ in broken],
        [None] * n,
        [None] * n,
        [None] * n,
        ["wrong_field_count"] * n,
        sealed,
        row_hashes({"": lines}, sealer, "whole").view(np.int64).tolist(),
        [None] * n,
        [None] * n,
    )


def _shown(values: pa.Array, field: str, dataset: Dataset) -> pa.Array:
    kinds = {c.type for c in dataset.columns if c.heading == field}
    if not kinds.isdisjoint(IDENTITY_TYPES) and values.null_count < len(values):
        if "person_name" in kinds:
            return mask_name(values)
        return mask_phone(values) if "phone" in kinds else mask_number(values)
    return pc.utf8_slice_codeunits(values, 0, _VALUE_LENGTH)
