"""What everybody may open: a link to answer by, while it lives, and the wall, item by item released by a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from databases import copy_of
from people_at_work import GRID, actor, case_in, key, prepare, satisfaction, working_catalog
from people_at_work import cases as working
from serving import Browser, Server, serving
from signing import become, sign_in, signed

from layers import cases as _cases
from layers import echo
from layers.access import ROLES, Scope
from layers.database import Database
from layers.declare.case_records import Limits
from layers.errors import CaseError, SettingError
from layers.settings import read_settings

CATALOG = working_catalog(limits=Limits(reopens=("noise",)))
CITY = Scope("4499")
CENTRE = actor("dispatcher", account="centre")
SAID = {"problem": "社区夜间噪音", "measure": "约谈施工方，限时施工"}
NOTHING = "There is nothing here.\n"


@pytest.fixture(scope="module")
def here(settings: Any, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as copy:
        prepare(copy)
        yield copy


@pytest.fixture
def web(here: Database) -> Iterator[Any]:
    with signed(here, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def running(here: Database, settings: Any) -> Iterator[Server]:
    with serving(here, CATALOG, settings, public_pages=("echo",)) as server:
        yield server


def link(web: Any, number: int) -> str:
    return f"/answer/{satisfaction.ask(web, CENTRE, number, by_link=True).token}"


def reported(web: Any, summary: str, category: str = "noise") -> _cases.Case:
    """A case with words of its reporter, accepted."""
    said = _cases.Report(key(), category, GRID, summary=summary, dataset="call")
    made = working.report(web, CATALOG, actor("resident"), said)
    become(web, CENTRE)  # who may read a sensitive case
    case = _cases.read_case(web, CITY, made.id)
    _cases.take_step(web, CATALOG, CENTRE, case, "accept", key=key())
    return _cases.read_case(web, CITY, made.id)


def test_a_link_asks_takes_one_answer_and_dies(web: Any, here: Database, running: Server) -> None:
    case = case_in(web, CATALOG, "closed")
    path, browser = link(web, case.id), running.browser()
    page = browser.ask(path)
    assert page.status_code == 200 and "噪音" in page.text and "一社区" in page.text
    assert "Satisfied" in browser.ask(f"{path}?lang=en").text
    assert browser.ask(path, {}).status_code == 422, "neither yes nor no"
    unsaid = browser.ask(path, {"is_satisfied": "no", "reason": " "})
    assert unsaid.status_code == 422 and "请写明不满意的原因" in unsaid.text
    assert browser.ask(path, {"is_satisfied": "yes"}, headers={"origin": "http://evil.example"}).status_code == 403
    assert browser.ask(path, {"is_satisfied": "yes"}).status_code == 303
    assert "谢谢" in browser.ask(path).text
    assert browser.ask(path, {"is_satisfied": "no", "reason": "改主意"}).status_code == 303, "and changes nothing"
    assert working.read_case(web, CITY, case.id).is_satisfied is True
    with here.connect("admin") as admin:
        admin.execute("update ops.visit_back set answered_at = answered_at - interval '2 hours'")
    assert (browser.ask(path).status_code, browser.ask(path).text) == (404, NOTHING)


def test_a_link_dies_of_age_and_with_the_case(web: Any, here: Database, running: Server) -> None:
    old, moved = case_in(web, CATALOG, "closed"), case_in(web, CATALOG, "closed")
    by_age, by_case, browser = link(web, old.id), link(web, moved.id), running.browser()
    with here.connect("admin") as admin:
        admin.execute("update ops.visit_back set asked_at = now() - interval '31 days' where event_id = %s", [old.id])
    working.take_step(web, CATALOG, CENTRE, moved, "reopen", key=key(), reason="又来了")
    for path in (by_age, by_case, "/answer/" + "A" * 32, "/answer/a/b"):
        assert (browser.ask(path).status_code, browser.ask(path).text) == (404, NOTHING), path
        browser.ask(path, {"is_satisfied": "yes"})
    assert working.read_case(web, CITY, old.id).is_satisfied is None


def test_not_satisfied_reopens_when_the_command_centre_looks(web: Any, here: Database, running: Server) -> None:
    case = case_in(web, CATALOG, "closed")
    browser = running.browser()
    assert browser.ask(link(web, case.id), {"is_satisfied": "no", "reason": "还在吵"}).status_code == 303
    assert working.read_case(web, CITY, case.id).state == "closed", "who is not signed in moves nothing"
    dispatcher = Browser(running, "127.0.0.1")
    dispatcher.cookies = {"session": sign_in(here, "dispatcher").token}
    rows = dispatcher.ask("/cases/list?queue=dispatch").json()["rows"]
    assert case.id in [row["id"] for row in rows]
    log = working.timeline(web, CITY, case.id)
    assert (log["step"].iloc[-1], log["reason"].iloc[-1]) == ("reopen", "还在吵")


def wall(running: Server, query: str = "") -> str:
    """The wall as a stranger sees it."""
    page = running.browser().ask(f"/echo{query}")
    assert page.status_code == 200
    return page.text


def test_a_person_releases_in_own_words_and_withdraws(web: Any, here: Database, running: Server) -> None:
    case = reported(web, "楼上王大妈半夜装修，吵死人了")
    become(web, CENTRE)
    for words, need in (
        ({"problem": "楼上王大妈半夜装修，吵死人了"}, "problem"),
        ({"measure": "来信说：楼上王大妈 半夜装修 吵死人了。"}, "problem"),
        ({"result": "王大妈半夜装修"}, "problem"),
        ({"measure": "请致电 138-0000-0001"}, "problem"),
        ({"measure": "请致电１３８００００００１"}, "problem"),
        ({"problem": " "}, "problem"),
        ({"measure": ""}, "measure"),
        ({"problem": "长" * 501}, "problem"),
    ):
        with pytest.raises(CaseError) as error:
            echo.release(web, CITY, case.id, **(SAID | words))
        assert error.value.need == need, words
    assert SAID["problem"] not in wall(running)
    echo.release(web, CITY, case.id, **SAID)
    shown = wall(running)
    assert all(words in shown for words in (*SAID.values(), "一社区", "噪音", "已受理"))
    assert "王大妈" not in shown and str(case.id) not in shown and "centre" not in shown
    echo.release(web, CITY, case.id, **SAID, result="已停工")
    assert wall(running).count(SAID["problem"]) == 1, "said anew, not twice"
    with pytest.raises(CaseError) as error:
        echo.withdraw(web, CITY, case.id, "")
    assert error.value.need == "reason"
    echo.withdraw(web, CITY, case.id, "写错了")
    assert SAID["problem"] not in wall(running)
    with here.connect("door") as door:
        query = "select detail ->> 'done' from audit.entry where kind = 'release' and subject = %s order by id"
        kept = door.execute(query, [str(case.id)]).fetchall()
    assert kept == [(None,), (None,), ("withdrawn",)]
    with pytest.raises(CaseError, match="not on the wall"):
        echo.withdraw(web, CITY, case.id, "再撤一次")


def test_the_wall_says_how_it_ended_and_what_the_resident_says(web: Any, running: Server) -> None:
    case = case_in(web, CATALOG, "closed")
    become(web, CENTRE)
    echo.release(web, CITY, case.id, problem="巷口噪音", measure="已劝导", result="恢复安静")
    assert "尚未评价" in wall(running)
    asked = satisfaction.ask(web, CENTRE, case.id, by_link=True)
    running.browser().ask(f"/answer/{asked.token}", {"is_satisfied": "yes"})
    shown = wall(running)
    assert "群众满意" in shown and "恢复安静" in shown and "已解决" not in shown
    problems, echoes = shown.split('class="echoes"')
    assert "巷口噪音" in echoes and "巷口噪音" not in problems
    assert "Being dealt with" in wall(running, "?lang=en")


@pytest.mark.parametrize("role", ["leader", "grid_worker", "department_handler", "resident"])
def test_only_who_may_releases(web: Any, role: Any) -> None:
    case = reported(web, "夜里很吵")
    become(web, actor(role, account=f"only.{role}"))
    for run in (
        lambda: echo.release(web, CITY, case.id, **SAID),
        lambda: echo.withdraw(web, CITY, case.id, "x"),
    ):
        with pytest.raises(CaseError) as error:
            run()
        assert error.value.why == "not_allowed"


def test_nothing_sensitive_and_nothing_out_of_reach_is_released(web: Any) -> None:
    sensitive, open_ = reported(web, "家里的事", "family_dispute"), reported(web, "外面的事")
    become(web, CENTRE)
    with pytest.raises(CaseError) as error:
        echo.release(web, CITY, sensitive.id, **SAID)
    assert error.value.why == "not_allowed"
    elsewhere = actor("dispatcher", account="elsewhere", code="449902")
    become(web, elsewhere)
    for scope in (elsewhere.scope, CITY):
        with pytest.raises(CaseError) as error:
            echo.release(web, scope, open_.id, **SAID)
        assert error.value.why == "gone"


def test_who_released_it_is_told_to_who_works_on_the_case(web: Any, here: Database) -> None:
    case = reported(web, "夜里太吵")
    echo.release(web, CITY, case.id, **SAID)

    def told() -> set[str]:
        found = set[str]()
        for role in ROLES:
            become(web, actor(role, department="justice"))
            if echo.echo_of(web, CITY, case.id) is not None:
                found.add(role)
        return found

    assert told() == {"dispatcher", "case_officer", "grid_worker", "leader"}
    with here.connect("admin") as admin:
        admin.execute("update ops.event set is_sensitive = true where id = %s", [case.id])
    assert told() == {"dispatcher", "case_officer"}


def test_the_desk_releases_and_shows_what_is_on_the_wall(web: Any, here: Database, running: Server) -> None:
    case = reported(web, "夜里很吵闹")
    desk = Browser(running, "127.0.0.1")
    session = sign_in(here, "dispatcher")
    desk.cookies = {"session": session.token}
    token = {"x-csrftoken": session.form_token}
    path = f"/cases/one/{case.id}"
    assert desk.ask(path).json()["can_release"] and desk.ask(path).json()["echo"] is None
    sent = desk.ask(f"{path}/echo", method="POST", json={"do": "release", **SAID}, headers=token)
    assert sent.status_code == 200 and desk.ask(path).json()["echo"]["problem"] == SAID["problem"]
    refused = desk.ask(
        f"{path}/echo", method="POST", json={"do": "release", **SAID, "result": "夜里很吵闹"}, headers=token
    )
    assert refused.status_code == 422 and refused.json()["need"] == "problem"
    desk.ask(f"{path}/echo", method="POST", json={"do": "withdraw", "reason": "试用"}, headers=token)
    assert desk.ask(path).json()["echo"] is None


def test_a_page_to_be_switched_on_has_to_be_one() -> None:
    assert read_settings({"PUBLIC_PAGES": "echo"}).public_pages == ("echo",)
    with pytest.raises(SettingError, match="'audit', which is no page"):
        read_settings({"PUBLIC_PAGES": "audit"})
