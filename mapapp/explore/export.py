"""Files to take away: table, data and picture, each with what it is, its source, period and age inside it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import psycopg
import pyarrow.parquet as pq
import xlsxwriter

from layers.declare.records import Catalog, Indicator
from layers.grids import read_grids
from mapapp.explore.findings import Findings
from mapapp.explore.legend_panel import stands_on
from mapapp.explore.panels import against, title
from mapapp.text import Words

KINDS: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "geojson": "application/geo+json",
    "parquet": "application/vnd.apache.parquet",
    "svg": "image/svg+xml",
}
"""What can be taken away, and its media type."""

NUMBERS = ("value", "numerator", "denominator", "before", "change", "carried")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BLANK = " \u3000\xa0\ufeff\u200b"


def about(catalog: Catalog, words: Words, findings: Findings, address: str, now: datetime) -> dict[str, str]:
    """What a file says of itself: number, unit, source, period, age of the data, and what the figures stand on."""
    zone, moment = catalog.city.zone, findings.loaded_at
    said = {
        "about_indicator": title(words, findings),
        "about_unit": words.of(findings.indicator.unit),
        "about_grids": f"{findings.gazetteer.named(findings.question.frame).name} {findings.question.frame} · "
        + words(f"levels_{findings.question.level}"),
        "about_period": words.period(findings.period.number if findings.period else None),
        "about_against": against(words, findings) if findings.is_change else "",
        "about_source": _source(catalog, words, findings.indicator),
        "about_age": words.moment(moment, zone) if moment else words("no_data_yet"),
        "about_made": words.moment(now, zone),
        "about_notes": " · ".join(stands_on(words, findings)),
        "about_notice": words.of(catalog.city.notice) if catalog.city.notice else "",
        "about_link": address,
    }
    return {words(key): text for key, text in said.items() if text}


def _source(catalog: Catalog, words: Words, indicator: Indicator) -> str:
    """Who delivers what is counted: as it is declared, in English the departments of the datasets."""
    if words.language == "zh" and indicator.source:
        return indicator.source
    counted = {*indicator.count.datasets, *(indicator.of.datasets if indicator.of else ())}
    used = [one for one in catalog.datasets.values() if one.key in counted]
    if indicator.is_rounded:
        used += [one for one in catalog.datasets.values() if one.table == "person"]
    names = dict.fromkeys(words.of(catalog.departments[one.department].name) for one in used)
    return words("and").join(names) or words.of(catalog.city.name)


def table(findings: Findings) -> pd.DataFrame:
    """The rows of a file: a grid each, by code; comparison only where there is one."""
    cells = findings.cells
    columns = ["name", *NUMBERS, "class"]
    if not findings.is_change:
        columns = [column for column in columns if column not in ("before", "change")]
    made = cells[columns].copy()
    made.insert(0, "grid_code", made.index)
    return made.reset_index(drop=True)


def as_csv(words: Words, rows: pd.DataFrame, said: Mapping[str, str]) -> bytes:
    """Write a CSV that spreadsheets open as it is: UTF-8 with its mark, no text that could be a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([harmless(key), harmless(text)] for key, text in said.items())
    writer.writerow([])
    writer.writerow([words(f"column_{column}") for column in rows.columns])
    plain = rows.astype(object).where(rows.notna(), "")
    texts = [column for column in rows.columns if column not in (*NUMBERS, "class")]
    for column in texts:
        plain[column] = plain[column].map(harmless)
    writer.writerows(plain.to_numpy().tolist())
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def harmless(text: object) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe before what would begin one."""
    said = str(text)
    return "'" + said if said.lstrip(_BLANK).startswith(_DANGEROUS) else said


def as_xlsx(words: Words, rows: pd.DataFrame, said: Mapping[str, str]) -> bytes:
    """Write a workbook: the rows, and on a second sheet what they are; texts are texts and never formulas or links."""
    out = io.BytesIO()
    safe = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, safe) as book:
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet(words("sheet_rows"))
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, 1, 20)
        for at, column in enumerate(rows.columns):
            sheet.write_string(0, at, words(f"column_{column}"), bold)
            for line, value in enumerate(rows[column].tolist(), start=1):
                if pd.isna(value):
                    continue
                if column in (*NUMBERS, "class"):
                    sheet.write_number(line, at, float(value))
                else:
                    sheet.write_string(line, at, str(value))
        beside = book.add_worksheet(words("sheet_about"))
        beside.set_column(0, 0, 16)
        beside.set_column(1, 1, 90)
        for line, (key, text) in enumerate(said.items()):
            beside.write_string(line, 0, key, bold)
            beside.write_string(line, 1, text)
    return out.getvalue()


def shaped(connection: psycopg.Connection[Any], findings: Findings) -> gpd.GeoDataFrame:
    """The rows with their full shapes, EPSG:4490."""
    q = findings.question
    grids = read_grids(connection, findings.gazetteer.edition, q.level, q.frame)[["code", "geom"]]
    rows = table(findings).merge(grids, left_on="grid_code", right_on="code", how="left").drop(columns="code")
    numbers = {column: "float64" for column in NUMBERS if column in rows}
    return gpd.GeoDataFrame(rows.astype(numbers), geometry="geom", crs=grids.crs)


def as_geojson(shapes: gpd.GeoDataFrame, said: Mapping[str, str]) -> bytes:
    """Write GeoJSON; what it is stands in its member `about`. Longitudes and latitudes are CGCS2000, as WGS 84."""
    made = json.loads(shapes.to_json(drop_id=True, na="null"))
    made.pop("crs", None)  # since RFC 7946 there is none
    head = {"type": made["type"], "about": dict(said)}
    return json.dumps(head | made, ensure_ascii=False, separators=(",", ":")).encode()


def as_parquet(shapes: gpd.GeoDataFrame, said: Mapping[str, str]) -> bytes:
    """Write GeoParquet; what it is stands in its metadata under `about`."""
    first, out = io.BytesIO(), io.BytesIO()
    shapes.to_parquet(first, index=False)
    read = pq.read_table(first)
    metadata = {**(read.schema.metadata or {}), b"about": json.dumps(dict(said), ensure_ascii=False).encode()}
    pq.write_table(read.replace_schema_metadata(metadata), out, compression="zstd")
    return out.getvalue()
