"""XLSX, XLS and ODS workbooks: the headings on any row below merged titles, in one sheet or in many."""

from __future__ import annotations

import fnmatch
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import python_calamine

from etl.sources.batch import RawBatch
from etl.sources.cells import cell_texts
from etl.sources.headings import SEARCHED_ROWS, find_heading_row, headings_in
from etl.sources.request import Request
from layers.errors import DeliveryError

BATCH_ROWS = 20_000
SHEET_LINES = 10_000_000
"""Line 15 of the second sheet read is 10,000,015, of the third 20,000,015: every line of a workbook is another."""


def place_of(line: int, file_format: str) -> str:
    """Where a line stands, for people: its row, and in a workbook the sheet, by its place among those read."""
    sheet, row = divmod(line, SHEET_LINES) if file_format in ("xlsx", "xls", "ods") else (0, line)
    if not sheet:
        return f"第 {row} 行 row {row}"
    return f"第 {sheet + 1} 张表第 {row} 行 sheet {sheet + 1}, row {row}"


@dataclass(frozen=True)
class _Sheet:
    """A worksheet that is read: the position of its heading row, and its headings."""

    name: str
    at: int
    headings: tuple[str, ...]
    n_declared: int


@dataclass(frozen=True)
class WorkbookSource:
    """The worksheets of a workbook that are read, one after another."""

    book: Any
    sheets: tuple[_Sheet, ...]
    moments: frozenset[str]
    counts_from_1904: bool
    notes: tuple[str, ...] = ()
    has_geometry: bool = False

    @property
    def headings(self) -> tuple[str, ...]:
        """Headings of the first sheet; the others have the declared ones at least."""
        return self.sheets[0].headings

    def batches(self, wanted: tuple[str, ...]) -> Iterator[RawBatch]:
        """Give the rows that hold any value, batch by batch."""
        for number, sheet in enumerate(self.sheets):
            rows = islice(self.book.get_sheet_by_name(sheet.name).iter_rows(), sheet.at + 1, None)
            start = number * SHEET_LINES + sheet.at + 2
            while part := list(islice(rows, BATCH_ROWS)):
                filled = [i for i, row in enumerate(part) if any(v not in ("", None) for v in row)]
                columns = {
                    heading: self._column([part[i][at] for i in filled], heading)
                    for at, heading in enumerate(sheet.headings)
                    if heading in wanted
                }
                yield RawBatch(columns, np.array(filled, np.int64) + start)
                start += len(part)

    def _column(self, values: list[Any], heading: str) -> pa.Array:
        return cell_texts(values, is_moment=heading in self.moments, counts_from_1904=self.counts_from_1904)


def open_workbook(path: Path, request: Request) -> WorkbookSource:
    """Open the sheets of a workbook: the one named, all whose names a pattern fits, else the first that will do.

    Raises
    ------
    DeliveryError
        It is no workbook, has no such sheet, or no headings where they should be.
    """
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        names = [meta.name for meta in book.sheets_metadata if meta.typ == python_calamine.SheetTypeEnum.WorkSheet]
        named = [name for name in names if request.sheet is None or _is_named(name, request.sheet)]
        sheets = [_look(book, name, request) for name in named]
    except (python_calamine.CalamineError, OSError, IndexError, ValueError) as error:
        raise DeliveryError(
            f"{request.path.name} cannot be read as a workbook: {str(error)[:200]}.",
            "Save it again as .xlsx, without a password.",
        ) from error
    if not named:
        raise DeliveryError(
            f"{request.path.name} has no sheet {request.sheet!r}.",
            f"Its sheets are {', '.join(names)}: mend `sheet` in the dataset's [source].",
        )
    chosen, notes = _choose(sheets, request)
    if not chosen[0].headings:
        raise DeliveryError(
            f"{request.path.name} has no headings on row {request.header_row or 1}.",
            "Mend `header_row` in the dataset's [source], or leave it out to have the row found.",
        )
    return WorkbookSource(book, chosen, frozenset(request.moments), _counts_from_1904(path), notes)


def _is_named(name: str, sheet: str) -> bool:
    return name == sheet or (_is_pattern(sheet) and fnmatch.fnmatchcase(name, sheet))


def _is_pattern(sheet: str | None) -> bool:
    return sheet is not None and ("*" in sheet or "?" in sheet)


def _look(book: Any, name: str, request: Request) -> _Sheet:
    """Look for the headings at the top of a sheet."""
    first = request.header_row - 1 if request.header_row else 0
    rows = list(islice(book.get_sheet_by_name(name).iter_rows(), first, first + (1 if first else SEARCHED_ROWS)))
    if request.header_row == 1:
        rows = rows[:1]
    if not rows:
        return _Sheet(name, first, (), 0)
    at, n = find_heading_row(rows, request.headings)
    return _Sheet(name, first + at, headings_in(rows[at]), n)


def _choose(sheets: list[_Sheet], request: Request) -> tuple[tuple[_Sheet, ...], tuple[str, ...]]:
    """The sheets to read, and a sentence for each that one might have expected to be read."""
    whole = [sheet for sheet in sheets if sheet.n_declared == len(request.headings) and sheet.headings]
    if not whole:
        return (max(sheets, key=lambda sheet: sheet.n_declared),), ()
    if _is_pattern(request.sheet):
        left = [sheet for sheet in sheets if sheet not in whole and sheet.headings]
        told = (f"sheets read: {', '.join(f'{n} {s.name!r}' for n, s in enumerate(whole, 1))}",) if whole[1:] else ()
        return tuple(whole), told + tuple(
            f"sheet {s.name!r} has not all declared headings and was left alone" for s in left
        )
    why = 'has the same headings and was left alone; sheet = "*" in [source] reads all such sheets'
    return tuple(whole[:1]), tuple(f"sheet {sheet.name!r} {why}" for sheet in whole[1:])


def _counts_from_1904(path: Path) -> bool:
    """Whether the days of a workbook are counted from 1904, as old Macintosh programs did."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            return False
        with archive.open("xl/workbook.xml") as stream:
            return re.search(rb'date1904="(1|true)"', stream.read(1 << 20)) is not None
