"""The quarantine as a loop: refused rows go out with reason and remedy, come back corrected, and count once."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from etl.corrections import NUMBER, OURS
from etl.refused import read_open, read_refused, write_refused
from layers.database import Database
from layers.errors import SettingError, UnknownNameError
from layers.seal import Sealer
from layers.secrets import read_secrets
from layers.settings import Settings
from tests.deliveries import REPORTS, RESIDENTS, STEPS, Town, later

OPEN = "select source_key, reason from raw.quarantine where dataset = 'report' and resolved_at is null order by id"
LEFT = "select source_key, resolution from raw.quarantine where dataset = 'report' and resolved_at is not null"
FORMULA = "=HYPERLINK(1)"


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path) -> Town:
    town = Town(db, settings, tmp_path)
    town.deliver("report.csv", REPORTS.replace("第六", FORMULA))
    return town


def export(town: Town, dataset: str = "report", **more: Any) -> Path:
    """Write the open rows of a dataset to a workbook outside the folder of deliveries."""
    sealer = Sealer(read_secrets(town.settings))
    path = town.files.parent / f"{dataset}_refused.xlsx"
    write_refused(read_refused(town.db, town.catalog, sealer, dataset, run_by="steward", **more), path)
    return path


def cells(path: Path) -> pd.DataFrame:
    return pd.read_excel(path, dtype=str, engine="calamine").fillna("")


def hand_back(town: Town, path: Path, name: str = "mended.xlsx", **mended: str) -> None:
    """Correct the workbook by hand and put it into the folder of deliveries."""
    frame = cells(path)
    for heading, value in mended.items():
        frame[heading] = value
    frame.to_excel(town.files / name, index=False)


def test_a_row_goes_out_comes_back_corrected_and_counts_once(town: Town) -> None:
    town.load()
    path = export(town)
    frame = cells(path)
    assert list(frame) == [*OURS, "no", "category", "state", "reported", "updated", "note", "lon", "lat"]
    ((_, row),) = frame.iterrows()
    assert (row["no"], row["category"], row["note"]) == ("A6", "fire", FORMULA)
    assert row["有误栏 column"] == "category"
    assert "类别不存在" in row["原因 reason"]
    assert "declare it first" in row["办法 remedy"]
    assert row["出处 where"] == "report.csv 第 7 行 row 7"
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "类别不存在" in book.read("xl/comments1.xml").decode()
    hand_back(town, path, category="noise")
    (known, done) = town.load("report").deliveries
    assert (known.status, done.file) == ("known", "mended.xlsx")
    assert (done.n_read, done.n_inserted, done.n_quarantined) == (1, 1, 0)
    assert done.notes["left_quarantine"] == {"loaded": 1}
    assert town.rows(OPEN) == []
    assert town.rows(LEFT) == [("A6", "loaded")]
    assert town.rows("select count(*) from ops.event") == [(6,)]
    assert [d.status for d in town.load("report").deliveries] == ["known", "known"]


def test_a_row_still_wrong_stays_once_and_keeps_its_age(town: Town) -> None:
    town.load()
    hand_back(town, export(town), category="smoke")
    (_, done) = town.load("report", now=datetime(2026, 7, 9, tzinfo=UTC)).deliveries
    assert done.notes["left_quarantine"] == {"refused_again": 1}
    assert town.rows(OPEN) == [("A6", "unknown_category")]
    assert town.rows("select open_since from raw.quarantine where resolved_at is null") == [
        (datetime(2026, 7, 1, 1, tzinfo=UTC),)
    ]
    assert town.rows("select value from raw.quarantine where resolved_at is null") == [("smoke",)]


def test_a_correction_may_bear_the_departments_own_name_and_change_the_key(town: Town) -> None:
    report = town.catalog.datasets["report"]
    source = replace(report.source, files="report*.xlsx", format="xlsx")
    town.catalog = replace(town.catalog, datasets={**town.catalog.datasets, "report": replace(report, source=source)})
    pd.read_csv(town.files / "report.csv", dtype=str).to_excel(town.files / "report.xlsx", index=False)
    town.load("grid_small", "report")
    hand_back(town, export(town), "report_mended.xlsx", category="noise", no="A7")
    (done,) = [one for one in town.load("report").deliveries if one.file == "report_mended.xlsx"]
    assert (done.n_inserted, done.notes["left_quarantine"]) == (1, {"loaded": 1})
    assert town.rows("select source_key from ops.event where source_key > 'A5'") == [("A7",)]


def test_the_departments_next_delivery_settles_it_too(town: Town) -> None:
    town.load()
    town.deliver("report.csv", REPORTS.replace("A6 | fire", "A6 | flood"))
    (done,) = town.load("report").deliveries
    assert done.notes["left_quarantine"] == {"loaded": 1}
    assert town.rows(OPEN) == []


def test_a_row_without_a_key_is_found_again_by_the_rest_of_its_line(town: Town) -> None:
    nameless = REPORTS.replace("A5 | flood", "   | flood").replace("A6 | fire", "A6 | noise")
    town.deliver("report.csv", nameless)
    town.load("grid_small", "report")
    assert town.rows(OPEN) == [(None, "missing_value")]
    town.deliver("report.csv", REPORTS.replace("A6 | fire", "A6 | noise"))
    (done,) = town.load("report").deliveries
    assert (done.n_inserted, done.notes["left_quarantine"]) == (1, {"loaded": 1})
    assert town.rows(OPEN) == []


def test_the_same_fault_delivered_again_is_one(town: Town) -> None:
    town.load()
    town.deliver("report.csv", later(REPORTS, "A1"))
    town.load("report")
    assert town.rows(OPEN) == [("A6", "unknown_category")]
    assert town.rows(LEFT) == [("A6", "refused_again")]


def test_many_refused_rows_are_known_to_the_planner_before_they_are_compared(town: Town) -> None:
    heading, row = REPORTS.strip().splitlines()[0], REPORTS.strip().splitlines()[-1]
    many = [row.replace("A6", f"B{n}") for n in range(1200)]
    town.deliver("report.csv", "\n".join([heading, *many]))
    assert town.load(accepted_by="steward").deliveries[-1].n_quarantined == 1200
    assert town.rows("select reltuples from pg_class where oid = 'raw.quarantine'::regclass") == [(1200,)]


def test_an_older_copy_does_not_settle_a_newer_fault(town: Town) -> None:
    town.deliver("report.csv", later(REPORTS, "A6"))
    town.load("grid_small", "report")
    town.deliver("report.csv", REPORTS.replace("A6 | fire", "A6 | flood"))
    town.load("report")
    assert town.rows(OPEN) == [("A6", "unknown_category")]
    # the other way round: a fault of a version older than what is loaded is no longer open
    town.deliver("report.csv", later(later(REPORTS, "A6"), "A6").replace("A6 | fire", "A6 | flood"))
    town.load("report")
    town.deliver("report.csv", REPORTS.replace("第六", "六"))
    (done,) = town.load("report").deliveries
    assert (done.n_quarantined, done.notes["left_quarantine"]) == (1, {"outdated": 1})
    assert town.rows(OPEN) == []


def test_a_delivery_of_the_whole_withdraws_what_it_no_longer_has(town: Town) -> None:
    whole = replace(town.catalog.datasets["report"], delivery="full")
    town.catalog = replace(town.catalog, datasets={**town.catalog.datasets, "report": whole})
    town.load()
    town.deliver("report.csv", "\n".join(REPORTS.strip().splitlines()[:-1]))
    (done,) = town.load("report").deliveries
    assert (done.n_gone, done.notes["left_quarantine"]) == (0, {"withdrawn": 1})


def test_a_correction_of_a_whole_takes_nobody_away(town: Town) -> None:
    whole = replace(town.catalog.datasets["report"], delivery="full")
    town.catalog = replace(town.catalog, datasets={**town.catalog.datasets, "report": whole})
    town.load()
    hand_back(town, export(town), category="noise")
    assert [d.n_gone for d in town.load("report").deliveries] == [0, 0]
    assert town.rows("select count(*) from ops.event where gone_on is null") == [(6,)]


def test_steps_leave_when_what_they_belong_to_is_there(town: Town) -> None:
    town.deliver("step.csv", STEPS)
    town.load()
    hand_back(town, export(town, "report_step"), no="A3")
    done = town.load("report_step").deliveries[-1]
    assert (done.n_inserted, done.notes["left_quarantine"]) == (1, {"loaded": 1})


def test_rows_of_people_are_opened_for_their_steward_and_noted(town: Town) -> None:
    town.deliver("resident.csv", RESIDENTS)
    town.load()
    with pytest.raises(SettingError, match="name people"):
        export(town, "resident")
    frame = cells(export(town, "resident", people=True))
    assert list(frame["number"]) == ["340524198001010013"]
    with town.db.connect("admin") as connection:
        noted = connection.execute(
            "select kind, subject, detail ->> 'people' from audit.entry where kind = 'export'"
        ).fetchall()
    assert noted == [("export", "resident", "true")]


def test_what_is_open_is_counted_by_reason_and_age(town: Town) -> None:
    town.deliver("step.csv", STEPS)
    town.load()
    counted = read_open(town.db, town.catalog)
    assert list(counted[["dataset", "reason", "n"]].itertuples(index=False, name=None)) == [
        ("report", "unknown_category", 1),
        ("report_step", "unknown_parent", 1),
    ]
    assert read_open(town.db, town.catalog, ("resident",)).empty
    with pytest.raises(UnknownNameError):
        read_open(town.db, town.catalog, ("reports",))


def test_a_workbook_of_ours_for_nobody_is_left_alone(town: Town) -> None:
    town.load()
    pd.DataFrame({NUMBER: ["nothing 1"], "no": ["A1"]}).to_excel(town.files / "other.xlsx", index=False)
    assert any(line.startswith("other.xlsx belongs to no declared dataset") for line in town.load().strangers)
