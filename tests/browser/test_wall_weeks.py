"""A wall left to itself for weeks: nothing grows, a new day begins, and what changes behind it is taken up."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as TooLate
from screen import Screen
from test_wall import READY, Served, served

from layers.accounts.records import keep_demo_accounts
from layers.accounts.screens import let_in
from layers.database import Database

__all__ = ["served"]

EVENING = datetime(2026, 11, 2, 15, 50, tzinfo=UTC)
"""Ten minutes before the third of November in Haiyan."""

IS_STILL = "() => !document.querySelector('#pulses i') && window.__map.idle && window.__map.at === window.__wall.at"

IS_FRESH = """() => document.getElementById('age').dataset.age === 'fresh'
  && !document.querySelector('[data-state=stale], [data-state=failed]')"""

ALL_GONE = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""

BURST = """
insert into ops.event_step (town_code, event_id, step_no, at, from_state, state, actor, step, account, request_key,
    change_no, recorded_at)
select e.town_code, e.id, 1000 + %(round)s, now(), 'reported', 'accepted', 'dispatcher', 'accept', 'demo.dispatcher',
    'burst-' || %(round)s, nextval('ops.change_no'), now()
from (select town_code, id from ops.event where not is_sensitive order by id limit %(n)s) as e
"""


def burst(db: Database, round: int, n: int) -> None:
    """Have so many steps written at once, as live push reads them."""
    with db.connect("admin") as admin:
        admin.execute(BURST, {"round": round, "n": n})
        admin.execute("select pg_notify('cases', '0')")


def let_pass(page: Page, is_so: str) -> None:
    """Let half minutes pass until something is so: what is asked for meanwhile may be answered from before."""
    for _ in range(60):
        page.clock.fast_forward(31_000)
        with suppress(TooLate):
            page.wait_for_function(is_so, timeout=1000)
            return
    raise AssertionError(is_so)


def held(page: Page) -> dict[str, int]:
    """What the page holds once what it let go is gone: nodes, listeners, memory, and layers of the map."""
    tool = page.context.new_cdp_session(page)
    tool.send("HeapProfiler.collectGarbage")
    counts, heap = tool.send("Memory.getDOMCounters"), tool.send("Runtime.getHeapUsage")
    tool.detach()
    layers = page.evaluate("() => window.__layers.drawn.length")
    listeners = counts["jsEventListeners"]
    return {"nodes": counts["nodes"], "listeners": listeners, "heap": heap["usedSize"], "layers": layers}


@pytest.mark.parametrize("rounds", [3, pytest.param(40, marks=pytest.mark.soak)])
def test_of_many_thousand_steps_nothing_is_left_over(browser: Browser, served: Served, rounds: int) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    screen = Screen(context.new_page(), served.address)
    screen.sign_in("wall")
    page, n = screen.page, 900
    page.clock.install()
    page.goto(f"{served.address}/wall?tour=600")
    page.wait_for_function(READY, timeout=60_000)
    seen, told = page.evaluate("() => window.__wall.steps"), [held(page)]
    for number in range(rounds):
        burst(served.db, 100 * rounds + number, n)
        page.wait_for_function("(n) => window.__wall.steps >= n", arg=seen + n * (number + 1))
        page.clock.fast_forward(600_000)  # the tour goes on, all is asked for anew, a stream that was silent is left
        page.wait_for_function(IS_STILL)
        page.keyboard.press("ArrowRight")
        page.wait_for_function("() => window.__wall.scenario")
        page.keyboard.press("ArrowLeft")
        page.wait_for_function("() => !window.__wall.scenario")
        told.append(held(page))
    assert page.evaluate("() => window.__wall.steps") == seen + n * rounds, "none missed, none twice"
    for what, first in told[0].items():
        last = min(one[what] for one in told[-2:])  # what is let go goes when the browser likes
        assert last <= 2 * first, (what, told)
    context.close()


def test_what_changes_behind_the_wall_is_taken_up(browser: Browser, served: Served, monkeypatch: Any) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{served.address}/pair")
    with served.db.connect("door") as door:
        keep_demo_accounts(door, "4499", tuple(served.catalog.departments), is_demo=True)
        let_in(door, page.locator(".code").inner_text(), "demo.wall", "lobby")
    page.clock.install(time=EVENING)
    page.goto(f"{served.address}/pair")
    page.wait_for_url("**/wall")
    page.goto(f"{served.address}/wall?tour=60000")
    page.wait_for_function(READY, timeout=60_000)
    expect(page.locator("#clock")).to_contain_text("11月2日周一 23:5")
    page.clock.fast_forward(600_000)
    expect(page.locator("#clock")).to_contain_text("11月3日周二 00:0")

    with served.db.connect("admin") as admin:  # new grids are in force
        admin.execute("update pub.grid set name = '长风街道' where code = '449901002'")
        admin.execute("update pub.edition set version = version + 1")
    let_pass(page, "() => document.getElementById('ranking').textContent.includes('长风街道')")

    seen, tiles = page.evaluate("() => [window.__wall.steps, window.__layers.tiles[0]]")
    with served.db.connect("admin") as admin:  # the database begins anew
        admin.execute(ALL_GONE)
    served.live(4, seed=9)
    page.wait_for_function("(n) => window.__wall.steps === n", arg=seen + 4)
    let_pass(page, IS_FRESH)
    let_pass(page, f"() => window.__layers.tiles[0] !== {json.dumps(tiles)}")  # what is open is drawn anew

    served.stop()  # and a new version of the map
    monkeypatch.setattr("mapapp.api.wall.edition_of", lambda folder: "c0ffee")
    served.start()
    let_pass(page, "() => document.querySelector(`link[href='/static/wall/c0ffee/wall.css']`)")
    page.wait_for_function(READY, timeout=60_000)

    with served.db.connect("admin") as admin:
        admin.execute("delete from auth.session where kind = 'screen'")
    let_pass(page, "() => location.pathname === '/pair'")
    expect(page.locator(".code")).to_be_visible()
    context.close()
