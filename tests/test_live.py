"""Live push: in the order of commits, nothing missed and nothing twice, nobody's business to whom it is not."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from people_at_work import GRID, actor, key, prepare, working_catalog
from signing import carry_on, sign_in, signed

from layers import cases
from layers.accounts.sessions import Session, end_session
from layers.database import Database
from mapapp import live as live_push
from mapapp.desk import Desk
from mapapp.live import Live, Told

CATALOG = working_catalog()
ELSEWHERE = "449902001001001"


@pytest.fixture
def desk(db: Database) -> Iterator[Desk]:
    prepare(db)
    desk = Desk(CATALOG, db.pool("web", max_size=4))
    desk.open()
    yield desk
    desk.close()


def report(db: Database, n: int = 1, grid: str = GRID, category: str = "noise") -> None:
    session = sign_in(db, "grid_worker")
    with db.connect("web", autocommit=True) as web:
        carry_on(web, session)
        for _ in range(n):
            said = cases.Report(key(), category, grid, dataset="call", summary="words of a resident")
            cases.report(web, CATALOG, actor("grid_worker"), said)


@asynccontextmanager
async def running(desk: Desk, db: Database) -> AsyncIterator[Live]:
    live = Live(desk, db.url("web"))
    task = asyncio.create_task(live.run())
    try:
        yield live
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def take(stream: AsyncIterator[list[Told]], n: int, kind: str = "step") -> list[Told]:
    """Take the next messages of a kind, as many at least; the last that came together come whole."""
    found: list[Told] = []
    while len(found) < n:
        found += [told for told in await asyncio.wait_for(anext(stream), 10) if told.kind == kind]
    return found


def test_a_step_is_told_after_its_commit_and_without_words(desk: Desk, db: Database) -> None:
    leader, wall = sign_in(db, "leader"), sign_in(db, "wall")

    async def go() -> tuple[Told, Told]:
        async with running(desk, db) as live:
            streams = [live.follow(leader, None), live.follow(wall, None)]
            for stream in streams:
                await take(stream, 1, "hello")
            await asyncio.to_thread(report, db)
            (one,), (other,) = [await take(stream, 1) for stream in streams]
            for stream in streams:
                await stream.aclose()  # type: ignore[attr-defined]
            assert live.n_pages == 0
            return one, other

    one, other = asyncio.run(go())
    to_leader, to_wall = json.loads(one.text), json.loads(other.text)
    assert (to_leader["state"], to_leader["grid_code"], to_leader["event_id"] > 0) == ("reported", GRID, True)
    assert set(to_wall) == {"at", "category", "grid_code", "step", "from_state", "state", "due_at", "is_urgent"}
    assert "words" not in one.text + other.text
    assert one.line.startswith(f"id: {one.number}\nevent: step\n".encode())


def test_who_was_away_misses_nothing_and_sees_nothing_twice(desk: Desk, db: Database) -> None:
    leader = sign_in(db)

    async def go() -> list[int]:
        async with running(desk, db) as live:
            first = live.follow(leader, None)
            await take(first, 1, "hello")
            await asyncio.to_thread(report, db, 3)
            seen = [told.number for told in await take(first, 2)]
            await first.aclose()  # type: ignore[attr-defined]
        await asyncio.to_thread(report, db, 4)
        async with running(desk, db) as live:  # another process, for all it knows
            again = live.follow(leader, seen[-1])
            writing = asyncio.create_task(asyncio.to_thread(report, db, 5))
            seen += [told.number for told in await take(again, 12 - len(seen))]
            await writing
        return seen

    seen = asyncio.run(go())
    with signed(db) as web:
        assert seen == cases.changes(web, leader.actor.scope)["change_no"].tolist()
    assert len(seen) == 12


def test_other_scopes_and_sensitive_cases_are_not_told(desk: Desk, db: Database) -> None:
    here, there = sign_in(db, scope="449901"), sign_in(db, scope="449902")

    async def go() -> list[Any]:
        async with running(desk, db) as live:
            streams = [live.follow(here, None), live.follow(there, None)]
            for stream in streams:
                await take(stream, 1, "hello")
            for grid, category in ((GRID, "family_dispute"), (ELSEWHERE, "noise"), (GRID, "noise")):
                await asyncio.to_thread(report, db, 1, grid, category)
            return [json.loads((await take(stream, 1))[0].text) for stream in streams]

    told = asyncio.run(go())
    assert [(one["grid_code"], one["category"]) for one in told] == [(GRID, "noise"), (ELSEWHERE, "noise")]


def test_an_ended_session_hears_nothing_and_holds_up_nobody(desk: Desk, db: Database) -> None:
    ended, leader = sign_in(db, "analyst"), sign_in(db)

    async def go() -> None:
        async with running(desk, db) as live:
            first, second = live.follow(ended, None), live.follow(leader, None)
            await take(first, 1, "hello")
            await take(second, 1, "hello")
            with db.connect("door") as door:
                end_session(door, ended.token)
            await asyncio.to_thread(report, db)
            await take(second, 1)
            assert [told async for told in live.follow(ended, None)] == []

    asyncio.run(go())


def test_a_slow_page_begins_anew_and_slows_nobody(desk: Desk, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_push, "KEPT_MOST", 2)
    leader = sign_in(db)

    async def go() -> list[str]:
        async with running(desk, db) as live:
            slow, quick = live.follow(leader, None), live.follow(leader, None)
            for stream in (slow, quick):
                await take(stream, 1, "hello")
            for _ in range(6):
                await asyncio.to_thread(report, db)
                await take(quick, 1)
            return [told.kind async for together in slow for told in together]

    assert asyncio.run(go()) == ["reset"]


def test_who_missed_too_much_begins_anew(desk: Desk, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_push, "REPLAY_MOST", 3)
    report(db, 5)
    leader = sign_in(db)

    async def go(since: int) -> list[str]:
        async with running(desk, db) as live:
            return [told.kind async for together in live.follow(leader, since) for told in together]

    assert asyncio.run(go(0)) == ["hello", "reset"]
    assert asyncio.run(go(10**15)) == ["hello", "reset"], "a number from before the database was restored"


LOADED = "update pub.dataset set loaded_at = loaded_at + interval '1 min' where dataset = 'call'"
REFORMED = """
with closed as (update pub.edition set closed_on = '2026-05-01' where closed_on is null returning *)
insert into pub.edition select edition + 1, '2026', closed_on, null, 1 from closed
"""


def test_a_load_and_a_reform_are_one_line_each(desk: Desk, db: Database) -> None:
    wall = sign_in(db, "wall")

    async def go() -> list[Told]:
        async with running(desk, db) as live:
            stream = live.follow(wall, None)
            hello = await take(stream, 1, "hello")
            told = []
            for done in (LOADED, REFORMED):
                with db.connect("admin") as admin:
                    admin.execute(done.encode())
                    admin.execute("select pg_notify('atlas', 'whatever it says')")
                told += await take(stream, 1, "load")
            return hello + told + await take(live.follow(wall, None), 1, "hello")

    before, load, reform, after = [json.loads(one.text) for one in asyncio.run(go())]
    assert (load, reform) == ({"dataset": "call"}, {"edition": 2})
    assert after["version"] == before["version"] + 60_000
    assert (before["edition"], after["edition"]) == ("1-1", "2-1"), "a page that was away itself compares these"


def test_a_lost_connection_is_made_up_for(desk: Desk, db: Database) -> None:
    """What is committed and told while nobody listens is told when somebody does; here it is told to nobody at all."""
    leader = sign_in(db)

    async def go() -> list[Told]:
        async with running(desk, db) as live:
            stream = live.follow(leader, None)
            await take(stream, 1, "hello")
            await asyncio.to_thread(report, db)
            await take(stream, 1)
            with db.connect("admin", autocommit=True) as admin:
                admin.execute(LOADED)
                admin.execute("update pub.edition set version = version + 1")
                admin.execute(
                    "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
                    " where application_name = 'atlas live' and datname = current_database()"
                )
            report(db, 2)
            told, wanted = list[Told](), Counter(call=1, load=2, step=2)
            async with asyncio.timeout(20):
                while not Counter(one.kind for one in told) >= wanted:
                    told += [one for one in await anext(stream) if one.kind != "beat"]
            return told

    told = asyncio.run(go())
    assert sum(one.kind == "step" for one in told) == 2
    assert [json.loads(one.text) for one in told if one.kind == "load"] == [{"dataset": "call"}, {"edition": 1}]


def test_a_look_is_no_use_of_a_persons_session(db: Database) -> None:
    from layers.accounts.sessions import open_among, read_session

    leader = sign_in(db)
    with carrying_door(db, leader) as door:
        door.execute("update auth.session set seen_at = now() - interval '10 min'")
        assert open_among(door, [leader.token, "nobody's"]) == {leader.token: False}
        assert minutes(door) == 10
        door.execute("update auth.session set kind = 'screen'")
        open_among(door, [leader.token])
        assert minutes(door) == 0, "a screen is used as long as it is looked at"
        door.execute("update auth.session set kind = 'person', seen_at = now() - interval '10 min'")
        read_session(door, leader.token)
        assert minutes(door) == 0


def carrying_door(db: Database, session: Session) -> Any:
    door = db.connect("door")
    carry_on(door, session)
    return door


def minutes(door: Any) -> int:
    return int(door.execute("select extract(epoch from now() - seen_at) / 60 from auth.session").fetchone()[0])
