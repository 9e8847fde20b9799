"""Corrections: a workbook of refused rows that somebody has corrected, delivered again as it is.

It is known by its first column, the number of each row in the quarantine with the dataset's name before it; the other
columns beside the dataset's own are for people and are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from etl.masks import plain
from etl.sources import Limits, RawBatch, Source
from etl.sources.guarded import GuardedSource
from etl.sources.request import Request
from layers.declare.keys import GEOMETRIES
from layers.declare.records import Dataset, Expect
from layers.errors import DeliveryError

NUMBER = "退回编号 quarantine no"
"""Heading of the numbers: `school 12` is the twelfth refused row ever, of the dataset school."""

OURS = (NUMBER, "有误栏 column", "原因 reason", "办法 remedy", "出处 where", "原行 line as delivered")
"""Headings of our own columns, before those of the dataset."""


def dataset_of(path: Path, limits: Limits) -> str | None:
    """Name of the dataset whose refused rows a workbook holds; None when it is no correction."""
    try:
        source = GuardedSource(Request(path.resolve(), "xlsx", (NUMBER,), header_row=1, limits=limits))
        if NUMBER not in source.headings:
            source.close()
            return None
        batches = source.batches((NUMBER,))
        first = next(batches, None)
        source.close()
    except DeliveryError:
        return None
    numbers = first.columns[NUMBER].drop_null() if first is not None else []
    return numbers[0].as_py().rpartition(" ")[0] if len(numbers) else None


def as_correction(dataset: Dataset) -> Dataset:
    """Make of a dataset what its corrections are read as: a few rows in our own workbook, never the whole.

    Raises
    ------
    DeliveryError
        The rows come with shapes.
    """
    if dataset.source.format in GEOMETRIES:
        raise DeliveryError(
            f"Rows of {dataset.key} come with shapes, which a workbook cannot hold.",
            "Correct them where they were drawn and deliver the file again: they leave the quarantine by their key.",
        )
    source = replace(dataset.source, format="xlsx", sheet=None, layer=None, encoding=None, header_row=1)
    return replace(dataset, source=source, delivery="changes", expect=Expect(rows_min=0))


@dataclass(frozen=True)
class CorrectionSource:
    """An opened correction: the dataset's own columns, and which number of the quarantine each row answers."""

    inner: Source

    @property
    def headings(self) -> tuple[str, ...]:
        """Headings of the file without our own."""
        return tuple(h for h in self.inner.headings if h not in OURS)

    @property
    def has_geometry(self) -> bool:
        """A workbook has no shapes."""
        return False

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found out about the file."""
        return self.inner.notes

    def batches(self, wanted: tuple[str, ...]) -> Iterator[RawBatch]:
        """Read the rows, only the `wanted` headings of them."""
        for batch in self.inner.batches((*wanted, NUMBER)):
            columns = dict(batch.columns)
            digits = pc.extract_regex(columns.pop(NUMBER), r" (?P<number>\d{1,18})$")
            numbers = plain(pc.struct_field(digits, "number").cast("int64"))
            yield replace(batch, columns=columns, answers=numbers.astype(np.int64))
