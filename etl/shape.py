"""Shape: a batch of text becomes typed columns under our names, and every row that breaks a rule gets its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.columns import Context, cast_column, clean, grid_codes
from etl.coordinates import parse_degrees
from etl.dates import check_dates
from etl.keys import Ordinals, hash_rows
from etl.masks import flags, matches, missing, plain, present, where
from etl.refusals import Refusals
from etl.rules import check_rules
from etl.sources import RawBatch
from layers.codes import LENGTHS

IDENTITY_TYPES = ("person_name", "id_number", "phone")
"""Column types that name a person: their values end encrypted in `vault.identity`, in no other column."""

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "event": ("category", "reported_at"),
    "event_step": ("event_key", "step_no", "at", "state"),
    "grid": ("code", "name"),
    "grid_worker": ("name",),
    "measure": ("measure", "measured_on", "value"),
    "reading": ("thing_key", "measure", "read_at", "value"),
}
_KEY_SEEDS = (0x6D696E71, 0x696E676D)


@dataclass(frozen=True)
class Shaped:
    """A batch after shaping.

    `text` has the cleaned values by heading, `columns` the typed ones by our key; `x` and `y` are coordinates as
    delivered (NaN: none), `geometry` the delivered shapes where the format has them. `keys` are the delivered row keys,
    not yet made safe where they name a person.
    """

    lines: np.ndarray
    text: Mapping[str, pa.Array]
    columns: Mapping[str, pa.Array]
    keys: pa.Array
    refusals: Refusals
    x: np.ndarray | None = None
    y: np.ndarray | None = None
    geometry: np.ndarray | None = None
    address: pa.Array | None = None
    delivered_code: pa.Array | None = None
    filled: Mapping[str, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Rows in the batch."""
        return len(self.lines)

    def take(self, rows: np.ndarray) -> Shaped:
        """Take some rows; their refusals are left behind."""
        at = pa.array(rows)

        def arrow(column: pa.Array | None) -> pa.Array | None:
            return None if column is None else column.take(at)

        def plain(column: np.ndarray | None) -> np.ndarray | None:
            return None if column is None else column[rows]

        return replace(
            self,
            lines=self.lines[rows],
            text={},
            columns={key: column.take(at) for key, column in self.columns.items()},
            keys=self.keys.take(at),
            refusals=Refusals(len(rows)),
            x=plain(self.x),
            y=plain(self.y),
            geometry=plain(self.geometry),
            address=arrow(self.address),
            delivered_code=arrow(self.delivered_code),
        )


def shape(batch: RawBatch, context: Context, ordinals: Ordinals) -> Shaped:
    """Rename, cast and check a batch; nothing is dropped, refused rows are marked with their first reason."""
    dataset = context.dataset
    refusals = Refusals(batch.n)
    text = {heading: clean(values) for heading, values in batch.columns.items()}
    columns: dict[str, pa.Array] = {}
    for column in dataset.columns:
        values = text[column.heading]
        typed, problems = cast_column(column, values, context)
        if column.required and column.default is None and values.null_count:
            refusals.add("missing_value", column.heading, missing(values))
        for reason, mask in problems:
            refusals.add(reason, column.heading, mask, values)
        columns[column.key] = typed
    _check_needed(columns, context, refusals)
    check_dates(columns, text, context, refusals)
    _check_times(columns, context, text, refusals)
    check_rules(columns, text, context, refusals)
    source = dataset.source
    x, y = coordinates(text, source.lon, source.lat, refusals)
    delivered = None
    if source.grid_code:
        delivered, problems = grid_codes(text[source.grid_code], context.catalog.city.code)
        refusals.add("bad_grid_code", source.grid_code, problems[0][1], text[source.grid_code])
    if dataset.table == "grid":
        _check_level(columns, context, text, refusals)
    keys = _keys(text, columns, context, ordinals, refusals)
    address = text[source.address] if source.address else None
    filled = {c.key: batch.n - text[c.heading].null_count for c in dataset.columns if c.key in dataset.expect.fill}
    return Shaped(batch.lines, text, columns, keys, refusals, x, y, batch.geometry, address, delivered, filled)


def _check_needed(columns: Mapping[str, pa.Array], context: Context, to: Refusals) -> None:
    """What the table cannot do without is required, whether declared so or not."""
    headings = {c.key: c.heading for c in context.dataset.columns}
    for key in _NEEDED.get(context.dataset.table, ()):
        if key in columns and columns[key].null_count:
            to.add("missing_value", headings[key], missing(columns[key]))


def _check_times(columns: Mapping[str, pa.Array], context: Context, text: Mapping[str, pa.Array], to: Refusals) -> None:
    if "reported_at" in columns and "closed_at" in columns:
        heading = next(c.heading for c in context.dataset.columns if c.key == "closed_at")
        early = flags(pc.less(columns["closed_at"], columns["reported_at"]))
        to.add("closed_before_reported", heading, early, text[heading])


def _check_level(columns: Mapping[str, pa.Array], context: Context, text: Mapping[str, pa.Array], to: Refusals) -> None:
    heading = next(c.heading for c in context.dataset.columns if c.key == "code")
    n_digits = LENGTHS[context.dataset.level or "small"]
    wrong = flags(pc.not_equal(pc.binary_length(columns["code"]), n_digits))
    to.add("bad_grid_code", heading, wrong, text[heading])


def coordinates(
    text: Mapping[str, pa.Array], lon: str | None, lat: str | None, to: Refusals
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Read the coordinates under two headings, as numbers or degrees, minutes and seconds; NaN for none."""
    if lon is None or lat is None:
        return None, None
    found: list[np.ndarray] = []
    for heading in (lon, lat):
        values = text[heading]
        good = matches(values, _NUMBER)
        numbers = plain(_to_double(where(values, good)), np.nan)
        words = np.flatnonzero(~good & present(values))
        if len(words):
            numbers = numbers.copy()
            other_axis = np.zeros(len(numbers), bool)
            read = parse_degrees(values.take(pa.array(words)), is_longitude=heading == lon)
            numbers[words], other_axis[words] = read
            to.add("swapped_coordinates", heading, other_axis, values)
            to.add("bad_coordinates", heading, np.isnan(numbers) & present(values), values)
        found.append(numbers)
    x, y = found
    for heading, mine, other in ((lon, x, y), (lat, y, x)):
        to.add("bad_coordinates", heading, np.isnan(mine) & ~np.isnan(other), text[heading])
    return x, y


def _to_double(values: pa.Array) -> pa.Array:
    try:
        return values.cast(pa.float64())
    except pa.ArrowInvalid:  # Arrow knows no leading plus
        return pc.replace_substring(values, "+", "").cast(pa.float64())


def _keys(
    text: Mapping[str, pa.Array],
    columns: Mapping[str, pa.Array],
    context: Context,
    ordinals: Ordinals,
    to: Refusals,
) -> pa.Array:
    dataset = context.dataset
    if dataset.row_key == ("*",):
        whole = [text[heading] for heading in sorted(text)]
        n = len(to.bad)
        hashes = [hash_rows(whole, n, seed) for seed in _KEY_SEEDS]
        number = ordinals.take(hashes[0] ^ (hashes[1] << np.uint64(1)))
        return pc.binary_join_element_wise(_hex(hashes), pa.array(number).cast(pa.string()), pa.scalar("-"))
    parts: list[pa.Array] = []
    for key in dataset.row_key:
        column = next(c for c in dataset.columns if c.key == key)
        values = columns[key] if pa.types.is_string(columns[key].type) else text[column.heading]
        if not column.required and values.null_count:
            to.add("missing_value", column.heading, missing(values))
        parts.append(values)
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, pa.scalar("|"))


def _hex(hashes: list[np.ndarray]) -> pa.Array:
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    raw = np.stack([h.astype(">u8") for h in hashes], axis=1).view(np.uint8).reshape(-1, 8 * len(hashes))
    cells = np.empty((len(raw), 2 * raw.shape[1]), np.uint8)
    cells[:, 0::2], cells[:, 1::2] = digits[raw >> 4], digits[raw & 15]
    offsets = np.arange(len(raw) + 1, dtype=np.int32) * np.int32(cells.shape[1])
    return pa.Array.from_buffers(pa.string(), len(raw), [None, pa.py_buffer(offsets), pa.py_buffer(cells)])
