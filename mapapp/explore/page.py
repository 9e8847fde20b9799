"""The frame of the explore page: everything that is there once; its script asks for the rest and fills it in."""

from __future__ import annotations

from html import escape

from mapapp.text import Words

PANELS = ("bar", "choosers", "path", "headline", "legend", "ranking", "exports", "notice")
"""Panels that an answer fills, by id."""

SAID_FIRST = {"loading": "shows_loading", "failed": "shows_failed", "again": "try_again", "unheard": "unheard"}
"""What the script says before any answer has told it more."""


def explore_page(words: Words, theme: str, engine: str, charts: str) -> str:
    """Write the page; `engine` and `charts` are the addresses of the map engine and of plotly.

    Neither is fetched ahead: on a slow network figures come first, the map after them, and charts last.
    """
    language = "zh-CN" if words.language == "zh" else "en"
    loading = f'<p class="state">{escape(words("shows_loading"))}</p>'
    busy = 'data-shows="loading" aria-busy="true"'
    said = {key: escape(words(key)) for key in ("search", "map_label", "time", "play", "multiples", "trend", "close")}
    return f"""<!DOCTYPE html>
<html lang="{language}" data-theme="{theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(words("explore_title"))}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{engine}/maplibre-gl.css">
<link rel="stylesheet" href="/assets/explore.css">
<link rel="engine" href="{engine}/maplibre-gl.mjs" id="engine">
</head>
<body data-charts="{charts}" {_said_first(words)}>
<header id="bar"><h1>{escape(words("explore_title"))}</h1></header>
<div id="notice" class="notice" role="alert"></div>
<section id="choosers" class="panel" aria-live="off" {busy}>{loading}</section>
<main>
<section id="where" class="panel where-panel" {busy}>{loading}
<nav id="path"></nav>
<div id="headline" aria-live="polite"></div>
<div class="search"><input id="search" type="search" placeholder="{said["search"]}" aria-label="{said["search"]}"
autocomplete="off"><div id="found" class="found" role="status"></div></div>
<div id="legend"></div>
</section>
<section id="mapped" class="panel map-panel" {busy}>{loading}
<div id="map" class="map" tabindex="0" role="application" aria-label="{said["map_label"]}"></div>
<p class="no-gpu-note">{escape(words("no_gpu"))}</p>
<p class="no-webgl-note" role="alert">{escape(words("no_webgl"))}</p>
<p class="no-engine-note" role="alert">{escape(words("no_engine"))}</p>
</section>
<section id="ranking" class="panel" {busy}>{loading}</section>
<section id="time" class="panel time-panel" aria-label="{said["time"]}" {busy}>{loading}
<button id="play" type="button" aria-pressed="false">{said["play"]}</button>
<input id="slider" type="range" min="0" max="0" value="0" aria-label="{said["time"]}">
<output id="slid" for="slider"></output>
</section>
<section class="panel multiples-panel"><h2 id="multiples-title">{said["multiples"]}</h2>
<div id="multiples" class="multiples" {busy}>{loading}</div></section>
<section class="panel trend-panel"><h2 id="trend-title">{said["trend"]}</h2>
<div id="trend" {busy}>{loading}</div></section>
<section id="exports" class="panel" {busy}>{loading}</section>
</main>
<div id="hover" class="hover-card" role="status"></div><p id="point-keys" hidden></p>
<div id="reading" class="reading" popover="manual" aria-hidden="true"></div>
<dialog id="behind" aria-labelledby="rows"><form method="dialog"><button id="close">{said["close"]}</button></form>
<div id="rows" aria-live="polite"></div></dialog>
<script src="/assets/elements.js"></script>
<script type="module" src="/assets/explore.mjs"></script>
</body>
</html>
"""


def _said_first(words: Words) -> str:
    return " ".join(f'data-{kind}="{escape(words(key))}"' for kind, key in SAID_FIRST.items())
