"""XLSX workbooks, the heading on any row below merged titles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import python_calamine

from etl.sources.batch import RawBatch, text_column
from layers.errors import DeliveryError

BATCH_ROWS = 100_000


@dataclass(frozen=True)
class WorkbookSource:
    """An opened worksheet; a workbook has a million rows at most, so it is read at once."""

    headings: tuple[str, ...]
    header_row: int
    rows: list[list[Any]]
    has_geometry: bool = False
    notes: tuple[str, ...] = ()

    def batches(self, wanted: tuple[str, ...]) -> Iterator[RawBatch]:
        """Give the rows that hold any value, batch by batch."""
        for start in range(0, max(len(self.rows), 1), BATCH_ROWS):
            part = self.rows[start : start + BATCH_ROWS]
            filled = [i for i, row in enumerate(part) if any(v not in ("", None) for v in row)]
            columns = {
                heading: text_column([part[i][at] for i in filled])
                for at, heading in enumerate(self.headings)
                if heading in wanted
            }
            yield RawBatch(columns, np.array(filled, np.int64) + self.header_row + 1 + start)


def open_workbook(path: Path, sheet: str | None = None, header_row: int = 1) -> WorkbookSource:
    """Open a worksheet of a workbook, the first one when none is named.

    Raises
    ------
    DeliveryError
        It is no workbook, has no such sheet, or no headings on that row.
    """
    try:
        with python_calamine.CalamineWorkbook.from_path(str(path)) as book:
            names = book.sheet_names
            if sheet is not None and sheet not in names:
                raise DeliveryError(
                    f"{path.name} has no sheet {sheet!r}.",
                    f"Its sheets are {', '.join(names)}: mend `sheet` in the dataset's [source].",
                )
            rows = book.get_sheet_by_name(sheet or names[0]).to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, OSError, IndexError) as error:
        raise DeliveryError(
            f"{path.name} cannot be read as a workbook: {str(error)[:200]}.",
            "Save it again as .xlsx, without a password.",
        ) from error
    names = [str(v).strip() for v in rows[header_row - 1]] if len(rows) >= header_row else []
    if not any(names):
        raise DeliveryError(
            f"{path.name} has no headings on row {header_row}.", "Mend `header_row` in the dataset's [source]."
        )
    headings = tuple(f"{n}.{i}" if n in names[:i] or not n else n for i, n in enumerate(names))
    return WorkbookSource(headings, header_row, rows[header_row:])
