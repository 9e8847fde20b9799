"""The worklist of places: rows that lie in no grid, or whose address may mean several, with the grids it may be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from psycopg import sql
from rich import box
from rich.console import Console
from rich.table import Table

from etl.copying import Connection, table_name
from etl.doubts import ADDRESS, CANDIDATES, CONFIDENCE, open_address, path_names
from etl.rows import TABLES, TALLIED
from layers.accounts.audit import note_load
from layers.database import Database
from layers.declare.records import Catalog, Dataset
from layers.errors import SettingError, UnknownNameError
from layers.seal import Sealer

HEADINGS = {
    "dataset": "数据集 dataset",
    "source_key": "键值 key",
    "address": "地址 address",
    "placed_in": "现落于 placed in",
    "confidence": "把握 confidence",
    "candidates": "可能是 may be",
    "codes": "编码 codes",
}
"""Columns of the worklist, and how they are headed for a steward."""

_ROWS = """
select {dataset}, source_key, grid_code, attrs ->> {confidence}, attrs -> {candidates}, attrs ->> {address}
from {table}
where dataset = {dataset} and gone_on is null and (grid_code = {city} or attrs ? {candidates})
order by id
"""


def read_unplaced(
    database: Database,
    catalog: Catalog,
    sealer: Sealer,
    names: Sequence[str] = (),
    *,
    run_by: str | None = None,
    kind: str = "quarantine_view",
) -> pd.DataFrame:
    """Read the worklist of the named datasets, or of all; a row for each row that lies in no grid or leaves a doubt.

    Addresses are opened for it, so the audit has who reads it (`run_by`) and whether it is taken away (`kind`) before
    the first row is read.

    Returns
    -------
    pandas.DataFrame
        Columns of `HEADINGS`: dataset, source_key, address as delivered (empty where none was), placed_in (name and
        code of the grid it lies in now), confidence in that (0 to 1), names and codes of the
        candidates. No rows: empty.

    Raises
    ------
    UnknownNameError
        A dataset nobody declared.
    """
    for name in names:
        if name not in catalog.datasets:
            raise UnknownNameError("dataset", name, catalog.datasets)
    wanted = [catalog.datasets[name] for name in (names or catalog.datasets)]
    with database.connect("loader") as connection:
        note_load(connection, kind, run_by, "unplaced", datasets=list(names))
        connection.commit()
        grids = connection.execute("select code, name from pub.grid order by edition, code").fetchall()
        rows = [row for one in wanted if one.table in TALLIED for row in _rows(connection, one, catalog.city.code)]
    named = path_names(pd.DataFrame(grids, columns=["code", "name"]))
    worklist = [
        (
            dataset,
            key,
            open_address(address, sealer),
            f"{named.get(code, '')} {code}".strip(),
            float(confidence or 0),
            "、".join(named.get(one, one) for one in candidates or ()),
            "、".join(candidates or ()),
        )
        for dataset, key, code, confidence, candidates, address in rows
    ]
    return pd.DataFrame(worklist, columns=list(HEADINGS))


def _rows(connection: Connection, dataset: Dataset, city: str) -> list[tuple[Any, ...]]:
    texts = {"dataset": dataset.key, "city": city, "confidence": CONFIDENCE, "candidates": CANDIDATES}
    literals = {name: sql.Literal(value) for name, value in {**texts, "address": ADDRESS}.items()}
    query = sql.SQL(_ROWS).format(table=table_name(TABLES[dataset.table]), **literals)
    return connection.execute(query).fetchall()


def write_unplaced(worklist: pd.DataFrame, path: Path) -> None:
    """Write the worklist as a workbook; nothing in it is taken for a formula.

    Raises
    ------
    SettingError
        The file cannot be written, or is no workbook by its name.
    """
    if path.suffix.lower() != ".xlsx":
        raise SettingError(f"{path} is no workbook.", "Name a file that ends in .xlsx.")
    headed = worklist.rename(columns=HEADINGS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        options = {"options": {"strings_to_formulas": False, "strings_to_urls": False}}
        with pd.ExcelWriter(path, engine="xlsxwriter", engine_kwargs=options) as book:
            headed.to_excel(book, index=False, sheet_name="unplaced")
    except OSError as error:
        raise SettingError(f"The worklist cannot be written to {path}: {error.strerror}.") from error


def print_unplaced(worklist: pd.DataFrame, console: Console, most: int = 50) -> None:
    """Print the beginning of the worklist."""
    table = Table(
        title=f"未落格与存疑 Unplaced or in doubt: {len(worklist):,}", title_justify="left", box=box.SIMPLE_HEAD
    )
    shown = ("dataset", "source_key", "address", "placed_in", "candidates")
    for name in shown:
        table.add_column(HEADINGS[name], overflow="fold")
    for row in worklist[list(shown)].head(most).itertuples(index=False):
        table.add_row(*map(str, row))
    console.print(table)
    if len(worklist) > most:
        console.print("全部 all of them: --out FILE.xlsx", markup=False)
