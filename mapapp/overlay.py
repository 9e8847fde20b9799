"""What the map draws over the grids in one view, as MapLibre takes it: sources and layers, the lowest first."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from layers.declare.records import Catalog, Layer
from layers.draw.overlay import blocks, layer_drawing
from layers.periods import read_period
from layers.tables import STATES
from mapapp.drawn import LAST_YEAR, Only
from mapapp.situation import OPEN_STATES, Situation
from mapapp.text import Words
from mapapp.view import View

PITCH = 52
"""Degrees by which the map is tilted while grids stand up."""

HIGHEST = 0.12
"""Height of the highest grid, as a share of how wide the grid around it is."""

METRES_A_DEGREE = 111_320


def overlay(catalog: Catalog, words: Words, situation: Situation, tile_form: str) -> dict[str, Any]:
    """Put together what is drawn over the grids; layers are told the lowest first, as a map adds them."""
    view, sources, drawn = situation.view, dict[str, Any](), list[dict[str, Any]]()
    if view.height is not None:
        drawn.append(blocks(situation.shown, situation.frame, view.opacity("heights") / 100))
    for one in reversed(view.layers):
        layer = catalog.layers[one.key]
        if layer.draw != "point" or (layer.element == "event" and view.period is None):
            continue
        made, layers = layer_drawing(
            layer.key,
            layer.element,
            _tiles(catalog, situation, layer, tile_form),
            colour=layer.colour,
            icon=layer.icon,
            rows_from=None if view.is_counted else layer.zoom_min,
            meshes=layer.meshes,
            heat=one.form == "heat",
            opacity=one.opacity / 100,
        )
        sources |= made
        drawn += layers
    return {
        "sources": sources,
        "layers": drawn,
        "pitch": PITCH if view.height is not None else 0,
        "effects": view.with_effects,
        "said": _said(catalog, words, view),
    }


def edition_of(told: dict[str, Any]) -> str:
    """Digest of what is drawn, by which a page says what it already has."""
    return hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=6).hexdigest()


def days_of(view: View) -> Only:
    """The rows of events a view draws: those of its month, unless it names days."""
    assert view.period is not None
    month = read_period(view.period)
    only, last = view.only, month.past_on - timedelta(days=1)
    since = only.since or min(month.first_on, only.until or last)
    return Only(only.categories, only.states, since, only.until or max(since, last))


def heights(values: pd.Series[float], box: tuple[float, float, float, float]) -> dict[str, Any]:
    """How high each cell stands, one byte each in the order of the cells, and what one of 255 steps is in metres."""
    highest = values.max()
    share = (values / highest if highest and highest > 0 else values * 0).fillna(0).clip(0, 1)
    west, south, east, north = box
    wide = max(east - west, north - south) * METRES_A_DEGREE
    steps = np.round(share.to_numpy(dtype=np.float64) * 255).astype(np.uint8)
    return {"of": base64.b64encode(steps.tobytes()).decode(), "rise": round(wide * HIGHEST / 255, 3)}


def _tiles(catalog: Catalog, situation: Situation, layer: Layer, form: str) -> str:
    """Address of a layer's tiles; where steps of cases change what is in them, each step makes it another address."""
    view, is_event = situation.view, layer.element == "event"
    only = _open_now(view.only) if view.is_current else days_of(view) if is_event else view.only
    categories = tuple(c for c in only.categories if catalog.categories[c].table == layer.element)
    chosen = Only(categories, *((only.states, only.since, only.until) if is_event else ()))
    is_moving = is_event and (bool(only.states) or _is_going_on(only.until, catalog.city.zone))
    version = situation.version + (situation.last_change if is_moving else 0)
    query = urlencode(chosen.said | {"form": form}, safe=",")
    return f"/tiles/layer/{version}/{layer.key}/{{how}}/{{z}}/{{x}}/{{y}}?{query}"


def _open_now(only: Only) -> Only:
    return Only(only.categories, OPEN_STATES, date(1970, 1, 1), date(LAST_YEAR, 12, 31))


def _is_going_on(last: date | None, zone: str) -> bool:
    return last is not None and last >= datetime.now(ZoneInfo(zone)).date()


def _said(catalog: Catalog, words: Words, view: View) -> dict[str, Any]:
    """Words for the card beside the pointer: of the layers that are on, and of the kinds and states of their rows."""
    on = [catalog.layers[one.key] for one in view.layers if catalog.layers[one.key].draw == "point"]
    elements = {one.element for one in on}
    kinds = {key: words.of(one.name) for key, one in catalog.categories.items() if one.table in elements}
    states = {state: words(f"state_{state}") for state in STATES} if "event" in elements else {}
    return {
        "layers": {one.key: words.of(one.name) for one in on},
        "categories": {key: name for key, name in kinds.items() if not catalog.categories[key].sensitive},
        "states": states,
        "together": words("layer_together", n="%s"),
        "zone": catalog.city.zone,
    }
