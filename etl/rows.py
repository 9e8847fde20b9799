"""Good rows of a batch as columns of the table they land in, encoded for COPY."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import BigInteger, Boolean, Date, DateTime, Double, Integer, SmallInteger
from sqlalchemy.dialects.postgresql import ARRAY

from etl import binary
from etl.attrs import json_objects
from etl.masks import flags, missing, plain, present
from etl.place import TIED_BY, Placed
from etl.shape import IDENTITY_TYPES, Shaped
from etl.tree import GridTree
from layers.declare.records import Catalog, Dataset
from layers.tables import metadata

TABLES: Mapping[str, str] = {
    "person": "vault.person",
    "event": "ops.event",
    "place": "ops.place",
    "thing": "ops.thing",
    "organisation": "ops.organisation",
    "measure": "ops.measure",
    "grid_worker": "ops.grid_worker",
    "event_step": "ops.event_step",
    "reading": "ops.reading",
}
"""Database table of each `table` a dataset may declare."""

TALLIED = ("person", "event", "place", "thing", "organisation")
"""Tables whose rows are counted."""

_OURS = (
    "town_code", "id", "grid_code", "edition", "dataset", "source_key", "delivery_id", "updated_at", "gone_on",
    "delivered_code", "tied_by", "is_sensitive", "attrs", "geom", "version", "subject", "has_number", "event_id",
)  # fmt: skip
_DEFAULTS: Mapping[str, Mapping[str, bool | str]] = {
    "event": {"is_urgent": False, "is_on_spot": False},
}


@dataclass(frozen=True)
class GoodRows:
    """Rows to be written: shaped, placed, with safe keys, the hash of what was delivered and the time of the change.

    `doubts` goes into `attrs` beside the declared columns: what is known of a tie by address, see `etl.doubts`.
    """

    shaped: Shaped
    placed: Placed
    keys: pa.Array
    row_hash: np.ndarray
    updated_at: pa.Array
    is_sensitive: np.ndarray
    category: pa.Array | None
    subjects: list[bytes] | None = None
    doubts: Mapping[str, pa.Array] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many rows."""
        return len(self.row_hash)

    def take(self, rows: np.ndarray) -> GoodRows:
        """Take some rows."""
        at = pa.array(rows)
        return GoodRows(
            self.shaped.take(rows),
            self.placed.take(rows),
            self.keys.take(at),
            self.row_hash[rows],
            self.updated_at.take(at),
            self.is_sensitive[rows],
            None if self.category is None else self.category.take(at),
            None if self.subjects is None else [self.subjects[i] for i in rows],
            {key: values.take(at) for key, values in self.doubts.items()},
        )


def core_keys(table: str) -> tuple[str, ...]:
    """Column keys of a table that a declaration may fill."""
    return tuple(c.name for c in metadata.tables[TABLES[table]].columns if c.name not in _OURS)


def category_of(columns: Mapping[str, pa.Array], dataset: Dataset, n: int) -> pa.Array | None:
    """Category of each row: the delivered one, else the dataset's."""
    if "category" in columns:
        return columns["category"]
    if dataset.category is not None:
        return pa.array([dataset.category], pa.string()).take(pa.array(np.zeros(n, np.int32)))
    return None


def sensitive_rows(category: pa.Array | None, dataset: Dataset, catalog: Catalog, n: int) -> np.ndarray:
    """Which rows are sensitive, by their dataset or category."""
    if dataset.sensitive:
        return np.ones(n, bool)
    sensitive = [key for key, c in catalog.categories.items() if c.sensitive]
    if category is None or not sensitive:
        return np.zeros(n, bool)
    return flags(pc.is_in(category, pa.array(sensitive, pa.string())))


def table_fields(
    rows: GoodRows, dataset: Dataset, tree: GridTree, ids: np.ndarray, delivery_id: int
) -> dict[str, binary.Field]:
    """Encode every column of the element table, by column name, those of fixed width first."""
    n, shaped, placed = rows.n, rows.shaped, rows.placed
    codes = tree.codes.take(pa.array(placed.grid))
    fields: dict[str, binary.Field] = {
        "id": binary.integer(ids, 8),
        "edition": binary.integer(np.full(n, tree.edition), 2),
        "delivery_id": binary.integer(np.full(n, delivery_id), 8),
        "updated_at": binary.moments(rows.updated_at),
        "town_code": binary.fixed_text(tree.town_bytes[placed.grid]),
        "dataset": binary.constant(dataset.key, n),
        "grid_code": binary.text(codes),
        "source_key": binary.text(rows.keys),
    }
    held = {c.name for c in metadata.tables[TABLES[dataset.table]].columns}
    if "is_sensitive" in held:
        delivered = shaped.delivered_code
        fields |= {
            "is_sensitive": binary.boolean(rows.is_sensitive),
            "tied_by": binary.text(pa.array(TIED_BY, pa.string()).take(pa.array(placed.tied_by))),
            "delivered_code": binary.text(delivered if delivered is not None else pa.nulls(n, pa.string())),
            "geom": binary.text(placed.shapes) if placed.shapes is not None else binary.points(placed.lon, placed.lat),
        }
    core = core_keys(dataset.table)
    if dataset.table == "person":
        numbers = _of_type(shaped, dataset, "id_number")
        known = np.zeros(n, bool) if numbers is None else present(numbers)
        fields |= {
            "has_number": binary.boolean(known),
            "subject": binary.text(pa.array(rows.subjects or [], pa.binary())),
        }
    fields |= {key: field for key in core if (field := _core_field(key, rows, dataset)) is not None}
    if "attrs" in held:
        fields["attrs"] = binary.json(json_objects({**rest_columns(shaped, dataset), **rows.doubts}, n))
    return fields


def rest_columns(shaped: Shaped, dataset: Dataset) -> dict[str, pa.Array]:
    """Declared columns that are neither of the core nor name a person: they go into `attrs`."""
    core = (*core_keys(dataset.table), "updated_at", "version")
    private = IDENTITY_TYPES if dataset.table != "grid_worker" else ()
    return {c.key: shaped.columns[c.key] for c in dataset.columns if c.key not in core and c.type not in private}


def identity_columns(shaped: Shaped, dataset: Dataset) -> dict[str, pa.Array]:
    """Columns that name a person, as name, number and phone; empty when there are none."""
    if dataset.table == "grid_worker":
        return {}
    return {
        name: values
        for name, kind in (("name", "person_name"), ("number", "id_number"), ("phone", "phone"))
        if (values := _of_type(shaped, dataset, kind)) is not None
    }


def _of_type(shaped: Shaped, dataset: Dataset, kind: str) -> pa.Array | None:
    keys = [c.key for c in dataset.columns if c.type == kind]
    if not keys:
        return None
    return pc.coalesce(*(shaped.columns[key] for key in keys))


def _core_field(key: str, rows: GoodRows, dataset: Dataset) -> binary.Field | None:
    declared = {c.key: c for c in dataset.columns}
    values = rows.shaped.columns.get(key)
    if key == "category":
        values = rows.category
    elif key in declared and declared[key].type in IDENTITY_TYPES and dataset.table != "grid_worker":
        values = None  # who it names stands in vault.identity alone
    default = dataset.channel if key == "channel" else _DEFAULTS.get(dataset.table, {}).get(key)
    if key == "state" and dataset.table == "event":
        values = state_column(rows)
    if values is None and default is None:
        return None
    if values is None:
        values = pa.array([default]).take(pa.array(np.zeros(rows.n, np.int32)))
    elif default is not None and values.null_count:
        values = pc.fill_null(values, default)
    return encoded(TABLES[dataset.table], key, values)


def state_column(rows: GoodRows) -> pa.Array:
    """State of each event as it is stored."""
    columns = rows.shaped.columns
    if "state" in columns:
        return pc.fill_null(columns["state"], "reported")
    closed = columns["closed_at"].is_valid() if "closed_at" in columns else pa.array(np.zeros(rows.n, bool))
    return pc.if_else(closed, "closed", "reported")


def encoded(table: str, column: str, values: pa.Array) -> binary.Field:
    """Encode values as the type their column has in the database."""
    kind = metadata.tables[table].columns[column].type
    gone = missing(values) if values.null_count else None
    if isinstance(kind, ARRAY):
        return binary.text_lists(values)
    if isinstance(kind, Boolean):
        return binary.boolean(flags(values), gone)
    if isinstance(kind, DateTime):
        return binary.moments(values)
    if isinstance(kind, Date):
        return binary.days(values)
    if isinstance(kind, Integer | Double):
        width = 8 if isinstance(kind, BigInteger) else 2 if isinstance(kind, SmallInteger) else 4
        numbers = plain(values)
        return binary.double(numbers, gone) if isinstance(kind, Double) else binary.integer(numbers, width, gone)
    return binary.text(values if pa.types.is_string(values.type) else values.cast(pa.string()))
