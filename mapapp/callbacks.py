"""The wires between page and handlers: only `async def` callbacks, whose work runs in a thread.

A change of the address is answered by GET (`api/view`), fetched by a callback in the browser, so that a view seen
before costs a few bytes; everything else is an ordinary callback.
"""

from __future__ import annotations

import asyncio
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State

from mapapp import handlers, ids
from mapapp.desk import Desk

SHOWN = (
    Output(ids.SHOWN, "data"),
    Output(ids.MAP_STYLE, "data"),
    Output(ids.MAP_VIEW, "data"),
    Output(ids.INDICATOR, "data"),
    Output(ids.INDICATOR, "value"),
    Output(ids.INDICATOR, "label"),
    Output(ids.PERIOD, "data"),
    Output(ids.PERIOD, "value"),
    Output(ids.PERIOD, "label"),
    Output(ids.SEARCH, "placeholder"),
    Output(ids.FOUND, "children"),
)
"""What a view changes on the page, in the order of `outputs`."""


def register(app: Dash, desk: Desk) -> None:
    """Wire the page of one app to one desk."""

    @app.callback(
        Output(ids.FOUND, "children", allow_duplicate=True),
        Input(ids.SEARCH, "value"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    async def find(sought: str | None, search: str | None) -> Any:
        return await asyncio.to_thread(handlers.find, desk, sought, search)

    in_browser: Any = app.clientside_callback
    in_browser(_script("show"), *SHOWN, Input(ids.URL, "search"))
    in_browser(_script("draw"), Input(ids.MAP_STYLE, "data"), Input(ids.MAP_VIEW, "data"))
    in_browser(_script("pick"), Output(ids.URL, "search"), Input(ids.MAP_PICK, "data"), prevent_initial_call=True)
    for which in (ids.INDICATOR, ids.PERIOD):
        to_address = Output(ids.URL, "search", allow_duplicate=True)
        in_browser(_script("choose"), to_address, Input(which, "value"), prevent_initial_call=True)


def _script(name: str) -> ClientsideFunction:
    """A function of assets/bridge.js."""
    return ClientsideFunction("atlas", name)


def outputs(shown: handlers.Shown) -> list[Any]:
    """Put what a view changes into the order of `SHOWN`; None leaves a part as it is."""
    labels = shown.labels or (None, None, None)
    return [
        shown.before,
        shown.map_style,
        shown.map_view,
        shown.indicators,
        shown.view.indicator,
        labels[0],
        shown.periods,
        str(shown.view.period or ""),
        labels[1],
        labels[2],
        [],
    ]


def panels(shown: handlers.Shown) -> dict[str, Any]:
    """Contents of the panels by id; they hold links and texts only, and the browser puts them up without React."""
    filled = {
        ids.TOP: shown.top,
        ids.PATH: shown.path,
        ids.HEADLINE: shown.headline,
        ids.LAYERS: shown.layers,
        ids.LAYER_DESK: shown.layer_desk,
        ids.RANKING: shown.ranking,
        ids.LEGEND: shown.legend,
        ids.MONTHS: shown.months,
        ids.NOTICE: [],
    }
    return {panel: content for panel, content in filled.items() if content is not None}
