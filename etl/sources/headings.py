"""Where the headings of a table stand: title lines may be above them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

SEARCHED_ROWS = 30
"""Rows looked through from the top."""


def find_heading_row(rows: Sequence[Sequence[Any]], declared: Sequence[str]) -> tuple[int, int]:
    """Find the row that has most of the declared headings, the first of them when several do.

    Returns
    -------
    tuple[int, int]
        Its position, counted from 0, and how many declared headings it has. Without any, the first row that is filled.
    """
    wanted = set(declared)
    best, most = next((i for i, row in enumerate(rows) if any(_named(row))), 0), 0
    for i, row in enumerate(islice(rows, SEARCHED_ROWS)):
        n = len(wanted.intersection(_named(row)))
        if n > most:
            best, most = i, n
    return best, most


def headings_in(row: Sequence[Any]) -> tuple[str, ...]:
    """Headings of a row; one met twice keeps its place under another name, since the first one is meant."""
    names = _named(row)
    while names and not names[-1]:
        names.pop()
    return tuple(f"{n}.{i}" if n in names[:i] or not n else n for i, n in enumerate(names))


def _named(row: Sequence[Any]) -> list[str]:
    return ["" if value is None else "".join(str(value).split("\n")).strip().strip("\ufeff") for value in row]
