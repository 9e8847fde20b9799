"""Figures: of one grid worker for the worker and the command centre alone; every number leads to its cases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from databases import copy_of
from people_at_work import GRID, actor, case_in, cases, key, prepare, working_catalog
from serving import Browser, Server, serving
from signing import become, sign_in, signed

from layers import visits, workers
from layers.access import Scope
from layers.accounts.records import keep_demo_accounts
from layers.database import Database
from layers.errors import CaseError
from layers.performance import performance
from layers.periods import read_period

CATALOG = working_catalog()
CITY = Scope("4499")
ZONE = "Asia/Shanghai"
NOW = f"{datetime.now(UTC):%Y}"
ZHANG, LI = actor("grid_worker", account="zhang"), actor("grid_worker", account="li")
CENTRE = actor("dispatcher", account="centre")


@pytest.fixture(scope="module")
def here(settings: Any, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as copy:
        prepare(copy)
        with signed(copy, autocommit=True) as web:
            work(web)
        yield copy


@pytest.fixture
def web(here: Database) -> Iterator[Any]:
    with signed(here, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def running(here: Database, settings: Any) -> Iterator[Server]:
    with serving(here, CATALOG, settings) as server:
        yield server


def work(web: Any) -> None:
    """Zhang: three reports, one accepted, one on the spot, one sensitive; a check; a visit. Li: a report."""
    for who, category, settled in (
        (ZHANG, "noise", ""), (ZHANG, "drainage", "当场疏通"), (ZHANG, "family_dispute", ""), (LI, "noise", ""),
    ):  # fmt: skip
        made = cases.report(web, CATALOG, who, cases.Report(key(), category, GRID, dataset="call", settled=settled))
        if who is ZHANG and category == "noise":
            cases.take_step(web, CATALOG, CENTRE, cases.read_case(web, CITY, made.id), "accept", key=key())
    handled = case_in(web, CATALOG, "handled")
    cases.take_step(web, CATALOG, ZHANG, handled, "rework", key=key(), reason="没弄好")
    become(web, ZHANG)
    visits.record_visit(web, CITY, CATALOG.city, key="v1", grid_code=GRID, found="一切都好")


WANTED = {
    "reported": 2, "filed": 1, "settled": 0, "settled_on_spot": 1, "passed": 0, "reworked": 1, "visits": 1,
}  # fmt: skip


@pytest.mark.parametrize("who", [ZHANG, CENTRE], ids=lambda who: who.role)
def test_the_worker_and_the_command_centre_see_the_figures(web: Any, who: Any) -> None:
    become(web, who)
    found = workers.worker_figures(web, "zhang", read_period(NOW), ZONE)
    assert found.counts == WANTED
    for name, n in WANTED.items():
        if name != "visits":
            assert found.cases[name].sum() == n
    assert found.cases["id"].isna().sum() == 1, "a sensitive case counts and is not named"
    nothing = workers.worker_figures(web, "zhang", read_period("2019"), ZONE)
    assert set(nothing.counts.values()) == {0}


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (LI, "not_allowed"),
        (actor("leader", account="mayor"), "not_allowed"),
        (actor("analyst", account="reader"), "not_allowed"),
        (actor("case_officer", account="officer"), "not_allowed"),
        (actor("department_handler", account="water"), "not_allowed"),
        (actor("data_steward", account="steward"), "not_allowed"),
        (actor("resident"), "not_allowed"),
        (actor("dispatcher", account="elsewhere", code="449902"), "gone"),
    ],
    ids=lambda one: getattr(one, "account", one),
)
def test_nobody_else_does(web: Any, who: Any, why: str) -> None:
    become(web, who)
    with pytest.raises(CaseError) as error:
        workers.worker_figures(web, "zhang", read_period(NOW), ZONE)
    assert error.value.why == why
    assert "zhang" not in [one.account for one in workers.list_workers(web)]


def test_the_list_of_workers_has_no_figures_and_looks_are_on_record(web: Any, here: Database) -> None:
    become(web, CENTRE)
    assert {one.account for one in workers.list_workers(web)} >= {"zhang", "li"}
    become(web, ZHANG)
    assert [one.account for one in workers.list_workers(web)] == ["zhang"]
    workers.worker_figures(web, "zhang", read_period(NOW), ZONE)
    become(web, CENTRE)
    with here.connect("door") as door:
        query = "select count(*) from audit.entry where kind = 'person_read' and subject = 'zhang' and account = %s"
        before = [door.execute(query, [one]).fetchone() for one in ("centre", "zhang")]
        workers.worker_figures(web, "zhang", read_period(NOW), ZONE)
        after = [door.execute(query, [one]).fetchone() for one in ("centre", "zhang")]
    assert before[0] < after[0] and before[1] == after[1] == (0,)


def page_of(running: Server, here: Database, role: Any, account: str = "") -> Browser:
    browser = Browser(running, "127.0.0.1")
    browser.cookies = {"session": sign_in(here, role).token}
    return browser


def test_every_number_of_the_page_leads_to_its_cases(web: Any, running: Server, here: Database) -> None:
    browser = page_of(running, here, "dispatcher")
    seen = 0
    for by in ("department", "category", "channel", "9"):
        page = browser.ask(f"/figures?by={by}&period={NOW}")
        assert page.status_code == 200
        for address, n in re.findall(r'<a href="(/figures\?[^"#]*)#cases">([\d,]+)</a>', page.text):
            listed = browser.ask(address.replace("&amp;", "&")).text.split('id="cases"')[1]
            n_cases = listed.count('href="/cases?case=')
            assert listed.count("<tr>") - 1 == n_cases
            is_of_steps = "count=dispatched" in address or "count=not_returned" in address  # a case may have several
            assert 0 < n_cases <= int(n) if is_of_steps else n_cases == int(n), address
            seen += 1
    assert seen >= 6
    become(web, None)
    found = performance(web, CATALOG, CITY, NOW, by="channel").set_index("channel")
    assert f">{found.loc['grid_worker', 'reported']}</a>" in browser.ask(f"/figures?by=channel&period={NOW}").text
    for by in ("department", "category", "channel", "9"):
        rows = re.findall(r"<tr><td>([^<]*)</td><td>(.*?)</td>", browser.ask(f"/figures?by={by}&period={NOW}").text)
        rows = rows[: len(rows) // 2]  # the counts; the rates stand below them
        n = [int(re.sub(r"<.*?>", "", cell)) for _, cell in rows]
        assert rows[-1][0] == "合计" and sum(n[:-1]) == n[-1] == found["reported"].sum(), "none is left out"
    assert "尚未派遣" in browser.ask(f"/figures?by=department&period={NOW}").text


def test_the_page_of_a_worker_is_for_the_right_eyes(running: Server, here: Database) -> None:
    centre = page_of(running, here, "dispatcher")
    shown = centre.ask(f"/figures/worker?worker=zhang&period={NOW}&count=reported").text
    assert "zhang" in shown and shown.split('id="cases"')[1].count("<tr>") - 1 == 2 and "敏感" in shown
    with here.connect("door") as door:
        keep_demo_accounts(door, "4499", ["water"], is_demo=True)
    named = '<option value="demo.grid_worker">{}</option>'
    assert named.format("网格员") in centre.ask("/figures/worker").text
    assert named.format("Grid worker") in centre.ask("/figures/worker?lang=en").text
    worker = page_of(running, here, "grid_worker")
    assert worker.ask("/figures").headers["location"] == "/figures/worker"
    assert worker.ask("/figures/worker").status_code == 200
    assert worker.ask("/figures/worker?worker=zhang").status_code == 404
    for role in ("leader", "analyst"):
        other = page_of(running, here, role)
        assert other.ask("/figures").status_code == 200
        assert other.ask("/figures/worker?worker=zhang").status_code == 404
