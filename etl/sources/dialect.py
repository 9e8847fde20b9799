"""How a text table is written: what separates its fields, what quotes them, and on which line its headings stand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from etl.sources.headings import SEARCHED_ROWS, find_heading_row, headings_in

DELIMITERS = (",", "\t", ";", "|")
QUOTES = ('"', "'")


@dataclass(frozen=True)
class Dialect:
    """How a text table is written; `skip` lines go before its rows, headings included."""

    delimiter: str
    quote: str
    skip: int
    headings: tuple[str, ...]


def find_dialect(sample: str, declared: Sequence[str], header_row: int | None = None) -> Dialect | None:
    """Find the way of writing in which most declared headings appear; None when no line has any heading.

    Where none appears, the separator that gives most columns is taken, so that the headings can be named.
    """
    best: tuple[int, int] = (-1, -1)
    found = None
    for quote in QUOTES:
        for delimiter in DELIMITERS:
            rows = list(_rows(sample, delimiter, quote))
            if header_row is not None:
                rows = [row for row in rows if row[1] == header_row]
            if not rows:
                continue
            at, n = find_heading_row([row for _, _, row in rows], declared)
            end, _, row = rows[at]
            headings = headings_in(row)
            if headings and (n, len(headings)) > best:
                best = (n, len(headings))
                found = Dialect(delimiter, quote, end, headings)
    return found


def _rows(sample: str, delimiter: str, quote: str) -> Iterator[tuple[int, int, list[str]]]:
    """Last line, first line and fields of each row at the top of the file."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, quotechar=quote)
    before = 0
    try:
        for row in reader:
            yield reader.line_num, before + 1, row
            before = reader.line_num
            if before > SEARCHED_ROWS and before >= _LAST_LINE:
                return
    except csv.Error:
        return


_LAST_LINE = 1000
"""Greatest line that can be declared for headings."""
