"""The wires between page and handlers: only `async def` callbacks, whose work runs in a thread.

A change of the address is no callback: the browser asks for its view by GET (`api/view`), so that one seen before
costs a few bytes, and puts it up without React. Dash is told what its own parts show.
"""

from __future__ import annotations

import asyncio
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output

from mapapp import handlers, ids
from mapapp.desk import Desk


def register(app: Dash, desk: Desk) -> None:
    """Wire the page of one app to one desk."""

    @app.callback(Output(ids.FOUND, "children"), Input(ids.SOUGHT, "data"), prevent_initial_call=True)
    async def find(search: str | None) -> Any:
        return await asyncio.to_thread(handlers.find, desk, search)

    in_browser: Any = app.clientside_callback
    in_browser(_script("begin"), Input(ids.MAP, "id"))
    in_browser(_script("seek"), Output(ids.SOUGHT, "data"), Input(ids.SEARCH, "value"), prevent_initial_call=True)
    for which in (ids.INDICATOR, ids.PERIOD):
        in_browser(_script("choose"), Input(which, "value"), prevent_initial_call=True)
        chosen = Input(which, "value"), Input(which, "data")
        in_browser(_script("name"), Output(which, "leftSection"), *chosen, prevent_initial_call=True)


def _script(name: str) -> ClientsideFunction:
    """A function of assets/bridge.js."""
    return ClientsideFunction("atlas", name)


def parts(shown: handlers.Shown) -> list[Any]:
    """What the browser remembers of a view, the style of the map, None where it stays, and the view itself."""
    return [shown.before, shown.map_style, shown.map_view]


def fields(shown: handlers.Shown) -> dict[str, dict[str, Any]]:
    """What the fields that Dash holds show, by id; what stays is left out."""
    label, period, search = shown.labels or (None, None, None)
    told: dict[str, dict[str, Any]] = {
        ids.INDICATOR: {"value": shown.view.indicator, "data": shown.indicators, "label": label},
        ids.PERIOD: {"value": str(shown.view.period or ""), "data": shown.periods, "label": period},
        ids.SEARCH: {"placeholder": search},
    }
    return {one: {name: part for name, part in props.items() if part is not None} for one, props in told.items()}


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
