"""Items from elsewhere: sent, delivered, followed and answered under the number they have where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from databases import copy_of
from deliveries import Town, write_declarations
from serving import serving
from signing import carry_on, sign_in

from layers import cases, echo, satisfaction
from layers.access import Scope
from layers.accounts import keys
from layers.performance import performance

CALL = """
    name = { zh = "热线", en = "Hotline" }
    department = "command_centre"
    table = "event"
    each_row_is_a = { zh = "一张工单", en = "a call" }
    row_key = ["no"]
    channel = "%s"
    [source]
    files = "%s*.csv"
    format = "csv"
    crs = "EPSG:4326"
    lon = "lon"
    lat = "lat"
    [columns]
    no = { from = "no", type = "key", required = true }
    category = { from = "category", type = "category", required = true, codes = { "噪音" = "noise", "汛情" = "flood" } }
    state = { from = "state", type = "state" }
    reported_at = { from = "reported", type = "moment", required = true }
    closed_at = { from = "closed", type = "moment" }
    is_satisfied = { from = "satisfied", type = "boolean" }
    summary = { from = "words", type = "text" }
    [expect]
    rows = [1, 1000]
"""
DECLARED = {
    "datasets/call.toml": CALL % ("hotline", "call"),
    "datasets/post.toml": CALL % ("village_platform", "post"),
    "limits.toml": 'reopens = ["flood"]\n[normal]\nany = { amount = 5, unit = "working_days" }',
}
ITEM = {"number": "GD1", "category": "噪音", "summary": "夜里施工", "lon": 115.05, "lat": 22.05}
HEAD = "no | category | state | reported | closed | satisfied | lon | lat | words\n"


@pytest.fixture(scope="module")
def town(settings: Any, server: Any, template: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with copy_of(template, server, settings) as copy:
        made = Town(copy, settings, tmp_path_factory.mktemp("town"))
        made.catalog = write_declarations(made.catalog_dir, DECLARED)
        made.load("grid_small")
        yield made


@pytest.fixture(scope="module")
def running(town: Town) -> Iterator[Any]:
    with serving(town.db, town.catalog, town.settings) as server:
        yield server


@pytest.fixture(scope="module")
def held(town: Town) -> dict[str, str]:
    """Keys of the two sources."""
    with town.db.connect("door") as door:
        return {
            channel: keys.add_key(door, town.catalog, channel.replace("_", "."), channel=channel)
            for channel in ("hotline", "village_platform")
        }


@pytest.fixture
def ask(running: Any, held: dict[str, str]) -> Any:
    def go(path: str, sent: Any = None, *, by: str = "hotline") -> httpx.Response:
        more: dict[str, Any] = {} if sent is None else {"json": sent, "method": "POST"}
        key = {"authorization": f"Bearer {held.get(by, by)}"}
        return running.browser().ask(f"/intake/{path}", headers=key, **more)

    return go


def send(ask: Any, number: str, *, by: str = "hotline", **more: Any) -> dict[str, Any]:
    told = ask("items", {"items": [ITEM | {"number": number} | more]}, by=by)
    assert told.status_code == 200, told.text
    return told.json()[0]


def number_of(town: Town, source: str, dataset: str = "call") -> int:
    ((found,),) = town.rows("select id from ops.event where dataset = %s and source_key = %s", [dataset, source])
    return found


def walk(town: Town, number: int, *steps: str) -> None:
    """Take steps of a case, each by somebody who may."""
    who = {"take_on": "department_handler", "finish": "department_handler", "pass": "case_officer"}
    for step in steps:
        session = sign_in(town.db, who.get(step, "dispatcher"), department="command_centre")
        with town.db.connect("web", autocommit=True) as web:
            carry_on(web, session)
            case = cases.read_case(web, session.actor.scope, number)
            cases.take_step(
                web, town.catalog, session.actor, case, step, key=f"{step}{case.version}",
                reason="已现场处理" if step == "finish" else "内部说明", department="command_centre", outcome="settled",
            )  # fmt: skip


def merge(town: Town, number: int, original: int) -> None:
    """Merge a case into another."""
    session = sign_in(town.db, "dispatcher")
    with town.db.connect("web", autocommit=True) as web:
        carry_on(web, session)
        case = cases.read_case(web, session.actor.scope, number)
        cases.take_step(web, town.catalog, session.actor, case, "merge", key="merge", duplicate_of=original)


CLOSE = ("accept", "dispatch", "take_on", "finish", "pass", "close")


def test_an_item_is_a_case_under_its_own_number(ask: Any, town: Town) -> None:
    assert send(ask, "GD100", address="人民路 12 号") == {"number": "GD100", "state": "reported", "is_new": True}
    assert send(ask, "GD100")["is_new"] is False
    rows = town.rows(
        "select dataset, source_key, channel, category, grid_code, summary, st_x(geom) from ops.event"
        " where source_key = 'GD100'"
    )
    assert rows == [("call", "GD100", "hotline", "noise", "449901001001001", "夜里施工\n人民路 12 号", 115.05)]
    assert send(ask, "GD100", by="village_platform")["is_new"] is True, "another source's numbers are its own"
    assert ask("items/GD100", by="village_platform").json()["state"] == "reported"
    walk(town, number_of(town, "GD100"), "accept")
    assert ask("items/GD100").json()["state"] == "accepted"
    assert ask("items/GD100", by="village_platform").json()["state"] == "reported"
    assert ask("items/GD999").status_code == 404


def test_what_makes_no_sense_holds_up_nothing_else(ask: Any, town: Town) -> None:
    wrong = [
        ({"number": ""}, "number"), ({"category": "zebra"}, ""), ({"lon": 1}, "lon"), ({"lon": "115"}, "lon"),
        ({"lon": None, "lat": None, "grid_code": "449902"}, "grid_code"), ({"reported_at": "昨天"}, "reported_at"),
        ({"reported_at": "2999-01-01T00:00:00Z"}, "at"), ({"summary": "长" * 4001}, "summary"),
        ({"summary": 5}, "summary"),
    ]  # fmt: skip
    sent = [ITEM | {"number": f"W{n}"} | change for n, (change, _) in enumerate(wrong)] + [
        "no item",
        ITEM | {"number": "GD7"},
    ]
    told = ask("items", sent).json()
    assert [one["error"]["need"] for one in told[: len(wrong)]] == [need for _, need in wrong]
    assert all(one["error"]["message"] for one in told[:-1]) and told[-1]["is_new"]
    for whole in ("words", {"items": 5}, [ITEM] * 501):
        assert ask("items", whole).status_code == 422


@pytest.mark.parametrize("by", ["", "x" * 43, "open", "open311"])
def test_only_the_sources_key_opens(ask: Any, town: Town, by: str) -> None:
    if by.startswith("open"):
        with town.db.connect("door") as door:
            catalog = town.catalog
            by = keys.add_key(door, catalog, f"reader.{by}", is_open=by == "open")
    for path, sent in (("items", [ITEM]), ("items/GD1", None), ("changes", None), ("answers/GD1", {})):
        assert ask(path, sent, by=by).status_code == 403, path


def test_the_feed_answers_the_source_and_nobody_else(ask: Any, town: Town) -> None:
    after = ask("changes?most=1000").json()["after"]
    send(ask, "GD200")
    walk(town, number_of(town, "GD200"), *CLOSE)
    first = ask(f"changes?after={after}&most=3").json()
    rest = ask(f"changes?after={first['after']}").json()
    told = first["changes"] + rest["changes"]
    assert [one["step"] for one in told] == ["report", *CLOSE]
    assert [one["answer"] for one in told if one["answer"]] == ["已现场处理"], "the result, and no other words"
    assert told[-1]["outcome"] == "settled" and {one["number"] for one in told} == {"GD200"}
    assert ask(f"changes?after={rest['after']}").json() == {"after": rest["after"], "changes": []}
    assert ask(f"changes?after={after}", by="village_platform").json()["changes"] == []
    assert ask("changes?after=x").status_code == 422


def test_the_answer_of_the_source_counts_and_may_ask_to_reopen(ask: Any, town: Town) -> None:
    send(ask, "GD300", category="flood")
    assert ask("answers/GD300", {"is_satisfied": True}).status_code == 404, "not closed"
    walk(town, number_of(town, "GD300"), *CLOSE)
    for wrong in (
        {},
        {"is_satisfied": "yes"},
        {"is_satisfied": False},
        {"is_satisfied": True, "at": "2020-01-01T00:00:00Z"},
    ):
        assert ask("answers/GD300", wrong).status_code == 422, wrong
    answered = {"is_satisfied": False, "reason": "水还没退"}
    assert ask("answers/GD300", answered).json() == {"number": "GD300", "is_new": True}
    assert ask("answers/GD300", answered).json()["is_new"] is False
    assert ask("answers/GD300", {"is_satisfied": True}).status_code == 409
    session = sign_in(town.db, "dispatcher", department="command_centre")
    with town.db.connect("web", autocommit=True) as web:
        carry_on(web, session)
        wishes = satisfaction.reopening_requests(web, session.actor.scope)
        assert wishes["reason"].tolist() == ["水还没退"]
        assert satisfaction.reopen_by_policy(web, town.catalog, session.actor) == wishes["event_id"].tolist()
    assert ask("items/GD300").json() | {"is_satisfied": None} == ask("items/GD300").json()
    assert ask("items/GD300").json()["state"] == "accepted"


def test_file_and_key_bring_the_same_case_and_the_steps_here_stand(ask: Any, town: Town) -> None:
    send(ask, "GD400")
    walk(town, number_of(town, "GD400"), "accept")
    rows = "".join(
        f"{no} | 噪音 | {state} | 2026-06-01 08:00:00 | {closed} | | 115.05 | 22.05 | 文件\n"
        for no, state, closed in (("GD400", "reported", ""), ("GD401", "closed", "2026-06-02 08:00:00"))
    )
    town.deliver("call_1.csv", HEAD + rows)
    (done,) = town.load("call").deliveries
    assert (done.status, done.n_inserted, done.n_updated, done.n_unchanged) == ("loaded", 1, 0, 1)
    assert ask("items/GD400").json()["state"] == "accepted", "what was done here stands"
    assert town.rows("select summary from ops.event where source_key = 'GD400'") == [("夜里施工",)]
    assert town.rows("select channel from ops.event where source_key = 'GD401'") == [("hotline",)]
    assert send(ask, "GD401")["is_new"] is False and ask("items/GD401").json()["state"] == "closed"
    town.deliver("call_2.csv", HEAD + rows.replace("2026-06-02 08", "2026-06-02 09"))
    (_, done) = town.load("call").deliveries
    assert (done.n_updated, done.n_unchanged) == (1, 1), "what was never touched here follows its source"


def test_figures_are_told_by_channel(ask: Any, town: Town) -> None:
    send(ask, "GD500")
    send(ask, "P500", by="village_platform")
    send(ask, "P501", by="village_platform")
    for source, dataset, satisfied in (("GD500", "call", True), ("P500", "post", False)):
        walk(town, number_of(town, source, dataset), *CLOSE)
        by = "hotline" if dataset == "call" else "village_platform"
        assert ask(f"answers/{source}", {"is_satisfied": satisfied, "reason": "没有"}, by=by).status_code == 200
    session = sign_in(town.db)
    with town.db.connect("web", autocommit=True) as web:
        carry_on(web, session)
        found = performance(web, town.catalog, Scope("4499"), f"{datetime.now(UTC):%Y}", by="channel").set_index(
            "channel"
        )
    assert found.loc["village_platform", ["answered", "satisfied"]].tolist() == [1, 0]
    assert found.loc["village_platform", "satisfaction_rate"] == 0.0
    assert (
        found.loc["hotline", "satisfied"] >= 1 and found.loc["hotline", "reported"] > found.loc["hotline", "answered"]
    )


def test_what_hangs_on_a_case_follows_it_to_another_town(ask: Any, town: Town) -> None:
    row = "GD600 | 噪音 | handling | 2026-06-01 08:00:00 | | | 115.05 | %s | 文件说的话\n"
    town.deliver("call_6.csv", HEAD + row % "22.05")
    town.load("call")
    number = number_of(town, "GD600")
    session = sign_in(town.db, "dispatcher", department="command_centre")
    with town.db.connect("web", autocommit=True) as web:
        carry_on(web, session)
        echo.release(web, session.actor.scope, number, problem="夜间噪音", measure="已约谈")
    town.deliver("call_7.csv", HEAD + row % "22.15")
    assert town.load("call").deliveries[-1].n_updated == 1
    query = "select e.grid_code, o.town_code from ops.event e join ops.echo o on o.event_id = e.id where e.id = %s"
    rows = town.rows(query, [number])
    assert rows == [("449901002001001", "449901002")]


def test_who_sent_what_was_merged_is_answered_with_the_result(ask: Any, town: Town) -> None:
    after = ask("changes").json()["after"]
    for source in ("GD700", "GD701", "GD702"):
        send(ask, source)
    original = number_of(town, "GD700")
    merge(town, number_of(town, "GD701"), original)
    walk(town, original, *CLOSE)
    merge(town, number_of(town, "GD702"), original)
    told = ask(f"changes?after={after}").json()["changes"]
    assert [(one["step"], one["answer"]) for one in told if one["number"] == "GD701"] == [
        ("report", None), ("merge", None), ("finish", "已现场处理"), ("close", None),
    ]  # fmt: skip
    assert [one["outcome"] for one in told if one["number"] == "GD701"][-1] == "settled"
    assert [(one["step"], one["answer"]) for one in told if one["number"] == "GD702"] == [
        ("report", None), ("merge", "已现场处理"),
    ]  # fmt: skip
    pages, last = [], after
    while page := ask(f"changes?after={last}&most=4").json()["changes"]:
        pages, last = pages + page, page[-1]["change_no"]
    rows = [sorted((one["change_no"], one["number"]) for one in part) for part in (pages, told)]
    assert rows[0] == rows[1], "whatever the page, nothing is missed and nothing comes twice"
