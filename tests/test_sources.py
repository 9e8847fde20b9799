"""Readers of delivered files: whatever the format, the same rows come out as text, each with its line."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import pyarrow as pa
import pytest
import shapely
import xlsxwriter
from hypothesis import example, given
from hypothesis import strategies as st

from etl.sources import open_delivery
from etl.sources.batch import arrow_texts, text_column
from etl.sources.readers import open_file
from etl.sources.request import DEFAULT_LIMITS, request_for
from etl.sources.workbook import place_of
from layers.errors import DeliveryError
from tests.source_files import (
    FIRST_LINES,
    HEADINGS,
    KINDS,
    ROWS,
    as_rows,
    csv_text,
    gzipped,
    read,
    records,
    school,
    write,
    zipped,
)


def put(folder: Path, content: str | bytes, name: str = "school.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


@pytest.mark.parametrize("packed", ["", "gz", "zip"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_rows_come_out_of_every_format(kind: str, packed: str, tmp_path: Path) -> None:
    path = write(kind, tmp_path)
    if packed == "gz" and kind != "shapefile":
        path = gzipped(path)
    elif packed:
        path = zipped(path)
    batch = read(path, school(format=kind))
    first = FIRST_LINES.get(kind, 1)
    assert as_rows(batch) == ROWS
    assert batch.lines.tolist() == [first, first + 1, first + 2]
    assert batch.broken == ()
    if batch.geometry is not None:
        assert shapely.get_x(batch.geometry).round(6).tolist() == [115.1, 115.2, 115.3]
        assert (shapely.get_type_id(batch.geometry) == 0).all()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_separator_and_encoding_are_found(encoding: str, delimiter: str, tmp_path: Path) -> None:
    batch = read(put(tmp_path, csv_text(delimiter), encoding=encoding), school())
    assert as_rows(batch) == ROWS
    assert batch.lines.tolist() == [2, 3, 4]


@pytest.mark.parametrize("encoding", ["gbk", "utf-16", "utf-8"])
def test_an_encoding_may_be_declared(encoding: str, tmp_path: Path) -> None:
    assert as_rows(read(put(tmp_path, csv_text(), encoding=encoding), school(encoding=encoding))) == ROWS


def test_quotes_and_title_lines_are_found(tmp_path: Path) -> None:
    text = (
        "sep=;\n海晏市学校登记表;;\n'编号';'名称';'座位数'\n'1';'青石;小学';'120'\n'2';'白塘\n小学';''\n'3';'三';'88'\n"
    )
    batch = read(put(tmp_path, text), school())
    assert as_rows(batch) == [("1", "青石;小学", "120"), ("2", "白塘\n小学", ""), ("3", "三", "88")]
    assert batch.lines.tolist() == [4, 5, 7]


@pytest.mark.parametrize("odd", [0, 3, 40_000])
@pytest.mark.parametrize(("main", "other"), [("utf-8", "gb18030"), ("gb18030", "utf-8")])
def test_mixed_encodings_are_refused_with_the_line(main: str, other: str, odd: int, tmp_path: Path) -> None:
    row = "7,海晏市第一中心小学,5\n"
    text = "编号,名称,座位数\n".encode(main) + row.encode(main) * odd + row.encode(other) + row.encode(main) * 200_000
    path = put(tmp_path, text)
    for delivered in (path, gzipped(path)):
        said = rf"{re.escape(delivered.name)} mixes encodings: line {odd + 2} is in"
        with pytest.raises(DeliveryError, match=said) as caught:
            read(delivered, school())
    assert "Parts of two files were put together" in caught.value.hint


def test_records_that_begin_with_a_separator_are_read(tmp_path: Path) -> None:
    assert as_rows(read(put(tmp_path, records(), "school.geojsons"), school(format="geojsonseq"))) == ROWS


def test_a_layer_of_a_geopackage_may_be_named(tmp_path: Path) -> None:
    assert as_rows(read(write("geopackage", tmp_path), school(format="geopackage", layer="schools"))) == ROWS


@pytest.mark.parametrize("page", [None, "UTF-8", "GBK"])
def test_a_shapefile_is_read_in_the_encoding_it_has(page: str | None, tmp_path: Path) -> None:
    path = write("shapefile", tmp_path)
    if page:
        path.with_suffix(".cpg").write_text(page)  # "UTF-8" is a lie: the table is in GB18030
    assert as_rows(read(path, school(format="shapefile"))) == ROWS


def test_a_kmz_is_a_kml_in_a_zip(tmp_path: Path) -> None:
    path = zipped(write("kml", tmp_path), "").rename(tmp_path / "school.kmz")
    assert as_rows(read(path, school(format="kml"))) == ROWS


AWKWARD = [-0.0, 0.1, 1 / 3, 1e-5, 1.5e-7, 1e10 + 0.5, 99999999999999.5, 1e16, 1e17, 5e-324, float("inf"), None]


@example(AWKWARD)
@given(st.lists(st.none() | st.floats() | st.floats(-1e12, 1e12) | st.integers(-(10**17), 10**17).map(float)))
def test_numbers_with_a_point_become_the_shortest_text_that_means_them(values: list[float | None]) -> None:
    for kind in (pa.float64(), pa.float32()):
        column = pa.array(values, pa.float64()).cast(kind, safe=False)
        texts = arrow_texts(column)
        assert texts.equals(text_column(column.to_pylist()))


def workbook(folder: Path, sheets: dict[str, list[list[object]]], **options: object) -> Path:
    path = folder / "school.xlsx"
    with xlsxwriter.Workbook(path, dict(options)) as book:
        days = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                for column, value in enumerate(row):
                    if isinstance(value, datetime):
                        sheet.write_datetime(at, column, value, days)
                    elif value is not None:
                        sheet.write(at, column, value)
    return path


def test_sheets_are_chosen_by_name_by_pattern_or_by_their_headings(tmp_path: Path) -> None:
    months = {
        "说明": [["本表由各校填报"]],
        "1月": [["登记表"], [*HEADINGS], [1, "一", 10]],
        "2月": [[*reversed(HEADINGS)], [20, "二", 2], [None, "三", 3]],
    }
    path = workbook(tmp_path, months)
    first = open_delivery(path, school(format="xlsx"))
    assert first.notes == (
        "sheet '2月' has the same headings and was left alone; sheet = \"*\" in [source] reads all such sheets",
    )
    assert [b.columns["名称"].to_pylist() for b in first.batches(HEADINGS)] == [["一"]]
    assert as_rows(read(path, school(format="xlsx", sheet="2月"))) == [("2", "二", "20"), ("3", "三", "")]
    every = read(path, school(format="xlsx", sheet="*"))
    assert as_rows(every) == [("1", "一", "10"), ("2", "二", "20"), ("3", "三", "")]
    assert every.lines.tolist() == [3, 10_000_002, 10_000_003]
    assert open_delivery(path, school(format="xlsx", sheet="*")).notes == (
        "sheets read: 1 '1月', 2 '2月'",
        "sheet '说明' has not all declared headings and was left alone",
    )
    assert place_of(10_000_002, "xlsx") == "第 2 张表第 2 行 sheet 2, row 2"
    assert place_of(10_000_002, "csv") == "第 10000002 行 row 10000002"


@pytest.mark.parametrize("from_1904", [False, True])
def test_days_counted_as_numbers_are_dates_where_dates_are_declared(from_1904: bool, tmp_path: Path) -> None:
    day = datetime(2026, 3, 5, 14, 30)
    serial = (day - (datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30))).total_seconds() / 86_400
    cells = [day, serial, int(serial), str(int(serial)), 20260305, 202603, 2026, "2026年3月5日"]
    rows = [[*HEADINGS], *([n, "一", cell] for n, cell in enumerate(cells))]
    path = workbook(tmp_path, {"名单": rows}, date_1904=from_1904)
    columns = tuple(replace(c, type="moment") if c.heading == "座位数" else c for c in school().columns)
    as_dates = read(path, replace(school(format="xlsx"), columns=columns)).columns["座位数"].to_pylist()
    assert as_dates == [
        "2026-03-05 14:30:00", "2026-03-05 14:30:00", "2026-03-05", "2026-03-05", "20260305", "202603", "2026",
        "2026年3月5日",
    ]  # fmt: skip
    as_text = read(path, school(format="xlsx")).columns["座位数"].to_pylist()
    assert as_text[2] == str(int(serial))


def test_a_number_too_long_for_a_spreadsheet_shows_that_it_lost_digits(tmp_path: Path) -> None:
    rows = [[*HEADINGS], [440524188001010014, "一", 123456789012345], [6222021234567890123, "二", 1.5]]
    assert as_rows(read(workbook(tmp_path, {"名单": rows}), school(format="xlsx"))) == [
        ("4.40524188001010E+17", "一", "123456789012345"),
        ("6.22202123456789E+18", "二", "1.5"),
    ]


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
    lines = [f"{i},第{i}所" if i % 7 == 0 else f"{i},第{i}所,{i}" for i in range(2, 500)]
    path = put(tmp_path, "编号,名称,座位数\n" + "\n".join(lines) + "\n")
    batches = list(open_file(request_for(path, school(), DEFAULT_LIMITS), tmp_path).batches(HEADINGS))
    assert len(batches) > 20
    for batch in batches:
        assert batch.columns["编号"].to_pylist() == [str(line) for line in batch.lines]
    assert [line for b in batches for line, _ in b.broken] == [i for i in range(2, 500) if i % 7 == 0]


def _with_a_row_of(n_bytes: int, folder: Path) -> Path:
    """Write 300,000 short rows, some of them broken; among them a quoted one of some MB, over two lines."""
    rows = [f"{i},第{i}所" if i % 1000 == 7 else f"{i},第{i}所,{i}" for i in range(2, 300_000)]
    rows[250_000] = f'250002,"{"x" * (n_bytes // 2)}\n{"x" * (n_bytes // 2)}",1'
    rows[250_001:] = [re.sub(r"^\d+", lambda found: str(int(found[0]) + 1), row) for row in rows[250_001:]]
    return put(folder, "编号,名称,座位数\n" + "\n".join(rows) + "\n")


@pytest.mark.parametrize("megabytes", [5, 9, 15])
def test_a_row_longer_than_a_block_is_read_and_none_twice(megabytes: int, tmp_path: Path) -> None:
    path = _with_a_row_of(megabytes * 1_000_000, tmp_path)
    batches = list(open_file(request_for(path, school(), DEFAULT_LIMITS), tmp_path).batches(HEADINGS))
    lines = [line for batch in batches for line in batch.lines.tolist()]
    broken = [line for batch in batches for line, _ in batch.broken]
    assert [int(no) for batch in batches for no in batch.columns["编号"].to_pylist()] == lines
    assert sorted([*lines, *broken]) == [i for i in range(2, 300_001) if i != 250_003]
    assert max(len(name) for batch in batches for name in batch.columns["名称"].to_pylist()) > megabytes * 999_999


def test_a_quote_that_is_never_closed_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match=r"a row longer than 16 MB somewhere below line \d{6}") as caught:
        read(_with_a_row_of(40_000_000, tmp_path), school())
    assert "never closed" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "content", "source", "said"),
    [
        ("school.csv", b"", {}, "has no headings on line 1"),
        ("school.csv", "编号,名称\n1,一\n".encode(), {}, "has no column 座位数"),
        ("school.csv", b"\xff\xff\xff" * 9, {}, "is not written in UTF-8, UTF-16 or GB18030"),
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
    with pytest.raises(DeliveryError, match="Its sheets are 名单"):
        open_delivery(write("xlsx", tmp_path), school(format="xlsx", sheet="花名册"))
    with pytest.raises(DeliveryError, match="Its layers are schools"):
        open_delivery(write("geopackage", tmp_path), school(format="geopackage", layer="clinics"))


def test_bytes_that_are_wrong_far_into_the_file_are_a_sentence_too(tmp_path: Path) -> None:
    path = tmp_path / "school.csv"
    path.write_bytes(csv_text().encode() + "".join(f"{i},学校{i},5\n" for i in range(400_000)).encode() + b"9,\xff,1\n")
    with pytest.raises(DeliveryError, match=r"school\.csv mixes encodings: line 400005 is in another"):
        read(path, school())


@pytest.mark.parametrize("number", range(6))
def test_geoparquet_may_keep_its_geometry_as_lists_of_points(number: int, tmp_path: Path) -> None:
    square = shapely.box(113, 28, 114, 29)
    shapes = [
        [shapely.Point(113.5, 28.5), None, shapely.Point(113.25, 28.75)],
        [shapely.LineString([(113, 28), (114, 29)]), None, shapely.LineString([(113, 28), (113, 29), (114, 29)])],
        [square, None, square.buffer(0.5).difference(square)],
        [shapely.MultiPoint([(113, 28), (114, 29)]), None, shapely.MultiPoint([(113, 28)])],
        [shapely.MultiLineString([[(113, 28), (114, 29)], [(113, 29), (114, 28)]]), None, shapely.MultiLineString()],
        [shapely.MultiPolygon([square, shapely.box(115, 28, 116, 29)]), None, shapely.MultiPolygon([square])],
    ][number]
    path = tmp_path / "places.parquet"
    frame = gpd.GeoDataFrame({heading: ["甲", "乙", "丙"] for heading in HEADINGS}, geometry=shapes, crs="EPSG:4326")
    frame.to_parquet(path, geometry_encoding="geoarrow")
    batch = read(path, school(format="geoparquet"))
    assert batch.geometry is not None
    assert batch.geometry.tolist() == shapes
    assert [column.to_pylist() for column in batch.columns.values()] == [["甲", "乙", "丙"]] * len(HEADINGS)
