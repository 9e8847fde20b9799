"""Folding at the command centre through the routes of its page: 236 suggestions into 43, by clicks, all answered."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from people_at_work import GRID, actor, cases, key, prepare, working_catalog
from serving import Browser, serving
from signing import sign_in, signed
from suggestions import N_TEXTS, suggestions

from layers.database import Database
from layers.settings import Settings

CATALOG = working_catalog()
KEYS = itertools.count(1)


@pytest.fixture
def centre(db: Database, settings: Settings) -> Iterator[tuple[Browser, Any]]:
    """The browser of a dispatcher, and a connection through which residents have reported."""
    prepare(db)
    session = sign_in(db, "dispatcher")
    with serving(db, CATALOG, settings, public_pages=("form",)) as server, signed(db, autocommit=True) as web:
        browser = server.browser()
        browser.cookies = {"session": session.token, "_csrf_token": session.form_token}
        yield browser, web


def report(web: Any, receipt: str, summary: str, grid: str = GRID, category: str = "noise") -> int:
    said = cases.Report(key(), category, grid, summary=summary, dataset="call")
    return cases.report(web, CATALOG, actor("resident", account=receipt), said).id


def alike(browser: Browser, query: str = "queue=accept&within=4") -> dict[str, Any]:
    return dict(browser.ask(f"/cases/alike?{query}").json())


def confirm(browser: Browser, group: list[dict[str, Any]], request: str = "") -> Any:
    leading, *others = [[one["id"], one["version"]] for one in group]
    said = {"key": request or f"fold-{next(KEYS):08}", "leading": leading, "cases": others}
    return post(browser, "/cases/fold", said)


def post(browser: Browser, path: str, said: dict[str, Any]) -> Any:
    return browser.ask(path, method="POST", json=said, headers={"x-csrftoken": browser.cookies["_csrf_token"]})


def test_236_suggestions_fold_into_43_and_every_author_is_answered(centre: tuple[Browser, Any]) -> None:
    browser, web = centre
    numbers = {report(web, f"receipt {n}", text): thing for n, (thing, text) in enumerate(suggestions())}
    found = alike(browser)
    assert (found["n"], found["n_compared"], len(found["groups"])) == (N_TEXTS, N_TEXTS, 43)
    assert all(len({numbers[one["id"]] for one in group}) == 1 for group in found["groups"])
    assert browser.ask("/cases/list?queue=accept").json()["n"] == N_TEXTS, "nothing folds by itself"
    for group in found["groups"]:
        request = f"fold-{next(KEYS):08}"
        told = confirm(browser, group, request).json()
        assert told == {"folded": len(group) - 1, "leading": group[0]["id"], "authors": len(group)}
        assert confirm(browser, group, request).json() == told | {"folded": 0}, "a second click"
    assert browser.ask("/cases/list?queue=accept").json()["n"] == 43
    assert alike(browser)["groups"] == []
    leading = [group[0] for group in found["groups"]]
    owed = [browser.ask(f"/cases/one/{one['id']}").json()["authors"] for one in leading]
    assert sorted(author["id"] for group in owed for author in group) == sorted(numbers)
    assert {author["way"] for group in owed for author in group} == {"receipt"}
    step = {"key": "accept-the-first", "step": "accept", "version": leading[0]["version"]}
    assert post(browser, f"/cases/one/{leading[0]['id']}/step", step).status_code == 200
    answered = [cases.follow(web, f"receipt {n}").iloc[0] for n in range(N_TEXTS)]
    of_first = [one for one in answered if "accepted" in (one["state"], one["original_state"])]
    assert len(of_first) == len(found["groups"][0])
    page = browser.server.browser().ask("/form/follow", {"receipt": f"receipt {N_TEXTS - 1}"})
    assert "与其他人反映的同一件事合并办理" in page.text


def test_a_group_is_of_one_category_and_one_place_unless_asked_otherwise(centre: tuple[Browser, Any]) -> None:
    browser, web = centre
    same, far = report(web, "a", "路灯坏了"), report(web, "b", "路灯坏了", "449902001001001")
    near = report(web, "c", "路灯坏了")
    report(web, "d", "路灯坏了", category="drainage")
    report(web, "e", "路灯坏了", category="family_dispute")  # sensitive ones are never put beside others
    report(web, "f", " ")

    def groups(query: str) -> list[list[int]]:
        return [[one["id"] for one in group] for group in alike(browser, query)["groups"]]

    assert groups("queue=accept") == groups("queue=accept&within=12") == [[same, near]]
    assert groups("queue=accept&within=4") == [[same, far, near]]
    assert groups("queue=accept&within=4&at=449902") == groups("queue=dispatch") == []


def test_what_changed_meanwhile_and_what_makes_no_group_is_refused(centre: tuple[Browser, Any]) -> None:
    browser, web = centre
    for who in ("a", "b", "c"):
        report(web, who, "路灯坏了")
    (group,) = alike(browser)["groups"]
    step = {"key": "accept-one-of-them", "step": "accept", "version": group[1]["version"]}
    post(browser, f"/cases/one/{group[1]['id']}/step", step)
    late = confirm(browser, group)
    assert (late.status_code, late.json()["why"]) == (409, "stale")
    assert len(alike(browser, "queue=open")["groups"][0]) == 3, "none of it was folded"
    (group,) = alike(browser, "queue=open")["groups"]
    for broken in ([], group[:1], [group[0], group[0]]):
        assert confirm(browser, broken or [{"id": 0, "version": 0}]).status_code == 422
    assert confirm(browser, [group[0], {"id": 99999, "version": 1}]).status_code == 404
    assert confirm(browser, group, "short").json()["need"] == "key"


def test_only_the_command_centre_folds(centre: tuple[Browser, Any], db: Database) -> None:
    browser, web = centre
    for who in ("a", "b"):
        report(web, who, "路灯坏了")
    (group,) = alike(browser)["groups"]
    for role in ("leader", "case_officer", "grid_worker"):
        session = sign_in(db, role)  # type: ignore[arg-type]
        other = browser.server.browser()
        other.cookies = {"session": session.token, "_csrf_token": session.form_token}
        assert other.ask("/cases/alike?queue=open").status_code == 404
        assert confirm(other, group).status_code == 404
        assert 'id="fold"' not in other.ask("/cases").text
    assert 'id="fold"' in browser.ask("/cases").text
