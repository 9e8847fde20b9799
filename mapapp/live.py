"""What has just happened, told to every open page: one ear at the database in each process, one queue for each page.

The database wakes the ear after each commit; what is new is then read once for each scope, with the session of a page
that has that scope, and put into the queues of all its pages. Numbers are in the order of commits (`layers.cases`), so
that a page that was away names the last one it saw and misses nothing. A queue that is full is emptied and its page
told to begin anew: a slow page never holds up another.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout

from layers.access import Scope
from layers.accounts.sessions import Session
from layers.cases import changes, last_change
from layers.tiles import data_version
from mapapp.desk import Desk

log = logging.getLogger(__name__)

QUEUE_MOST = 256
"""Messages that wait for one page, at most."""

REPLAY_MOST = 1000
"""Steps told to a page that comes back; where it missed more, it begins anew."""

PAGES_MOST = 4000
"""Open pages of one process, at most."""

BEAT_S = 10.0
"""Seconds of silence after which a page is told that there is nothing to tell."""

TOGETHER_S = 0.02
"""Seconds in which commits are waited for, to be read together."""

OF_WALL = ("at", "category", "grid_code", "step", "from_state", "state", "due_at", "is_urgent")
"""What a wall may be told of a step: category, grid, state and time."""

OF_OTHERS = (*OF_WALL, "event_id", "dataset", "department")


@dataclass(frozen=True)
class Told:
    """One message: its place in the order of commits (0 where it has none), its kind, its text."""

    number: int
    kind: str
    text: str

    def line(self) -> bytes:
        """Write it as an event stream has it."""
        number = f"id: {self.number}\n" if self.number else ""
        return f"{number}event: {self.kind}\ndata: {self.text}\n\n".encode()


@dataclass(eq=False)
class Page:
    """An open page, and what waits to be told to it."""

    session: Session
    queue: asyncio.Queue[Told] = field(default_factory=lambda: asyncio.Queue(QUEUE_MOST))
    is_lost: bool = False

    @property
    def scope(self) -> Scope:
        """What it may see."""
        return self.session.actor.scope

    @property
    def is_wall(self) -> bool:
        """Whether it is told what a wall may be told and no more."""
        return self.session.actor.role == "wall"

    def tell(self, told: Iterable[Told]) -> None:
        """Put messages into its queue; where that is full, everything in it is dropped and it has to begin anew."""
        for one in told:
            if self.is_lost:
                return
            if self.queue.full():
                self.is_lost = True
                while not self.queue.empty():
                    self.queue.get_nowait()
                self.queue.put_nowait(_RESET)
                return
            self.queue.put_nowait(one)


_RESET = Told(0, "reset", "{}")


@dataclass(eq=False)
class Channel:
    """The pages of one scope, and the last number read for them."""

    after: int
    pages: set[Page] = field(default_factory=set)


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
                    await self._listen()
                except (psycopg.Error, OSError) as error:
                    log.warning("live push waits for the database: %s", error)
                await asyncio.sleep(1)
        finally:
            teller.cancel()

    async def follow(self, session: Session, since: int | None) -> AsyncIterator[Told]:
        """Tell one page what happened after a number, then whatever happens; ends with a reset where too much did.

        The page stands in the queue before what it missed is read: whatever is committed meanwhile comes by both ways
        and is told once.
        """
        page = Page(session)
        head, version = await asyncio.to_thread(self._head, page)
        if head is None:
            return
        channel = self._channels.setdefault(page.scope, Channel(head))
        channel.pages.add(page)
        try:
            seen = head if since is None else since
            missed, _ = await asyncio.to_thread(self._read, page, seen)
            yield Told(seen, "hello", json.dumps({"version": version, "head": head}))
            if seen > head or len(missed) >= REPLAY_MOST:
                yield _RESET
                return
            for one in missed:
                seen = one[0]
                yield _told(one, page)
            while True:
                try:
                    told = await asyncio.wait_for(page.queue.get(), BEAT_S)
                except TimeoutError:
                    told = Told(0, "beat", "{}")
                if told.number and told.number <= seen:
                    continue
                seen = told.number or seen
                yield told
                if told is _RESET:
                    return
        finally:
            channel.pages.discard(page)
            if not channel.pages and self._channels.get(page.scope) is channel:
                del self._channels[page.scope]

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, application_name="atlas live", connect_timeout=10
        ) as ear:
            for channel in ("cases", "calls", "atlas"):
                await ear.execute(f"listen {channel}".encode())
            self._heard.set()  # something may have happened while nobody listened
            async for heard in ear.notifies():
                if heard.channel == "atlas":
                    self._tell_loaded(heard.payload)
                elif heard.channel == "calls":
                    self._tell_desks(Told(0, "call", "{}"))
                self._heard.set()

    def _tell_loaded(self, payload: str) -> None:
        try:
            dataset = str(json.loads(payload)["dataset"])
        except (ValueError, KeyError, TypeError):
            return
        told = [Told(0, "load", json.dumps({"dataset": dataset}))]
        for channel in self._channels.values():
            for page in channel.pages:
                page.tell(told)

    def _tell_desks(self, told: Told) -> None:
        """Tell every page but walls that something happened, and nothing of it: each asks for what it may see."""
        for channel in self._channels.values():
            for page in channel.pages:
                if not page.is_wall:
                    page.tell([told])

    async def _tell(self) -> None:
        while True:
            await self._heard.wait()
            await asyncio.sleep(TOGETHER_S)
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
            rows, head = await asyncio.to_thread(self._read, reader, channel.after)
            if head is None:
                continue  # its session has ended; the door shuts it
            channel.after = max([head, *(number for number, _ in rows[-1:])])
            if len(rows) >= REPLAY_MOST:
                channel.after = rows[-1][0]
                self._heard.set()
            for is_wall in {page.is_wall for page in channel.pages}:
                pages = [page for page in channel.pages if page.is_wall == is_wall]
                told = [_told(one, pages[0]) for one in rows]
                for page in pages:
                    page.tell(told)
            return

    def _head(self, page: Page) -> tuple[int | None, int]:
        with self._desk.connection_of(page.session) as connection:
            return last_change(connection, page.scope), data_version(connection)[0]

    def _read(self, page: Page, after: int) -> tuple[list[tuple[int, dict[str, Any]]], int | None]:
        """Steps after a number, and the number of the last one anywhere; None where the session has ended."""
        with self._desk.connection_of(page.session) as connection:
            head = last_change(connection, page.scope)
            if head is None:
                return [], None
            found = changes(connection, page.scope, after, REPLAY_MOST)
        said = found[list(OF_OTHERS)].astype(object).to_dict("records")
        return [
            (int(n), {str(k): v for k, v in row.items()}) for n, row in zip(found["change_no"], said, strict=True)
        ], head


def _told(one: tuple[int, dict[str, Any]], page: Page) -> Told:
    number, row = one
    said = {key: _plain(row[key]) for key in (OF_WALL if page.is_wall else OF_OTHERS)}
    return Told(number, "step", json.dumps(said, ensure_ascii=False, separators=(",", ":")))


def _plain(value: Any) -> Any:
    if value is None or value != value:  # NaN and NaT are not what they are
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value
