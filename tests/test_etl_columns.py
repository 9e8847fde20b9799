"""Casts: what a value of text becomes under its declared type, or the reason why it cannot."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from etl.columns import Context, cast_column, clean
from etl.moments import parse_moments
from layers.declare import read_catalog
from layers.declare.records import Catalog, Column
from layers.settings import CHECKOUT

NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def checkout_catalog() -> Catalog:
    return read_catalog(CHECKOUT / "data")


def cast(catalog: Catalog, kind: str, value: str, **column: Any) -> tuple[Any, str]:
    context = Context(catalog, catalog.datasets["grid_event"], NOW)
    values = clean(pa.array([value, "x"], pa.string())).slice(0, 1)
    typed, problems = cast_column(Column("a", "甲", kind, **column), values, context)
    return typed[0].as_py(), next((reason for reason, mask in problems if mask[0]), "")


@pytest.mark.parametrize(
    ("kind", "value", "typed", "reason"),
    [
        ("text", "  大洋镇　", "大洋镇", ""),
        ("text", "字" * 2001, "字" * 2001, "too_long"),
        ("integer", "+12", 12, ""),
        ("integer", "12.0", 12, ""),
        ("integer", "12.5", None, "not_a_number"),
        ("integer", "十二", None, "not_a_number"),
        ("number", "1,5", None, "not_a_number"),
        ("number", "-.5e1", -5.0, ""),
        ("number", "3平方米", None, "not_a_number"),
        ("boolean", "是", True, ""),
        ("boolean", "FALSE", False, ""),
        ("boolean", "也许", None, "unknown_code"),
        ("date", "2026年3月5日", date(2026, 3, 5), ""),
        ("date", "2026-02-29", None, "not_a_date"),
        ("date", "2026-03-05 00:00:00", date(2026, 3, 5), ""),
        ("moment", "2026-03-05 08:00:00", datetime(2026, 3, 5, tzinfo=UTC), ""),
        ("moment", "2026-03-05 25:00:00", None, "not_a_date"),
        ("month", "2026-03", datetime(2026, 2, 28, 16, tzinfo=UTC), ""),
        ("month", "2026-13", None, "not_a_date"),
        ("id_number", "11010519491231002x", "11010519491231002X", ""),
        ("id_number", "340524198001010013", None, "bad_id_number"),
        ("credit_code", "91350100M000100Y43", "91350100M000100Y43", ""),
        ("credit_code", "91350200M000000510", None, "bad_credit_code"),
        ("phone", "13800000000", "13800000000", ""),
        ("phone", "0660-3312345", "0660-3312345", ""),
        ("phone", "1380000000", None, "bad_phone"),
        ("grid_code", "449901001001001", "449901001001001", ""),
        ("grid_code", "449901001000", "449901001", ""),
        ("grid_code", "449901000", "449901", ""),
        ("grid_code", "44990100100100", None, "bad_grid_code"),
        ("grid_code", "110101001001001", None, "bad_grid_code"),
        ("grid_codes", "449901001001001、449901001001002", ["449901001001001", "449901001001002"], ""),
        ("category", "noise", "noise", ""),
        ("category", "school", None, "unknown_category"),
        ("state", "closed", "closed", ""),
        ("state", "终结", None, "unknown_code"),
    ],
)
def test_cast(checkout_catalog: Catalog, kind: str, value: str, typed: Any, reason: str) -> None:
    assert cast(checkout_catalog, kind, value) == (typed, reason)


@pytest.mark.parametrize("value", ["", "  ", "NULL", "　", "N/A"])
def test_what_is_blank_is_missing(checkout_catalog: Catalog, value: str) -> None:
    from etl.sources.batch import text_column

    assert clean(text_column([value, " x"]))[0].as_py() is None


def test_codes_bounds_and_defaults(checkout_catalog: Catalog) -> None:
    codes = {"男": "male", "女": "female"}
    assert cast(checkout_catalog, "code", "男", codes=codes) == ("male", "")
    assert cast(checkout_catalog, "code", "female", codes=codes) == ("female", "")
    assert cast(checkout_catalog, "code", "不详", codes=codes) == (None, "unknown_code")
    assert cast(checkout_catalog, "integer", "-1", min=0) == (-1, "out_of_range")
    assert cast(checkout_catalog, "number", "101", max=100) == (101.0, "out_of_range")
    assert cast(checkout_catalog, "code", " ", default="other", codes=codes) == ("other", "")
    assert cast(checkout_catalog, "integer", " ", default="7") == (7, "")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-05", "2026-03-04 16:00:00"),
        ("2026/3/5 7:05", "2026-03-04 23:05:00"),
        ("2026年3月5日 14:30", "2026-03-05 06:30:00"),
        ("20260305143000", "2026-03-05 06:30:00"),
        ("2026.3.5 14:30:22", "2026-03-05 06:30:22"),
        ("2026-03-05T14:30:00+08:00", "2026-03-05 06:30:00"),
        ("2026-03-05 14:30:00Z", "2026-03-05 14:30:00"),
        ("2026-03-05 14:30:00.250", "2026-03-05 06:30:00"),
        ("2026-13-01", None),
        ("05/03/2026", None),
        ("昨天", None),
    ],
)
def test_moments(text: str, utc: str | None) -> None:
    # beside a clean one: the whole column must not go the slow way for one odd value
    found = parse_moments(pa.array(["2026-01-01 00:00:00", text, None]), "Asia/Shanghai")
    assert found[2].as_py() is None
    assert found[1].as_py() == (datetime.fromisoformat(utc).replace(tzinfo=UTC) if utc else None)


def test_every_reason_has_its_remedy() -> None:
    from etl.reasons import REASONS, remedy_of

    named = Path(__file__).read_text(encoding="utf-8")
    for key, reason in REASONS.items():
        assert reason.key == key
        assert reason.remedy.zh in remedy_of(key)
        assert reason.remedy.en in remedy_of(key)
    assert "unknown_code" in named
