"""Deliveries written as files: each in the format, encoding and coordinates its department is used to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyogrio
import xlsxwriter

from etl.demo.delivery import Delivery

CHUNK_ROWS = 100_000
"""Rows of a CSV file made at a time, so that the biggest file needs no more memory than a small one."""

WRITTEN_AT = datetime(2024, 1, 1, tzinfo=UTC)
"""Date written into the files themselves: the same deliveries are the same bytes on every day."""


def write_delivery(folder: Path, delivery: Delivery) -> None:
    """Write the file of a delivery into a folder."""
    path = folder / delivery.file
    options = delivery.options
    if delivery.how == "csv":
        bad_lines = {f.row for f in delivery.faults if f.reason == "wrong_field_count"}
        _write_csv(path, delivery.rows, options.get("encoding", "utf-8"), bad_lines)
    elif delivery.how == "xlsx":
        _write_xlsx(path, delivery.rows, **options)
    else:
        _write_vector(path, delivery.rows, delivery.how, **options)


def _write_csv(path: Path, rows: pd.DataFrame, encoding: str, bad_lines: set[int]) -> None:
    """Write text columns; the lines in `bad_lines` get a field too many."""
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    headings = [str(c) for c in rows.columns]
    with path.open("wb") as file:
        file.write((",".join(headings) + "\n").encode(encoding))
        for start in range(0, len(rows), CHUNK_ROWS):
            part = rows.iloc[start : start + CHUNK_ROWS]
            text = [pa.array(part[c].astype(str), type=pa.string()) for c in rows.columns]
            buffer = pa.BufferOutputStream()
            pyarrow.csv.write_csv(pa.table(text, names=headings), buffer, options)
            body = buffer.getvalue().to_pybytes()
            bad = [i - start for i in sorted(bad_lines) if start <= i < start + len(part)]
            if bad:
                lines = body.split(b"\n")
                for i in bad:
                    lines[i] += ",重复".encode()
                body = b"\n".join(lines)
            # the mark at the start of UTF-8 with BOM stands before the heading alone
            file.write(body if encoding.startswith("utf-8") else body.decode().encode(encoding))


def _write_xlsx(path: Path, rows: pd.DataFrame, header_row: int = 1, title: str = "", sheet: str = "Sheet1") -> None:
    """Write a sheet; with a title, merged title rows stand above the heading. Dates become real date cells."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"})
    book.set_properties({"created": WRITTEN_AT.replace(tzinfo=None)})
    page = book.add_worksheet(sheet)
    last = len(rows.columns) - 1
    big = book.add_format({"bold": True, "align": "center", "font_size": 16})
    bold = book.add_format({"bold": True, "bg_color": "#D9E1F2", "border": 1})
    if header_row > 1:
        page.merge_range(0, 0, 0, last, title, big)
    for i in range(1, header_row - 1):
        page.merge_range(i, 0, i, last, "填报单位：海晏市（虚构）    单位：人、元", book.add_format({"align": "right"}))
    page.write_row(header_row - 1, 0, [str(c) for c in rows.columns], bold)
    for i, row in enumerate(rows.itertuples(index=False), start=header_row):
        for j, value in enumerate(row):
            if isinstance(value, str):
                page.write_string(i, j, value)
            elif pd.isna(value):
                continue
            elif isinstance(value, datetime):
                page.write_datetime(i, j, value)
            else:
                page.write_number(i, j, value)
    book.close()


def _write_vector(path: Path, rows: pd.DataFrame, how: str, **options: Any) -> None:
    """Write geometry with its attributes; more layers of one GeoPackage are added to the file."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": WRITTEN_AT.strftime("%Y-%m-%dT%H:%M:%S.000Z")})
    frame = gpd.GeoDataFrame(rows, geometry="geom", crs=options.get("crs", "EPSG:4326"))
    layer = options.get("layer")
    if how == "geopackage":
        pyogrio.write_dataframe(frame, path, layer=layer, driver="GPKG", append=path.exists())
    elif how == "geojson":
        pyogrio.write_dataframe(frame, path, driver="GeoJSON", COORDINATE_PRECISION=7, WRITE_NAME="NO")
    else:
        # A Chinese department's Shapefile: attribute table in GBK, and a .cpg that says so.
        pyogrio.write_dataframe(
            frame, path, driver="ESRI Shapefile", encoding="GBK", geometry_type=options.get("geometry_type", "Point")
        )
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
