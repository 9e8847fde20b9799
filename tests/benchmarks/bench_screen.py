"""The map page beside a hand-made page that does nothing but the drill-down: bytes, time to painted, main thread."""

from __future__ import annotations

import asyncio
import socket
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse
from playwright.sync_api import Browser, BrowserContext, Page

from layers.access import Scope
from layers.accounts.sessions import Session
from layers.atlas import Atlas
from layers.classes import classes
from layers.database import Database
from layers.declare import read_catalog
from layers.indicators import values
from mapapp.api.engine import engine_routes, engine_version
from mapapp.api.tiles import tile_routes
from mapapp.app import ENGINE_DIR, create_app
from mapapp.desk import Desk
from mapapp.packed import Packed
from mapapp.porter import make_porter
from mapapp.visitor import visiting
from tests.benchmarks import Report, bench_settings, loaded_city
from tests.chromium import open_chromium
from tests.signing import sign_in

START = "449901"
DRILLS = 6
PADDING = {"top": 90, "bottom": 150, "left": 390, "right": 370}
READY = "() => window.__map && window.__map.idle && document.documentElement.classList.contains('ready')"

# Click, and give the milliseconds until the new view is whole on the screen, looked at in every frame.
CLICK_TO_PAINTED = """([x, y]) => new Promise((done) => {
  const before = window.__map.drawn, started = performance.now();
  const look = () => window.__map.drawn > before && window.__map.idle
    ? requestAnimationFrame(() => done(performance.now() - started)) : requestAnimationFrame(look);
  const canvas = document.querySelector("canvas");
  for (const kind of ["mousedown", "mouseup", "click"]) {
    canvas.dispatchEvent(new MouseEvent(kind, { clientX: x, clientY: y, bubbles: true, view: window }));
  }
  requestAnimationFrame(look);
})"""


@dataclass
class Counted:
    """A server that counts every byte it answers with, workers' requests included; `holds` back answers of one path."""

    app: Any
    holds: str = ""
    n_bytes: int = 0
    sent: list[tuple[str, int]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        while self.holds and self.holds == scope.get("path"):
            await asyncio.sleep(0.02)

        async def count(message: Any) -> None:
            n = len(message.get("body", b""))
            n += sum(len(name) + len(value) + 4 for name, value in message.get("headers", ()))
            self.n_bytes += n
            self.sent.append((scope.get("path", ""), n))
            await send(message)

        await self.app(scope, receive, count)


@dataclass(frozen=True)
class Drill:
    """What one drill-down took."""

    ms: float
    main_ms: float
    n_bytes: int


def run(report: Report) -> None:
    """Measure both pages in turn, on the full city."""
    city = loaded_city()
    catalog = read_catalog(bench_settings().catalog_dir)
    atlas = Atlas(catalog, city, "web", Scope(catalog.city.code))
    session, porter = sign_in(city), make_porter(atlas, bench_settings(), is_demo=True)
    ours = Counted(create_app(atlas, porter))

    async def theirs_for(scope: Any, receive: Any, send: Any) -> None:
        with visiting(session):
            await theirs_bare(scope, receive, send)

    with visiting(session):
        theirs_bare = Packed(handmade(atlas, city))
    theirs = Counted(theirs_for)
    with served(ours) as address, served(theirs) as peer, open_chromium() as browser:
        page_bytes, hosts = first_page(browser, ours, address, session)
        report("first map page", f"{page_bytes / 1e6:.2f} MB", "< 1.0 MB before charts", page_bytes < 1e6)
        report("requests to other hosts", str(len(hosts)), "0", not hosts)
        codes = [row.grid_code for row in _cells(atlas, city, "large").itertuples() if row.grid_code.startswith(START)]
        mine, peers = [], []
        ours_at = f"{address}/?at={START}&layers=none"
        with opened(browser, ours_at, session) as one, opened(browser, peer, session) as other:
            for code in codes[:DRILLS] * 2:  # in turn, so that both meet the same load; the second round is warm
                mine.append(drill(*one, ours, code))
                peers.append(drill(*other, theirs, code))
    cold, warm = mine[:DRILLS], mine[DRILLS:]
    n_cold, n_warm = (int(statistics.median(one.n_bytes for one in part)) for part in (cold, warm))
    report("bytes of a drill-down, cold", f"{n_cold / 1e3:.1f} KB", "< 40 KB", n_cold < 40_000)
    report("bytes of a drill-down, warm", f"{n_warm} B", "< 1 KB", n_warm < 1_000)
    ms, peer_ms = (statistics.median(one.ms for one in part) for part in (warm, peers[DRILLS:]))
    report(
        "drill-down, click to painted", f"{ms / peer_ms:.2f} x hand-made ({ms:.0f} against {peer_ms:.0f} ms)",
        "<= 1.4 x", ms <= 1.4 * peer_ms,
    )  # fmt: skip
    main, peer_main = (statistics.median(one.main_ms for one in part) for part in (warm, peers[DRILLS:]))
    report(
        "drill-down, main thread", f"{main / peer_main:.2f} x hand-made ({main:.0f} against {peer_main:.0f} ms)",
        "<= 1.3 x", main <= 1.3 * peer_main,
    )  # fmt: skip


def known(browser: Browser, session: Session, address: str) -> BrowserContext:
    """A window of a browser that is signed in."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    cookies = {"session": session.token, "_csrf_token": session.form_token}
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
    return context


def first_page(browser: Browser, server: Counted, address: str, session: Session) -> tuple[int, set[str]]:
    """Open the city with an empty cache; give the bytes sent and the other hosts asked."""
    context = known(browser, session, address)
    hosts: set[str] = set()
    context.on("request", lambda asked: hosts.add(urlsplit(asked.url).netloc))
    before = server.n_bytes
    page = context.new_page()
    page.goto(address)
    page.wait_for_function(READY, timeout=60_000)
    context.close()
    return server.n_bytes - before, {host for host in hosts if host and host != urlsplit(address).netloc}


@contextmanager
def opened(browser: Browser, address: str, session: Session, ready: str = READY) -> Iterator[tuple[Page, Any]]:
    """A page, once it is ready, and its session with the browser."""
    context = known(browser, session, urlsplit(address)._replace(path="/", query="").geturl())
    page = context.new_page()
    page.goto(address)
    page.wait_for_function(ready, timeout=60_000)
    tools = context.new_cdp_session(page)
    # Processor time of the thread: others at work on the machine add nothing to it.
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    yield page, tools
    context.close()


def drill(page: Page, session: Any, server: Counted, code: str) -> Drill:
    """Click into a grid, wait until it is painted, go back up."""
    page.bring_to_front()
    sent = server.n_bytes
    page.wait_for_timeout(500)
    point = page.evaluate("(code) => window.__map.pointOf(code)", code)
    page.mouse.move(*point)  # as a hand does before it clicks
    page.wait_for_timeout(700)
    busy = busy_s(session)
    ms = page.evaluate(CLICK_TO_PAINTED, point)
    taken = Drill(ms, (busy_s(session) - busy) * 1e3, server.n_bytes - sent)
    assert page.evaluate("() => window.__map.at") == code
    page.keyboard.press("Escape")
    page.wait_for_function("(code) => window.__map.at === code && window.__map.idle", arg=START)
    return taken


def handmade(atlas: Atlas, city: Database) -> FastAPI:
    """The hand-made page and what it needs: tiles, engine, all values in one file."""
    desk = Desk(atlas.catalog, city.pool("web"))
    desk.open()
    app = FastAPI()
    app.include_router(tile_routes(desk))
    app.include_router(engine_routes(ENGINE_DIR))
    with city.connect("web") as connection:
        gazetteer = desk.gazetteer(connection)
    page = Path(__file__).with_name("handmade.html").read_text(encoding="utf-8")
    for word, put in (
        ("ENGINE", f"/static/maplibre/{engine_version(ENGINE_DIR)}"),
        ("TILES", f"/tiles/grid/{gazetteer.edition}-{gazetteer.version}/{{z}}/{{x}}/{{y}}"),
        ("PADDING", str(PADDING).replace("'", "")),
        ("START", START),
    ):
        page = page.replace(word, put)
    told: dict[str, Any] = {START: {"box": gazetteer.named(START).box}}
    for level in ("large", "medium"):
        frame = _cells(atlas, city, level)
        _, found = classes(frame["value"], atlas.catalog.indicators["events_per_km2"])
        for code, one in zip(frame["grid_code"], np.clip(found.astype(int) - 1, 0, 5).tolist(), strict=True):
            row = gazetteer.grids.loc[code]
            told[code] = {
                "shade": one,
                "box": gazetteer.named(code).box,
                "centre": [row["lon"], row["lat"]],
                "name": row["name"],
            }

    @app.get("/")
    async def index() -> HTMLResponse:
        return HTMLResponse(page)

    @app.get("/cells.json")
    async def cells() -> JSONResponse:
        return JSONResponse(told)

    return app


def _cells(atlas: Atlas, city: Database, level: str) -> Any:
    with city.connect("web") as connection:
        return values(connection, atlas.catalog, "events_per_km2", atlas.scope, level=level)


def busy_s(session: Any) -> float:
    """Seconds that the main thread of a page has worked so far."""
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Run a server on a free port; gives its address."""
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=2, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)
