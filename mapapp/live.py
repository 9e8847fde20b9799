"""What has just happened, told to every open page: one ear at the database in each process, one log for each scope.

The database wakes the ear after each commit; what is new is then read once for each scope, with the session of a page
that has that scope, and put into the log that all its pages read from. Numbers are in the order of commits
(`layers.cases`), so that a page that was away names the last one it saw and misses nothing. Loads and new grids have no
number: which are in force is read with the steps and compared with what was in force before. So nothing hangs on what
the database told: an ear that was cut off looks when it is back, and finds the same. A page has nothing but its place
in the log: a slow one holds up no other, and where the log no longer goes back to its place it begins anew.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout

from layers.access import Scope
from layers.accounts.sessions import Session
from layers.cases import changes, last_change
from layers.standing import Standing, read_standing
from mapapp.desk import Desk

log = logging.getLogger(__name__)

KEPT_MOST = 1000
"""Messages kept of a scope, for pages that are slow or come back."""

REPLAY_MOST = 1000
"""Steps told to a page that comes back; where it missed more, it begins anew."""

PAGES_MOST = 4000
"""Open pages of one process, at most."""

BEAT_S = 10.0
"""Seconds of silence after which a page is told that there is nothing to tell."""

TOGETHER_S, TOGETHER_EACH_S = 0.02, 0.0002
"""Seconds in which commits are waited for, to be told together; and more for each open page, since each costs work."""

OF_WALL = ("at", "category", "grid_code", "step", "from_state", "state", "due_at", "is_urgent")
"""What a wall may be told of a step: category, grid, state and time."""

OF_OTHERS = (*OF_WALL, "event_id", "dataset", "department")


@dataclass(frozen=True)
class Told:
    """One message: its place in the order of commits (0 where it has none), its kind, its text."""

    number: int
    kind: str
    text: str

    @cached_property
    def line(self) -> bytes:
        """The message as an event stream has it; written once for all pages."""
        number = f"id: {self.number}\n" if self.number else ""
        return f"{number}event: {self.kind}\ndata: {self.text}\n\n".encode()


_BEAT, _RESET = Told(0, "beat", "{}"), Told(0, "reset", "{}")


@dataclass(frozen=True)
class News:
    """One message as walls are told it, and as the other pages are; None for whom it is nothing."""

    to_wall: Told | None
    to_others: Told


_CALL = News(None, Told(0, "call", "{}"))
"""Nothing of the call itself: each page asks for what it may see."""


class Channel:
    """The log of one scope, and how many pages read from it."""

    def __init__(self, head: int, standing: Standing) -> None:
        self.head, self.standing = head, standing
        """The last step, and the data and grids, that its pages know of."""
        self.since = head
        """Every step after this number is in the log."""
        self.pages: set[Page] = set()
        self.end = 0
        """How many messages were ever put into it."""
        self._kept: list[News] = []
        self._woken = asyncio.Event()

    def put(self, news: Sequence[News]) -> None:
        """Add messages and wake whoever waits for some."""
        self._kept += news
        self.end += len(news)
        if len(self._kept) > 2 * KEPT_MOST:
            gone = self._kept[:-KEPT_MOST]
            del self._kept[:-KEPT_MOST]
            self.since = max([self.since, *(one.to_others.number for one in gone)])
        woken, self._woken = self._woken, asyncio.Event()
        woken.set()

    def after(self, place: int) -> Sequence[News] | None:
        """Messages from a place on; None where they are no longer all kept."""
        n = self.end - place
        return None if n > len(self._kept) else self._kept[len(self._kept) - n :]

    def steps_after(self, number: int) -> list[News] | None:
        """Steps after a number; None where they are no longer, or were never, all kept."""
        return [one for one in self._kept if one.to_others.number > number] if number >= self.since else None

    async def wait(self, place: int) -> bool:
        """Wait until there is something from a place on; False where nothing came for a while."""
        try:
            async with asyncio.timeout(BEAT_S):
                while self.end == place:
                    await self._woken.wait()
        except TimeoutError:
            return False
        return True


@dataclass(eq=False, frozen=True)
class Page:
    """An open page."""

    session: Session

    @property
    def scope(self) -> Scope:
        """What it may see."""
        return self.session.actor.scope

    def of(self, news: Iterable[News]) -> list[Told]:
        """What it is told of some messages."""
        if self.session.actor.role != "wall":
            return [one.to_others for one in news]
        return [one.to_wall for one in news if one.to_wall]


class Live:
    """The ear of one process."""

    def __init__(self, desk: Desk, url: str) -> None:
        self._desk, self._url = desk, url
        self._channels: dict[Scope, Channel] = {}
        self._heard = asyncio.Event()

    @property
    def n_pages(self) -> int:
        """How many pages are open."""
        return sum(len(channel.pages) for channel in self._channels.values())

    async def run(self) -> None:
        """Listen and tell until cancelled; after a fault of the database, begin anew."""
        teller = asyncio.create_task(self._tell())
        try:
            while True:
                try:
                    await asyncio.to_thread(self._desk.drop_dead)
                    await self._listen()
                except (psycopg.Error, OSError) as error:
                    log.warning("live push waits for the database: %s", error)
                await asyncio.sleep(1)
        finally:
            teller.cancel()

    async def follow(self, session: Session, since: int | None) -> AsyncIterator[list[Told]]:
        """Tell one page what happened after a number, then whatever happens; ends with a reset where too much did.

        Its place in the log is taken before what it missed is read: whatever is committed meanwhile comes by both ways
        and is told once.
        """
        page = Page(session)
        _, head, standing = await asyncio.to_thread(self._read, page, None)
        if head is None:
            return
        channel = self._join(page, head, standing)
        try:
            place, seen = channel.end, head if since is None else since
            missed = channel.steps_after(seen)
            said = {"version": standing.version, "edition": standing.grids, "head": head}
            yield [Told(seen, "hello", json.dumps(said))]
            if missed is None:
                missed = (await asyncio.to_thread(self._read, page, seen))[0]
            if seen > head or len(missed) >= REPLAY_MOST:
                yield [_RESET]
                return
            news: Sequence[News] | None = missed
            while news is not None:
                told = [one for one in page.of(news) if not one.number or one.number > seen]
                seen = max([seen, *(one.number for one in told)])
                if told:
                    yield told
                if not await channel.wait(place):
                    yield [_BEAT]
                news, place = channel.after(place), channel.end
            yield [_RESET]
        finally:
            channel.pages.discard(page)
            if not channel.pages and self._channels.get(page.scope) is channel:
                del self._channels[page.scope]

    def _join(self, page: Page, head: int, standing: Standing) -> Channel:
        """Let a page read from the log of its scope, which its first page begins."""
        channel = self._channels.get(page.scope)
        if channel is None:
            channel = self._channels[page.scope] = Channel(head, standing)
            self._heard.set()  # what was committed meanwhile woke nobody
        channel.pages.add(page)
        return channel

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, application_name="atlas live", connect_timeout=10
        ) as ear:
            for channel in ("cases", "calls", "atlas"):
                await ear.execute(f"listen {channel}".encode())
            self._tell_all(_CALL)  # something may have happened while nobody listened
            self._heard.set()
            async for heard in ear.notifies():
                if heard.channel == "calls":
                    self._tell_all(_CALL)
                self._heard.set()

    def _tell_all(self, news: News) -> None:
        for channel in self._channels.values():
            channel.put([news])

    async def _tell(self) -> None:
        while True:
            await self._heard.wait()
            await asyncio.sleep(TOGETHER_S + TOGETHER_EACH_S * self.n_pages)
            self._heard.clear()
            for channel in list(self._channels.values()):
                try:
                    await self._tell_channel(channel)
                except (psycopg.Error, PoolTimeout, OSError) as error:
                    log.warning("live push could not read: %s", error)
                    await asyncio.sleep(1)
                    self._heard.set()

    async def _tell_channel(self, channel: Channel) -> None:
        """Read once, by the session of a page that still has one, and tell all pages of the scope."""
        for reader in list(channel.pages):
            news, head, standing = await asyncio.to_thread(self._read, reader, channel.head)
            if head is None:
                continue  # its session has ended; the door shuts it
            last = news[-1].to_others.number if news else 0
            channel.head = max(head, last)
            if len(news) >= REPLAY_MOST:
                channel.head = last
                self._heard.set()
            news += renewed(channel.standing, standing)
            channel.standing = standing
            if news:
                channel.put(news)
            return

    def _read(self, page: Page, after: int | None) -> tuple[list[News], int | None, Standing]:
        """Steps after a number, none where none is given; the number of the last one anywhere; data and grids in force.

        The head is None where the page's session has ended.
        """
        with self._desk.connection_of(page.session) as connection:
            head, standing = last_change(connection, page.scope), read_standing(connection)
            if head is None or after is None or head <= after:
                return [], head, standing
            found = changes(connection, page.scope, after, REPLAY_MOST)
        said = found[list(OF_OTHERS)].astype(object).to_dict("records")
        rows = zip(found["change_no"].tolist(), said, strict=True)
        return [News(_told(n, row, OF_WALL), _told(n, row, OF_OTHERS)) for n, row in rows], head, standing


def renewed(before: Standing, now: Standing) -> list[News]:
    """Tell what was loaded between two looks, one message for each dataset, and one where the grids are others."""
    said: list[dict[str, Any]] = [{"dataset": key} for key in now.loaded_since(before)]
    if now.grids != before.grids:
        said.append({"edition": now.edition})
    told = [Told(0, "load", json.dumps(one)) for one in said]
    return [News(one, one) for one in told]


def _told(number: int, row: dict[Any, Any], keys: Sequence[str]) -> Told:
    said = {key: _plain(row[key]) for key in keys}
    return Told(int(number), "step", json.dumps(said, ensure_ascii=False, separators=(",", ":")))


def _plain(value: Any) -> Any:
    if value is None or value != value:  # NaN and NaT are not what they are
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value
