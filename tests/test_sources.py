"""Readers of delivered files: whatever the format, the same rows come out as text, each with its line."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
import xlsxwriter

from etl.sources import RawBatch, headings_of, open_delivery
from layers.declare.records import Column, Dataset, Source, Text
from layers.errors import DeliveryError

HEADINGS = ("编号", "名称", "座位数")
ROWS = [("1", "青石小学", "120"), ("2", "白塘小学", ""), ("3", "沙湾“新”小学", "88")]


def school(**source: object) -> Dataset:
    columns = tuple(Column(key, heading, "text") for key, heading in zip("abc", HEADINGS, strict=True))
    how = replace(Source("school.*", "csv"), **source)  # type: ignore[arg-type]
    text = Text("学校", "schools")
    return Dataset("school", text, "education", "place", text, ("a",), how, columns, category="school")


def read(path: Path, dataset: Dataset) -> RawBatch:
    batches = list(open_delivery(path, dataset).batches(headings_of(dataset)))
    columns = {h: pa.concat_arrays([b.columns[h] for b in batches if h in b.columns]) for h in headings_of(dataset)}
    geometry = [b.geometry for b in batches if b.geometry is not None]
    return RawBatch(
        columns,
        np.concatenate([b.lines for b in batches]),
        np.concatenate(geometry) if geometry else None,
        tuple(row for b in batches for row in b.broken),
    )


def as_rows(batch: RawBatch) -> list[tuple[str, ...]]:
    return list(zip(*(batch.columns[h].fill_null("").to_pylist() for h in HEADINGS), strict=True))


def csv_text() -> str:
    return "\n".join(",".join(row) for row in [HEADINGS, *ROWS]) + "\n"


def write_csv(encoding: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "school.csv"
        path.write_bytes(csv_text().encode(encoding))
        return path

    return write


def write_gzip(folder: Path) -> Path:
    path = folder / "school.csv.gz"
    path.write_bytes(gzip.compress(csv_text().encode("gb18030")))
    return path


def write_xlsx(folder: Path) -> Path:
    path = folder / "school.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 2, "海晏市学校登记表（虚构）")
        sheet.write_row(2, 0, HEADINGS)
        for at, row in enumerate(ROWS):
            sheet.write_row(3 + at, 0, [int(row[0]), row[1], int(row[2]) if row[2] else None])
    return path


def frame() -> gpd.GeoDataFrame:
    rows = pd.DataFrame([[int(a), b, int(c) if c else None] for a, b, c in ROWS], columns=list(HEADINGS))
    rows["座位数"] = rows["座位数"].astype("Int64")
    return gpd.GeoDataFrame(rows, geometry=shapely.points([115.1, 115.2, 115.3], [22.8] * 3), crs="EPSG:4490")


def write_geojson(folder: Path) -> Path:
    path = folder / "school.geojson"
    frame().to_crs("EPSG:4326").to_file(path, driver="GeoJSON")
    return path


def write_geojson_gz(folder: Path) -> Path:
    plain = write_geojson(folder)
    path = folder / "school.geojson.gz"
    path.write_bytes(gzip.compress(plain.read_bytes()))
    return path


def write_geopackage(folder: Path) -> Path:
    path = folder / "school.gpkg"
    frame().to_file(path, layer="schools", driver="GPKG")
    return path


def write_shapefile(folder: Path) -> Path:
    path = folder / "school.shp"
    frame().to_file(path, encoding="gb18030")
    for sidecar in folder.glob("*.cpg"):
        sidecar.unlink()  # as it comes from old software: nothing says that the table is in GBK
    return path


@pytest.mark.parametrize(
    ("write", "source", "first_line"),
    [
        (write_csv("utf-8"), {}, 2),
        (write_csv("utf-8-sig"), {}, 2),
        (write_csv("gb18030"), {}, 2),
        (write_csv("gbk"), {"encoding": "gbk"}, 2),
        (write_gzip, {}, 2),
        (write_xlsx, {"format": "xlsx", "header_row": 3}, 4),
        (write_geojson, {"format": "geojson"}, 1),
        (write_geojson_gz, {"format": "geojson"}, 1),
        (write_geopackage, {"format": "geopackage"}, 1),
        (write_geopackage, {"format": "geopackage", "layer": "schools"}, 1),
        (write_shapefile, {"format": "shapefile"}, 1),
    ],
)
def test_the_same_rows_come_out_of_every_format(
    write: Callable[[Path], Path], source: dict[str, object], first_line: int, tmp_path: Path
) -> None:
    batch = read(write(tmp_path), school(**source))
    assert as_rows(batch) == ROWS
    assert batch.lines.tolist() == [first_line, first_line + 1, first_line + 2]
    assert batch.broken == ()
    if batch.geometry is not None:
        assert shapely.get_x(batch.geometry).round(6).tolist() == [115.1, 115.2, 115.3]


def test_broken_blank_and_quoted_rows_keep_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "school.csv"
    path.write_text(
        '编号,名称,座位数\n1,一,10\n2,二\n\n"4","两\n行",40\n5,五,50,多\n,,\n8,"八",80\n9,九\n', encoding="utf-8"
    )
    batch = read(path, school())
    assert as_rows(batch) == [("1", "一", "10"), ("4", "两\n行", "40"), ("8", "八", "80")]
    assert batch.lines.tolist() == [2, 5, 9]
    assert [line for line, _ in batch.broken] == [3, 7, 10]


def test_lines_are_right_across_many_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.sources.delimited.BLOCK_BYTES", 64)
    path = tmp_path / "school.csv"
    lines = [f"{i},第{i}所" if i % 7 == 0 else f"{i},第{i}所,{i}" for i in range(2, 500)]
    path.write_text("编号,名称,座位数\n" + "\n".join(lines) + "\n", encoding="utf-8")
    batch = read(path, school())
    assert batch.columns["编号"].to_pylist() == [str(line) for line in batch.lines]
    assert [line for line, _ in batch.broken] == [i for i in range(2, 500) if i % 7 == 0]


@pytest.mark.parametrize(
    ("name", "content", "source", "said"),
    [
        ("school.csv", b"", {}, "has no headings on line 1"),
        ("school.csv", "编号,名称\n1,一\n".encode(), {}, "has no column 座位数"),
        ("school.csv", b"\xff\xff\xff" * 9, {}, "is not written in UTF-8 or UTF-16 or GB18030"),
        ("school.csv", csv_text().encode("gb18030"), {"encoding": "utf-8"}, "is not written in UTF-8"),
        ("school.csv.gz", b"PK nothing of the kind", {}, "cannot be unpacked"),
        ("school.xlsx", b"PK nothing of the kind", {"format": "xlsx"}, "cannot be read as a workbook"),
        ("school.shp", b"<OGRVRTDataSource/>", {"format": "shapefile"}, "is no shapefile file"),
        ("school.shp", b"\x00\x00\x27\x0a" + bytes(96), {"format": "shapefile"}, "came without its school.shx"),
        ("school.gpkg", b"<OGRVRTDataSource/>", {"format": "geopackage"}, "is no geopackage file"),
        ("school.gpkg", b"SQLite format 3\x00" + bytes(100), {"format": "geopackage"}, "cannot be read"),
        ("school.geojson", b'{"type": "FeatureCollection", "feat', {"format": "geojson"}, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(
    name: str, content: bytes, source: dict[str, object], said: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DeliveryError) as caught:
        read(path, school(**source))
    assert said in caught.value.message
    assert caught.value.hint


def test_a_missing_sheet_or_layer_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="Its sheets are Sheet1"):
        open_delivery(write_xlsx(tmp_path), school(format="xlsx", sheet="名单"))
    with pytest.raises(DeliveryError, match="Its layers are schools"):
        open_delivery(write_geopackage(tmp_path), school(format="geopackage", layer="clinics"))


def test_bytes_that_are_wrong_far_into_the_file_are_a_sentence_too(tmp_path: Path) -> None:
    path = tmp_path / "school.csv"
    path.write_bytes(csv_text().encode() + "".join(f"{i},学校{i},5\n" for i in range(400_000)).encode() + b"9,\xff,1\n")
    with pytest.raises(DeliveryError, match=r"school\.csv mixes encodings: line 400005 is in another"):
        read(path, school())
