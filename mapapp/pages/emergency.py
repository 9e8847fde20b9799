"""The shell of `/command`: map, tools and answer, which a script fills."""

from __future__ import annotations

from html import escape
from typing import Any

from mapapp.casework import records
from mapapp.desk import Desk
from mapapp.emergency import RADIUS_M
from mapapp.pages.casework import map_style, shell
from mapapp.text import Words

KINDS = ("circle", "shape", "grids")
RADII = (300, 500, 1000, 2000, 5000)
"""Radii offered at one click."""


def emergency_page(desk: Desk, words: Words, engine: str) -> str:
    """Write the page of the emergency command."""
    said = {
        key: escape(words(key)) for key in words.texts if key.startswith("near_") and "{" not in words.texts[key].zh
    }
    kinds = "".join(
        f'<button role="tab" data-kind="{kind}" aria-selected="false" aria-controls="by-{kind}">{said[f"near_{kind}"]}'
        "</button>"
        for kind in KINDS
    )
    radii = "".join(f'<button type="button" data-r="{one}">{_metres(words, one)}</button>' for one in RADII)
    body = f"""
<main class="command">
<div id="map" role="application" aria-label="{said["near_map"]}"></div>
<div class="map-notes"><p id="map-state" role="status">{said["near_map_loading"]}</p>
<p class="no-gpu-note">{escape(words("no_gpu"))}</p>
<p class="no-webgl-note" role="alert">{escape(words("no_webgl"))}</p>
<p class="no-engine-note" role="alert">{escape(words("no_engine"))}</p></div>
<section class="tools glass" aria-label="{said["near_how"]}">
<div class="search"><input id="sought" type="search" placeholder="{said["near_search"]}" autocomplete="off"
 aria-label="{said["near_search"]}" role="combobox" aria-expanded="false" aria-controls="hits">
<div id="hits" role="listbox" aria-label="{said["near_search"]}"></div></div>
<div class="kinds" role="tablist" aria-label="{said["near_how"]}">{kinds}</div>
<form id="by-circle" class="by"><p class="hint">{said["near_circle_help"]}</p>
<div class="radii">{radii}</div>
<label>{said["near_radius"]}<input id="r" type="number" min="50" max="20000" step="50" value="{RADIUS_M:.0f}"></label>
<div class="pair"><label>{said["near_lon"]}<input id="lon" type="number" step="any" min="-180" max="180"></label>
<label>{said["near_lat"]}<input id="lat" type="number" step="any" min="-85" max="85"></label></div>
<button class="first">{said["near_go"]}</button></form>
<div id="by-shape" class="by" hidden><p class="hint">{said["near_shape_help"]}</p><p id="corners" role="status"></p>
<div class="row"><button id="finish" class="first">{said["near_finish"]}</button><button id="undo">{said["near_undo"]}
</button></div></div>
<div id="by-grids" class="by" hidden><p class="hint">{said["near_grids_help"]}</p><ul id="chips"></ul></div>
<div class="row ends"><button id="sheet-button" disabled>{said["near_sheet"]}</button>
<button id="link" disabled>{said["near_link"]}</button><button id="clear">{said["near_clear"]}</button></div>
</section>
<section class="key glass" aria-label="{said["near_legend"]}"><ul id="legend"></ul><div id="scale"
 aria-label="{said["near_scale"]}"><i></i><span></span></div><p id="base"></p></section>
<article id="answer" class="glass" tabindex="-1" aria-live="polite"><p class="empty">{said["near_empty"]}</p></article>
</main>
<div id="sheet" lang="{words.language}"></div>"""
    emergency = desk.catalog.emergency
    more = {
        "style": map_style(desk, words), "engine": engine, "towns": _towns(desk),
        "protected": list(emergency.protected), "resources": list(emergency.resources),
        "city": words.of(desk.catalog.city.name), "title": words("title"),
        "notice": words.of(desk.catalog.city.notice) if desk.catalog.city.notice else "",
    }  # fmt: skip
    return shell(desk, words, "/command", body, more, ("emergency.mjs",), engine, ("emergency.css", "sheet.css"))


def _towns(desk: Desk) -> list[dict[str, Any]]:
    """Names of the large grids and where they stand on the map, while no smaller ones are named."""
    with desk.connection() as connection:
        grids = desk.gazetteer(connection).grids
    return records(grids.loc[grids["level"] == "large", ["name", "lon", "lat"]].round(5))


def _metres(words: Words, n: int) -> str:
    return escape(words("near_km", n=n // 1000) if n >= 1000 else words("near_m", n=n))
