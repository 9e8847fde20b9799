"""An errand: what a worker has to know to do the batches of one delivery, and the doing of one.

No key and no row goes over the wire in clear: a worker reads the keys from its own settings, everything comes to it
sealed with them, and its results go sealed into staging. A worker with other keys cannot open what it is sent, and says
so.
"""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np

from etl.amendments import Amendments, read_amendments
from etl.columns import Context
from etl.coordinates import Conversion, conversion
from etl.copying import known_hashes
from etl.ledger import meaning_of
from etl.notes import Note, noting_memory
from etl.outstanding import Outstanding, read_outstanding
from etl.staging import put
from etl.tombstones import read_tombstones
from etl.transform import Rules, transform
from etl.tree import GridTree, read_tree
from etl.uniques import Held, read_held
from layers.database import Database, open_database
from layers.declare.records import Datum
from layers.errors import ServerError
from layers.seal import Sealer
from layers.secrets import read_secrets
from layers.settings import read_settings


@dataclass(frozen=True)
class Errand:
    """What the batches of a delivery are judged by, and under which name their results are staged."""

    delivery: str
    context: Context
    edition: int
    grids_version: int
    file_time: datetime
    crs: str
    datum: Datum | None

    def sealed(self, sealer: Sealer) -> bytes:
        """What workers get of it, which opens with the same keys only."""
        return sealer.seal_bytes(pickle.dumps(self, 5), "errand")


def make_rules(
    context: Context,
    tree: GridTree,
    conversion: Conversion,
    sealer: Sealer,
    file_time: datetime,
    outstanding: Outstanding,
    forgotten: frozenset[bytes],
    amendments: Amendments,
) -> Rules:
    """Make what the rows of a delivery are judged by, the same for the loader and for every worker."""
    seed = sealer.seed(f"row hash {meaning_of(context.dataset, context.catalog)}")
    return Rules(
        context, tree, conversion, sealer, seed ^ conversion.version, file_time, outstanding, forgotten, amendments
    )


@dataclass(frozen=True)
class _Workplace:
    delivery: str
    database: Database
    rules: Rules
    known: np.ndarray
    held: tuple[Held, ...]


def do_batch(errand: bytes, number: int, sealed: bytes) -> int:
    """Do one batch and put the result into staging, in the place of what stood there for it; return its number."""
    place = _workplace(errand)
    sealer = place.rules.sealer
    batch = pickle.loads(sealer.open_bytes(sealed, f"{place.delivery} {number}"))
    notes: list[Note] = []
    done = transform(batch, place.rules, noting_memory(place.known, place.held, notes))
    parcel = sealer.seal_bytes(pickle.dumps((done, notes), 5), f"{place.delivery} {number} done")
    with place.database.connect("loader", autocommit=True) as connection:
        put(connection, place.delivery, number, parcel)
    return number


@lru_cache(maxsize=1)
def _workplace(errand: bytes) -> _Workplace:
    """Read once for all batches of an errand what this worker's own settings lead to."""
    settings = read_settings(os.environ)
    sealer = Sealer(read_secrets(settings))
    told: Errand = pickle.loads(sealer.open_bytes(errand, "errand"))
    database = open_database(settings)
    with database.connect("loader") as connection:
        tree = read_tree(connection, told.edition, settings.local_dir / "cache")
        known = known_hashes(connection, told.context.dataset.key)
        outstanding = read_outstanding(connection, told.context.dataset)
        forgotten = read_tombstones(connection)
        amendments = read_amendments(connection, told.context.dataset.key, sealer, tree)
        held = tuple(read_held(connection, told.context.dataset, known).held)
    if tree.version != told.grids_version:
        raise ServerError(
            "A worker sees other grids than the loader.", "Give it the DATABASE_URL of the loader's database."
        )
    how = conversion(told.crs, told.datum)
    rules = make_rules(told.context, tree, how, sealer, told.file_time, outstanding, forgotten, amendments)
    return _Workplace(told.delivery, database, rules, known, held)
