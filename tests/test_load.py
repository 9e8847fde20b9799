"""Loading over time: first, again, changed, moved, late, by two at once; and what cannot be taken in."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from etl.ledger import lock_dataset
from layers.database import Database
from layers.declare.records import Catalog
from layers.errors import DeliveryError, ServerError, UnknownNameError
from layers.settings import Settings
from tests.deliveries import REPORTS, RESIDENTS, STEPS, Town, later

EVENTS = "select source_key, grid_code, tied_by, state, version, attrs ->> 'note' from ops.event order by 1"
TALLIES = (
    "select '{0}', g.code, c.category, t.period, t.state_no, sum(t.n)::int from {0}.tally_medium_day t"
    " join pub.grid g using (grid_no) join pub.category c using (category_no) group by 1, 2, 3, 4, 5"
    " having sum(t.n) <> 0"
)


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path) -> Town:
    town = Town(db, settings, tmp_path)
    town.deliver("report.csv", REPORTS)
    return town


def tallies(town: Town) -> set[tuple[Any, ...]]:
    return {row for schema in ("pub", "vault") for row in town.rows(TALLIES.format(schema))}


def test_a_first_load(town: Town) -> None:
    grids, events = town.load("grid_small", "report").deliveries
    assert (grids.n_inserted, grids.n_read) == (4, 4)
    assert (events.n_read, events.n_inserted, events.n_quarantined, events.n_unplaced) == (6, 5, 1, 1)
    assert events.reasons == {"unknown_category": 1}
    assert town.rows(EVENTS) == [
        ("A1", "449901001001001", "point", "reported", 1, "第一"),
        ("A2", "449901001001002", "point", "closed", 1, "第二"),
        ("A3", "449901002001001", "point", "handling", 1, "第三"),
        ("A4", "449901002001002", "point", "reported", 1, "第四"),
        ("A5", "4499", "none", "reported", 1, "第五"),
    ]
    # A1 was reported on 31 May in the city, which is still 31 May in UTC; A2 on 1 June there, 31 May in UTC
    assert tallies(town) == {
        ("pub", "449901001001", "noise", 20260531, 1, 1),
        ("pub", "449901001001", "noise", 20260601, 9, 1),
        ("pub", "449901002001", "flood", 20260602, 5, 1),
        ("pub", "4499", "flood", 20260604, 1, 1),
        ("vault", "449901002001", "family_dispute", 20260603, 1, 1),
    }
    assert town.rows("select dataset from pub.dataset where loaded_at is not null order by 1") == [
        ("grid_small",),
        ("report",),
    ]


def test_events_lie_by_month_and_grid_while_ids_follow_the_file(town: Town) -> None:
    heading, *lines = REPORTS.strip().splitlines()
    town.deliver("report.csv", "\n".join([heading, *reversed(lines)]))
    town.load()
    # A1 is of May, the others of June; A5 lies in no small grid
    lying = [("A1",), ("A5",), ("A2",), ("A3",), ("A4",)]
    assert town.rows("select source_key from ops.event order by ctid") == lying
    assert town.rows("select source_key from ops.event order by id") == [("A5",), ("A4",), ("A3",), ("A2",), ("A1",)]


def test_the_same_file_again_writes_nothing(town: Town) -> None:
    town.load()
    before = town.rows("select xmin::text, * from ops.event order by id")
    report = town.load("report")
    assert [d.status for d in report.deliveries] == ["known"]
    assert town.rows("select xmin::text, * from ops.event order by id") == before
    assert town.rows("select count(*) from raw.delivery where dataset = 'report'") == [(1,)]


def test_a_changed_file_writes_only_what_changed(town: Town) -> None:
    town.load()
    before = dict(town.rows("select source_key, xmin::text from ops.event"))
    ids = dict(town.rows("select source_key, id from ops.event"))
    changed = (
        later(REPORTS, "A1")
        .replace("A1 | noise    | reported", "A1 | noise    | closed  ")
        .replace("A6 | fire", "A6 | flood")
    )
    town.deliver("report.csv", changed)
    done = town.load("report").deliveries[0]
    assert (done.n_inserted, done.n_updated, done.n_unchanged, done.n_quarantined) == (1, 1, 4, 0)
    after = dict(town.rows("select source_key, xmin::text from ops.event"))
    assert {key for key in before if before[key] != after[key]} == {"A1"}
    assert town.rows("select id, state, version from ops.event where source_key = 'A1'") == [(ids["A1"], "closed", 2)]
    assert {("pub", "449901001001", "noise", 20260531, 9, 1), ("pub", "449901001001", "flood", 20260605, 1, 1)} <= (
        tallies(town)
    )
    assert ("pub", "449901001001", "noise", 20260531, 1, 1) not in tallies(town)


def test_a_row_that_moves_to_another_town_keeps_its_id_and_steps(town: Town) -> None:
    town.deliver("step.csv", STEPS)
    town.load()
    (before,) = town.rows("select id, town_code from ops.event where source_key = 'A2'")
    town.deliver("report.csv", later(REPORTS, "A2").replace("115.15 | 22.05 | 第二", "115.15 | 22.15 | 第二"))
    done = town.load("report").deliveries[0]
    assert (done.n_updated, done.n_moved) == (1, 1)
    assert before == (before[0], "449901001")
    assert town.rows("select id, town_code, grid_code from ops.event where source_key = 'A2'") == [
        (before[0], "449901002", "449901002001002")
    ]
    assert town.rows(
        "select s.town_code, s.step_no, s.state from ops.event_step s where event_id = %s order by 2", [before[0]]
    ) == [("449901002", 1, "reported"), ("449901002", 2, "closed")]
    assert town.rows("select town_code from raw.source_registry where source_key = 'A2'") == [("449901002",)]
    assert ("pub", "449901002001", "noise", 20260601, 9, 1) in tallies(town)
    assert not {row for row in tallies(town) if row[1] == "449901001001" and row[3] == 20260601}


def test_a_late_copy_changes_nothing(town: Town) -> None:
    town.load()
    late = REPORTS.replace("2026-06-02 08:00:00 | 115.05", "2026-06-01 08:00:00 | 115.15").replace("第三", "旧的")
    town.deliver("report.csv", late)
    done = town.load("report").deliveries[0]
    assert (done.n_updated, done.n_unchanged, done.n_stale) == (0, 5, 1)
    assert town.rows("select grid_code, attrs ->> 'note' from ops.event where source_key = 'A3'") == [
        ("449901002001001", "第三")
    ]


def test_steps_are_appended_once(town: Town) -> None:
    town.deliver("step.csv", STEPS)
    town.load()
    assert town.rows("select reason, value from raw.quarantine where dataset = 'report_step'") == [
        ("unknown_parent", "A9")
    ]
    town.deliver("step.csv", STEPS + "A3 | 1 | 2026-06-02 08:00:00 | reported\n")
    done = town.load("report_step").deliveries[0]
    assert (done.n_inserted, done.n_unchanged, done.n_quarantined) == (1, 3, 1)
    assert town.rows("select count(*) from ops.event_step") == [(4,)]


def test_people_are_sealed_published_and_updated(town: Town) -> None:
    town.deliver("resident.csv", RESIDENTS)
    done = {d.dataset: d for d in town.load().deliveries}
    assert (done["resident"].n_inserted, done["resident"].n_quarantined) == (2, 1)
    (refused,) = town.rows("select reason, field, value, line from raw.quarantine where dataset = 'resident'")
    assert refused == ("bad_id_number", "number", "**************0013", 4)
    assert town.rows("select count(*), count(distinct subject), bool_and(has_number) from vault.person") == [
        (2, 2, True)
    ]
    assert town.rows("select count(*) from pub.people_count where grid_code = '4499'") == [(1,)]
    sealed = dict(town.rows("select id, name_sealed from vault.identity"))
    town.deliver("resident.csv", RESIDENTS.replace("13800000002", "13800000009"))
    again = town.load("resident").deliveries[0]
    assert (again.n_updated, again.n_unchanged, again.n_quarantined) == (1, 1, 1)
    after = dict(town.rows("select id, name_sealed from vault.identity"))
    assert after.keys() == sealed.keys()
    assert sum(after[key] != sealed[key] for key in after) == 1


def test_files_of_one_dataset_are_deliveries_of_their_own(town: Town) -> None:
    town.deliver("report_2.csv", REPORTS.replace("A1", "B1").replace("A2", "B2"))
    done = town.load("grid_small", "report").deliveries
    assert [(d.file, d.n_inserted, d.n_unchanged) for d in done[1:]] == [("report.csv", 5, 0), ("report_2.csv", 2, 3)]


def test_rows_without_a_key_are_kept_apart_by_their_ordinal(town: Town) -> None:
    whole = replace(town.catalog.datasets["report"], row_key=("*",))
    town.catalog = replace(town.catalog, datasets={**town.catalog.datasets, "report": whole})
    first = REPORTS.strip().splitlines()[1]
    town.deliver("report.csv", REPORTS + f"{first}\n{first}\n")
    done = town.load("grid_small", "report").deliveries[1]
    assert (done.n_read, done.n_inserted) == (8, 7)
    assert len(town.rows("select 1 from ops.event where attrs ->> 'no' = 'A1'")) == 3
    town.deliver("report.csv", REPORTS + f"{first}\n\n{first}\n{first}\n")
    done = town.load("report").deliveries[0]
    assert (done.n_inserted, done.n_unchanged) == (1, 7)


def test_points_that_cannot_be_here(town: Town) -> None:
    head = "no | category | state | reported | updated | lon | lat | note\n"
    text = head + "".join(
        f"{no} | noise | reported | 2026-06-01 08:00:00 | 2026-06-01 08:00:00 | {lon} | {lat} | x\n"
        for no, lon, lat in [
            ("here", "115.05", "22.05"),
            ("swapped", "22.05", "115.05"),
            ("zero", "0", "0"),
            ("half", "115.05", ""),
            ("words", "东经115度", "22.05"),
            ("sea", "115.25", "22.05"),
            ("far", "121.47", "31.23"),
        ]
    )
    town.deliver("report.csv", text)
    town.catalog = _with_report(town, within_km=20, share=1.0)
    done = town.load("grid_small", "report").deliveries[1]
    assert (done.n_inserted, done.n_unplaced) == (2, 1)
    assert town.rows("select source_key, reason, field from raw.quarantine order by 1") == [
        ("far", "outside_city", "lon"),
        ("half", "bad_coordinates", "lat"),
        ("swapped", "swapped_coordinates", "lon"),
        ("words", "bad_coordinates", "lon"),
        ("zero", "zero_coordinates", "lon"),
    ]
    town.catalog = _with_report(town, within_km=2000, share=1.0)
    town.deliver("report.csv", text.replace("sea |", "coast |"))
    done = town.load("report").deliveries[0]
    assert (done.n_inserted, done.n_unchanged, done.n_quarantined, done.n_unplaced) == (2, 1, 4, 2)


def _with_report(town: Town, *, within_km: int, share: float) -> Catalog:
    report = town.catalog.datasets["report"]
    source = replace(report.source, within_km=within_km)
    changed = replace(report, source=source, expect=replace(report.expect, quarantine_share_max=share))
    return replace(town.catalog, datasets={**town.catalog.datasets, "report": changed})


def test_two_loaders_at_once_do_what_one_does(town: Town) -> None:
    town.load("grid_small")
    reports: list[Any] = []
    at_work = threading.Barrier(2, timeout=20)
    waited: list[str] = []

    def load() -> None:
        at_work.wait()
        reports.append(town.load("report", say=waited.append))

    loaders = [threading.Thread(target=load) for _ in range(2)]
    for loader in loaders:
        loader.start()
    for loader in loaders:
        loader.join(60)
    assert sorted(r.deliveries[0].status for r in reports) == ["known", "loaded"]
    assert town.rows("select count(*) from ops.event") == [(5,)]
    assert sum(row[5] for row in tallies(town)) == 5


def test_a_loader_that_may_not_wait_leaves_with_a_sentence(town: Town) -> None:
    town.load("grid_small")
    said: list[str] = []
    with town.db.connect("loader") as other:
        lock_dataset(other, "report")
        (done,) = town.load("report", waits=False, say=said.append).deliveries
    assert (done.status, done.exit_code) == ("refused", 6)
    assert "Another loader is at work on report" in said[-1]
    assert town.load("report", waits=False).deliveries[0].status == "loaded"


def test_a_delivery_beyond_what_is_expected_leaves_nothing(town: Town) -> None:
    town.deliver("report.csv", REPORTS.replace("noise", "sound").replace("flood", "water"))
    done = town.load().deliveries[-1]
    assert (done.status, done.exit_code) == ("refused", 6)
    assert "5 of 6 rows of report.csv are faulty (83%): unknown_category 5" in done.problem
    assert town.rows("select count(*) from ops.event") == [(0,)]
    assert town.rows("select count(*) from raw.quarantine") == [(0,)]
    town.deliver("report.csv", "no | category | state | reported | updated | lon | lat | note\n")
    done = town.load("report").deliveries[0]
    assert "report.csv has 0 rows; report expects at least 1 and at most 1,000" in done.problem


def test_without_grids_nothing_can_be_tied(town: Town) -> None:
    done = town.load("report").deliveries[0]
    assert done.exit_code == 6
    assert "No grids are loaded yet" in done.problem


def test_one_bad_delivery_does_not_keep_the_others_out(town: Town) -> None:
    (town.files / "grids.geojson").with_name("step.csv").write_bytes(b"\xff\xff\xff")
    report = town.load()
    assert [(d.dataset, d.status) for d in report.deliveries] == [
        ("grid_small", "loaded"),
        ("report", "loaded"),
        ("report_step", "refused"),
    ]
    assert report.exit_code == 6


def test_names_folders_and_files_nobody_knows(town: Town) -> None:
    with pytest.raises(UnknownNameError, match="The nearest are: report"):
        town.load("reports")
    with pytest.raises(DeliveryError, match="no file is called resident"):
        town.load("resident")
    town.deliver("reprot.csv", REPORTS)
    assert town.load().strangers == (
        "reprot.csv belongs to no declared dataset and was left alone; the nearest is report*.csv (dataset report).",
    )
    town.files = town.files / "nowhere"
    with pytest.raises(DeliveryError, match="There is no folder"):
        town.load()
    town.files.mkdir()
    with pytest.raises(DeliveryError, match=r"No file in .* belongs to a declared dataset"):
        town.load()


def test_a_database_without_our_schema_is_a_sentence(town: Town) -> None:
    with psycopg.connect(town.db.url("admin"), autocommit=True) as connection:
        connection.execute("drop schema pub cascade")
    with pytest.raises(ServerError, match=r"python -m layers\.migrations upgrade"):
        town.load()


def test_a_load_tells_who_listens(town: Town) -> None:
    with town.db.connect("web", autocommit=True) as listener:
        listener.execute("listen atlas")
        town.load()
        told = [n.payload for n in listener.notifies(timeout=5, stop_after=2)]
    assert [t.partition(",")[0] for t in told] == ['{"dataset": "grid_small"', '{"dataset": "report"']


def test_a_table_that_somebody_reads_is_loaded_with_its_indexes_in_place(town: Town) -> None:
    town.load("grid_small")
    with town.db.connect("loader") as reader:
        reader.execute("select count(*) from ops.event")  # holds a lock until its transaction ends
        done = town.load("report").deliveries[0]
    assert (done.status, done.n_inserted) == ("loaded", 5)
    assert sum(row[5] for row in tallies(town)) == 5
