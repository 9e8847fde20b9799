"""Another number on all small grids of the city: bytes until the map is painted and the main thread, beside plotly.

plotly is given the shapes of the grids as they are, since it has the same ones at every zoom and a reader may go up to
any; how it fares with shapes made for this one zoom, as tiles are, is told as well.
"""

from __future__ import annotations

import statistics
from typing import Any, cast

import shapely
from dash import Dash, Input, Output, Patch, dcc
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from playwright.sync_api import Page

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.declare import read_catalog
from layers.grids import read_grids
from layers.indicators import values
from mapapp.app import create_app
from mapapp.porter import make_porter
from tests.benchmarks import Report, bench_settings, loaded_city
from tests.benchmarks.bench_screen import Counted, busy_s, opened, served
from tests.chromium import open_chromium
from tests.signing import sign_in

PERIOD = 202603
INDICATORS = ("events_reported", "events_per_km2")
TIMES = 5
SHAPES = {"shapes as they are": 0.0, "shapes of this zoom alone": 0.0005}
"""What plotly draws, and how far from the grids it may lie, in degrees: the tiles of this zoom are about as simple."""
SETTLE_MS = 1_500
"""Rest of a page that has come to the front, the same for both: what waking costs is no part of a change."""
# Both wait until the map rests, which it tells by itself: to look again and again would be work of its own.
GO = """(to) => new Promise((done) => {
  window.addEventListener("atlas-drawn", ({ detail: { map } }) => map.once("idle", () => done()), { once: true });
  history.pushState(null, "", to);
  window.dispatchEvent(new PopStateEvent("popstate"));
})"""
DRAWN = "() => window.__map && window.__map.idle && document.documentElement.classList.contains('drawn')"

STYLE = {
    "version": 8,
    "sources": {"none": {"type": "geojson", "data": {"type": "Point", "coordinates": [0, 0]}}},
    "layers": [],
}
"""Of plotly's map: one source at least, since plotly drops an empty list of them at the first change."""
READY_PEER = "() => document.querySelector('.js-plotly-plot')?._fullLayout?.map?._subplot?.map?.loaded()"
# The change of plotly's page is over once it has plotted.
CHANGE = """async (which) => {
  const host = document.querySelector(".js-plotly-plot");
  const plotted = new Promise((done) => host.once("plotly_afterplot", done));
  dash_clientside.set_props("which", { data: which });
  await plotted;
  const map = host._fullLayout.map._subplot.map;
  await new Promise((done) => { map.once("idle", done); map.triggerRepaint(); });
}"""


def run(report: Report) -> None:
    """Measure beside both forms of plotly's page."""
    city = loaded_city()
    catalog = read_catalog(bench_settings().catalog_dir)
    atlas = Atlas(catalog, city, "web", Scope(catalog.city.code))
    session = sign_in(city)
    ours = Counted(create_app(atlas, make_porter(atlas, bench_settings(), is_demo=True)))
    n_cells = len(read_cells(atlas, city)[0])
    name = f"another number on {n_cells:,} cells"
    took: dict[str, tuple[float, float]] = {}
    with served(ours) as address:
        for shapes, tolerance in SHAPES.items():
            mine, peers = take_turns(ours, address, peer(atlas, city, tolerance), session)
            took[shapes] = statistics.median(busy for busy, _ in mine), statistics.median(peers)
    n_bytes = int(statistics.median(first for _, first in mine))
    report(f"{name}, bytes until painted", f"{n_bytes / 1e3:.1f} KB", "< 3 KB", n_bytes < 3_000)
    figures = [
        f"{main / theirs:.2f} x plotly with {shapes} ({main * 1e3:.0f} against {theirs * 1e3:.0f} ms)"
        for shapes, (main, theirs) in took.items()
    ]
    main, theirs = took["shapes as they are"]
    report(f"{name}, main thread", "; ".join(figures), "<= 0.1 x with shapes as they are", main <= 0.1 * theirs)


def take_turns(
    ours: Counted, address: str, theirs: FastAPI, session: str
) -> tuple[list[tuple[float, int]], list[float]]:
    """Change the number on one page after the other: our seconds and bytes, plotly's seconds."""
    mine: list[tuple[float, int]] = []
    peers: list[float] = []
    with served(theirs) as other, open_chromium() as browser:
        at = f"{address}/explore?level=small&period={PERIOD}&indicator={INDICATORS[0]}"
        with (
            opened(browser, at, session, DRAWN) as (page, tools),
            opened(browser, other, session, READY_PEER) as (plot, its_tools),
        ):
            for n in range(1, TIMES + 1):
                mine.append(change(page, tools, ours, INDICATORS[n % 2]))
                plot.bring_to_front()
                plot.wait_for_timeout(SETTLE_MS)
                busy = busy_s(its_tools)
                plot.evaluate(CHANGE, n % 2)
                peers.append(busy_s(its_tools) - busy)
    return mine, peers


def change(page: Page, tools: Any, server: Counted, indicator: str) -> tuple[float, int]:
    """Go to another indicator; give what the main thread did until the map was painted, and the bytes that took.

    Lists follow the colours in an answer of their own, which plotly's page has not: it comes when the map is painted.
    """
    page.bring_to_front()
    page.wait_for_timeout(SETTLE_MS)
    busy = busy_s(tools)
    server.sent.clear()
    server.holds = "/api/explore/rest"
    page.evaluate(GO, f"?level=small&period={PERIOD}&indicator={indicator}")
    took = busy_s(tools) - busy
    server.holds = ""
    n_bytes = sum(n for path, n in server.sent if path == "/api/explore")
    page.wait_for_function(DRAWN)
    return took, n_bytes


def peer(atlas: Atlas, city: Database, tolerance: float) -> FastAPI:
    """A page of Dash on which plotly draws the same cells: their shapes by address, the numbers as a patch."""
    server = FastAPI()
    geojson, z = read_cells(atlas, city, tolerance)[1:]

    @server.get("/cells.json")
    async def cells() -> JSONResponse:
        return JSONResponse(geojson)

    codes = [one["id"] for one in geojson["features"]]
    trace = {"type": "choroplethmap", "geojson": "/cells.json", "locations": codes, "z": z[0]}
    seen = {"style": STYLE, "center": {"lon": 115.6, "lat": 22.8}, "zoom": 9}
    layout = {"margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "map": seen}
    app = Dash("peer", server=cast(Any, server), compress=False)
    app.layout = [
        dcc.Store(id="which"),
        dcc.Graph(id="map", figure={"data": [trace], "layout": layout}, style={"height": "100vh"}),
    ]

    @app.callback(Output("map", "figure"), Input("which", "data"), prevent_initial_call=True)
    async def change(which: int) -> Patch:
        patch = Patch()
        patch["data"][0]["z"] = z[which]
        return patch

    cast(Any, app)._setup_server()
    return server


def read_cells(atlas: Atlas, city: Database, tolerance: float = 0.0) -> tuple[list[str], Any, list[list[float]]]:
    """Codes of the small grids, their shapes within some degrees, and the two numbers of each."""
    with city.connect("web") as connection:
        row = connection.execute("select edition from pub.edition where closed_on is null").fetchone()
        assert row is not None
        grids = read_grids(connection, row[0], "small", atlas.scope.code).set_index("code")
        found = [
            values(connection, atlas.catalog, one, atlas.scope, level="small", period=PERIOD) for one in INDICATORS
        ]
    shapes = grids.geometry.to_numpy()
    if tolerance:
        shapes = shapely.coverage_simplify(shapes, tolerance)
    z = [one.set_index("grid_code")["value"].astype(float).reindex(grids.index).fillna(0).tolist() for one in found]
    features = [
        {"type": "Feature", "id": code, "properties": {}, "geometry": shape.__geo_interface__}
        for code, shape in zip(grids.index, shapes, strict=True)
    ]
    return grids.index.tolist(), {"type": "FeatureCollection", "features": features}, z
