"""The sample city's deliveries as files: formats, encodings, the answer sheet, and that a build is all or nothing."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pyogrio
import pytest

from etl.demo import build_city
from etl.reasons import REASONS
from etl.sources import open_delivery
from layers.declare.records import Catalog
from layers.errors import SettingError

UNTIL = date(2025, 11, 20)


@pytest.fixture(scope="module")
def answers(city_folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((city_folder / "answers.json").read_text(encoding="utf-8"))
    return found


def quiet(line: str) -> None:
    del line


def test_every_declared_dataset_is_delivered_and_has_its_answers(
    city_folder: Path, catalog: Catalog, answers: dict[str, Any]
) -> None:
    assert set(answers) == set(catalog.datasets)
    for key, dataset in catalog.datasets.items():
        files = list(city_folder.glob(dataset.source.files))
        assert [f.name for f in files] == [answers[key]["file"]]
        assert open_delivery(files[0], dataset).headings  # raises when a declared heading is not there
        assert dataset.expect.rows_min <= answers[key]["rows"] <= (dataset.expect.rows_max or 1e12)


def test_every_kind_of_file_and_all_elements_are_among_them(catalog: Catalog) -> None:
    delivered = [d for d in catalog.datasets.values() if d.table != "grid"]
    assert {d.source.format for d in delivered} == {"csv", "xlsx", "shapefile", "geopackage", "geojson"}
    assert {d.table for d in delivered} >= {"person", "event", "place", "thing", "organisation"}
    assert len({d.department for d in delivered}) >= 6
    assert {d.source.crs for d in delivered} >= {"GCJ-02", "BD-09", "EPSG:4326", "EPSG:4490", "EPSG:4526", "EPSG:4547"}


def test_encodings_are_those_promised(city_folder: Path) -> None:
    for name in ("resident.csv", "company.csv", "service_centre.csv"):
        raw = (city_folder / name).read_bytes()
        assert raw.decode("gbk")
        with pytest.raises(UnicodeDecodeError):
            raw.decode("utf-8")
    for name in ("grid_event.csv", "grid_event_step.csv"):
        assert (city_folder / name).read_bytes().startswith(b"\xef\xbb\xbf")
    for name in ("household.csv", "hotline.csv"):
        raw = (city_folder / name).read_bytes()
        assert raw.decode("utf-8") and not raw.startswith(b"\xef\xbb\xbf")
    for name in ("hazard_point", "manhole"):
        assert (city_folder / f"{name}.cpg").read_text() == "GBK"
        assert "井盖编号".encode("gbk") in (city_folder / "manhole.dbf").read_bytes()


def test_shapefiles_stand_in_their_gauss_kruger_zone(city_folder: Path) -> None:
    plain = pyogrio.read_info(city_folder / "hazard_point.shp")
    prefixed = pyogrio.read_info(city_folder / "manhole.shp")
    assert 500_000 < plain["total_bounds"][2] < 800_000
    assert 38_500_000 < prefixed["total_bounds"][2] < 38_800_000


def test_workbooks_have_merged_titles_above_the_heading(city_folder: Path, catalog: Catalog) -> None:
    for key, n_title_rows in (("elder_allowance", 2), ("dispute", 1), ("grid_worker", 1)):
        with zipfile.ZipFile(city_folder / f"{key}.xlsx") as book:
            assert f'<mergeCells count="{n_title_rows}">' in book.read("xl/worksheets/sheet1.xml").decode()
        assert catalog.datasets[key].source.header_row == n_title_rows + 1


def test_the_answer_sheet_adds_up(answers: dict[str, Any], catalog: Catalog, city_folder: Path) -> None:
    for key, sheet in answers.items():
        dataset, faults = catalog.datasets[key], sheet["faults"]
        first = (dataset.source.header_row or 1) + 1 if dataset.source.format in ("csv", "xlsx") else 1
        lines = [fault["line"] for fault in faults]
        assert sheet["rows"] == sheet["clean"] + len(faults)
        assert len(set(lines)) == len(lines), "one fault a row"
        assert all(first <= line < first + sheet["rows"] for line in lines)
        assert {fault["reason"] for fault in faults} <= set(REASONS)
        headings = open_delivery(city_folder / sheet["file"], dataset).headings
        assert {fault["field"] for fault in faults} <= {*headings, None}
        assert sheet["unplaced"] < max(10, sheet["clean"] * 0.05)


def test_about_one_row_in_a_hundred_is_dirty_and_every_reason_occurs(answers: dict[str, Any]) -> None:
    for key in ("resident", "household", "grid_event", "hotline", "manhole"):
        assert 0.005 < len(answers[key]["faults"]) / answers[key]["rows"] < 0.02
    planted = {f["reason"] for sheet in answers.values() for f in sheet["faults"]}
    assert planted | {"too_few_points", "self_crossing"} == set(REASONS), "shapes have tests of their own"


def test_the_city_says_that_it_is_fictitious(city_folder: Path) -> None:
    facts = json.loads((city_folder / "city.json").read_text(encoding="utf-8"))
    assert "fictitious" in facts["notice"]
    assert (facts["size"], facts["seed"], facts["people"], facts["events"]) == ("small", 4499, 20_000, 20_000)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    a, b, c = (
        build_city(tmp_path / name, "small", people=2_000, events=2_000, seed=seed, until=UNTIL, say=quiet)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    for file in sorted(a.iterdir()):
        same = file.read_bytes() == (b / file.name).read_bytes()
        assert same or file.suffix in (".gpkg", ".xlsx"), file.name
    assert (a / "resident.csv").read_bytes() != (c / "resident.csv").read_bytes()


def test_numbers_of_people_and_events_can_be_chosen(tmp_path: Path) -> None:
    folder = build_city(tmp_path / "city", "small", people=1_500, events=1_000, until=UNTIL, say=quiet)
    rows = json.loads((folder / "city.json").read_text(encoding="utf-8"))["rows"]
    assert 1_500 <= rows["resident"] <= 1_520
    assert 1_000 <= rows["grid_event"] + rows["hotline"] + rows["dispute"] <= 1_050


def test_a_build_cut_short_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    def stop(line: str) -> None:
        if "hotline" in line:
            raise KeyboardInterrupt

    folder = tmp_path / "city"
    with pytest.raises(KeyboardInterrupt):
        build_city(folder, "small", people=1_000, events=1_000, until=UNTIL, say=stop)
    assert not folder.exists()
    build_city(folder, "small", people=1_000, events=1_000, until=UNTIL, say=quiet)
    assert (folder / "answers.json").exists() and not folder.with_name("city.part").exists()
    with pytest.raises(KeyboardInterrupt):
        build_city(folder, "small", people=2_000, events=1_000, until=UNTIL, say=stop)
    assert json.loads((folder / "city.json").read_text(encoding="utf-8"))["people"] == 1_000, "the old one stays"


@pytest.mark.parametrize(("size", "people"), [("huge", None), ("small", 12)])
def test_what_cannot_be_built_is_refused_in_a_sentence(tmp_path: Path, size: str, people: int | None) -> None:
    with pytest.raises(SettingError) as refused:
        build_city(tmp_path / "city", size, people=people, say=quiet)
    assert refused.value.hint


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(SettingError, match="not the sample city's"):
        build_city(tmp_path, "small", say=quiet)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
