"""Hundreds of wall screens as a server sees them: a stream each, and what the wall shows asked for after steps."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import json
import multiprocessing
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import uvicorn

from layers.access import Scope
from layers.accounts.sessions import Session
from layers.atlas import Atlas
from layers.database import Database
from layers.declare import read_catalog
from mapapp.app import create_app
from mapapp.porter import make_porter
from mapapp.serve import SWITCH_S
from tests.benchmarks import bench_settings

REFRESH_S = 4.0
"""Seconds after a step in which a wall asks for its figures anew, at least; the server says how much later."""


@contextmanager
def served_apart(city: Database) -> Iterator[str]:
    """Serve a city from a process of its own, as it is served outside of benchmarks; gives the address."""
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1024)
        plain = dataclasses.replace(city, passwords=dict(city.passwords))  # as another process can be handed it
        process = multiprocessing.get_context("spawn").Process(target=_serve, args=(plain, listening), daemon=True)
        process.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            process.terminate()
            process.join(10)


def _serve(city: Database, listening: socket.socket) -> None:
    settings = bench_settings()
    catalog = read_catalog(settings.catalog_dir)
    atlas = Atlas(catalog, city, "web", Scope(catalog.city.code))
    app = create_app(atlas, make_porter(atlas, settings, is_demo=True))
    sys.setswitchinterval(SWITCH_S)
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=2, ws="none")
    uvicorn.Server(config).run(sockets=[listening])


@dataclass
class Screen:
    """One screen: the moments at which it was told of steps, and the seconds its questions took."""

    address: str
    session: Session
    steps: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    spread_s: float = 10.0
    faults: list[str] = field(default_factory=list)
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self) -> None:
        """Read the stream until cancelled."""
        reader, writer = await self._ask("/live")
        asking: asyncio.Task[None] | None = None
        try:
            while line := await reader.readline():
                if line.startswith(b"event: hello"):
                    self.is_open.set()
                elif line.startswith(b"event: step"):
                    self.steps.append(time.time())
                    if asking is None or asking.done():
                        asking = asyncio.create_task(self._refresh())
                elif line.startswith(b"event: reset"):
                    self.faults.append("reset")
            self.faults.append("the stream ended")
        finally:
            writer.close()
            if asking:
                asking.cancel()

    async def _refresh(self) -> None:
        await asyncio.sleep(REFRESH_S + self.spread_s * (hash(self.session.token) % 1000) / 1000)
        self.asked.append(await self.refresh())

    async def refresh(self) -> float:
        """Ask for what the wall shows; gives the seconds it took."""
        begun = time.perf_counter()
        reader, writer = await self._ask("/api/watch")
        n = 0
        while (line := (await reader.readline()).lower()) not in (b"\r\n", b""):
            n = int(line.split(b":")[1]) if line.startswith(b"content-length:") else n
        told = json.loads(gzip.decompress(await reader.readexactly(n)))
        self.spread_s = told["spread_s"]
        writer.close()
        return time.perf_counter() - begun

    async def _ask(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host = urlsplit(self.address)
        reader, writer = await asyncio.open_connection(host.hostname, host.port)
        lines = (
            f"GET {path} HTTP/1.1", f"Host: {host.netloc}", f"Cookie: session={self.session.token}",
            "Accept-Encoding: gzip", "Connection: close",
        )  # fmt: skip
        writer.write("\r\n".join([*lines, "", ""]).encode())
        said = await reader.readline()
        if b" 200 " not in said:
            self.faults.append(said.decode("latin-1").strip())
        return reader, writer


async def opened(screens: Sequence[Screen]) -> list[asyncio.Task[None]]:
    """Open all streams at once; returns when each has been greeted, and one has been shown the figures."""
    tasks = [asyncio.create_task(screen.watch()) for screen in screens]
    await asyncio.gather(*(asyncio.wait_for(screen.is_open.wait(), 60) for screen in screens))
    await screens[0].refresh()
    return tasks
