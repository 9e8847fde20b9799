"""The work of one batch, apart from any database: text in; good rows, refused rows and a summary out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from etl.amendments import Amendments, Key
from etl.columns import Context
from etl.coordinates import Conversion
from etl.doubts import count_alike, count_codes, doubts_of
from etl.keys import Ordinals, SeenKeys, among, hash_column, hash_rows, join_hashes
from etl.masks import flags
from etl.outstanding import Called, Outstanding, call
from etl.place import Placed, place
from etl.quarantine import Quarantined, broken_rows, refused_rows
from etl.rows import GoodRows, category_of, identity_columns, sensitive_rows
from etl.shape import IDENTITY_TYPES, Shaped, shape
from etl.sources import RawBatch
from etl.tree import GridTree
from etl.uniques import UniqueMemory
from layers.declare.records import Dataset
from layers.identifiers import masks
from layers.seal import Sealer


@dataclass(frozen=True)
class Rules:
    """What every batch of a delivery is judged by."""

    context: Context
    tree: GridTree
    conversion: Conversion
    sealer: Sealer
    seed: int
    file_time: datetime
    outstanding: Outstanding
    forgotten: frozenset[bytes] = frozenset()
    """Subjects whose rows are not taken in."""
    amendments: Amendments = field(default_factory=Amendments)
    """What was corrected by request, and is held against what is delivered."""

    @property
    def dataset(self) -> Dataset:
        """Dataset the delivery belongs to."""
        return self.context.dataset


@dataclass
class FileMemory:
    """What is remembered from batch to batch of one file; `known` has the sorted row hashes loaded before."""

    known: np.ndarray
    seen: SeenKeys = field(default_factory=SeenKeys)
    ordinals: Ordinals = field(default_factory=Ordinals)
    uniques: UniqueMemory = field(default_factory=UniqueMemory)


@dataclass(frozen=True)
class Summary:
    """Counts of one batch.

    `filled` has the values there are of each column whose fill rate is expected, `repeats` the rows with a value of
    another key by columns, `alike` the rows whose address may mean several grids, by their names, `repaired` the keys
    of the rows whose shape was mended, `codes` the rows by delivered codes that say no grid, or none surely,
    `n_forgotten` the rows of people who were deleted by request, `n_amended` those with a value that was corrected by
    request, `ended` the corrections that the department has made itself.
    """

    n_read: int
    n_unchanged: int
    reasons: Mapping[str, int]
    tied: Mapping[str, int]
    filled: Mapping[str, int] = field(default_factory=dict)
    repeats: Mapping[str, int] = field(default_factory=dict)
    repaired: tuple[str, ...] = ()
    alike: Mapping[str, int] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    n_forgotten: int = 0
    n_amended: int = 0
    ended: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Identities:
    """Names, numbers and phones of good rows, encrypted, with the tokens they are found by."""

    columns: Mapping[str, list[bytes | None]]


@dataclass(frozen=True)
class Transformed:
    """A batch after all checks."""

    good: GoodRows
    identities: Identities | None
    quarantined: Quarantined
    summary: Summary
    called: Called


def transform(batch: RawBatch, rules: Rules, memory: FileMemory) -> Transformed:
    """Shape, compare, place and tie one batch; rows known already as they are go no further."""
    dataset = rules.dataset
    shaped = shape(batch, rules.context, memory.ordinals)
    keys = safe_keys(shaped.keys, dataset, rules.sealer)
    key_hash = hash_column(keys)
    row_hash = _row_hash(shaped, key_hash, rules)
    met = rules.amendments.meet(shaped, keys, updated_at(shaped, rules), rules.context)
    if met is not None:
        row_hash ^= met.marks
        stored = among(row_hash, memory.known) & ~shaped.refusals.bad
        if met.is_key or (met.amended & ~stored).any():
            shaped = shape(met.apply(batch), rules.context, memory.ordinals)
            keys = safe_keys(shaped.keys, dataset, rules.sealer)
            key_hash = hash_column(keys)
    unchanged = among(row_hash, memory.known) & ~shaped.refusals.bad
    rest = np.flatnonzero(~unchanged & ~shaped.refusals.bad) if unchanged.any() else np.arange(shaped.n)
    part = shaped.take(rest) if unchanged.any() else shaped
    placed = place(part, dataset.source, rules.conversion, rules.tree)
    if part is not shaped:
        shaped.refusals.merge(part.refusals, rest)
    placed, n_placed, ended = rules.amendments.settle_places(
        placed, keys.take(pa.array(rest)), updated_at(part, rules), rules.tree
    )
    _refuse_repeats(shaped, keys, key_hash, rules, memory)
    subjects = _subjects(part, keys.take(pa.array(rest)), rules)
    repeats = _find_shared(shaped, part, subjects, key_hash, rest, rules, memory)
    forgotten = _forgotten(shaped, subjects, keys, rest, unchanged, rules)
    shaped.refusals.forget(forgotten)
    good_rows = np.flatnonzero(~shaped.refusals.bad[rest])
    good = _good(part, placed, keys, row_hash, rest, good_rows, rules, subjects)
    unchanged &= ~shaped.refusals.bad
    called = call(shaped, keys, ~shaped.refusals.bad & ~unchanged, batch.answers, rules.outstanding, rules.sealer)
    quarantined = refused_rows(shaped, keys, dataset, rules.sealer)
    broken = broken_rows(batch.broken, rules.sealer)
    reasons = shaped.refusals.counts()
    if batch.broken:
        reasons["wrong_field_count"] = len(batch.broken)
    tied = np.bincount(good.placed.tied_by, minlength=4)
    summary = Summary(
        n_read=shaped.n + len(batch.broken),
        n_unchanged=int(unchanged.sum()),
        reasons=reasons,
        tied={name: int(n) for name, n in zip(("none", "point", "code", "address"), tied, strict=True)},
        filled=shaped.filled,
        repeats=repeats,
        repaired=tuple(good.keys.filter(pa.array(good.placed.repaired)).to_pylist()),
        alike=count_alike(good.placed, rules.tree),
        codes=count_codes(good.shaped, good.placed, rules.tree),
        n_forgotten=int(forgotten.sum()),
        n_amended=n_placed + (0 if met is None else int(met.amended.sum())),
        ended=ended + (() if met is None else met.ended),
    )
    return Transformed(good, _identities(good, rules), quarantined.joined(broken), summary, called)


def safe_keys(keys: pa.Array, dataset: Dataset, sealer: Sealer) -> pa.Array:
    """Source keys that name nobody: a key made of a name, an ID number or a phone becomes a token."""
    types = {c.key: c.type for c in dataset.columns}
    if not any(types.get(key) in IDENTITY_TYPES for key in dataset.row_key):
        return keys
    return pa.array(sealer.source_keys(keys.to_pylist()), pa.string())


def _row_hash(shaped: Shaped, key_hash: np.ndarray, rules: Rules) -> np.ndarray:
    columns = [values for values in shaped.columns.values() if values is not shaped.keys]
    columns += [pa.array(c) for c in (shaped.x, shaped.y) if c is not None]
    columns += [c for c in (shaped.address, shaped.delivered_code) if c is not None]
    if shaped.geometry is not None:
        columns.append(pa.array(shapely.to_wkb(shaped.geometry), pa.binary()))
    # rows are tied anew when the grids have changed
    seed = rules.seed ^ (rules.tree.edition << 32) ^ rules.tree.version
    return join_hashes([key_hash, hash_rows(columns, shaped.n, seed)], shaped.n, seed)


def _refuse_repeats(shaped: Shaped, keys: pa.Array, hashes: np.ndarray, rules: Rules, memory: FileMemory) -> None:
    rows = np.flatnonzero(~shaped.refusals.bad)
    again = np.zeros(shaped.n, bool)
    again[rows] = memory.seen.repeated(hashes[rows])
    if again.any():
        headings = {c.key: c.heading for c in rules.dataset.columns}
        field_name = "、".join(headings.get(key, key) for key in rules.dataset.row_key)
        shaped.refusals.add("duplicate_key", field_name, again, keys)


def _subjects(part: Shaped, keys: pa.Array, rules: Rules) -> list[bytes] | None:
    dataset = rules.dataset
    if dataset.table != "person":
        return None
    number = identity_columns(part, dataset).get("number", pa.nulls(part.n, pa.string()))
    return rules.sealer.subjects(number.to_pylist(), dataset.key, keys.to_pylist())


def _forgotten(
    shaped: Shaped,
    subjects: list[bytes] | None,
    keys: pa.Array,
    rest: np.ndarray,
    unchanged: np.ndarray,
    rules: Rules,
) -> np.ndarray:
    """Which rows are of people who were deleted by request; refused ones too, so that nothing of them is kept."""
    found = np.zeros(shaped.n, bool)
    if not rules.forgotten or subjects is None:
        return found
    gone = pa.array(sorted(rules.forgotten), pa.binary())
    others = np.setdiff1d(np.flatnonzero(~unchanged), rest)
    refused = _subjects(shaped.take(others), keys.take(pa.array(others)), rules) or []
    alone = rules.sealer.subjects([None] * len(rest), rules.dataset.key, keys.take(pa.array(rest)).to_pylist())
    for rows, of in ((rest, subjects), (rest, alone), (others, refused)):
        found[rows] |= flags(pc.is_in(pa.array(of, pa.binary()), value_set=gone))
    return found


def _find_shared(
    shaped: Shaped,
    part: Shaped,
    subjects: list[bytes] | None,
    key_hash: np.ndarray,
    rest: np.ndarray,
    rules: Rules,
    memory: FileMemory,
) -> dict[str, int]:
    """Refuse, or count, the rows whose unique values stand under another key; counts by the columns' keys."""
    columns = {column.key: column for column in rules.dataset.columns}
    found: dict[str, int] = {}
    for at, unique in enumerate(rules.dataset.unique):
        asked = np.flatnonzero(~shaped.refusals.bad[rest])
        taken = [part.columns[key].take(pa.array(asked)) for key in unique.columns]
        if subjects is not None and columns[unique.columns[0]].type == "id_number":
            known = pa.array([subjects[row].hex() for row in asked], pa.string())
            taken = [pc.if_else(taken[0].is_valid(), known, pa.scalar(None, pa.string()))]
        taken = [values if pa.types.is_string(values.type) else values.cast(pa.string()) for values in taken]
        own = key_hash[rest[asked]]
        again = np.zeros(shaped.n, bool)
        again[rest[asked]] = memory.uniques.repeated(at, taken, own)
        if not again.any():
            continue
        if unique.repeats == "reported":
            found["+".join(unique.columns)] = int(again.sum())
            continue
        first = columns[unique.columns[0]].heading
        field_name = "、".join(columns[key].heading for key in unique.columns)
        shaped.refusals.add("duplicate_value", field_name, again, shaped.text[first])
    return found


def _good(
    part: Shaped,
    placed: Placed,
    keys: pa.Array,
    row_hash: np.ndarray,
    rest: np.ndarray,
    rows: np.ndarray,
    rules: Rules,
    subjects: list[bytes] | None,
) -> GoodRows:
    dataset = rules.dataset
    taken = part.take(rows)
    own_keys = keys.take(pa.array(rest[rows]))
    category = category_of(taken.columns, dataset, len(rows))
    return GoodRows(
        taken,
        placed.take(rows),
        own_keys,
        row_hash[rest[rows]],
        updated_at(taken, rules),
        sensitive_rows(category, dataset, rules.context.catalog, len(rows)),
        category,
        None if subjects is None else [subjects[row] for row in rows],
        doubts_of(taken, placed.take(rows), rules.tree, rules.sealer),
    )


def updated_at(shaped: Shaped, rules: Rules) -> pa.Array:
    """Moment of each row's version: its own time of update, else that of the file."""
    file_time = pa.scalar(rules.file_time, pa.timestamp("us", "UTC"))
    given = [shaped.columns[key] for key in ("updated_at", "reported_at") if key in shaped.columns]
    if not given:
        return pa.array([rules.file_time], pa.timestamp("us", "UTC")).take(pa.array(np.zeros(shaped.n, np.int32)))
    return pc.coalesce(*(g.cast(pa.timestamp("us", "UTC")) for g in given), file_time)


def _identities(good: GoodRows, rules: Rules) -> Identities | None:
    columns = identity_columns(good.shaped, rules.dataset)
    if not columns:
        return None
    nothing: list[str | None] = [None] * good.n
    name, number, phone = (columns[k].to_pylist() if k in columns else nothing for k in ("name", "number", "phone"))
    sealer = rules.sealer
    return Identities(
        {
            "name_sealed": sealer.seal_column(name),
            "number_sealed": sealer.seal_column(number),
            "phone_sealed": sealer.seal_column(phone),
            "name_token": sealer.name_tokens(name),
            "phone_token": sealer.phone_tokens(phone),
            "mask_sealed": sealer.seal_column(masks(columns, good.n)),
        }
    )
