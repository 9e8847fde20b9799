"""The wires between page and handlers: only `async def` callbacks, whose work runs in a thread."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from layers.errors import AtlasError
from mapapp import handlers, ids
from mapapp.desk import Desk

log = logging.getLogger(__name__)

_SHOWN = (
    Output(ids.SHOWN, "data"),
    Output(ids.MAP_STYLE, "data"),
    Output(ids.MAP_VIEW, "data"),
    Output(ids.TOP, "children"),
    Output(ids.PATH, "children"),
    Output(ids.HEADLINE, "children"),
    Output(ids.LAYERS, "children"),
    Output(ids.RANKING, "children"),
    Output(ids.LEGEND, "children"),
    Output(ids.MONTHS, "children"),
    Output(ids.INDICATOR, "data"),
    Output(ids.INDICATOR, "value"),
    Output(ids.INDICATOR, "label"),
    Output(ids.PERIOD, "data"),
    Output(ids.PERIOD, "value"),
    Output(ids.PERIOD, "label"),
    Output(ids.SEARCH, "placeholder"),
    Output(ids.FOUND, "children"),
    Output(ids.NOTICE, "children"),
)


def register(app: Dash, desk: Desk) -> None:
    """Wire the page of one app to one desk."""

    @app.callback(*_SHOWN, Input(ids.URL, "search"), State(ids.SHOWN, "data"))
    async def show(search: str | None, before: handlers.ShownBefore | None) -> tuple[Any, ...]:
        try:
            shown = await asyncio.to_thread(handlers.show, desk, search, before)
        except AtlasError as error:
            log.warning("%s", error)
            return (*[no_update] * (len(_SHOWN) - 1), handlers.notice(desk, search, error))
        return _outputs(shown)

    @app.callback(
        Output(ids.FOUND, "children", allow_duplicate=True),
        Input(ids.SEARCH, "value"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    async def find(sought: str | None, search: str | None) -> Any:
        return await asyncio.to_thread(handlers.find, desk, sought, search)

    in_browser: Any = app.clientside_callback
    in_browser(_script("draw"), Input(ids.MAP_STYLE, "data"), Input(ids.MAP_VIEW, "data"))
    in_browser(_script("pick"), Output(ids.URL, "search"), Input(ids.MAP_PICK, "data"), prevent_initial_call=True)
    for which in (ids.INDICATOR, ids.PERIOD):
        to_address = Output(ids.URL, "search", allow_duplicate=True)
        in_browser(_script("choose"), to_address, Input(which, "value"), prevent_initial_call=True)


def _script(name: str) -> ClientsideFunction:
    """A function of assets/bridge.js."""
    return ClientsideFunction("atlas", name)


def _outputs(shown: handlers.Shown) -> tuple[Any, ...]:
    labels = shown.labels or (None, None, None)
    view = shown.view
    parts: tuple[Any, ...] = (
        shown.before,
        shown.map_style,
        shown.map_view,
        shown.top,
        shown.path,
        shown.headline,
        shown.layers,
        shown.ranking,
        shown.legend,
        shown.months,
        shown.indicators,
        view.indicator,
        labels[0],
        shown.periods,
        str(view.period or ""),
        labels[1],
        labels[2],
        [],
        [],
    )
    return tuple(no_update if part is None else part for part in parts)
