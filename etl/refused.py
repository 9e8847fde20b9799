"""Refused rows for the steward: what is open by reason and age, and a workbook of it to be corrected."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter
from rich import box
from rich.console import Console
from rich.table import Table

from etl.corrections import OURS
from etl.reasons import REASONS
from etl.shape import IDENTITY_TYPES
from etl.sources import headings_of
from etl.sources.workbook import place_of
from layers.accounts.audit import note_load
from layers.database import Database
from layers.declare.records import Catalog, Dataset
from layers.errors import SettingError, UnknownNameError
from layers.seal import Sealer

MOST = 1_000_000
"""Rows a sheet can hold, ours at least; the oldest come first."""

_OPEN = """
select dataset, reason, count(*), min(open_since) from raw.quarantine
where resolved_at is null and (%(all)s or dataset = any(%(names)s)) group by 1, 2 order by 1, 3 desc, 2
"""
_ROWS = """
select q.id, q.field, q.reason, q.remedy, q.row_sealed, q.line, d.file_name, d.declaration -> 'source' ->> 'format'
from raw.quarantine q left join raw.delivery d on d.id = q.delivery_id
where q.dataset = %s and q.resolved_at is null order by q.open_since, q.id limit %s
"""


@dataclass(frozen=True)
class Refused:
    """Open rows of one dataset: its headings, and for each row our columns and the values as delivered."""

    dataset: str
    headings: tuple[str, ...]
    rows: list[tuple[tuple[str, ...], dict[str, str]]]


def read_open(database: Database, catalog: Catalog, names: tuple[str, ...] = ()) -> pd.DataFrame:
    """Count what is open; a row for each dataset and reason: dataset, reason, n, open_since (the oldest).

    Raises
    ------
    UnknownNameError
        A dataset nobody declared.
    """
    for name in names:
        _declared(catalog, name)
    with database.connect("loader") as connection:
        rows = connection.execute(_OPEN, {"all": not names, "names": list(names)}).fetchall()
    return pd.DataFrame(rows, columns=["dataset", "reason", "n", "open_since"])


def print_open(counted: pd.DataFrame, now: datetime, console: Console) -> None:
    """Print what is open, by dataset, reason and age."""
    if counted.empty:
        console.print("没有退回未改的记录 Nothing waits for a correction.")
        return
    table = Table(title="退回未改 Waiting for correction", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("数据集 dataset", "原因 reason"):
        table.add_column(heading, overflow="fold")
    for heading in ("条 rows", "最久（天）oldest, days"):
        table.add_column(heading, justify="right")
    for dataset, reason, n, since in counted.itertuples(index=False):
        name = REASONS[reason].name.zh if reason in REASONS else ""
        table.add_row(dataset, f"{name} {reason}".strip(), f"{n:,}", str(max((now - since).days, 0)))
    console.print(table)


def read_refused(
    database: Database, catalog: Catalog, sealer: Sealer, name: str, *, run_by: str, people: bool = False
) -> Refused:
    """Read the open rows of a dataset as they were delivered; the audit has who took them away before they are read.

    Raises
    ------
    UnknownNameError
        A dataset nobody declared.
    SettingError
        Its rows name people, and `people` does not say that its steward asks.
    """
    dataset = _declared(catalog, name)
    if any(c.type in IDENTITY_TYPES for c in dataset.columns) and not people:
        raise SettingError(
            f"Rows of {name} name people and are opened for the steward of this dataset only.",
            "If that is you, say `--people`; the audit keeps who asked, and when.",
        )
    with database.connect("loader") as connection:
        note_load(connection, "export", run_by, name, what="quarantine", people=people)
        connection.commit()
        rows = connection.execute(_ROWS, [name, MOST]).fetchall()
    return Refused(name, headings_of(dataset), [_opened(name, row, sealer) for row in rows])


def write_refused(refused: Refused, path: Path) -> None:
    """Write the rows as a workbook under the dataset's own headings, the offending cell marked and explained.

    Every value is written as text: nothing in it is taken for a formula, a number or a link.

    Raises
    ------
    SettingError
        The file cannot be written, or is no workbook by its name.
    """
    if path.suffix.lower() != ".xlsx":
        raise SettingError(f"{path} is no workbook.", "Name a file that ends in .xlsx.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
            _fill(book, refused)
    except (OSError, xlsxwriter.exceptions.XlsxWriterException) as error:
        raise SettingError(f"The rows cannot be written to {path}: {error}.") from error


def _fill(book: Any, refused: Refused) -> None:
    page = book.add_worksheet("quarantine")
    plain, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "bg_color": "#D9E1F2"})
    ours, wrong = (
        book.add_format({"font_color": "#777777"}),
        book.add_format({"num_format": "@", "bg_color": "#FFC7CE"}),
    )
    headings = (*OURS, *refused.headings)
    for column, heading in enumerate(headings):
        page.write_string(0, column, heading, bold)
    page.freeze_panes(1, 1)
    page.set_column(0, len(headings) - 1, 18)
    for line, (told, values) in enumerate(refused.rows, 1):
        for column, text in enumerate(told):
            page.write_string(line, column, text, ours)
        offending = told[1].split("、")
        for column, heading in enumerate(refused.headings, len(OURS)):
            is_wrong = heading in offending
            page.write_string(line, column, values.get(heading, ""), wrong if is_wrong else plain)
            if is_wrong:
                page.write_comment(line, column, f"{told[2]}\n{told[3]}", {"x_scale": 2})


def _opened(dataset: str, row: tuple[Any, ...], sealer: Sealer) -> tuple[tuple[str, ...], dict[str, str]]:
    number, heading, reason, remedy, sealed, line, file, file_format = row
    where = f"{file} {place_of(line, file_format)}" if file else ""
    text = sealer.open(bytes(sealed))
    is_broken = reason == "wrong_field_count"
    name = f"{REASONS[reason].name.zh} {reason}" if reason in REASONS else reason
    told = (f"{dataset} {number}", heading or "", name, remedy, where, text if is_broken else "")
    return told, {} if is_broken else {key: str(value) for key, value in json.loads(text).items()}


def _declared(catalog: Catalog, name: str) -> Dataset:
    if name not in catalog.datasets:
        raise UnknownNameError("dataset", name, catalog.datasets)
    return catalog.datasets[name]
