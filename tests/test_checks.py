"""Checks of rows beyond their type: rules between fields, noughts of dates, values of another key, expectations."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pytest
from deliveries import Town, write_declarations

from etl.columns import Context
from etl.keys import Ordinals
from etl.shape import shape
from etl.sources import RawBatch
from layers.database import Database
from layers.declare.records import Catalog
from layers.declare.rules import read_rule
from layers.settings import Settings

RULED = """
    name = { zh = "病人", en = "Patients" }
    department = "public_security"
    table = "person"
    each_row_is_a = { zh = "一名病人", en = "a patient" }
    row_key = ["card"]
    rules = [
        "sex agrees with number",
        "born_on agrees with number",
        "left_on >= came_at",
        "n_days <= 90 if state = 'left'",
        "left_on is required if state = 'left'",
        "state != 'here' if left_on",
    ]
    [source]
    files = "patient*.csv"
    format = "csv"
    [columns]
    card = { from = "卡号", type = "key", required = true }
    number = { from = "号码", type = "id_number" }
    sex = { from = "性别", type = "code", codes = { "男" = "male", "女" = "female" } }
    born_on = { from = "出生", type = "date" }
    came_at = { from = "入院", type = "moment" }
    left_on = { from = "出院", type = "date" }
    state = { from = "状态", type = "code", codes = { "出院" = "left", "在院" = "here" } }
    n_days = { from = "天数", type = "integer" }
    [[unique]]
    columns = ["number"]
    [[unique]]
    columns = ["born_on", "n_days"]
    repeats = "reported"
    [expect]
    rows = [2, 100]
    drop_share_max = 0.2
    fill = { number = 0.5, born_on = [0, 0.9] }
"""

# number 440524188001010014 is a man's, born 1880-01-01; 11010519491231002X a woman's, born 1949-12-31
ROWS = """
卡号 | 号码 | 性别 | 出生 | 入院 | 出院 | 状态 | 天数 | field | reason
c1 | 11010519491231002X | 女 | 1949-12-31 | 2026-06-01 08:00:00 | 2026-06-01 | 出院 | 1 | |
c2 | 11010519491231002x | 男 | 1949-12-31 | | | | | 性别 | disagrees_with_number
c3 | １１０１０５１９４９１２３１００２X | 女 | 1949-12-30 | | | | | 出生 | disagrees_with_number
c4 | | 男 | 1949-12-30 | | | | | |
c5 | | | | 2026-06-01 00:00:00 | 2026-05-31 | 出院 | 1 | 出院、入院 | rule_broken
c6 | | | | 2026-06-01 00:00:00 | 2026-06-01 | 出院 | 91 | 天数 | rule_broken
c7 | | | | | | 在院 | 91 | |
c8 | | | | | | 出院 | | 出院 | missing_value
c9 | | | | | 2026-06-01 | 在院 | | 状态 | rule_broken
c10 | 4.40524E+17 | | | | | | | 号码 | digits_lost
c11 | 440524188001010000 | | | | | | | 号码 | digits_lost
c12 | 110105491231002 | | | | | | | 号码 | old_id_number
c13 | 440524188001010015 | | | | | | | 号码 | bad_id_number
c14 | 340524198001010013 | | | | | | | 号码 | bad_id_number
c15 | 441521198502290019 | | | | | | | 号码 | bad_id_number
c16 | | | 1899-12-30 | | | | | 出生 | date_is_nought
c17 | | | 1900-01-01 | | | | | 出生 | date_is_nought
c18 | | | 1900-01-00 | | | | | 出生 | date_is_nought
c19 | | | | 1970-01-01 08:00:00 | | | | 入院 | date_is_nought
c20 | | | 1899-11-05 | | | | | 出生 | date_too_early
c21 | | | 26-03-05 | | | | | 出生 | two_digit_year
c22 | | | 3/5/26 | | | | | 出生 | two_digit_year
c23 | | | 46086 | | | | | 出生 | date_is_serial
c24 | | | 2027-01-01 | | | | | 出生 | date_in_future
c25 | | | 2026-02-30 | | | | | 出生 | not_a_date
c26 | | | ２０２６－０３－０５ | | | | ３ | |
"""


def table(text: str) -> list[dict[str, str]]:
    head, *rows = ([cell.strip() for cell in line.split("|")] for line in text.strip().splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.fixture
def ward(db: Database, settings: Settings, tmp_path: Path) -> Town:
    town = Town(db, settings, tmp_path)
    town.declare("datasets/patient.toml", RULED)
    return town


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return write_declarations(tmp_path_factory.mktemp("ruled"), {"datasets/patient.toml": RULED})


def refused(catalog: Catalog, rows: list[dict[str, str]]) -> dict[int, tuple[str, str, str | None]]:
    """Row -> (reason, field, value) of what shaping refuses."""
    headings = [name for name in rows[0] if name not in ("field", "reason")]
    columns = {name: pa.array([row[name] or None for row in rows], pa.string()) for name in headings}
    context = Context(catalog, catalog.datasets["patient"], datetime(2026, 7, 1, 1, tzinfo=UTC))
    found = shape(RawBatch(columns, np.arange(len(rows))), context, Ordinals()).refusals.found
    return {
        int(row): (one.reason, one.field, value)
        for one in found
        for row, value in zip(one.rows, one.values.to_pylist(), strict=True)
    }


def test_each_row_is_refused_for_its_reason(ruled: Catalog) -> None:
    rows = table(ROWS)
    wanted = {i: (row["reason"], row["field"]) for i, row in enumerate(rows) if row["reason"]}
    assert {i: found[:2] for i, found in refused(ruled, rows).items()} == wanted


def test_both_fields_of_a_contradiction_are_shown(ruled: Catalog) -> None:
    rows = table(ROWS)
    row = next(i for i, one in enumerate(rows) if one["卡号"] == "c5")
    assert refused(ruled, rows)[row][2] == "2026-05-31、2026-06-01 00:00:00"


@pytest.mark.parametrize(
    "text", ["", "a", "a >", "a > B", "a => b", "a agrees b", "a > b if", "a > b if c >", "a is required if 3", 5, None]
)
def test_what_is_no_rule(text: Any) -> None:
    assert read_rule(text) is None


def test_a_rule_that_needs_no_rows_is_read_whole() -> None:
    rule = read_rule("a >= 2026-01-31 if b != 'x y'")
    assert rule is not None and rule.condition is not None
    assert (rule.clause.column, rule.clause.sign, rule.clause.value) == ("a", ">=", "2026-01-31")
    assert (rule.condition.of_columns, rule.condition.value) == (("b",), "x y")


PATIENTS = """
卡号 | 号码               | 性别 | 出生       | 入院 | 出院 | 状态 | 天数
p1   | 11010519491231002X | 女   | 1949-12-31 |      |      |      | 1
p2   | 440524188001010014 |      |            |      |      |      | 1
"""


def quarantined(town: Town) -> list[tuple[Any, ...]]:
    return town.rows("select file_name, line, field, value, reason from raw.quarantine q join raw.delivery d"
                     " on d.id = q.delivery_id order by q.id")  # fmt: skip


def test_a_number_under_another_key_is_refused(ward: Town) -> None:
    ward.deliver("patient_1.csv", PATIENTS + "p3 | 11010519491231002X | | | | | | \n")
    report = ward.load("grid_small", "patient").deliveries[-1]
    assert (report.n_read, report.n_inserted, report.n_quarantined) == (3, 2, 1)
    # later files: the same row again and changed under its key is fine, under another it is not
    ward.deliver("patient_2.csv", PATIENTS.replace("| 1\np2", "| 2\np2") + "p4 | 440524188001010014 | | | | | | \n")
    report = ward.load("patient").deliveries[-1]
    assert (report.n_updated, report.n_unchanged, report.n_quarantined) == (1, 1, 1)
    assert quarantined(ward) == [
        ("patient_1.csv", 4, "号码", "*" * 14 + "002X", "duplicate_value"),
        ("patient_2.csv", 4, "号码", "*" * 14 + "0014", "duplicate_value"),
    ]


def test_what_is_only_reported_is_loaded(ward: Town) -> None:
    ward.deliver("patient_1.csv", "卡号|号码|性别|出生|入院|出院|状态|天数\n"
                 "a|11010519491231002X||1950-01-01||||5\nb|440524188001010014||||||5\nc|34052419800101001X||||||\n"
                 .replace("1950-01-01", "1949-12-31"))  # fmt: skip
    ward.deliver("patient_2.csv", "卡号|号码|性别|出生|入院|出院|状态|天数\nd|||1949-12-31||||5\n"
                 "e|441581190001010031||||||5\nf|441581199001010016||||||\n")  # fmt: skip
    first, second = ward.load("grid_small", "patient").deliveries[1:]
    assert (first.n_inserted, first.repeats) == (3, {})
    assert (second.n_inserted, second.repeats) == (3, {"born_on+n_days": 1})
    kept = ward.rows("select report->'repeats' from raw.delivery where file_name = 'patient_2.csv'")
    assert kept == [({"born_on+n_days": 1},)]


def test_a_delivery_with_fewer_rows_asks_for_somebody_to_answer_for_it(ward: Town) -> None:
    head, *rows = PATIENTS.strip().splitlines()
    ward.deliver("patient.csv", "\n".join([head, *rows, "p3|||||||1"]))
    ward.load("grid_small", "patient")
    ward.deliver("patient.csv", "\n".join([head, *rows]))
    report = ward.load("patient").deliveries[0]
    assert (report.status, report.exit_code) == ("refused", 6)
    assert "patient.csv has 2 rows, 33% fewer than the 3 of 2026-07-01; a drop of at most 20%" in report.problem
    assert "python -m etl run patient --accept" in report.problem
    report = ward.load("patient", accepted_by="张三").deliveries[0]
    assert (report.status, report.n_unchanged, report.accepted["by"]) == ("loaded", 2, "张三")
    kept = ward.rows("select report->'accepted' from raw.delivery order by id desc limit 1")[0][0]
    assert kept["by"] == "张三" and "33% fewer" in kept["in_spite_of"][0]
    # what was accepted is what the next one is compared with
    ward.deliver("patient.csv", "\n".join([head, *rows]).replace("| 1", "| 2"))
    assert ward.load("patient").deliveries[0].status == "loaded"


def test_a_delivery_of_the_whole_may_not_fall_by_more_than_a_fifth(ward: Town) -> None:
    patient = ward.catalog.datasets["patient"]
    head = PATIENTS.strip().splitlines()[0]

    def load(delivery: Literal["changes", "full"], most: float | None, n: int) -> str:
        expect = replace(patient.expect, rows_min=1, drop_share_max=most, fill={})
        declared = replace(patient, delivery=delivery, expect=expect)
        ward.catalog = replace(ward.catalog, datasets={**ward.catalog.datasets, "patient": declared})
        ward.deliver("patient.csv", "\n".join([head, *(f"q{i}|||||||1" for i in range(n))]))
        return ward.load("patient").deliveries[0].status

    ward.load("grid_small")
    told = [load("full", None, 10), load("full", None, 8), load("full", None, 6), load("changes", None, 6)]
    assert told == ["loaded", "loaded", "refused", "loaded"]
    assert [load("full", None, 3), load("full", 1, 2)] == ["refused", "loaded"]


def test_columns_filled_in_too_seldom_or_too_often(ward: Town) -> None:
    ward.deliver("patient.csv", "卡号|号码|性别|出生|入院|出院|状态|天数\na|||1949-12-31||||\nb|||1949-12-31||||\n")
    report = ward.load("grid_small", "patient").deliveries[-1]
    assert report.status == "refused"
    assert "号码 (number) is filled in 0.0% of the rows of patient.csv; at least 50% is expected." in report.problem
    assert (
        "出生 (born_on) is filled in 100.0% of the rows of patient.csv; at least 0% and at most 90%" in report.problem
    )
    assert ward.rows("select count(*) from raw.delivery where dataset = 'patient'") == [(0,)]


def test_days_are_compared_with_moments_by_the_citys_day(ruled: Catalog) -> None:
    rows = [dict.fromkeys(table(ROWS)[0], "") | {"卡号": "a", "入院": "2026-06-01 00:30:00", "出院": "2026-06-01"}]
    assert refused(ruled, rows) == {}
    assert refused(ruled, [rows[0] | {"入院": "2026-06-01 23:30:00+00:00"}])[0][0] == "rule_broken"
