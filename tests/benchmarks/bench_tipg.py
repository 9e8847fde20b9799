"""Tiles of events and of grids beside tipg's of the same tables: over HTTP both, a process each, none from a shelf."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count, product
from urllib.parse import quote, urlsplit

import mapbox_vector_tile

from layers.database import Database
from layers.declare import read_catalog
from layers.declare.records import Catalog, Layer
from layers.editions import edition_on
from tests.benchmarks import Report, bench_settings, loaded_city
from tests.benchmarks.bench_tiles import densest_spot, span_of, tile_at
from tests.benchmarks.screens import served_apart
from tests.benchmarks.tipg import served_by_tipg
from tests.signing import sign_in

FAR, NEAR = (9, 10, 11, 12), (12, 13, 14)
TIMES = 5
AT_ONCE = 6
SINGLE_FROM = 14
"""Zoom from which the map asks for events one by one."""

IDLE_S = 2.0
"""Seconds a connection may stand idle; servers close it after five."""

Tile = tuple[int, int, int]
Address = Callable[[Tile], str]
"""Address of a tile."""


@dataclass
class Line:
    """A connection to a server, kept open between questions as browsers do."""

    address: str
    headers: Mapping[str, str] = field(default_factory=dict)
    _open: http.client.HTTPConnection | None = None
    _used_at: float = 0.0

    def ask(self, path: str) -> tuple[float, bytes]:
        """Ask for bytes as they are, not packed; gives the seconds from the question to the last byte, and these."""
        if self._open is None or time.perf_counter() - self._used_at > IDLE_S:
            host = urlsplit(self.address)
            self._open = http.client.HTTPConnection(str(host.hostname), host.port, timeout=300)
            self._open.request("GET", "/healthz")
            self._open.getresponse().read()
        begun = time.perf_counter()
        self._open.request("GET", path, headers={"Accept-Encoding": "identity", **self.headers})
        answer = self._open.getresponse()
        body = answer.read()
        self._used_at = time.perf_counter()
        if answer.status not in (200, 204):
            raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
        return self._used_at - begun, body


def run(report: Report) -> None:
    """Measure over the full city, at its densest place and around it."""
    catalog, city = read_catalog(bench_settings().catalog_dir), loaded_city()
    spot = densest_spot(city)
    session = sign_in(city)
    with served_apart(city) as ours, served_by_tipg(city, "ops.event", "pub.grid") as theirs:
        mine = [Line(ours, {"Cookie": f"session={session.token}"}) for _ in range(AT_ONCE)]
        others = [Line(theirs) for _ in range(AT_ONCE)]
        layer = next(one for one in catalog.layers.values() if one.element == "event")
        same = " and ".join(("is_sensitive = false", *(f"dataset = '{one}'" for one in layer.datasets)))
        events, rows = _events_of(catalog, layer), _of_tipg("ops.event", same)
        _check(mine[0].ask(events(tile_at(*spot, SINGLE_FROM)))[1], others[0].ask(rows(tile_at(*spot, SINGLE_FROM)))[1])
        _far(report, (mine[0], events), (others[0], rows), [tile_at(*spot, z) for z in FAR])
        near = [around for z in NEAR for around in _around(tile_at(*spot, z))]
        _near(report, "event tile", (mine, events), (others, rows), near)
        _near(report, "polygon tile", (mine, _grids_of(city, catalog)), (others, _of_tipg("pub.grid")), near)


def _far(report: Report, mine: tuple[Line, Address], theirs: tuple[Line, Address], tiles: list[Tile]) -> None:
    """Tiles of a county and of a town with all events of three years, one at a time: the least of some times."""
    ratios, told = [], []
    for tile in tiles:
        pairs = [[line.ask(path(tile))[0] for line, path in (mine, theirs)] for _ in range(TIMES)]
        ours, others = (min(seconds) for seconds in zip(*pairs, strict=True))
        ratios.append(others / ours)
        told.append(f"z{tile[0]} {ours * 1e3:.0f} against {others * 1e3:.0f} ms")
    figure = f"{min(ratios):.1f} x ({', '.join(told)})"
    report("event tile z9 to z12 beside tipg's", figure, ">= 10 x", min(ratios) >= 10)


def _near(
    report: Report, name: str, mine: tuple[list[Line], Address], theirs: tuple[list[Line], Address], tiles: list[Tile]
) -> None:
    """Tiles of streets, six at a time as browsers ask for them: the most a second of some rounds."""
    rounds = [[_a_second(*mine, tiles), _a_second(*theirs, tiles)] for _ in range(TIMES)]
    ours, others = (max(rates) for rates in zip(*rounds, strict=True))
    figure = f"{ours / others:.1f} x ({ours:.0f} against {others:.0f} tiles/s)"
    report(f"{name} z12 to z14 beside tipg's", figure, ">= 2 x", ours >= 2 * others)


def _a_second(lines: list[Line], path: Address, tiles: list[Tile]) -> float:
    left = [path(tile) for tile in tiles]
    for line in lines:
        line.ask("/healthz")

    def work(line: Line) -> None:
        while left:
            try:
                line.ask(left.pop())
            except IndexError:
                return

    begun = time.perf_counter()
    with ThreadPoolExecutor(len(lines)) as workers:
        list(workers.map(work, lines))
    return len(tiles) / (time.perf_counter() - begun)


def _check(mine: bytes, theirs: bytes) -> None:
    """Make sure that both put the same rows into a tile."""
    n = [len(layer["features"]) for tile in (mine, theirs) for layer in mapbox_vector_tile.decode(tile).values()]
    if len(set(n)) != 1:
        raise RuntimeError(f"the tiles hold other rows than each other: {n}")


def _events_of(catalog: Catalog, layer: Layer) -> Address:
    """Address of events as the map asks for them, each time under a version never asked for before."""
    since, until = (one.date().isoformat() for one in span_of(catalog))
    versions = count(1)

    def path(tile: Tile) -> str:
        how = "rows" if tile[0] >= SINGLE_FROM else "counts"
        return _path(f"/tiles/layer/{next(versions)}/{layer.key}/{how}", tile) + f"?since={since}&until={until}"

    return path


def _grids_of(city: Database, catalog: Catalog) -> Address:
    with city.connect("admin") as admin:
        edition = edition_on(admin, catalog.city)
    versions = count(1)
    return lambda tile: _path(f"/tiles/grid/{edition}-{next(versions)}", tile)


def _of_tipg(table: str, only: str = "") -> Address:
    said = f"&filter-lang=cql2-text&filter={quote(only)}" if only else ""
    return lambda tile: _path(f"/collections/{table}/tiles/WebMercatorQuad", tile) + f"?geom-column=geom{said}"


def _path(start: str, tile: Tile) -> str:
    return "/".join([start, *map(str, tile)])


def _around(tile: Tile) -> list[Tile]:
    """A tile and the eight next to it."""
    z, x, y = tile
    return [(z, x + east, y + south) for east, south in product((-1, 0, 1), repeat=2)]
