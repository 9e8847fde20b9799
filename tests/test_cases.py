"""Cases in the database: reported, moved on, counted, logged; a resend does nothing twice, the stale is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from people_at_work import GRID, START, actor, case_in, cases, counted, key, prepare, working_catalog
from signing import signed

from layers.access import Scope
from layers.database import Database
from layers.errors import AccessError, CaseError, UnknownNameError
from layers.tallies import fold

CATALOG = working_catalog()
CITY = Scope("4499")


@pytest.fixture
def web(db: Database) -> Any:
    prepare(db)
    with signed(db, autocommit=True) as connection:
        yield connection


def report(web: psycopg.Connection[Any], **more: Any) -> cases.Moved:
    said = {"key": key(), "category": "noise", "grid_code": GRID, "dataset": "call"} | more
    return cases.report(web, CATALOG, actor("grid_worker"), cases.Report(**said))


def test_a_report_is_a_case_with_its_first_step(web: Any) -> None:
    made = report(web, position=(0.2, 0.3), summary="夜里装修", is_urgent=True, attrs={"source": "phone"})
    case = cases.read_case(web, CITY, made.id)
    assert (case.state, case.version, case.channel, case.is_urgent) == ("reported", 1, "grid_worker", True)
    log = cases.timeline(web, CITY, made.id)
    assert log[["step", "state", "account", "actor"]].to_numpy().tolist() == [
        ["report", "reported", "grid_worker", "grid_worker"]
    ]
    assert log["from_state"].isna().all()


def test_settled_on_the_spot_is_one_call_and_a_path_of_its_own(web: Any, db: Database) -> None:
    one = key()
    first = report(web, key=one, settled="当场清理")
    again = report(web, key=one, settled="当场清理")
    assert (first.state, first.is_new, again.is_new, again.id) == ("closed", True, False, first.id)
    case = cases.read_case(web, CITY, first.id)
    assert (case.outcome, case.is_on_spot) == ("settled", True)
    assert cases.timeline(web, CITY, first.id)["step"].tolist() == ["report", "settle_on_spot"]
    assert counted(web) == {"closed": 1}


def test_a_resend_is_the_same_case_and_the_same_step(web: Any) -> None:
    one = key()
    first, again = report(web, key=one), report(web, key=one)
    assert (first.id, again.is_new) == (again.id, False)
    case, two = cases.read_case(web, CITY, first.id), key()
    done = cases.take_step(web, CATALOG, actor("dispatcher"), case, "accept", key=two)
    twice = cases.take_step(web, CATALOG, actor("dispatcher"), case, "accept", key=two)
    assert (done.is_new, twice.is_new, done.version, twice.change_no) == (True, False, 2, done.change_no)
    with pytest.raises(CaseError, match="used for another step"):
        cases.take_step(web, CATALOG, actor("dispatcher"), case, "refuse", key=two, reason="x")
    assert len(cases.timeline(web, CITY, first.id)) == 2


def test_a_version_that_is_not_the_present_one_is_refused(web: Any) -> None:
    case = case_in(web, CATALOG, "accepted")
    cases.take_step(web, CATALOG, actor("dispatcher"), case, "dispatch", key=key(), department="water")
    with pytest.raises(CaseError) as error:
        cases.take_step(web, CATALOG, actor("dispatcher"), case, "dispatch", key=key(), department="justice")
    assert error.value.why == "stale" and "Somebody was quicker" in error.value.hint


def test_counts_follow_every_step_and_survive_folding(web: Any, db: Database) -> None:
    for state in ("reported", "handling", "closed", "refused", "suspended"):
        case_in(web, CATALOG, state)
    wanted = dict.fromkeys(("reported", "refused", "handling", "suspended", "closed"), 1)
    for table in ("pub.tally_small_month", "pub.tally_medium_day", "pub.tally_large_month"):
        assert counted(web, table) == wanted
    with db.connect("loader") as loader:
        fold(loader)
    assert counted(web) == wanted
    day = web.execute("select distinct period from pub.tally_medium_day").fetchall()
    assert day == [(20250303,)]


def test_sensitive_cases_are_counted_in_the_vault_and_told_to_nobody(web: Any, db: Database) -> None:
    report(web, category="family_dispute")
    assert counted(web) == {} and len(cases.changes(web, CITY)) == 0
    with db.connect("admin") as admin:
        assert counted(admin, "vault.tally_small_month") == {"reported": 1}


def test_what_lies_out_of_scope_is_not_there(web: Any) -> None:
    case = case_in(web, CATALOG, "reported")
    elsewhere = actor("dispatcher", code="449902")
    with pytest.raises(CaseError) as error:
        cases.read_case(web, elsewhere.scope, case.id)
    assert error.value.why == "gone"
    with pytest.raises(CaseError) as error:
        cases.take_step(web, CATALOG, elsewhere, case, "accept", key=key())
    assert error.value.why == "gone"
    with pytest.raises(CaseError, match="out of reach"):
        cases.report(web, CATALOG, elsewhere, cases.Report(key(), "noise", GRID, dataset="call"))
    with pytest.raises(AccessError):
        elsewhere.scope.within("449901")


def test_names_nobody_declared_are_refused_before_anything_is_written(web: Any) -> None:
    with pytest.raises(UnknownNameError, match="category of events"):
        report(web, category="lamp")
    with pytest.raises(UnknownNameError, match="dataset of events"):
        report(web, dataset="park")
    case = case_in(web, CATALOG, "accepted")
    with pytest.raises(UnknownNameError, match="department"):
        cases.take_step(web, CATALOG, actor("dispatcher"), case, "dispatch", key=key(), department="fishery")


def test_what_is_sent_late_keeps_its_moment_but_never_the_order(web: Any) -> None:
    case = case_in(web, CATALOG, "dispatched")
    log = cases.timeline(web, CITY, case.id)
    assert log["at"].tolist() == [START + timedelta(hours=n) for n in range(3)]
    assert (log["recorded_at"] > log["at"]).all()
    for at in (START, datetime(2999, 1, 1, tzinfo=UTC)):
        with pytest.raises(CaseError) as error:
            cases.take_step(web, CATALOG, actor("department_handler"), case, "take_on", key=key(), at=at)
        assert error.value.need == "at"


def test_changes_come_in_the_order_of_commits_and_wake_who_listens(web: Any, db: Database) -> None:
    with signed(db, autocommit=True) as listener:
        listener.execute("listen cases")
        first = case_in(web, CATALOG, "accepted")
        with signed(db) as slow, slow.transaction():
            late = report(slow)
            seen = cases.changes(web, CITY)
            assert seen["step"].tolist() == ["report", "accept"]
        rest = cases.changes(web, CITY, after=int(seen["change_no"].max()))
        assert rest["event_id"].tolist() == [late.id]
        told = [n.payload for n in listener.notifies(timeout=5, stop_after=3)]
    assert told == [str(n) for n in [*seen["change_no"], *rest["change_no"]]]
    assert first.state == "accepted"


def test_reopening_forgets_the_outcome_but_not_the_log(web: Any) -> None:
    case = case_in(web, CATALOG, "closed")
    cases.take_step(web, CATALOG, actor("dispatcher"), case, "reopen", key=key(), reason="群众不满意")
    again = cases.read_case(web, CITY, case.id)
    assert (again.state, again.outcome, again.closed_at) == ("accepted", None, None)
    assert cases.timeline(web, CITY, case.id)["step"].tolist()[-2:] == ["close", "reopen"]
