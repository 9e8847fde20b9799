"""The page of the wall: a frame that its own scripts fill. A scenario's page is this one with the scenario chosen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from layers.declare.records import Catalog
from mapapp.text import Words

STOPS_S = 12
"""Seconds the tour stays at a stop."""


@dataclass(frozen=True)
class Versions:
    """Of what the page is made: versions of maplibre-gl and plotly, editions of the wall's own files and the map's."""

    engine: str
    plotly: str
    edition: str
    assets: str


def wall_page(catalog: Catalog, words: Words, versions: Versions, *, is_screen: bool, door: str = "") -> str:
    """Write the page; `is_screen` lets the tour begin by itself, `door` is where it goes when its session has ended."""
    files, own = f"/static/maplibre/{versions.engine}", f"/static/wall/{versions.edition}"
    said = _said(catalog, words, versions) | {"tours": is_screen, "door": door, "page": mark(catalog, words, versions)}
    data = json.dumps(said, ensure_ascii=False).replace("<", "\\u003c")
    language = "zh-CN" if words.language == "zh" else "en"
    other = "/wall?lang=en" if words.language == "zh" else "/wall"

    return "\n".join([_head(words, files, own, language), _body(catalog, words, other), _end(data, own)])


def mark(catalog: Catalog, words: Words, versions: Versions) -> str:
    """Digest of all that an open page was made of: where the server has another, the page is to be loaded anew."""
    made_of = json.dumps([_said(catalog, words, versions), asdict(versions), _body(catalog, words, "")])
    return hashlib.blake2b(made_of.encode(), digest_size=6).hexdigest()


def _said(catalog: Catalog, words: Words, versions: Versions) -> dict[str, Any]:
    """What the scripts are told."""
    own_texts = {key: words.of(text) for key, text in words.texts.items() if key.startswith("wall_")}
    return {
        "lang": words.language,
        "zone": catalog.city.zone,
        "words": {key: one for key, one in own_texts.items() if "{" not in one},
        "scenarios": [
            {"key": one.key, "name": words.of(one.name), "question": words.of(one.question),
             "indicators": one.indicators, "categories": one.categories, "layers": one.layers}
            for one in catalog.scenarios.values()
        ],
        "elements": {one.key: one.element for one in catalog.layers.values()},
        "plotly": f"/static/plotly/{versions.plotly}/plotly.min.js",
        "tour_s": STOPS_S,
        "suffix": {key: own_texts[f"wall_{key}"] for key in ("late_by", "left", "ago", "share", "stale", "trend")},
    }  # fmt: skip


def _head(words: Words, files: str, own: str, language: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark">
<title>{escape(words("wall_title"))}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{files}/maplibre-gl.css">
<link rel="stylesheet" href="/assets/frame.css">
<link rel="stylesheet" href="/assets/panels.css">
<link rel="stylesheet" href="/assets/legend.css">
<link rel="stylesheet" href="/assets/states.css">
<link rel="stylesheet" href="{own}/rows.css">
<link rel="stylesheet" href="{own}/rings.css">
<link rel="stylesheet" href="{own}/strip.css">
<link rel="stylesheet" href="{own}/wall.css">
<link rel="modulepreload" href="{files}/maplibre-gl.mjs" id="engine">
</head>"""


def _body(catalog: Catalog, words: Words, other: str) -> str:
    def text(key: str) -> str:
        return escape(words(key))

    def panel(name: str, title: str, side: str = "") -> str:
        return (
            f'<section id="{name}" class="panel glass" data-state="loading"><h2>{text(title)}<small></small></h2>{side}'
            f'<div class="body"></div>{state}</section>'
        )

    key = f'<span class="bars">{text("wall_reported")}</span><span class="line">{text("wall_closed")}</span>'
    state = f'<p class="state" role="status">{text("wall_loading")}</p>'

    return f"""<body class="wall">
<div id="map" class="map" role="application" aria-label="{text("wall_map")}" tabindex="0"></div>
<div id="pulses" aria-hidden="true"></div>
<div id="hover" class="hover-card glass" role="status"></div>
<div class="no-webgl-note" role="alert"><p>{text("no_webgl")}</p></div>
<div class="no-engine-note" role="alert"><p>{text("no_engine")}</p></div>
<div class="screen">
<header class="top glass">
<div class="brand"><h1>{text("wall_title")}</h1><span>{escape(words.of(catalog.city.name))}</span></div>
<nav id="scenarios" aria-label="{text("wall_scenarios")}"></nav>
<div class="status">
<span id="age" role="status"></span><span id="clock"></span>
<button id="tour" type="button" aria-pressed="false" title="T">{text("wall_tour")}</button>
<button id="full" type="button" title="F">{text("wall_full")}</button>
<a class="language" href="{other}" id="language">{text("other_language")}</a>
</div>
</header>
<div class="side left">
{panel("where", "wall_where", '<nav class="steps" id="path"></nav>')}
{panel("elements", "wall_elements")}
{panel("today", "wall_today")}
</div>
<div class="side right">
{panel("feed", "wall_feed")}
{panel("due", "wall_due")}
{panel("ranking", "wall_ranking")}
</div>
<section class="months glass">
<div id="legend" data-state="loading"><div class="body"></div>{state}</div>
<figure id="hours" data-state="loading"><figcaption>{text("wall_hours")}{key}</figcaption><div></div>{state}</figure>
<figure id="days" data-state="loading"><figcaption>{text("wall_days")}{key}</figcaption><div></div>{state}</figure>
<p class="no-gpu-note" role="status">{text("no_gpu")}</p>
</section>
</div>
<dialog id="search" class="glass" aria-label="{text("wall_search")}">
<input type="search" placeholder="{text("wall_search")}" aria-label="{text("wall_search")}"><div class="found"></div>
</dialog>"""


def _end(data: str, own: str) -> str:
    return f"""<script type="application/json" id="said">{data}</script>
<script type="module" src="{own}/wall.mjs"></script>
</body>
</html>
"""
