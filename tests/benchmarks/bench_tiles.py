"""Event tiles over a million events: their bytes, what the scope costs, the shelf over HTTP."""

from __future__ import annotations

import http.client
import math
import statistics
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import psycopg

from layers.access import Scope
from layers.database import Database
from layers.declare import read_catalog
from layers.declare.records import Catalog
from layers.tiles import event_tile
from mapapp.packed import pack
from mapapp.situation import datasets_of
from tests.benchmarks import UNTIL, Report, bench_settings, loaded_city, medians_s
from tests.benchmarks.screens import served_apart
from tests.signing import carry_on, sign_in

ZOOMS = (9, 10, 11, 12)


def run(report: Report) -> None:
    """Measure over the full city, at its densest place."""
    catalog, city = read_catalog(bench_settings().catalog_dir), loaded_city()
    spot = densest_spot(city)
    with city.connect("web", autocommit=True) as web, city.connect("admin", autocommit=True) as admin:
        carry_on(web, sign_in(city))
        tiles = [_cut(catalog, web, Scope(catalog.city.code), tile_at(*spot, z))() for z in ZOOMS]
        most = max(len(pack(tile, "br", level=6)) for tile in tiles)
        report("event tile, z9 to z12", f"{most / 1e3:.1f} KB", "<= 40 KB", most <= 40_000)
        _under_scopes(report, catalog, city, admin, spot)
    _over_http(report, city, catalog, spot)


def densest_spot(city: Database) -> tuple[float, float]:
    """Longitude and latitude of the middle of the events of the medium grid that has most of them."""
    with city.connect("admin") as admin:
        spot = admin.execute(
            "select avg(ST_X(geom)), avg(ST_Y(geom)) from ops.event where geom is not null"
            " group by left(grid_code, 12) order by count(*) desc limit 1"
        ).fetchone()
    assert spot is not None
    return spot


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    """Return the tile of a zoom that a place lies in."""
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return z, int((lon + 180) / 360 * 2**z), int(y * 2**z)


def span_of(catalog: Catalog) -> tuple[datetime, datetime]:
    """All three years of the city's events."""
    zone = ZoneInfo(catalog.city.zone)
    return datetime(UNTIL.year - 3, 1, 1, tzinfo=zone), datetime(UNTIL.year, UNTIL.month, UNTIL.day, tzinfo=zone)


def _under_scopes(report: Report, catalog: Catalog, city: Database, admin: Any, spot: tuple[float, float]) -> None:
    """The same function under a session's scope, and for the owner with nothing said of scopes."""
    tile = tile_at(*spot, 12)
    bare = _bare(admin)
    narrow = admin.execute(
        "select code from pub.grid where level = 'large' and ST_Covers(geom, ST_SetSRID(ST_MakePoint(%s, %s), 4490))"
        " order by edition desc limit 1",
        spot,
    ).fetchone()[0]
    for name, code in (("wide", catalog.city.code), ("narrow", narrow)):
        with city.connect("web", autocommit=True) as web:
            carry_on(web, sign_in(city, "leader", code))
            cut = _cut(catalog, web, Scope(code), tile)
            mine, owner = medians_s(cut, lambda: bare(catalog, code, tile), times=15)  # noqa: B023
        figure = f"{mine / owner:.2f} x ({mine * 1e3:.1f} against {owner * 1e3:.1f} ms)"
        report(f"event tile under a {name} scope, beside the owner", figure, "<= 1.3 x", mine <= 1.3 * owner)


def _bare(admin: psycopg.Connection[Any]) -> Callable[[Catalog, str, tuple[int, int, int]], object]:
    """Make the tile's function once more, for the owner, without the question whose session it is."""
    row = admin.execute("select pg_get_functiondef('pub.event_tile'::regproc)").fetchone()
    assert row is not None and "auth.covers(low, high)" in row[0]
    text = row[0].replace("auth.covers(low, high)", "true").replace("FUNCTION pub.event_tile", "FUNCTION pg_temp.bare")
    admin.execute(text.replace(" SECURITY DEFINER", "").encode())

    def cut(catalog: Catalog, code: str, tile: tuple[int, int, int]) -> object:
        scope, (since, until) = Scope(code), span_of(catalog)
        values = [scope.low, scope.high, list(_datasets(catalog)), [], [], since, until, False, *tile]
        return admin.execute("select pg_temp.bare(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)", values).fetchone()

    return cut


def _over_http(report: Report, city: Database, catalog: Catalog, spot: tuple[float, float]) -> None:
    """A tile that nobody asked for before, and the same again from the shelf, over HTTP both."""
    session, layer = sign_in(city), next(one for one in catalog.layers.values() if one.element == "event")
    since, until = (one.date().isoformat() for one in span_of(catalog))
    fresh, kept = [], []
    with served_apart(city) as address:
        line = _line(address)
        for z in (9, 10, 11, 12, 13):
            _, x, y = tile_at(*spot, z)
            path = f"/tiles/layer/1/{layer.key}/counts/{z}/{x}/{y}?since={since}&until={until}"
            for taken in (fresh, kept, kept, kept):
                begun = time.perf_counter()
                line.request("GET", path, headers={"Cookie": f"session={session.token}", "Accept-Encoding": "br"})
                answer = line.getresponse()
                assert answer.read() and answer.status == 200, answer.status
                taken.append(time.perf_counter() - begun)
    first, again = statistics.median(fresh), statistics.median(kept)
    figure = f"{first / again:.0f} x ({again * 1e3:.1f} against {first * 1e3:.0f} ms)"
    report("tile from the shelf, beside a new one, over HTTP", figure, ">= 20 x", first >= 20 * again)


def _line(address: str) -> http.client.HTTPConnection:
    """A connection to a server that has just been started, once it answers."""
    host = urlsplit(address)
    line = http.client.HTTPConnection(str(host.hostname), host.port, timeout=60)
    line.request("GET", "/healthz")
    line.getresponse().read()
    return line


def _cut(catalog: Catalog, web: Any, scope: Scope, tile: tuple[int, int, int]) -> Callable[[], bytes]:
    since, until = span_of(catalog)
    datasets = _datasets(catalog)
    return lambda: event_tile(web, scope, datasets, *tile, since=since, until=until, one_by_one=False)


def _datasets(catalog: Catalog) -> tuple[str, ...]:
    return datasets_of(catalog.datasets.values(), "event")
