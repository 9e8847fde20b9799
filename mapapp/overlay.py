"""What the map draws over the grids in one view, as MapLibre takes it: sources and layers, the lowest first."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd

from layers.declare.records import Catalog
from layers.draw.overlay import blocks, layer_drawing
from layers.periods import read_period
from layers.tables import STATES
from mapapp.drawn import Only
from mapapp.situation import Situation
from mapapp.text import Words
from mapapp.view import View

PITCH = 52
"""Degrees by which the map is tilted while grids stand up."""

HIGHEST = 0.12
"""Height of the highest grid, as a share of how wide the grid around it is."""

METRES_A_DEGREE = 111_320


def overlay(catalog: Catalog, words: Words, situation: Situation) -> dict[str, Any]:
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
            _tiles(catalog, situation.version, view, layer.key),
            colour=layer.colour,
            icon=layer.icon,
            rows_from=None if view.is_counted else layer.zoom_min,
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


def _tiles(catalog: Catalog, version: int, view: View, key: str) -> str:
    layer = catalog.layers[key]
    only = days_of(view) if layer.element == "event" else view.only
    categories = tuple(c for c in only.categories if catalog.categories[c].table == layer.element)
    is_event = layer.element == "event"
    chosen = Only(categories, *((only.states, only.since, only.until) if is_event else ()))
    query = urlencode(chosen.said, safe=",")
    return f"/tiles/layer/{version}/{key}/{{how}}/{{z}}/{{x}}/{{y}}" + (f"?{query}" if query else "")


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
