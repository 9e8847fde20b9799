"""The desk of who works on cases, without a browser: queues by role, one case, steps, bulk dispatch, photos."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from people_at_work import GRID, START, actor, case_in, cases, key, prepare, working_catalog
from PIL import Image
from serving import serving
from signing import become, sign_in, signed

from layers import photos, queues, visits
from layers.access import Scope
from layers.accounts.sessions import Session
from layers.database import Database
from layers.declare.case_records import Calendar, Limit, Limits
from layers.errors import AtlasError, CaseError
from layers.lifecycle import CASE_ROLES
from mapapp import casework
from mapapp.desk import Desk
from mapapp.visitor import visiting

CATALOG = working_catalog()
CITY = Scope("4499")


@pytest.fixture
def web(db: Database) -> Any:
    prepare(db)
    with signed(db, autocommit=True) as connection:
        yield connection


@contextmanager
def desk_of(db: Database, role: Any, department: str | None = None) -> Iterator[Desk]:
    session: Session = sign_in(db, role, department=department)
    with db.pool("web") as pool, visiting(session):
        yield Desk(CATALOG, pool)


def ids(found: dict[str, Any]) -> list[int]:
    return [one["id"] for one in found["rows"]]


def picture(kind: str = "JPEG", **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(out, kind, **more)
    return out.getvalue()


def test_queues_hold_what_waits_for_each_role(web: Any, db: Database) -> None:
    made = {
        state: case_in(web, CATALOG, state).id
        for state in ("reported", "accepted", "handling", "handled", "checked", "closed")
    }
    for role, queue, state in (
        ("dispatcher", "accept", "reported"), ("dispatcher", "dispatch", "accepted"),
        ("dispatcher", "close", "checked"),
        ("department_handler", "mine", "handling"), ("case_officer", "check", "handled"),
        ("grid_worker", "check", "handled"),
    ):  # fmt: skip
        with desk_of(db, role, "water" if role == "department_handler" else None) as desk:
            assert ids(casework.list_queue(desk, {"queue": queue})) == [made[state]], (role, queue)
    with desk_of(db, "dispatcher") as desk:
        assert set(ids(casework.list_queue(desk, {"queue": "all"}))) == set(made.values())
        assert ids(casework.list_queue(desk, {"queue": "all", "state": "closed"})) == [made["closed"]]
        assert ids(casework.list_queue(desk, {"queue": "all", "category": "drainage"})) == []
        assert ids(casework.list_queue(desk, {"queue": "open", "at": "449902"})) == []
        assert casework.count_queues(desk)["accept"] == 1
        assert casework.list_queue(desk, {"queue": "nonsense"})["queue"] == "accept"


def test_urgent_cases_stand_on_top_and_one_nobody_took_up_is_due_since_it_was_reported(web: Any, db: Database) -> None:
    hour = timedelta(hours=1)
    now = datetime.now(UTC).replace(microsecond=0)
    rows = {  # urgent, state, reported so long ago, due in so long
        "urgent, nobody took it up": (True, "reported", 2 * hour, None),
        "urgent, late since before": (True, "handling", 9 * hour, -3 * hour),
        "urgent, late since after": (True, "handling", 9 * hour, -hour),
        "urgent, has time": (True, "handling", hour, hour),
        "urgent, stands still": (True, "suspended", hour, None),
        "late": (False, "handling", 90 * hour, -48 * hour),
        "has time": (False, "dispatched", hour, hour),
        "fresh": (False, "reported", hour, None),
        "urgent, but over": (True, "closed", 3 * hour, -hour),
    }
    made = {}
    for name, (is_urgent, state, ago, due) in rows.items():
        made[case_in(web, CATALOG, state).id] = name
        with db.connect("admin") as admin:
            admin.execute(
                "update ops.event set is_urgent = %s, reported_at = %s, due_at = %s where id = %s",
                [is_urgent, now - ago, due and now + due, next(reversed(made))],
            )
    with desk_of(db, "dispatcher") as desk:
        listed = [made[one] for one in ids(casework.list_queue(desk, {"queue": "all"}))]
    assert listed == [
        "urgent, late since before", "urgent, nobody took it up", "urgent, late since after", "urgent, has time",
        "urgent, stands still", "late", "has time", "fresh", "urgent, but over",
    ]  # fmt: skip


def test_every_role_of_the_loop_has_queues() -> None:
    assert set(queues.QUEUES) == {*CASE_ROLES, "leader"} - {"resident"}


def test_a_handler_sees_what_lies_with_the_own_department(web: Any, db: Database) -> None:
    water = case_in(web, CATALOG, "handling").id
    with db.connect("door") as door:
        door.execute("delete from auth.account where account = 'test.department_handler.4499'")
    with desk_of(db, "department_handler", "justice") as desk:
        assert ids(casework.list_queue(desk, {"queue": "all"})) == []
        with pytest.raises(CaseError, match="There is no case"):
            casework.show_case(desk, water)


@pytest.mark.parametrize("role", ["analyst", "auditor", "security_admin", "wall", "data_steward"])
def test_other_roles_see_no_case(web: Any, db: Database, role: Any) -> None:
    case_in(web, CATALOG, "reported")
    with db.connect("web", options=f"-c atlas.session={sign_in(db, role, department='water').token}") as other:
        assert queues.list_cases(other, CITY, queues.Asked("all")).empty
        assert not queues.find_place(other, CITY, 1).is_worked_on


def test_a_sensitive_case_is_for_who_works_on_it_and_has_no_point(web: Any, db: Database) -> None:
    said = cases.Report(key(), "family_dispute", GRID, dataset="call", position=(0.1, 0.1), summary="家事", at=START)
    made = cases.report(web, CATALOG, actor("resident"), said)
    with desk_of(db, "leader") as desk:
        assert ids(casework.list_queue(desk, {"queue": "all"})) == []
        with pytest.raises(CaseError):
            casework.show_case(desk, made.id)
    with desk_of(db, "dispatcher") as desk:
        row = casework.list_queue(desk, {"queue": "accept"})["rows"][0]
        assert (row["id"], row["lon"]) == (made.id, None)
        assert casework.show_case(desk, made.id)["near"] == []


def test_a_case_page_offers_the_steps_allowed_and_takes_one_once(web: Any, db: Database) -> None:
    made = case_in(web, CATALOG, "reported")
    with desk_of(db, "dispatcher") as desk:
        shown = casework.show_case(desk, made.id)
        assert [one["step"] for one in shown["steps"]] == ["accept", "refuse", "merge", "withdraw"]
        said = {"key": "a" * 16, "step": "accept", "version": shown["version"]}
        assert casework.take_step(desk, made.id, said) == {"state": "accepted", "version": 2, "is_new": True}
        assert casework.take_step(desk, made.id, said)["is_new"] is False, "a double click"
        with pytest.raises(CaseError) as error:
            casework.take_step(desk, made.id, said | {"key": "b" * 16})
        assert error.value.why == "stale"
        with pytest.raises(CaseError) as error:
            casework.take_step(desk, made.id, said | {"key": ""})
        assert error.value.need == "key"
        assert [one["step"] for one in casework.show_case(desk, made.id)["log"]] == ["report", "accept"]


def test_a_case_page_offers_no_step_whose_past_is_wrong(web: Any, db: Database) -> None:
    fresh, sent = case_in(web, CATALOG, "accepted"), case_in(web, CATALOG, "dispatched")
    cases.take_step(web, CATALOG, actor("department_handler"), sent, "return", key=key(), reason="非本部门职责")
    with desk_of(db, "dispatcher") as desk:
        offered = [[one["step"] for one in casework.show_case(desk, each.id)["steps"]] for each in (fresh, sent)]
    assert "dismiss" in offered[0] and "dismiss" not in offered[1], "whoever gets it back may not push it past"


def test_an_extension_sent_twice_puts_off_once(web: Any, db: Database) -> None:
    limits = Limits(normal={"any": Limit(1, "working_days")})
    catalog = working_catalog(calendar=Calendar(), limits=limits)
    made = case_in(web, catalog, "handling")
    until = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    said = {"key": "x" * 16, "step": "extend", "version": made.version, "reason": "材料未到", "until": until}
    with desk_of(db, "dispatcher") as desk:
        desk.catalog = catalog
        assert casework.take_step(desk, made.id, said)["is_new"] is True
        assert casework.take_step(desk, made.id, said)["is_new"] is False
        with pytest.raises(CaseError) as error:  # another request for the same moment puts nothing off
            casework.take_step(desk, made.id, said | {"key": "y" * 16, "version": made.version + 1})
        assert error.value.need == "until"


def test_many_are_dispatched_and_one_that_cannot_go_holds_up_none(web: Any, db: Database) -> None:
    made = [case_in(web, CATALOG, state) for state in ("accepted", "reported", "accepted")]
    with desk_of(db, "dispatcher") as desk:
        said = {"key": "c" * 16, "cases": [[one.id, one.version] for one in made], "department": "water"}
        told = casework.dispatch(desk, said)
        assert [one["id"] for one in told["done"]] == [made[0].id, made[2].id]
        assert [(one["id"], one["why"]) for one in told["failed"]] == [(made[1].id, "not_allowed")]
        assert [one["id"] for one in casework.dispatch(desk, said)["done"]] == [made[0].id, made[2].id], "sent twice"
    assert cases.read_case(web, CITY, made[0].id).version == made[0].version + 1


def test_a_closed_case_is_visited_back_on_the_phone(web: Any, db: Database) -> None:
    made = case_in(web, CATALOG, "closed")
    with db.connect("admin") as admin:
        admin.execute("update ops.event set closed_at = now() where id = %s", [made.id])
    with desk_of(db, "case_officer") as desk:
        assert ids(casework.list_queue(desk, {"queue": "visit"})) == [made.id]
        with pytest.raises(CaseError) as error:
            casework.ask_back(desk, made.id, {"do": "no"})
        assert error.value.need == "reason"
        casework.ask_back(desk, made.id, {"do": "no", "reason": "还在吵"})
        assert ids(casework.list_queue(desk, {"queue": "visit"})) == []
    with desk_of(db, "dispatcher") as desk:
        wish = casework.show_case(desk, made.id)["wish"]
        assert wish["reason"] == "还在吵"
        casework.ask_back(desk, made.id, {"do": "decline", "visit": wish["visit_id"], "reason": "已停工"})
        assert casework.show_case(desk, made.id)["wish"] is None


def test_a_photo_comes_out_small_upright_and_clean() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "secret words"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (22.0, 33.0, 44.0)
    sent = picture(exif=exif, comment=b"hidden comment")
    assert b"secret words" in sent and b"hidden comment" in sent
    jpeg, width, height = photos.clean(sent)
    kept = Image.open(io.BytesIO(jpeg))
    assert (width, height) == kept.size == (20, 40), "turned upright"
    assert not kept.getexif() and not kept.info.get("comment") and b"secret" not in jpeg and b"hidden" not in jpeg
    big = io.BytesIO()
    Image.new("RGB", (4000, 1000)).save(big, "PNG")
    assert photos.clean(big.getvalue())[1:] == (1600, 400)


@pytest.mark.parametrize(
    "sent", [b"", b"<svg/>", picture()[:40], b"GIF89a" + b"0" * 99], ids=["none", "svg", "cut", "gif"]
)
def test_what_is_no_photo_is_refused(sent: bytes) -> None:
    with pytest.raises(AtlasError, match="not a photo"):
        photos.clean(sent)


def test_photos_belong_to_a_case_and_to_who_works_on_it(web: Any, db: Database) -> None:
    made = case_in(web, CATALOG, "handling")
    become(web, actor("dispatcher"))
    one = photos.add_photo(web, CITY, made.id, picture())
    assert photos.add_photo(web, CITY, made.id, picture()) == one, "the same again"
    assert photos.list_photos(web, CITY, made.id)["id"].tolist() == [one]
    assert (photos.read_photo(web, CITY, one) or b"")[:2] == b"\xff\xd8"
    become(web, actor("department_handler", account="judge", department="justice"))
    assert photos.read_photo(web, CITY, one) is None
    with pytest.raises(CaseError):
        photos.add_photo(web, CITY, made.id, picture())


def test_a_visit_is_written_down_once_by_who_made_it(web: Any) -> None:
    become(web, actor("grid_worker", account="zhang"))
    said = {"key": "v1", "grid_code": GRID, "found": "独居老人，一切都好"}
    one = visits.record_visit(web, CITY, CATALOG.city, **said)
    assert visits.record_visit(web, CITY, CATALOG.city, **said) == one
    assert visits.my_visits(web, CITY)["found"].tolist() == ["独居老人，一切都好"]
    with pytest.raises(CaseError) as error:
        visits.record_visit(web, CITY, CATALOG.city, **said | {"found": " ", "key": "v2"})
    assert error.value.need == "found"
    become(web, actor("grid_worker", account="li"))
    assert visits.my_visits(web, CITY).empty
    become(web, actor("dispatcher"))
    with pytest.raises(CaseError, match="may not write down"):
        visits.record_visit(web, CITY, CATALOG.city, **said | {"key": "v3"})


def test_a_visit_concerns_what_the_session_sees(web: Any, db: Database) -> None:
    mine, beside = case_in(web, CATALOG, "reported"), Scope("449901001001002")
    with db.connect("loader") as loader:
        (thing,) = loader.execute(
            "insert into ops.thing (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at,"
            " tied_by, is_sensitive, attrs) values ('449901001', %s, 1, 'd', 'T1', 1, now(), 'code', false, '{}')"
            " returning id",
            [beside.code],
        ).fetchone() or (0,)
    become(web, actor("grid_worker", account="zhang", code=GRID))
    own = Scope(GRID)
    said = {"grid_code": GRID, "found": "已看"}
    assert visits.record_visit(web, own, CATALOG.city, key="c1", concerns_id=mine.id, **said)
    for number in (thing, 99_999):
        with pytest.raises(CaseError, match="nothing of the number"):
            visits.record_visit(web, own, CATALOG.city, key=f"c{number}", concerns_id=number, **said)
    become(web, actor("grid_worker", account="zhang"))
    assert visits.record_visit(web, CITY, CATALOG.city, key="c3", concerns_id=thing, **said), "inside its scope"


def test_the_routes_answer_who_works_on_cases(web: Any, db: Database, settings: Any) -> None:
    made = case_in(web, CATALOG, "reported")
    session = sign_in(db, "dispatcher")
    with serving(db, CATALOG, settings) as server:
        browser = server.browser()
        browser.cookies = {"session": session.token}
        page = browser.ask("/cases")
        assert page.status_code == 200 and 'data-queue="accept"' in page.text
        files = ("/static/casework/cases.mjs", "/static/casework/casework.css")
        for asked in (*files, "/cases/queues", "/cases/grids?q=1"):
            assert browser.ask(asked).status_code == 200, asked
        assert browser.ask("/cases/list?queue=accept").json()["n"] == 1
        assert browser.ask(f"/cases/one/{made.id}").json()["state"] == "reported"
        assert browser.ask("/cases/one/99999").status_code == 404
        token = {"x-csrftoken": session.form_token}
        said = {"key": "d" * 16, "step": "accept", "version": 1}
        step = f"/cases/one/{made.id}/step"
        assert browser.ask(step, method="POST", json=said).status_code == 403, "without the form's token"
        assert browser.ask(step, method="POST", json=said, headers=token).json()["state"] == "accepted"
        stale = browser.ask(step, method="POST", json=said | {"key": "e" * 16}, headers=token)
        assert (stale.status_code, stale.json()["why"]) == (409, "stale")
        sent = browser.ask(
            step.replace("step", "photo"),
            method="POST",
            headers=token,
            files={"photo": ("a.jpg", picture(), "image/jpeg")},
        )
        photo = browser.ask(f"/cases/photo/{sent.json()['id']}")
        assert (photo.status_code, photo.headers["content-type"]) == (200, "image/jpeg")
