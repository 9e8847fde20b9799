"""The wall under load: an event from its commit to the screen, 500 screens at once, and a day in fast motion."""

from __future__ import annotations

import asyncio
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page

from etl.demo.live import Day, crew_of
from layers.accounts.sessions import Session
from layers.database import Database
from layers.declare import read_catalog
from layers.declare.records import Catalog
from tests.benchmarks import Report, bench_settings, loaded_city
from tests.benchmarks.bench_screen import known
from tests.benchmarks.screens import Screen, opened, served_apart
from tests.chromium import open_chromium
from tests.signing import sign_in

RATE, STEPS = 20, 200
SCREENS, TOLD, TOLD_RATE = 500, 150, 5
READY = "() => window.__wall && window.__wall.ready && window.__map.idle"

# The moment of the frame after the one in which each step was put on the map.
WATCH = """() => {
  window.seen = [];
  let n = window.__wall.steps;
  const look = () => {
    const now = window.__wall.steps;
    const due = now - window.first;
    if (now > n) requestAnimationFrame(() => { while (window.seen.length < due) window.seen.push(Date.now()); });
    n = now;
    requestAnimationFrame(look);
  };
  window.first = n;
  requestAnimationFrame(look);
}"""


def run(report: Report) -> None:
    """Measure over the full city."""
    settings = bench_settings()
    measure(report, loaded_city(), read_catalog(settings.catalog_dir))


def measure(report: Report, city: Database, catalog: Catalog) -> None:
    """Measure the wall of one city; its database takes made-up cases."""
    session = sign_in(city, "wall", catalog.city.code)
    with served_apart(city) as address, open_chromium() as browser:
        with ThreadPoolExecutor(1) as aside:  # the browser has a loop of its own in this thread
            aside.submit(asyncio.run, many_screens(report, address, city, catalog)).result()
        to_pixels(report, browser, address, session, city, catalog)
        one_day(report, browser, address, session, city, catalog)


def report_cases(city: Database, catalog: Catalog, n: int, rate: float) -> list[float]:
    """Report so many cases at a rate; give the moment after each commit, in seconds since 1970."""
    moments = []
    with crew_of(city, catalog) as crew:
        day, begun = Day(crew, catalog, np.random.default_rng(n), timedelta()), time.monotonic()
        for number in range(n):
            day.report_at(datetime.now(UTC), False)
            moments.append(time.time())
            time.sleep(max(0.0, begun + (number + 1) / rate - time.monotonic()))
    return moments


def to_pixels(
    report: Report, browser: Browser, address: str, session: Session, city: Database, catalog: Catalog
) -> None:
    """From the commit of a case to the frame after the one that draws it, with 20 a second."""
    page = wall_of(browser, address, session)
    page.evaluate(WATCH)
    at = page.evaluate("() => window.__wall.at")
    committed = report_cases(city, catalog, STEPS, RATE)
    page.wait_for_function("(n) => window.seen.length >= n", arg=STEPS, timeout=60_000)
    seen = page.evaluate("() => window.seen")[:STEPS]
    late = sorted(one - then * 1e3 for one, then in zip(seen, committed, strict=True))
    p95 = late[int(STEPS * 0.95)]
    rate = STEPS / (committed[-1] - committed[0])
    figure = f"p95 {p95:.0f} ms, median {statistics.median(late):.0f} ms at {rate:.0f}/s"
    report("commit of an event to pixels", figure, "p95 <= 500 ms with 20 events/s", p95 <= 500)
    stays = page.evaluate("() => window.__wall.at") == at
    report("view while events come", "stays" if stays else "moved", "stays", stays)
    page.context.close()


async def many_screens(report: Report, address: str, city: Database, catalog: Catalog) -> None:
    """How late 500 screens, each with a session of its own, are told and shown what is new, the database included."""
    sessions = [sign_in(city, "wall", catalog.city.code) for _ in range(SCREENS)]
    screens = [Screen(address, session) for session in sessions]
    begun = time.perf_counter()
    tasks = await opened(screens)
    open_s = time.perf_counter() - begun
    committed = await asyncio.to_thread(report_cases, city, catalog, TOLD, TOLD_RATE)
    await asyncio.sleep(15)  # for the last to ask
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    late = [
        (one - then) * 1e3
        for screen in screens if len(screen.steps) == TOLD
        for one, then in zip(screen.steps, committed, strict=True)
    ]  # fmt: skip
    asked = [taken * 1e3 for screen in screens for taken in screen.asked]
    faults = [fault for screen in screens for fault in screen.faults]
    n_faults = len(faults) + sum(len(screen.steps) != TOLD for screen in screens)
    for name, found in (("told of a step", late), ("shown the figures", asked)):
        p95, median = (float(np.quantile(found, at)) if found else float("inf") for at in (0.95, 0.5))
        figure = f"p95 {p95:.0f} ms, median {median:.0f} ms of {len(found):,}"
        report(f"{SCREENS} screens {name}", figure, "p95 <= 300 ms", p95 <= 300)
    figure = f"{n_faults} {sorted(set(faults))[:3] if faults else ''}".strip()
    report(f"{SCREENS} screens opened in {open_s:.1f} s, faults", figure, "0", not n_faults)


def one_day(report: Report, browser: Browser, address: str, session: Session, city: Database, catalog: Catalog) -> None:
    """24 hours of the page's own clock, jumped through in quarters of an hour, with cases coming in between."""
    context = known(browser, session, address)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: said.type == "error" and faults.append(said.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.clock.install()
    page.goto(f"{address}/wall")
    page.clock.resume()
    page.wait_for_function(READY, timeout=120_000)
    tools = context.new_cdp_session(page)
    tools.send("Performance.enable")
    heaps: list[float] = []
    for quarter in range(96):
        page.clock.fast_forward(15 * 60 * 1000)
        if quarter % 4 == 0:
            report_cases(city, catalog, 5, 20)
            page.wait_for_timeout(300)
            heaps.append(_heap_mb(tools))
    grown = heaps[-1] - heaps[2]  # the first hours fill caches
    report("a day on the wall, heap", f"{grown:+.1f} MB ({heaps[2]:.0f} to {heaps[-1]:.0f})", "< +50 MB", grown < 50)
    report("a day on the wall, console errors", str(len(faults)), "0", not faults)
    context.close()


def wall_of(browser: Browser, address: str, session: Session) -> Page:
    """The wall on a screen of its own, drawn."""
    page = known(browser, session, address).new_page()
    page.goto(f"{address}/wall?tour=6000")
    page.wait_for_function(READY, timeout=120_000)
    page.keyboard.press("Shift")  # the tour rests
    return page


def _heap_mb(tools: Any) -> float:
    tools.send("HeapProfiler.collectGarbage")
    metrics = tools.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize")) / 1e6
