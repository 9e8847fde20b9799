"""The small city, loaded: every planted fault is found and nothing else, the sums agree, every tie is exact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from layers.accounts.audit import read_entries
from layers.database import Database
from layers.declare.records import Catalog
from layers.seal import Sealer
from layers.secrets import read_secrets
from layers.settings import Settings

ELEMENTS = ("vault.person", "ops.event", "ops.place", "ops.thing", "ops.organisation")

# A point belongs to the lowest code that covers it; every row that has a point and is tied by it.
TIES = """
select count(*) filter (where tied_by = 'point'),
       count(*) filter (where tied_by = 'point' and grid_code is distinct from covering),
       count(*) filter (where tied_by <> 'point' and covering is not null)
from (
    select t.tied_by, t.grid_code, (
        select g.code from pub.grid g
        where g.level = 'small' and g.edition = t.edition and ST_Covers(g.geom, ST_PointOnSurface(t.geom))
        order by g.code limit 1
    ) as covering
    from {table} t where t.geom is not null
) tied
"""


@pytest.fixture(scope="module")
def answers(city_folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((city_folder / "answers.json").read_text(encoding="utf-8"))
    return found


def rows(db: Database, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    with db.connect("loader") as connection:
        return connection.execute(query.encode(), parameters).fetchall()


def test_quarantine_is_the_answer_sheet(small_city: Database, answers: dict[str, Any]) -> None:
    wrong = {}
    for dataset, sheet in answers.items():
        planted = {(f["line"], f["reason"]): f["field"] for f in sheet["faults"]}
        found = {
            (line, reason): field
            for line, reason, field in rows(
                small_city, "select line, reason, field from raw.quarantine where dataset = %s", [dataset]
            )
        }
        if found.keys() != planted.keys():
            wrong[dataset] = (sorted(planted.keys() - found.keys()), sorted(found.keys() - planted.keys()))
            continue
        for fault, field in planted.items():
            if field is not None and field not in (found[fault] or "").split("、"):
                wrong[dataset, fault] = (field, found[fault])
    assert wrong == {}


def test_sums_agree_with_the_answer_sheet(small_city: Database, answers: dict[str, Any]) -> None:
    ledger = {
        row[0]: row[1:]
        for row in rows(
            small_city,
            "select dataset, n_read, n_inserted, n_quarantined, n_unplaced, n_updated + n_unchanged from raw.delivery",
        )
    }
    sheets = {
        dataset: (sheet["rows"], sheet["clean"], len(sheet["faults"]), sheet["unplaced"], 0)
        for dataset, sheet in answers.items()
    }
    assert ledger == sheets


def test_every_clean_row_stands_in_its_table(small_city: Database, answers: dict[str, Any], catalog: Catalog) -> None:
    for table in (*ELEMENTS, "ops.grid_worker"):
        found = dict(rows(small_city, f"select dataset, count(*) from {table} group by 1"))
        kind = table.partition(".")[2]
        assert found == {k: answers[k]["clean"] for k, d in catalog.datasets.items() if d.table == kind}
    registered = dict(rows(small_city, "select dataset, count(*) from raw.source_registry group by 1"))
    steps = {k for k, d in catalog.datasets.items() if d.table == "event_step"}
    assert registered == {k: sheet["clean"] for k, sheet in answers.items() if k not in steps}
    assert rows(small_city, "select count(*) from ops.event_step") == [(answers["grid_event_step"]["clean"],)]


@pytest.mark.parametrize("table", ELEMENTS)
def test_every_tie_is_what_st_covers_says(small_city: Database, table: str) -> None:
    n, different, missed = rows(small_city, TIES.format(table=table))[0]
    assert n > 0
    assert (different, missed) == (0, 0)


def test_rows_without_a_point_are_tied_by_code_or_address(small_city: Database) -> None:
    found = {
        (dataset, tied_by)
        for dataset, tied_by in rows(
            small_city,
            "select distinct dataset, tied_by from ops.event union select distinct dataset, tied_by from ops.place",
        )
    }
    assert {("hotline", "address"), ("hotline", "none"), ("service_centre", "code"), ("grid_event", "code")} <= found
    assert rows(small_city, "select count(*) from ops.event where tied_by = 'none' and grid_code <> '4499'") == [(0,)]


def test_what_names_a_person_is_sealed(small_city: Database, settings: Settings) -> None:
    sealer = Sealer(read_secrets(settings))
    found = rows(
        small_city,
        "select p.source_key, i.name_sealed, i.number_sealed, p.subject, p.has_number from vault.person p"
        " join vault.identity i on i.town_code = p.town_code and i.id = p.id"
        " where p.dataset = 'resident' order by p.id limit 50",
    )
    assert len(found) == 50
    for source_key, name, number, subject, has_number in found:
        assert len(sealer.open(name)) >= 2
        plain = sealer.open(number)
        assert has_number
        assert plain not in source_key
        assert sealer.subjects([plain], "any", [""]) == [subject]
    everything = rows(
        small_city,
        "select attrs::text, source_key from vault.person union all"
        " select coalesce(value, ''), coalesce(source_key, '') from raw.quarantine"
        " where dataset in ('resident', 'elder_allowance')",
    )
    number = sealer.open(found[0][2])
    assert not any(number in text or number in key for text, key in everything)


def test_a_quarantined_row_can_be_opened_whole(small_city: Database, settings: Settings) -> None:
    sealer = Sealer(read_secrets(settings))
    found = rows(
        small_city,
        "select row_sealed, remedy from raw.quarantine where dataset = 'resident' and reason = 'bad_id_number' limit 1",
    )
    row = json.loads(sealer.open(found[0][0]))
    assert row["姓名"]
    assert "民族" not in row
    assert "校验位" in found[0][1]


def test_out_of_scope_columns_are_dropped_and_named(small_city: Database) -> None:
    report = rows(small_city, "select report from raw.delivery where dataset = 'resident'")[0][0]
    assert report["out_of_scope"] == ["民族"]
    assert report["dropped"] == ["登记人"]


def test_sensitive_rows_are_marked(small_city: Database) -> None:
    found = rows(
        small_city,
        "select count(*), count(*) filter (where is_sensitive) from ops.event"
        " where category in ('family_dispute', 'minor_protection', 'mental_health')",
    )
    assert found[0][0] == found[0][1] > 0
    assert rows(small_city, "select count(*) from ops.event where is_sensitive and dataset = 'grid_event'") == [(0,)]


def test_indexes_are_all_back(small_city: Database, template: Database) -> None:
    def indexes(db: Database) -> set[tuple[Any, ...]]:
        query = (
            "select indexdef from pg_indexes where schemaname in ('raw', 'vault', 'ops', 'pub')"
            " union select conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint"
            " where contype <> 'n'"
        )
        with psycopg.connect(db.url("admin")) as connection:
            return set(connection.execute(query).fetchall())

    assert indexes(small_city) == indexes(template)
    assert rows(small_city, "select count(*) from ops.event where dataset = 'grid_event' and id is null") == [(0,)]


def test_people_are_published_once_a_run(small_city: Database, catalog: Catalog) -> None:
    n_of_people = rows(small_city, "select count(distinct dataset) from vault.person")[0][0]
    assert n_of_people > 8, "care lists are datasets of people too"
    with small_city.connect("door") as door:
        assert len(read_entries(door, kind="release")) == 1
    assert rows(small_city, "select count(*) from raw.recount") == [(0,)]
