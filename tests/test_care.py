"""The care register: who sees which records, visits, what leaders see, and that nothing enrols but a delivery."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from little_city import little_catalog, said, table
from people_at_work import actor, prepare
from psycopg.types.json import Jsonb
from serving import serving
from signing import become, sign_in, signed

from layers.access import ROLES, Scope
from layers.care import care_visits, keep_groups, late_care, list_care, visit_care
from layers.codes import town_of
from layers.database import Database
from layers.declare.out_of_scope import out_of_scope
from layers.declare.records import CareGroup, Catalog, Department
from layers.errors import CaseError
from layers.identifiers import MASK_BREAK
from layers.people_parts import people_by
from layers.seal import Sealer
from layers.secrets import read_secrets
from mapapp import care
from mapapp.desk import Desk
from mapapp.visitor import visiting

CITY = Scope("4499")
TODAY = date(2026, 3, 10)

GROUPS = [
    CareGroup("alone", said("独居老人"), "care_alone", "water", "grid_worker", 15, said("助餐")),
    CareGroup("support", said("帮扶"), "care_support", "water", "case_officer", 30, said("就业"), restricted=True),
]
CATALOG: Catalog = replace(
    little_catalog(), departments={"water": Department("water", said("water"))}, care={one.key: one for one in GROUPS}
)

RECORDS = """
name | group   | grid            | responsible | status   | visited    | due
甲一 | alone   | 449901001001001 | -           | at_home  | 2026-03-01 | 2026-03-16
乙二 | alone   | 449901001001002 | -           | at_home  | 2026-02-01 | 2026-02-16
丙三 | alone   | 449901002001001 | zhang       | away     | -          | -
丁四 | alone   | 449902001001001 | -           | declined | 2026-01-01 | 2026-01-16
戊五 | support | 449901001001001 | officer     | at_home  | 2026-01-01 | 2026-01-31
己六 | support | 449901001001001 | other       | at_home  | 2026-01-01 | 2026-01-31
"""


def enrol(db: Database, sealer: Sealer) -> dict[str, int]:
    """Put the records into the vault as a delivery would; the id of each by name."""
    made = {}
    with db.connect("loader") as loader:
        keep_groups(loader, CATALOG)
        for row in table(RECORDS):
            given = {"responsible": "responsible", "status": "status", "visited": "visited_on", "due": "due_on"}
            attrs = {key: row[name] for name, key in given.items() if row[name] != "-"} | {"offered": "助餐"}
            found = loader.execute(
                "insert into vault.person (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at,"
                " subject, has_number, tied_by, is_sensitive, attrs)"
                " values (%s, %s, 1, %s, %s, 1, '2026-03-05', %s, true, 'code', true, %s) returning id",
                [town_of(row["grid"]), row["grid"], f"care_{row['group']}", row["name"], row["name"].encode(),
                 Jsonb(attrs)],
            ).fetchone()  # fmt: skip
            assert found is not None
            made[row["name"]] = found[0]
            name, number, phone = row["name"], "11010519491231002X", "13800001234"
            sealed = sealer.seal_column([name, number, phone, MASK_BREAK.join((name[0] + "*", "*" * 14 + "002X", ""))])
            loader.execute(
                "insert into vault.identity (town_code, id, dataset, key_id, name_sealed, number_sealed, phone_sealed,"
                " mask_sealed) values (%s, %s, %s, %s, %s, %s, %s, %s)",
                [town_of(row["grid"]), found[0], f"care_{row['group']}", sealer.key_id, *sealed],
            )
    return made


@pytest.fixture(scope="module")
def sealer(settings: Any) -> Sealer:
    return Sealer(read_secrets(settings))


@pytest.fixture
def made(db: Database, sealer: Sealer) -> dict[str, int]:
    prepare(db)
    return enrol(db, sealer)


@pytest.fixture
def web(db: Database, made: Any) -> Iterator[psycopg.Connection[Any]]:
    with signed(db, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def enrolled(file_db: Database, sealer: Sealer) -> dict[str, int]:
    """As `made`, for tests that leave the records as they are."""
    prepare(file_db)
    return enrol(file_db, sealer)


@pytest.fixture
def reading(file_db: Database, enrolled: Any) -> Iterator[psycopg.Connection[Any]]:
    with signed(file_db, autocommit=True) as connection:
        yield connection


def seen(web: Any, made: dict[str, int], scope: Scope = CITY, **kw: Any) -> str:
    names = {number: name for name, number in made.items()}
    return " ".join(names[one] for one in list_care(web, scope, TODAY, **kw).rows["person_id"])


@pytest.mark.parametrize(
    ("role", "account", "sees"),
    [
        ("grid_worker", "zhang", "乙二 丙三 甲一 丁四"),
        ("grid_worker", "li", "乙二 甲一 丁四"),
        ("case_officer", "officer", "戊五"),
        ("case_officer", "other", "己六"),
        ("case_officer", "third", ""),
        *((role, "zhang", "") for role in ROLES if role not in ("grid_worker", "case_officer")),
    ],
)
def test_a_record_is_seen_by_who_visits_for_it(reading: Any, enrolled: Any, role: Any, account: str, sees: str) -> None:
    become(reading, replace(actor(role, account=account), department="water"))
    assert seen(reading, enrolled) == sees


def test_a_worker_sees_the_own_grids(reading: Any, enrolled: Any) -> None:
    become(reading, actor("grid_worker", account="li", code="449902"))
    assert seen(reading, enrolled) == "", "a wider range than the session's shows nothing at all"
    assert seen(reading, enrolled, Scope("449902")) == "丁四"
    assert list_care(reading, Scope("449902"), TODAY, group="support").n == 0


def test_a_visit_moves_the_next_one_and_is_written_down_once(web: Any, made: Any) -> None:
    become(web, actor("grid_worker", account="li"))
    before = list_care(web, CITY, TODAY)
    assert (before.n, before.n_late) == (3, 1)
    told = {"key": "v1", "visited_on": TODAY, "status": "in_care", "found": "住院一周"}
    one = visit_care(web, CITY, made["乙二"], **told)
    assert visit_care(web, CITY, made["乙二"], **told) == one
    after = list_care(web, CITY, TODAY)
    row = after.rows.set_index("person_id").loc[made["乙二"]]
    assert (after.n_late, row["status"], row["visited_on"]) == (0, "in_care", TODAY)
    assert row["due_on"] == TODAY + timedelta(days=15)
    assert care_visits(web, CITY, made["乙二"])[["account", "found"]].values.tolist() == [["li", "住院一周"]]
    older = {"key": "v2", "visited_on": date(2025, 1, 1), "status": "at_home"}
    visit_care(web, CITY, made["乙二"], **older)
    assert list_care(web, CITY, TODAY).rows.set_index("person_id").loc[made["乙二"]]["status"] == "in_care"


def test_who_wants_no_care_is_not_due(web: Any, made: Any) -> None:
    become(web, actor("grid_worker", account="li"))
    visit_care(web, CITY, made["乙二"], key="v1", visited_on=TODAY, status="declined")
    assert list_care(web, CITY, TODAY).rows["due_on"].tolist() == [date(2026, 3, 16), None, None]


@pytest.mark.parametrize(
    ("name", "change", "why", "need"),
    [
        ("丙三", {}, "gone", ""),
        ("戊五", {}, "gone", ""),
        ("乙二", {"visited_on": date(2999, 1, 1)}, "missing", "visited_on"),
        ("乙二", {"status": "dangerous"}, "missing", "status"),
    ],
)
def test_a_visit_that_makes_no_sense_is_refused(
    reading: Any, enrolled: Any, name: str, change: dict[str, Any], why: str, need: str
) -> None:
    become(reading, actor("grid_worker", account="li"))
    told: dict[str, Any] = {"key": "v1", "visited_on": TODAY, "status": "at_home"} | change
    with pytest.raises(CaseError) as error:
        visit_care(reading, CITY, enrolled[name], **told)
    assert (error.value.why, error.value.need) == (why, need)


def test_leaders_see_overdue_visits_as_tens_and_none_of_what_is_restricted(reading: Any, enrolled: Any) -> None:
    become(reading, actor("leader"))
    assert late_care(reading, CITY, "county", TODAY).values.tolist() == [["449901", 10]]
    assert late_care(reading, CITY, "large", TODAY).values.tolist() == [["449901001", 10], ["449901002", 10]]
    assert late_care(reading, CITY, "small", date(2026, 3, 5)).values.tolist() == [["449901001001002", 10]]
    become(reading, actor("grid_worker"))
    assert late_care(reading, CITY, "county", TODAY).empty
    with pytest.raises(CaseError):
        late_care(reading, Scope("449901001001"), "county", TODAY)


WRITES = re.compile(r"(?i)\b(insert\s+into|update|delete\s+from|merge\s+into)\s+vault\.(person|care_group)\b")


def test_no_function_enrols_anybody(db: Database) -> None:
    with db.connect("admin") as admin:
        sources = admin.execute(
            "select proname::text, prosrc from pg_proc"
            " where pronamespace::regnamespace::text in ('raw', 'vault', 'ops', 'pub', 'auth', 'audit')"
        ).fetchall()
        held = admin.execute(
            "select distinct grantee::text from information_schema.role_table_grants where table_schema = 'vault'"
            " and table_name in ('person', 'care_group') and privilege_type <> 'SELECT' and grantee <> 'atlas_owner'"
        ).fetchall()
    assert len(sources) > 30 and [name for name, text in sources if WRITES.search(text)] == []
    assert held == [("atlas_loader",)], "records come with deliveries and in no other way"


def test_eight_groups_are_declared_and_none_has_a_score(catalog: Catalog) -> None:
    assert len(catalog.care) == 8
    assert {key for key, one in catalog.care.items() if one.restricted} == {"corrections", "mental_health"}
    for one in catalog.care.values():
        (breakdown,) = (b for b in catalog.breakdowns.values() if b.register == one.dataset)
        assert breakdown.finest == ("large" if one.restricted else "small")
        for column in catalog.datasets[one.dataset].columns:
            assert out_of_scope(column.heading, of_people=True) is None
            assert out_of_scope(column.key, of_people=True) is None


def test_the_sample_city_delivers_every_group(small_city: Database, catalog: Catalog) -> None:
    with small_city.connect("loader") as loader:
        n = dict(
            loader.execute(
                "select g.care_group, count(*) from vault.care_group as g join vault.person as p using (dataset)"
                " where p.gone_on is null group by 1"
            ).fetchall()
        )
        names = loader.execute("select count(*) from vault.identity where mask_sealed is null").fetchone()
    assert set(n) == set(catalog.care) and min(n.values()) >= 10
    assert names == (0,)
    with signed(small_city) as web:
        breakdown = catalog.breakdowns["care_corrections"]
        assert people_by(web, CITY, breakdown, level="small").attrs["withheld"]
        assert not people_by(web, CITY, breakdown, level="county").empty
        why = web.execute(
            "select distinct digits::int from pub.people_withheld where breakdown = 'care_corrections'"
            " and reason = 'declared'"
        ).fetchall()
        assert {digits for (digits,) in why} <= {12, 15}
        alone = people_by(web, CITY, catalog.breakdowns["care_living_alone"], level="city")
        told = int(alone.loc[alone["cell"] == "on", "n"].iloc[0])
        assert abs(told - n["living_alone"]) < 10


@contextmanager
def desk_of(db: Database, role: Any) -> Iterator[Desk]:
    with db.pool("web") as pool, visiting(sign_in(db, role)):
        yield Desk(CATALOG, pool)


def test_the_page_lists_masked_names_and_writes_visits_down(db: Database, made: Any, sealer: Sealer) -> None:
    with desk_of(db, "grid_worker") as desk:
        told = care.list_records(desk, sealer, {})
        assert [(row["name"], row["number"]) for row in told["rows"]] == [
            ("乙*", "*" * 14 + "002X"), ("甲*", "*" * 14 + "002X"), ("丁*", "*" * 14 + "002X"),
        ]  # fmt: skip
        key = {"key": "a" * 16, "status": "at_home"}
        with pytest.raises(CaseError, match="no day"):
            care.record_visit(desk, made["甲一"], key | {"visited_on": "gestern"})
        with pytest.raises(CaseError, match="to come"):
            care.record_visit(desk, made["甲一"], key | {"visited_on": "2999-01-01"})
        care.record_visit(desk, made["甲一"], key | {"visited_on": "2026-03-10"})
        assert care.show_visits(desk, made["甲一"])["visits"][0]["visited_on"] == "2026-03-10"
        assert care.show_visits(desk, made["戊五"])["visits"] == []


def test_the_routes_are_for_workers_and_leaders(db: Database, made: Any, settings: Any) -> None:
    with serving(db, CATALOG, settings) as server:
        for role, script in (("grid_worker", "care.mjs"), ("leader", "care-counts.mjs")):
            session, browser = sign_in(db, role), server.browser()
            browser.cookies = {"session": session.token}
            page = browser.ask("/care")
            assert page.status_code == 200 and script in page.text
            assert "甲一" not in page.text
        counts = browser.ask("/care/counts").json()
        assert [row["late"] for row in counts["rows"]] == [10, 0] and counts["level"] == "county"
        assert browser.ask("/care/list").json()["rows"] == []
        browser.cookies = {"session": sign_in(db, "analyst").token}
        assert browser.ask("/care").status_code == 404
