"""A crew: workers that do the batches of a delivery, and the staging their results come back through."""

from __future__ import annotations

import pickle
import secrets as chance
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from etl.errand import Errand, do_batch
from etl.executors import Executor
from etl.notes import hold_true
from etl.sources import RawBatch
from etl.staging import Staging
from etl.transform import FileMemory, Rules, Transformed, transform
from layers.errors import AtlasError

ROWS = 32_768
"""Rows of a batch that goes over the wire: few enough to be shared out evenly, and done again quickly."""


@dataclass(frozen=True)
class Crew:
    """Who does batches elsewhere."""

    executor: Executor
    staging: Staging

    def transform(self, batches: Iterator[RawBatch], rules: Rules, memory: FileMemory) -> Iterator[Transformed]:
        """Have batches done, and give them in their order exactly as `etl.transform.transform` would.

        A batch that would have been judged otherwise by somebody who knows the rows before it, such as one that
        repeats a key of an earlier batch, is done again here.
        """
        delivery, sealer = chance.token_hex(16), rules.sealer
        tree = rules.tree
        errand = Errand(
            delivery,
            rules.context,
            tree.edition,
            tree.version,
            rules.file_time,
            rules.conversion.crs,
            rules.conversion.datum,
        ).sealed(sealer)
        waiting: dict[int, RawBatch] = {}

        def items() -> Iterator[tuple[int, bytes]]:
            for number, batch in enumerate(part for whole in batches for part in _parts(whole)):
                waiting[number] = batch
                yield number, sealer.seal_bytes(pickle.dumps(batch, 5), f"{delivery} {number}")

        try:
            for number in self.executor.each(do_batch, errand, items()):
                batch = waiting.pop(number)
                parcel = sealer.open_bytes(self.staging.get(delivery, number), f"{delivery} {number} done")
                done, notes = pickle.loads(parcel)
                ahead = hold_true(notes, memory)
                if ahead is None:
                    done = transform(batch, rules, memory)
                else:
                    memory.seen, memory.ordinals, memory.uniques = ahead.seen, ahead.ordinals, ahead.uniques
                yield done
            if waiting:
                raise AtlasError(f"Batches {sorted(waiting)} were never done.", "Nothing was loaded; load it again.")
        finally:
            self.staging.drop(delivery)


def _parts(batch: RawBatch) -> Iterator[RawBatch]:
    """Cut a batch into pieces that own their memory; broken rows go with the first."""
    for start in range(0, max(batch.n, 1), ROWS):
        piece = slice(start, start + ROWS)
        yield RawBatch(
            {heading: pa.concat_arrays([column[piece]]) for heading, column in batch.columns.items()},
            batch.lines[piece],
            None if batch.geometry is None else batch.geometry[piece],
            batch.broken if start == 0 else (),
            None if batch.answers is None else batch.answers[piece],
        )
