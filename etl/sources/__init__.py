"""Readers of delivered files, one per kind; all give batches of text columns."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from etl.sources.batch import RawBatch, Source
from etl.sources.guarded import GuardedSource, nursery_of
from etl.sources.request import DEFAULT_LIMITS, Limits, headings_of, request_for
from layers.declare.records import Dataset
from layers.errors import DeliveryError

__all__ = ["DEFAULT_LIMITS", "Limits", "RawBatch", "Source", "headings_of", "open_delivery", "warm_up"]


def open_delivery(path: Path, dataset: Dataset, limits: Limits = DEFAULT_LIMITS) -> GuardedSource:
    """Open a delivered file of a dataset, in a child process that may do nothing but read it.

    Raises
    ------
    DeliveryError
        The file cannot be read, or not within the limits, or a declared column is not in it.
    """
    opened = GuardedSource(request_for(path, dataset, limits))
    missing = [h for h in headings_of(dataset) if h not in opened.headings]
    if missing:
        opened.close()
        near = difflib.get_close_matches(missing[0], opened.headings, n=3, cutoff=0.3) or opened.headings
        raise DeliveryError(
            f"{path.name} has no column {'、'.join(missing)} (dataset {dataset.key}).",
            f"The file has {', '.join(near)}: mend `from` in {dataset.key}.toml or the heading of the file.",
        )
    return opened


def warm_up() -> None:
    """Start the process that reading happens in, so that the first file need not wait for it."""
    nursery_of(os.getpid()).warm()
