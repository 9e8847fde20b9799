"""Exactly once: whatever comes again, late, overlapping or changed, the map ends with what is true, once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.load import TALLIES
from layers.database import Database
from layers.declare.records import Dataset
from layers.settings import Settings
from tests.deliveries import REPORTS, RESIDENTS, Town, later


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path) -> Town:
    town = Town(db, settings, tmp_path)
    town.deliver("report.csv", REPORTS)
    return town


def declare(town: Town, **changes: Any) -> Dataset:
    """Declare reports otherwise than before."""
    report = replace(town.catalog.datasets["report"], **changes)
    town.catalog = replace(town.catalog, datasets={**town.catalog.datasets, "report": report})
    return report


def test_a_changed_declaration_loads_its_files_again_and_says_so(town: Town) -> None:
    said: list[str] = []
    town.load(say=said.append)
    before = dict(town.rows("select source_key, id from ops.event"))
    columns = tuple(c for c in town.catalog.datasets["report"].columns if c.key != "note")
    declare(town, columns=columns)
    (done,) = town.load("report", say=said.append).deliveries
    assert (done.status, done.n_updated, done.n_unchanged, done.n_quarantined) == ("loaded", 5, 0, 1)
    assert "report: the declaration has changed, report.csv is loaded again" in said
    assert dict(town.rows("select source_key, id from ops.event")) == before
    assert town.rows("select count(*) from ops.event where attrs ? 'note'") == [(0,)]
    assert [d.status for d in town.load("report").deliveries] == ["known"]


def test_names_and_bounds_of_a_declaration_load_nothing_again(town: Town) -> None:
    report = town.catalog.datasets["report"]
    town.load()
    declare(town, licence="open", expect=replace(report.expect, rows_max=10))
    assert [d.status for d in town.load("report").deliveries] == ["known"]


def test_rows_that_became_sensitive_are_sealed_at_once(town: Town) -> None:
    town.load()
    declare(town, sensitive=True)
    (done,) = town.load("report").deliveries
    assert done.n_updated == 5
    assert town.rows("select count(*) from ops.event where not is_sensitive") == [(0,)]
    assert town.rows("select coalesce(sum(n), 0)::int from pub.tally_small_month") == [(0,)]
    assert town.rows("select sum(n)::int from vault.tally_small_month") == [(5,)]


WHOLE = """
no | category | state    | reported            | updated             | lon    | lat   | note
A1 | noise    | reported | 2026-05-31 23:30:00 | 2026-05-31 23:30:00 | 115.05 | 22.05 | 第一
A4 | family_dispute | reported | 2026-06-03 08:00:00 | 2026-06-03 08:00:00 | 115.15 | 22.15 | 第四
"""
GONE = "select source_key, gone_on::text from ops.event where gone_on is not null order by 1"


def counted(town: Town) -> int:
    """Events in the tallies, the sealed ones too."""
    n = [town.rows(f"select coalesce(sum(n), 0)::int from {s}.tally_small_month")[0][0] for s in ("pub", "vault")]
    return sum(n)


def test_rows_missing_from_a_whole_delivery_are_gone_by_date_and_come_back(town: Town) -> None:
    expect = replace(town.catalog.datasets["report"].expect, drop_share_max=1)
    declare(town, delivery="full", expect=expect)
    town.load()
    ids = dict(town.rows("select source_key, id from ops.event"))
    town.deliver("report.csv", WHOLE)
    (done,) = town.load("report", now=datetime(2026, 7, 10, 1, tzinfo=UTC)).deliveries
    assert (done.n_gone, done.n_updated, done.n_unchanged) == (3, 0, 2)
    assert town.rows(GONE) == [("A2", "2026-07-10"), ("A3", "2026-07-10"), ("A5", "2026-07-10")]
    assert counted(town) == 2
    town.deliver("report.csv", REPORTS.replace("fire", "noise").replace("A6", "A1"))  # its last line a repeat
    (done,) = town.load("report", now=datetime(2026, 7, 20, 1, tzinfo=UTC)).deliveries
    assert done.status == "loaded"
    assert (done.n_gone, done.n_returned, done.n_updated, done.n_unchanged, done.n_quarantined) == (0, 3, 3, 2, 1)
    assert town.rows(GONE) == []
    assert dict(town.rows("select source_key, id from ops.event")) == ids
    assert counted(town) == 5
    # what was known, day by day
    for day, known in [("06-30", 0), ("07-01", 5), ("07-09", 5), ("07-10", 2), ("07-19", 2), ("07-20", 5)]:
        assert len(known_on(town, f"2026-{day}")) == known, day


def known_on(town: Town, day: str) -> dict[str, Any]:
    """Content of each report as it was known on a day."""
    return dict(
        town.rows(
            "select source_key, content from ops.known_on('report', %s, 'Asia/Shanghai') order by source_key", [day]
        )
    )


def test_a_delivery_of_changes_takes_nobody_away(town: Town) -> None:
    town.load()
    town.deliver("report.csv", WHOLE)
    assert town.load("report").deliveries[0].n_gone == 0
    assert town.rows(GONE) == []


def test_a_refused_row_is_not_missing(town: Town) -> None:
    expect = replace(town.catalog.datasets["report"].expect, drop_share_max=1)
    declare(town, delivery="full", expect=expect)
    town.load()
    town.deliver("report.csv", REPORTS.replace("A3 | flood", "A3 | fire"))
    (done,) = town.load("report").deliveries
    assert (done.n_gone, done.n_quarantined) == (0, 2)
    # nor is anybody looked for while a refused row has no key
    town.deliver("report.csv", WHOLE + " | noise | reported | 2026-06-01 00:00:00 | 2026-06-01 00:00:00 | 1 | 2 | x\n")
    (done,) = town.load("report").deliveries
    assert (done.n_gone, done.n_quarantined) == (0, 1)
    assert done.notes["not_looked_for_missing"] == "1 refused rows have no key that can be read"


def test_a_whole_delivery_of_grids_takes_no_grid_away(town: Town) -> None:
    grids = town.catalog.datasets["grid_small"]
    grids = replace(grids, delivery="full", expect=replace(grids.expect, drop_share_max=1.0))
    town.catalog = replace(town.catalog, datasets={**town.catalog.datasets, "grid_small": grids})
    town.load()
    path = town.files / "grids.geojson"
    whole = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**whole, "features": whole["features"][:-1]}), encoding="utf-8")
    (done,) = town.load("grid_small").deliveries
    assert (done.n_unchanged, done.notes["missing_left_to_a_reform"]) == (3, ["449901002001002"])
    assert town.rows("select count(*) from pub.grid where level = 'small'") == [(4,)]


def test_older_versions_are_kept_and_names_stay_sealed(town: Town) -> None:
    town.deliver("resident.csv", RESIDENTS)
    town.load()
    town.deliver("report.csv", later(REPORTS, "A1").replace("115.05 | 22.05 | 第一", "115.05 | 22.15 | 一"))
    town.deliver("resident.csv", RESIDENTS.replace("13800000002", "13800000009"))
    town.load(now=datetime(2026, 7, 10, 1, tzinfo=UTC))
    assert known_on(town, "2026-07-09")["A1"]["attrs"]["note"] == "第一"
    assert known_on(town, "2026-07-10")["A1"]["attrs"]["note"] == "一"
    assert known_on(town, "2026-07-09")["A1"]["grid_code"] == "449901001001001"
    ((person, identity),) = town.rows("select content::text, identity from vault.past")
    (phone,) = town.rows("select '\\x' || encode(phone_sealed, 'hex') from vault.identity order by 1 limit 1")
    assert set(identity) >= {"phone_sealed", "key_id"}
    assert not {"13800000002", "李四", "440524188001010014"} & set(f"{person}{identity}".split('"'))
    assert phone[0].startswith("\\x")


def test_a_row_that_moves_takes_its_links_along(town: Town) -> None:
    town.load()
    ids = dict(town.rows("select source_key, id from ops.event"))
    with town.db.connect("loader") as connection:
        connection.execute(
            "insert into ops.link (town_code, from_id, kind, to_id, to_town_code) values"
            " ('449901001', %s, 'concerns', %s, '449901002'), ('449901002', %s, 'concerns', %s, '449901001')",
            [ids["A2"], ids["A3"], ids["A3"], ids["A2"]],
        )
    town.deliver("report.csv", later(REPORTS, "A2").replace("115.15 | 22.05 | 第二", "115.15 | 22.15 | 第二"))
    assert town.load("report").deliveries[0].n_moved == 1
    assert town.rows("select town_code, from_id, to_id, to_town_code from ops.link order by from_id") == [
        ("449901002", ids["A2"], ids["A3"], "449901002"),
        ("449901002", ids["A3"], ids["A2"], "449901002"),
    ]


COPIES = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(1, 3), st.sampled_from("xyz"), st.sampled_from(["05", "15"])),
    min_size=1,
    max_size=4,
    unique_by=lambda copy: copy[0],
)
"""What a file may hold: key, hour of update, note, part of the city."""


@given(files=st.lists(COPIES, min_size=2, max_size=3), data=st.data())
@hypothesis.settings(max_examples=4, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
def test_overlapping_files_agree_whatever_their_order(
    files: list[list[tuple[str, int, str, str]]], data: st.DataObject, town: Town
) -> None:
    order = data.draw(st.permutations(range(len(files))))
    town.load("grid_small")
    ends = []
    for numbers in (range(len(files)), order):
        with town.db.connect("loader") as connection:
            for table in ("ops.event", "raw.source_registry", "raw.delivery", "ops.past", *TALLIES):
                keep = " where dataset <> 'grid_small'" if table == "raw.source_registry" else ""
                connection.execute(f"delete from {table}{keep}".encode())
        for number in numbers:
            day = "2026-06-01"
            lines = [
                f"{key} | noise | reported | {day} 00:30:00 | {day} 0{hour}:30:00 | 115.{at} | 22.{at} | {note}"
                for key, hour, note, at in files[number]
            ]
            town.deliver("report.csv", "\n".join([REPORTS.strip().splitlines()[0], *lines]) + "\n")
            assert town.load("report").deliveries[0].status in ("loaded", "known")
        ends.append(
            town.rows("select source_key, grid_code, updated_at::text, attrs::text from ops.event order by 1")
            + town.rows("select grid_no, period, sum(n)::int from pub.tally_small_month group by 1, 2 order by 1, 2")
        )
    assert ends[0] == ends[1]
