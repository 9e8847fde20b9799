"""Small real files of every kind that can be delivered, all with the same three schools."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
import xlsxwriter
import xlwt

from etl.sources import RawBatch, headings_of, open_delivery
from layers.declare.records import Column, Dataset, Source, Text

HEADINGS = ("编号", "名称", "座位数")
ROWS = [("1", "青石小学", "120"), ("2", "白塘小学", ""), ("3", "沙湾“新”小学", "88")]


def school(**source: object) -> Dataset:
    """A dataset of schools whose files look so."""
    columns = tuple(Column(key, heading, "text") for key, heading in zip("abc", HEADINGS, strict=True))
    how = replace(Source("school.*", "csv"), **source)  # type: ignore[arg-type]
    text = Text("学校", "schools")
    return Dataset("school", text, "education", "place", text, ("a",), how, columns, category="school")


def read(path: Path, dataset: Dataset) -> RawBatch:
    """Read a file whole, through the child."""
    batches = list(open_delivery(path, dataset).batches(headings_of(dataset)))
    nothing = pa.array([], pa.string())
    columns = {
        h: pa.concat_arrays([nothing, *(b.columns[h] for b in batches if h in b.columns)]) for h in headings_of(dataset)
    }
    geometry = [b.geometry for b in batches if b.geometry is not None]
    return RawBatch(
        columns,
        np.concatenate([np.zeros(0, np.int64), *(b.lines for b in batches)]),
        np.concatenate(geometry) if geometry else None,
        tuple(row for b in batches for row in b.broken),
    )


def as_rows(batch: RawBatch) -> list[tuple[str, ...]]:
    """Rows of a batch, "" for what is missing."""
    return list(zip(*(batch.columns[h].fill_null("").to_pylist() for h in HEADINGS), strict=True))


def frame() -> gpd.GeoDataFrame:
    """The three schools as a frame."""
    rows = pd.DataFrame([[int(a), b, int(c) if c else None] for a, b, c in ROWS], columns=list(HEADINGS))
    rows["座位数"] = rows["座位数"].astype("Int64")
    return gpd.GeoDataFrame(rows, geometry=shapely.points([115.1, 115.2, 115.3], [22.8] * 3), crs="EPSG:4326")


def csv_text(delimiter: str = ",") -> str:
    """The three schools as a text table."""
    return "\n".join(delimiter.join(row) for row in [HEADINGS, *ROWS]) + "\n"


def _csv() -> bytes:
    return csv_text().encode()


def _xlsx() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("名单")
        sheet.merge_range(0, 0, 0, 2, "海晏市学校登记表（虚构）")
        sheet.write_row(2, 0, HEADINGS)
        for at, row in enumerate(ROWS):
            sheet.write_row(3 + at, 0, [int(row[0]), row[1], int(row[2]) if row[2] else None])
    return out.getvalue()


def _xls() -> bytes:
    book, out = xlwt.Workbook(), io.BytesIO()
    sheet = book.add_sheet("名单")
    sheet.write_merge(0, 0, 0, 2, "海晏市学校登记表（虚构）")
    for at, row in enumerate([HEADINGS, *ROWS]):
        for column, value in enumerate(row):
            sheet.write(2 + at, column, float(value) if value.isdigit() else value)
    book.save(out)
    return out.getvalue()


_MANIFEST = 'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'


def _ods() -> bytes:
    def cell(value: str) -> str:
        if value.isdigit():
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    lines = [("海晏市学校登记表（虚构）",), (), HEADINGS, *ROWS]
    rows = "".join(f"<table:table-row>{''.join(map(cell, line))}</table:table-row>" for line in lines)
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names}><office:body><office:spreadsheet>'
        f'<table:table table:name="名单">{rows}</table:table></office:spreadsheet></office:body>'
        f"</office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", f"<manifest:manifest {_MANIFEST}/>")
        archive.writestr("content.xml", content)
    return out.getvalue()


def _parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(pd.DataFrame(frame().drop(columns="geometry")), preserve_index=False), out)
    return out.getvalue()


def _geoparquet() -> bytes:
    out = io.BytesIO()
    frame().to_parquet(out, index=False)
    return out.getvalue()


def _features() -> list[dict[str, object]]:
    features: list[dict[str, object]] = json.loads(frame().to_json())["features"]
    return features


def _geojson() -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": _features()}, ensure_ascii=False).encode()


def _by_lines() -> bytes:
    return "\n".join(json.dumps(feature, ensure_ascii=False) for feature in _features()).encode() + b"\n"


def _records() -> bytes:
    return b"".join(b"\x1e" + json.dumps(feature).encode() + b"\n" for feature in _features())


def _kml() -> bytes:
    def place(row: tuple[str, ...], lon: float) -> str:
        data = "".join(f'<Data name="{h}"><value>{v}</value></Data>' for h, v in zip(HEADINGS, row, strict=True))
        at = f"<Point><coordinates>{lon},22.8</coordinates></Point>"
        return f"<Placemark><name>{row[1]}</name><ExtendedData>{data}</ExtendedData>{at}</Placemark>"

    places = "".join(place(row, lon) for row, lon in zip(ROWS, (115.1, 115.2, 115.3), strict=True))
    document = f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>学校</name>{places}</Document></kml>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'.encode()


def _written(driver: str, suffix: str, **how: object) -> Callable[[Path], bytes]:
    def write(folder: Path) -> bytes:
        path = folder / f"written{suffix}"
        frame().to_file(path, driver=driver, **how)
        return path.read_bytes()

    return write


KINDS: dict[str, tuple[str, Callable[[Path], bytes]]] = {
    "csv": (".csv", lambda folder: _csv()),
    "xlsx": (".xlsx", lambda folder: _xlsx()),
    "xls": (".xls", lambda folder: _xls()),
    "ods": (".ods", lambda folder: _ods()),
    "parquet": (".parquet", lambda folder: _parquet()),
    "geoparquet": (".parquet", lambda folder: _geoparquet()),
    "shapefile": (".shp", _written("ESRI Shapefile", ".shp", encoding="gb18030")),
    "geopackage": (".gpkg", _written("GPKG", ".gpkg", layer="schools")),
    "geojson": (".geojson", lambda folder: _geojson()),
    "geojsonseq": (".geojsonl", lambda folder: _by_lines()),
    "kml": (".kml", lambda folder: _kml()),
    "flatgeobuf": (".fgb", _written("FlatGeobuf", ".fgb", SPATIAL_INDEX="NO")),
}
"""Suffix of each format, and what makes the bytes of its file."""

FIRST_LINES = {"csv": 2, "xlsx": 4, "xls": 4, "ods": 4}


def write(kind: str, folder: Path) -> Path:
    """Write the file of a format; of a Shapefile all parts but the .cpg, which old software leaves out."""
    suffix, make = KINDS[kind]
    path = folder / f"school{suffix}"
    path.write_bytes(make(folder))
    if kind == "shapefile":
        for part in (".shx", ".dbf", ".prj"):
            (folder / f"school{part}").write_bytes((folder / f"written{part}").read_bytes())
    return path


def gzipped(path: Path) -> Path:
    """Pack a file."""
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    return packed


def zipped(path: Path, folder: str = "导出/") -> Path:
    """Pack a file and what lies beside it under its name."""
    packed = path.with_name(f"{path.name}.zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(path.parent.glob(f"{path.stem}.*")):
            if part != packed and not part.name.endswith(".gz"):
                archive.write(part, f"{folder}{part.name}")
        archive.writestr("__MACOSX/._school.csv", b"junk")
        archive.writestr("readme.md", "说明")
    return packed


def records() -> bytes:
    """The schools as a GeoJSON text sequence (RFC 8142)."""
    return _records()
