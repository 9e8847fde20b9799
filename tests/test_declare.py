"""Declarations become records, defaults filled in; whatever is wrong with a folder is said at once."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, asdict
from datetime import date
from pathlib import Path

import pytest
from declared import FILES, NAME, write

from layers.declare import read_catalog
from layers.declare.records import Column, Count, Expect, Source, Text
from layers.errors import DeclarationError


def problems(folder: Path) -> list[str]:
    with pytest.raises(DeclarationError) as error:
        read_catalog(folder)
    return list(error.value.problems)


def test_a_dataset_is_what_its_file_says(tmp_path: Path) -> None:
    school = read_catalog(write(tmp_path, FILES)).datasets["school"]
    assert school.key == "school"
    assert school.name == Text("名", "Name")
    assert school.name.said("en") == "Name"
    assert (school.table, school.department, school.category) == ("place", "education", "school")
    assert school.row_key == ("number",)
    assert school.source == Source("school*.csv", "csv", crs="GCJ-02", lon="经度", lat="纬度")
    assert school.columns == (
        Column("number", "编号", "text", required=True),
        Column("name", "名称", "text"),
        Column("n_pupils", "学生数", "integer", min=0, max=9999, default="0"),
    )
    assert school.expect == Expect(1, 500, 0.05)


def test_what_a_dataset_leaves_out_has_a_default(tmp_path: Path) -> None:
    step = read_catalog(write(tmp_path, FILES)).datasets["call_step"]
    assert step.expect == Expect(rows_min=1, rows_max=None, quarantine_share_max=1.0)
    assert (step.sensitive, step.category, step.level, step.licence) == (False, None, None, None)
    assert (step.source.header_row, step.source.encoding) == (None, None)
    assert step.columns[0].codes == {}


def test_the_city_has_its_day_and_its_counties(tmp_path: Path) -> None:
    city = read_catalog(write(tmp_path, FILES)).city
    assert (city.code, city.edition, city.opened_on) == ("4499", 1, date(2023, 1, 1))
    assert city.counties == {"449901": Text("临海区", "Linhai")}
    assert city.notice is None


def test_an_indicator_has_its_counts_and_classes(tmp_path: Path) -> None:
    indicators = read_catalog(write(tmp_path, FILES)).indicators
    calls, share, people = (indicators[key] for key in ("calls", "closed_share", "population"))
    assert calls.count == Count(("call",), categories=("noise",))
    assert (calls.classes, calls.n_classes, calls.breaks) == ("fixed", 4, (1.0, 5.0, 10.0))
    assert (calls.factor, calls.digits, calls.better, calls.of) == (1.0, 0, "neither", None)
    assert share.of == Count(("call",))
    assert (share.classes, share.n_classes, share.breaks) == ("quantile", 6, ())
    assert people.count == Count(())


def test_categories_keep_the_order_of_their_file_and_layers_their_own(tmp_path: Path) -> None:
    catalog = read_catalog(write(tmp_path, FILES))
    assert list(catalog.categories) == ["noise", "flood", "family", "school", "household"]
    assert [key for key, category in catalog.categories.items() if category.sensitive] == ["family", "household"]
    assert list(catalog.layers) == ["call", "school"]
    assert list(catalog.datasets) == sorted(catalog.datasets)


def test_a_record_cannot_be_changed_and_can_be_handed_to_another_process(tmp_path: Path) -> None:
    catalog = read_catalog(write(tmp_path, FILES))
    with pytest.raises(FrozenInstanceError):
        catalog.city.code = "1"  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(catalog)) == catalog
    assert asdict(catalog.datasets["school"])["source"]["crs"] == "GCJ-02"


def test_everything_wrong_in_every_file_is_said_at_once(tmp_path: Path) -> None:
    folder = write(tmp_path, FILES)
    write(folder, {
        "departments.toml": FILES["departments.toml"].replace(', en = "Justice"', ""),
        "datasets/school.toml": FILES["datasets/school.toml"]
        .replace('crs = "GCJ-02"', "crs = 4490")
        .replace('name = { from = "名称", type = "text" }', 'folk = { from = "民族", type = "text" }')
        .replace("max = 9999", "max = -1"),
        "layers/call.toml": FILES["layers/call.toml"].replace('"point"', '"point'),
        "scenarios/quiet.toml": FILES["scenarios/quiet.toml"].replace('["noise"]', '["nois"]'),
    })  # fmt: skip
    assert problems(folder) == [
        "datasets/school.toml, line 10: source.crs is 4490 but must be EPSG and a number, CGCS2000-GK, GCJ-02 or "
        'BD-09; write crs = "EPSG:4490".',
        'datasets/school.toml, line 15: "民族" is about ethnicity, which is never taken in; take the column out, and '
        "it is dropped when delivered.",
        "datasets/school.toml, line 16: min 0 of n_pupils is above its max -1; change them round.",
        'datasets/school.toml, line 16: the default of n_pupils is "0" but must be a whole number within min and max.',
        'departments.toml, line 2: "en" is missing in justice; add for example en = "Schools".',
        "layers/call.toml, line 4: this is not TOML, near column 14: a text is not closed; write its second quote.",
        'scenarios/quiet.toml, line 5: categories[1] names "nois", which categories.toml does not declare; '
        'did you mean "noise"?',
    ]


def test_a_file_that_cannot_be_read_gives_no_second_complaint_elsewhere(tmp_path: Path) -> None:
    folder = write(tmp_path, {**FILES, "departments.toml": "justice = ", "categories.toml": "noise"})
    assert [sentence.partition(":")[0] for sentence in problems(folder)] == [
        "categories.toml, line 1",
        "departments.toml, line 1",
    ]


def test_no_folder_is_one_sentence(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    assert problems(missing) == [
        f"{missing}: there is no such folder of declarations; make it, or set CATALOG_DIR to the one you mean."
    ]


def test_an_empty_folder_lacks_three_files(tmp_path: Path) -> None:
    assert problems(tmp_path) == [
        "categories.toml: the file is missing; add it, it holds one line for each category of events, places, things "
        "and organisations.",
        "city.toml: the file is missing; add it, it holds the code, the name and the time zone of the city.",
        "departments.toml: the file is missing; add it, it holds one line for each department.",
    ]


def test_a_city_and_two_lists_are_enough(tmp_path: Path) -> None:
    three = {file: text for file, text in FILES.items() if "/" not in file}
    catalog = read_catalog(write(tmp_path, three))
    assert (catalog.datasets, catalog.layers, catalog.indicators, catalog.scenarios) == ({}, {}, {}, {})


def test_a_file_where_nobody_looks_is_a_problem(tmp_path: Path) -> None:
    folder = write(tmp_path, {
        **FILES,
        "catgories.toml": "", "dataset/clinic.toml": "", "layers/old/clinic.toml": "", "layers/School-2.toml": "",
        "datasets/README.md": "left alone", "tables/calendar.csv": "left alone", ".trash/x.toml": "left alone",
    })  # fmt: skip
    assert [sentence for sentence in problems(folder) if "line" not in sentence] == [
        'catgories.toml: nobody reads this file; did you mean "categories.toml", "datums.toml" or "city.toml"?',
        'dataset/clinic.toml: nobody reads the folder "dataset"; did you mean "datasets"?',
        'layers/School-2.toml: "School-2" must be lower case letters, digits and _, a letter first, 48 at most; rename '
        "the file, for example to school.toml.",
        'layers/old/clinic.toml: nobody reads the folder "layers/old"; did you mean "layers"?',
    ]


def test_text_of_other_editors(tmp_path: Path) -> None:
    folder = write(tmp_path, FILES)
    city = FILES["city.toml"].replace("\n", "\r\n")
    (folder / "city.toml").write_bytes(b"\xef\xbb\xbf" + city.encode("utf-8"))
    assert read_catalog(folder).city.code == "4499"
    (folder / "city.toml").write_bytes(city.encode("gb18030"))
    assert problems(folder) == ["city.toml, line 2: this is not UTF-8; save the file with encoding UTF-8."]


def test_hundreds_of_datasets_are_read(tmp_path: Path) -> None:
    text = FILES["datasets/school.toml"]
    folder = write(tmp_path, {**FILES, **{f"datasets/school_{n}.toml": text for n in range(435)}})
    assert len(read_catalog(folder).datasets) == 435 + 8
    write(folder, {"datasets/school_7.toml": text.replace("GCJ-02", "")})
    assert len(problems(folder)) == 1


@pytest.mark.parametrize("key", ["max", "min", "factor"])
def test_what_is_no_number_is_no_number(key: str, tmp_path: Path) -> None:
    file, old = ("indicators/closed_share.toml", "factor = 100") if key == "factor" else (
        "datasets/school.toml", "max = 9999" if key == "max" else "min = 0"
    )  # fmt: skip
    folder = write(tmp_path, {**FILES, file: FILES[file].replace(old, f"{key} = nan")})
    assert f"{key} is NaN but must be a number" in problems(folder)[0]


def test_a_name_missing_in_one_language_is_missing(tmp_path: Path) -> None:
    text = FILES["layers/call.toml"].replace(NAME, 'name = { zh = " ", en = "Name" }')
    assert problems(write(tmp_path, {**FILES, "layers/call.toml": text})) == [
        'layers/call.toml, line 1: name.zh is " " but must be a text that is not empty; write zh = "学校".'
    ]
