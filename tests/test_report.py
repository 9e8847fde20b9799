"""What is sent from the field, without a browser: reports, visits, what lies near, and one's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from people_at_work import GRID, actor, case_in, cases, prepare, working_catalog
from signing import become, signed
from test_casework import desk_of, picture

from layers import photos
from layers.access import ROLES, Scope
from layers.database import Database
from layers.errors import CaseError
from layers.lifecycle import find
from mapapp import report
from mapapp.rights import may_open

CATALOG = working_catalog()
CITY = Scope("4499")
HERE = {"lon": 0.1, "lat": 0.1}
SEEN = HERE | {"key": "seen-0001", "category": "noise", "words": "夜里施工，敲打声很大"}


@pytest.fixture
def web(db: Database) -> Any:
    prepare(db)
    with signed(db, autocommit=True) as connection:
        yield connection


def refused(run: Any, *args: Any) -> str:
    with pytest.raises(CaseError) as error:
        run(*args)
    return error.value.need


def test_the_page_is_for_whoever_has_something_to_send() -> None:
    for role in ROLES:
        assert may_open(role, "/report") == bool(report.kinds_for(role)), role
    reports = find("report", "")
    assert reports is not None
    assert {role for role in ROLES if "report" in report.kinds_for(role)} == set(reports.roles) - {"resident"}


def test_a_report_is_made_once_in_the_finest_grid(web: Any, db: Database) -> None:
    with desk_of(db, "grid_worker") as desk:
        made = report.send_report(desk, SEEN | {"is_urgent": True})
        again = report.send_report(desk, SEEN)
        assert (made["is_new"], again["is_new"], again["id"]) == (True, False, made["id"])
        mine = report.list_mine(desk)["reports"]
    case = cases.read_case(web, CITY, made["id"])
    assert (case.grid_code, case.state, case.channel, case.is_urgent) == (GRID, "reported", "grid_worker", True)
    assert [(one["id"], one["grid"], one["summary"]) for one in mine] == [(made["id"], "一组", SEEN["words"])]
    with desk_of(db, "dispatcher") as desk:
        assert report.list_mine(desk)["reports"] == []


def test_what_waited_was_seen_when_it_was_written(web: Any, db: Database) -> None:
    with desk_of(db, "grid_worker") as desk:
        made = report.send_report(desk, SEEN | {"waited_s": 7200})
    age = datetime.now(UTC) - cases.read_case(web, CITY, made["id"]).reported_at
    assert timedelta(hours=2) <= age < timedelta(hours=2, minutes=5)


def test_what_was_settled_on_the_spot_is_closed_at_once(web: Any, db: Database) -> None:
    with desk_of(db, "grid_worker") as desk:
        assert refused(report.send_report, desk, SEEN | {"is_settled": True, "settled": " "}) == "reason"
        made = report.send_report(desk, SEEN | {"is_settled": True, "settled": "已劝停"})
        assert made["state"] == "closed"
        assert report.send_report(desk, SEEN | {"is_settled": True, "settled": "已劝停"})["is_new"] is False
    assert cases.read_case(web, CITY, made["id"]).is_on_spot


@pytest.mark.parametrize(
    ("wrong", "need"),
    [
        ({"lon": None}, "position"), ({"lon": "nowhere"}, "position"), ({"lon": float("nan")}, "inside"),
        ({"lon": 9.0, "lat": 0.1}, "inside"), ({"lat": 91}, "inside"), ({"words": "  "}, "words"),
        ({"key": "x"}, "key"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(web: Any, db: Database, wrong: dict[str, Any], need: str) -> None:
    with desk_of(db, "grid_worker") as desk:
        assert refused(report.send_report, desk, SEEN | wrong) == need
        assert refused(report.send_visit, desk, SEEN | wrong) == need


def test_what_may_be_the_same_thing_is_offered_with_its_photos(web: Any, db: Database) -> None:
    with desk_of(db, "grid_worker") as desk:
        made = report.send_report(desk, SEEN)
        with desk.connection() as connection:
            photo = photos.add_photo(connection, CITY, made["id"], picture())
        around = report.look_around(desk, SEEN)
        assert around["path"][-1] == "一组"
        assert [(one["id"], one["photos"]) for one in around["near"]] == [(made["id"], [photo])]
        assert report.look_around(desk, SEEN | {"lon": 0.11})["near"] == []
        assert report.look_around(desk, HERE)["near"] == []


def test_a_visit_is_written_down_once(web: Any, db: Database) -> None:
    said = HERE | {"key": "visit-001", "words": "独居老人，一切都好", "waited_s": 600}
    with desk_of(db, "grid_worker") as desk:
        assert report.send_visit(desk, said) == report.send_visit(desk, said)
        made = report.list_mine(desk)["visits"]
    assert [(one["grid"], one["found"]) for one in made] == [("一组", said["words"])]
    with desk_of(db, "dispatcher") as desk, pytest.raises(CaseError, match="may not write down"):
        report.send_visit(desk, said)


def test_whoever_reported_adds_photos_whatever_department_has_it(web: Any, db: Database) -> None:
    with desk_of(db, "department_handler", "water") as desk:
        made = report.send_report(desk, SEEN)
        with desk.connection() as connection:
            assert photos.add_photo(connection, CITY, made["id"], picture())
    other = case_in(web, CATALOG, "reported")
    become(web, actor("department_handler", account="judge", department="justice"))
    for number in (made["id"], other.id):
        with pytest.raises(CaseError):
            photos.add_photo(web, CITY, number, picture())
