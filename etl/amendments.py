"""Amendments: values of people that were corrected by request, held against deliveries that still have them wrong.

An amendment knows the row by its key, the right value and those that are wrong. A delivered value that is among the
wrong ones is read as the right one; any other stands, since the department has changed it; and when the department
delivers the right one itself, the amendment ends. A place is corrected by its grid, and held against every delivered
place that lies in a wrong grid.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.columns import Context, cast_column, clean
from etl.copying import Connection
from etl.masks import flags, plain
from etl.place import TIED_BY, Placed
from etl.shape import Shaped
from etl.sources import RawBatch
from etl.tree import GridTree
from layers.seal import Sealer
from layers.succession import became, shares_between

PLACE = "grid_code"
"""Field of an amendment that corrects where somebody lives."""

Key = tuple[str, str]
"""Row, as it was delivered, and field."""

_READ = """
select source_key, row_key, field, edition, value_sealed, made_at from raw.amendment
where dataset = %s and ended_at is null order by field, source_key
"""


@dataclass(frozen=True)
class Amendment:
    """One corrected value; `value` is None where there is to be none, and `refuted` are the wrong ones as text."""

    source_key: str
    row_key: str
    field: str
    edition: int
    value: str | None
    refuted: tuple[str, ...]
    made_at: datetime

    def sealed(self, sealer: Sealer) -> bytes:
        """Seal the right value with the wrong ones."""
        (one,) = sealer.seal_column([json.dumps({"value": self.value, "refuted": self.refuted}, ensure_ascii=False)])
        assert one is not None
        return one

    def mark(self, sealer: Sealer) -> int:
        """What is mixed into the hash of the row as delivered, so that it tells of this amendment; twice is nothing."""
        said = "\x1f".join((self.source_key, self.field, self.value or ""))
        (token,) = sealer.token_column([said], "amendment")
        return int.from_bytes((token or b"")[:8], "big")


@dataclass(frozen=True)
class Met:
    """What the amendments of a dataset do to a batch of it.

    `amended` marks the rows with a value that is wrong, `values` has the right ones by heading with their rows;
    `is_key` says that one of them is of the row key.
    `marks` is mixed into the hashes of the rows, `ended` names what the department has corrected itself.
    """

    amended: np.ndarray
    marks: np.ndarray
    values: Mapping[str, tuple[np.ndarray, pa.Array]] = field(default_factory=dict)
    is_key: bool = False
    ended: tuple[Key, ...] = ()

    def apply(self, batch: RawBatch) -> RawBatch:
        """The batch as it would have been delivered with the right values."""
        columns = dict(batch.columns)
        for heading, (mask, values) in self.values.items():
            columns[heading] = pc.replace_with_mask(columns[heading], pa.array(mask), values)
        return replace(batch, columns=columns)


@dataclass(frozen=True)
class Amendments:
    """The open amendments of one dataset, of which rows are found by either key; `marks` has one for each."""

    held: Sequence[Amendment] = ()
    marks: Sequence[int] = ()

    def meet(self, shaped: Shaped, keys: pa.Array, updated_at: pa.Array, context: Context) -> Met | None:
        """Compare a batch as delivered with the amendments; None where it has none of their rows."""
        if not self.held:
            return None
        met = Met(np.zeros(shaped.n, bool), np.zeros(shaped.n, np.uint64))
        values: dict[str, tuple[np.ndarray, pa.Array]] = {}
        ended: list[Key] = []
        for column in context.dataset.columns:
            own = [at for at, one in enumerate(self.held) if one.field == column.key]
            rows, of = _rows_of(keys, [self.held[at] for at in own])
            if not len(rows):
                continue
            delivered = as_text(shaped.columns[column.key].take(pa.array(rows)))
            right = clean(pa.array([self.held[at].value for at in own], pa.string()))
            agrees = _same(delivered, as_text(cast_column(column, right, context)[0]).take(pa.array(of)))
            is_wrong = self._refuted(delivered, own, of) & ~agrees
            since = agrees & self._is_newer(updated_at, rows, own, of)
            np.bitwise_xor.at(met.marks, rows[~since], np.array(self.marks, np.uint64)[np.array(own)[of[~since]]])
            ended += [(self.held[own[n]].source_key, column.key) for n in of[since].tolist()]
            mask = np.zeros(shaped.n, bool)
            mask[rows[is_wrong]] = True
            if mask.any():
                values[column.heading] = mask, right.take(pa.array(of[is_wrong]))
                met.amended[mask] = True
        dataset = context.dataset
        is_key = any(column.heading in values for column in dataset.columns if column.key in dataset.row_key)
        return replace(met, values=values, is_key=is_key, ended=tuple(ended)) if met.marks.any() or ended else None

    def settle_places(
        self, placed: Placed, keys: pa.Array, updated_at: pa.Array, tree: GridTree
    ) -> tuple[Placed, int, tuple[Key, ...]]:
        """Tie rows that were tied to a wrong grid to the right one, without a point.

        Returns
        -------
        tuple
            Where the rows are, how many were tied otherwise, and the amendments the department has made itself.
        """
        own = [at for at, one in enumerate(self.held) if one.field == PLACE]
        rows, of = _rows_of(keys, [self.held[at] for at in own])
        if not len(rows):
            return placed, 0, ()
        right = tree.find(pa.array([self.held[at].value for at in own], pa.string()))[of]
        agrees = placed.grid[rows] == right
        delivered = tree.codes.take(pa.array(placed.grid[rows]))
        is_wrong = self._refuted(delivered, own, of) & ~agrees & (right >= 0)
        since = agrees & self._is_newer(updated_at, rows, own, of)
        ended = tuple((self.held[own[n]].source_key, PLACE) for n in of[since].tolist())
        return placed_by_code(placed, rows[is_wrong], right[is_wrong]), int(is_wrong.sum()), ended

    def _refuted(self, delivered: pa.Array, own: list[int], of: np.ndarray) -> np.ndarray:
        wrong = [f"{n}\x1f{value}" for n, at in enumerate(own) for value in self.held[at].refuted]
        said = pc.binary_join_element_wise(pa.array(of).cast(pa.string()), delivered, pa.scalar("\x1f"))
        return flags(pc.is_in(said, pa.array(wrong, pa.string())))

    def _is_newer(self, updated_at: pa.Array, rows: np.ndarray, own: list[int], of: np.ndarray) -> np.ndarray:
        made = pa.array([self.held[at].made_at for at in own], pa.timestamp("us", "UTC")).take(pa.array(of))
        return flags(pc.greater(updated_at.take(pa.array(rows)), made))


def placed_by_code(placed: Placed, rows: np.ndarray, grid: np.ndarray) -> Placed:
    """Tie some rows to other grids; what they were tied by before is left behind."""
    if not len(rows):
        return placed
    lon, lat, of, tied_by = (values.copy() for values in (placed.lon, placed.lat, placed.grid, placed.tied_by))
    lon[rows], lat[rows], of[rows], tied_by[rows] = np.nan, np.nan, grid, TIED_BY.index("code")
    others = np.ones(len(of), bool)
    others[rows] = False

    def without(column: pa.Array | None) -> pa.Array | None:
        return None if column is None else pc.if_else(pa.array(others), column, pa.scalar(None, column.type))

    shapes, confidence, candidates = without(placed.shapes), without(placed.confidence), without(placed.candidates)
    return replace(
        placed, lon=lon, lat=lat, grid=of, tied_by=tied_by, shapes=shapes, confidence=confidence, candidates=candidates
    )


def as_text(values: pa.Array) -> pa.Array:
    """Typed values as text to be compared: nothing is the empty text."""
    if pa.types.is_list(values.type):
        values = pc.binary_join(values, ",")
    return pc.fill_null(values.cast(pa.string()), "")


def read_amendments(connection: Connection, dataset: str, sealer: Sealer, tree: GridTree) -> Amendments:
    """Read the open amendments of a dataset; grids of other editions as what they have become."""
    held = []
    for source_key, row_key, name, edition, sealed, made_at in connection.execute(_READ, [dataset]).fetchall():
        told = json.loads(sealer.open(bytes(sealed)))
        one = Amendment(source_key, row_key, name, edition, told["value"], tuple(told["refuted"]), made_at)
        held.append(_carried(connection, one, tree) if name == PLACE and edition != tree.edition else one)
    return Amendments(held, [one.mark(sealer) for one in held])


def end_amendments(connection: Connection, dataset: str, ended: Sequence[Key], delivery_id: int, now: datetime) -> None:
    """End amendments whose right value came with a delivery."""
    keys, fields = [key for key, _ in ended], [name for _, name in ended]
    connection.execute(
        "update raw.amendment as a set ended_at = %s, ended_by = %s"
        " from unnest(%s::text[], %s::text[]) as e (source_key, field)"
        " where a.dataset = %s and a.source_key = e.source_key and a.field = e.field and a.ended_at is null",
        [now, delivery_id, keys, fields, dataset],
    )


def write_amendments(
    connection: Connection, dataset: str, made: Sequence[Amendment], sealer: Sealer, why: str, now: datetime
) -> None:
    """Write amendments, each in the place of an earlier one of the same value."""
    for one in made:
        connection.execute(
            "insert into raw.amendment (dataset, source_key, row_key, field, edition, value_sealed, made_at, why)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (dataset, source_key, field) do update"
            " set (row_key, edition, value_sealed, made_at, why, ended_at, ended_by) = (excluded.row_key,"
            " excluded.edition, excluded.value_sealed, excluded.made_at, excluded.why, null, null)",
            [dataset, one.source_key, one.row_key, one.field, one.edition, one.sealed(sealer), now, why],
        )


def _rows_of(keys: pa.Array, held: Sequence[Amendment]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the rows that amendments are about, and of the amendment of each."""
    if not held:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    by_source = plain(pc.index_in(keys, pa.array([one.source_key for one in held], pa.string())), -1)
    by_row = plain(pc.index_in(keys, pa.array([one.row_key for one in held], pa.string())), -1)
    found = np.where(by_source >= 0, by_source, by_row)
    rows = np.flatnonzero(found >= 0)
    return rows, found[rows].astype(np.int64)


def _same(one: pa.Array, other: pa.Array) -> np.ndarray:
    return flags(pc.equal(one, other))


def _carried(connection: Connection, one: Amendment, tree: GridTree) -> Amendment:
    """An amendment of a place on the grids in force: every part of a wrong grid is wrong."""
    shares = shares_between(connection, one.edition, tree.edition)
    sure = dict(zip(*(became(shares)[name] for name in ("old_code", "new_code")), strict=True))
    wrong = shares.loc[shares["old_code"].isin(one.refuted) & (shares["weight"] > 0), "new_code"]
    refuted = tuple(wrong) or one.refuted
    return replace(one, value=sure.get(one.value, one.value), refuted=refuted)
