"""Formulas in exports: every file that a spreadsheet opens is read back, and no cell of it would be run."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Collection, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import hostile
import pandas as pd
import pytest
import xlsxwriter
from databases import copy_of
from knock import SCOPE, Answer, Knocker
from poison import poison
from serving import serving
from signing import sign_in
from surface import operations
from test_attack_inputs import FILLED, fill, role_for

import etl
import layers
import mapapp
from etl.refused import Refused, write_refused
from etl.unplaced import HEADINGS, write_unplaced
from layers.database import Database
from layers.declare.records import Catalog
from mapapp.door import Pace
from mapapp.explore import export

BOOK, COMMAS = export.KINDS["xlsx"], export.KINDS["csv"]
RUN = re.compile(r"[ \u3000\xa0\ufeff\u200b]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet may take for a formula, whatever blanks stand before it."""

LATENT = [*hostile.FORMULA, " =1+1", "\u3000=1+1", "\xa0@SUM(1)", "\ufeff+1", "\n=1", '"=1+1', "'=1+1"]
WRITE = re.compile(r"csv\.(writer|DictWriter)\(|xlsxwriter\.Workbook\(|ExcelWriter\(|\.to_(excel|csv)\(|openpyxl")
WRITERS = {
    "mapapp/explore/export.py", "etl/refused.py", "etl/unplaced.py",
    "etl/fetch/open311.py",  # a delivery for the loader, which reads text and runs nothing
}  # fmt: skip


def runs(text: object) -> bool:
    """Tell whether a spreadsheet would run a cell of that text; numbers are none."""
    if not isinstance(text, str) or re.fullmatch(r"-?\d+(\.\d+)?(e[+-]\d+)?", text):
        return False
    return RUN.match(text) is not None


def of_commas(body: bytes) -> Iterator[str]:
    """What is wrong with a CSV file."""
    yield from (f"runs: {cell[:30]!r}" for row in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""))
                for cell in row if runs(cell))  # fmt: skip


def of_book(body: bytes) -> Iterator[str]:
    """What is wrong with a workbook: formulas, links, names, macros, and parts that lie elsewhere."""
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        for name in book.namelist():
            if re.search(r"external|vba|embed|connection|query", name, re.I):
                yield f"a part {name}"
            if name.endswith((".xml", ".rels")):
                for one in ElementTree.fromstring(book.read(name)).iter():
                    if one.tag.endswith(("}f", "}hyperlink", "}definedName", "}oleObject")):
                        yield f"{name} has {one.tag.partition('}')[2]}: {one.text!r}"
                    if one.get("TargetMode") == "External":
                        yield f"{name} leads to {one.get('Target')!r}"


def faults(answer: Answer) -> list[str]:
    kind = answer.headers.get(b"content-type", b"").decode()
    return list({BOOK: of_book, COMMAS: of_commas}[kind](answer.body)) if kind in (BOOK, COMMAS) else []


@pytest.fixture(scope="module")
def poisoned(settings: Any, server: Any, city_template: Database) -> Iterator[Database]:
    with copy_of(city_template, server, settings) as copy:
        poison(copy, LATENT, only="pub.grid")
        yield copy


@pytest.fixture
def serve(poisoned: Database, catalog: Catalog, settings: Any) -> Iterator[Any]:
    with serving(poisoned, catalog, settings) as server:
        server.app._pace = Pace(burst=1e9)
        yield server


EXPORT = "/api/explore/export/{kind}"


def files(serve: Any, poisoned: Database, kinds: Collection[str]) -> dict[tuple[str, str], Answer]:
    """What every route gives that has kinds of files, for each kind."""
    found: dict[tuple[str, str], Answer] = {}
    people: dict[str, Knocker] = {}
    asked = urlencode({"at": SCOPE, "level": "small", "indicator": "events_reported"}).encode()
    for one, kind in product(operations(serve.app), kinds):
        role = role_for(one.template)
        if one.method == "GET" and role and "kind" in one.holes:
            who = people.setdefault(role, Knocker(serve.app, serve.loop, partial(sign_in, poisoned, role)))
            found[one.template, kind] = who.ask("GET", fill(one, FILLED | {"kind": kind}), asked)
    return found


def test_no_export_of_the_map_has_a_cell_that_runs(serve: Any, poisoned: Database, monkeypatch: Any) -> None:
    found = files(serve, poisoned, export.KINDS)
    assert {kind for _, kind in found} == set(export.KINDS), "every kind of file was taken"
    for at, answer in found.items():
        assert (answer.status, faults(answer)) == (200, []), at
    rows = pd.read_excel(io.BytesIO(found[EXPORT, "xlsx"].body), engine="calamine")
    assert all(pd.api.types.is_numeric_dtype(rows.iloc[:, at]) for at in range(2, 5)), "numbers stay numbers"
    assert rows.iloc[:, 1].map(runs).sum() > len(LATENT), "the texts that would run were there"
    monkeypatch.setattr(export, "harmless", str)
    assert faults(files(serve, poisoned, ["csv"])[EXPORT, "csv"]), "without the guard they would run"


def test_no_workbook_of_the_loader_has_a_cell_that_runs(tmp_path: Path, monkeypatch: Any) -> None:
    worklist = pd.DataFrame(dict.fromkeys(HEADINGS, LATENT))
    told = [((text,) * 6, {text: text, "x": text}) for text in LATENT]
    refused = Refused("x", tuple(LATENT), told)  # type: ignore[arg-type]

    def books() -> Iterator[str]:
        write_unplaced(worklist, tmp_path / "worklist.xlsx")
        write_refused(refused, tmp_path / "refused.xlsx")
        for path in sorted(tmp_path.glob("*.xlsx")):
            yield from (f"{path.name} {fault}" for fault in of_book(path.read_bytes()))

    assert list(books()) == []
    inner = xlsxwriter.worksheet.Worksheet
    monkeypatch.setattr(
        inner, "_write_string", lambda page, row, at, text, *_: inner._write_formula(page, row, at, text or "=1")
    )
    assert {fault.partition(" ")[0] for fault in books()} == {"worklist.xlsx", "refused.xlsx"}


def test_whoever_writes_tables_is_attacked_here() -> None:
    """A new writer of spreadsheets, or a route that gives a file, is put here and attacked."""
    found, giving = set(), set()
    for part in (etl, layers, mapapp):
        top = Path(str(part.__file__)).parent
        for path in top.rglob("*.py"):
            name, text = str(path.relative_to(top.parent)), path.read_text(encoding="utf-8")
            if WRITE.search(text) and not name.startswith("etl/demo/"):
                found.add(name)
            if "content-disposition" in text:
                giving.add(name)
    assert (found, giving) == (WRITERS, {"mapapp/api/explore.py"})
