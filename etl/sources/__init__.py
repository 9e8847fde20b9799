"""Readers of delivered files, one per kind; all give batches of text columns."""

from __future__ import annotations

import difflib
from pathlib import Path

from etl.sources.batch import RawBatch, Source
from etl.sources.delimited import open_delimited
from etl.sources.vector import open_vector
from etl.sources.workbook import open_workbook
from layers.declare.records import Dataset
from layers.errors import DeliveryError

__all__ = ["RawBatch", "Source", "headings_of", "open_delivery"]


def headings_of(dataset: Dataset) -> tuple[str, ...]:
    """Headings a dataset declares, each once: its columns, then coordinates, address and grid code."""
    source = dataset.source
    names = [c.heading for c in dataset.columns]
    names += [h for h in (source.lon, source.lat, source.address, source.grid_code) if h]
    return tuple(dict.fromkeys(names))


def open_delivery(path: Path, dataset: Dataset) -> Source:
    """Open a delivered file of a dataset.

    Raises
    ------
    DeliveryError
        The file cannot be read, or a declared column is not in it.
    """
    how = dataset.source
    opened: Source
    if how.format == "csv":
        opened = open_delimited(path, how.encoding, how.header_row)
    elif how.format == "xlsx":
        opened = open_workbook(path, how.sheet, how.header_row)
    else:
        opened = open_vector(path, how.format, how.layer, how.encoding)
    missing = [h for h in headings_of(dataset) if h not in opened.headings]
    if missing:
        near = difflib.get_close_matches(missing[0], opened.headings, n=3, cutoff=0.3) or opened.headings
        raise DeliveryError(
            f"{path.name} has no column {'、'.join(missing)} (dataset {dataset.key}).",
            f"The file has {', '.join(near)}: mend `from` in {dataset.key}.toml or the heading of the file.",
        )
    return opened
