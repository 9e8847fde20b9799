"""The style of the map: a plain dict that MapLibre takes, and plotly takes as `layout.map.style`.

Nothing here looks anything up. Sizes carry the global state `scale`, so that a wall of 3840 pixels shows the same
picture as a desk; colours of cells come from the feature state `shade`, a number worked out from their classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.codes import LENGTHS
from layers.draw import palette

Style = dict[str, Any]
Filter = list[Any]

FONT = ["Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "sans-serif"]
"""Fonts for labels, drawn by the browser: the style names no glyph server."""

MEDIUM_FROM, SMALL_FROM = 10, 12
"""Zooms from which tiles hold medium and small grids."""

SHADES = 9
"""Shades cells can have; fewer classes are spread over them."""

_NOTHING: Filter = ["==", ["get", "code"], ""]
_EMPTY = {"type": "FeatureCollection", "features": []}
_BAND = {"city": 2.4, "county": 1.8, "large": 1.3, "medium": 0.9, "small": 0.6}


def map_style(tiles: str) -> Style:
    """Make the style of a map that stands on grids only.

    Parameters
    ----------
    tiles
        Address of the grid tiles, with `{z}/{x}/{y}`; whoever draws it has to make it absolute, for a worker fetches
        them.
    """
    return {
        "version": 8,
        "state": {"scale": {"default": 1}},
        "sources": {
            "grid": {"type": "vector", "tiles": [tiles], "minzoom": 6, "maxzoom": 14, "promoteId": {"grid": "code"}},
            "label": {"type": "geojson", "data": _EMPTY},
        },
        "layers": [
            {"id": "ground", "type": "background", "paint": {"background-color": palette.GROUND}},
            _land(),
            _cells(),
            _line("line-far", palette.LINE_FAINT, 1.0),
            _line("line-cell", palette.GROUND, 1.0, opacity=0.75),
            _line("line-near", palette.LINE, 1.8, opacity=0.95),
            _veil(),
            _line("line-glow", palette.LINE_CHOSEN, 9.0, opacity=0.16, blur=8.0),
            _line("line-chosen", palette.LINE_CHOSEN, 1.8, opacity=0.95),
            _line("line-hover", "#ffffff", 2.6),
            _label(),
        ],
    }


def element_layers(
    element: str, tiles: str, colour: str, datasets: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Make source and layers of one element drawn as points: a count where rows are many, single rows further in.

    Parameters
    ----------
    element
        Name of source and layer.
    tiles
        Address of its tiles, as in `map_style`.
    colour
        Colour of counts, and of single rows whose dataset has none of its own.
    datasets
        Colour of single rows by dataset.
    """
    size = ["min", 18, ["*", 2.1, ["^", ["get", "n"], 0.45]]]
    single, scale = ["==", ["get", "n"], 1], ["global-state", "scale"]
    by_dataset: Any = colour
    if datasets:
        pairs = [part for name, own in datasets.items() for part in (name, own)]
        by_dataset = ["match", ["coalesce", ["get", "dataset"], ""], *pairs, colour]
    source = {"type": "vector", "tiles": [tiles], "minzoom": 6, "maxzoom": 15}
    circle = {
        "id": element,
        "type": "circle",
        "source": element,
        "source-layer": element,
        "layout": {"visibility": "none"},
        "paint": {
            "circle-color": by_dataset,
            "circle-radius": ["*", scale, ["case", single, 2.8, ["+", 1.6, size]]],
            "circle-opacity": ["case", single, 0.9, 0.45],
            "circle-stroke-color": ["case", single, palette.HALO, colour],
            "circle-stroke-width": ["*", scale, ["case", single, 0.8, 0.6]],
            "circle-stroke-opacity": 0.9,
        },
    }
    return source, [circle]


def shade_of(classes: NDArray[np.uint8], n: int) -> NDArray[np.uint8]:
    """Turn classes (0 no data, 1 .. n) into shades (0 no data, 1 .. `SHADES`), spread over the whole ramp."""
    if n <= 1:
        spread = np.full(max(n, 0), (SHADES + 1) // 2)
    else:
        spread = 1 + np.round(np.arange(n) * (SHADES - 1) / (n - 1)).astype(int)
    return np.concatenate([[0], spread]).astype(np.uint8)[classes]


def class_colours(n: int) -> list[str]:
    """Colours of the classes 0 (no data), 1 .. n, as the map draws them: for legends and bars."""
    shades = [palette.NO_DATA, *shade_colours()]
    return [shades[shade] for shade in shade_of(np.arange(n + 1, dtype=np.uint8), n)]


def shade_colours() -> list[str]:
    """Colours of the shades 1 .. `SHADES`, low to high."""
    return palette.ramp(SHADES)


def view_filters(frame: str, at: str, shown: str, pick: str) -> dict[str, Filter]:
    """Filters that bring the style to one view.

    Parameters
    ----------
    frame
        Grid whose cells are coloured.
    at
        Grid that is shown; the frame itself, or a small grid in it.
    shown
        Level of the cells.
    pick
        Level a click opens: that of the cells, or one above it.
    """
    inside = ["==", ["slice", ["get", "code"], 0, len(frame)], frame]
    order = list(LENGTHS)
    upper = order[1 : order.index(_level(frame)) + 1]
    return {
        "cell": ["==", ["get", "level"], shown],
        "line-cell": ["all", ["==", ["get", "level"], shown], inside],
        "line-near": ["all", ["==", ["get", "level"], pick], inside] if pick != shown else _NOTHING,
        "line-far": _any_of(upper),
        "veil": ["all", ["==", ["get", "level"], _level(frame)], ["!=", ["get", "code"], frame]],
        "line-glow": ["==", ["get", "code"], at],
        "line-chosen": ["==", ["get", "code"], at],
        "line-hover": ["==", ["get", "level"], pick],
    }


def zoom_floor(shown: str) -> int:
    """Zoom below which the tiles do not hold grids of the level."""
    return {"medium": MEDIUM_FROM, "small": SMALL_FROM}.get(shown, 0)


def _level(code: str) -> str:
    return next(level for level, digits in LENGTHS.items() if digits == len(code))


def _any_of(levels: Sequence[str]) -> Filter:
    return ["in", ["get", "level"], ["literal", list(levels)]]


def _land() -> dict[str, Any]:
    return {
        "id": "land",
        "type": "fill",
        "source": "grid",
        "source-layer": "grid",
        "filter": ["==", ["get", "level"], "city"],
        "paint": {"fill-color": palette.LAND, "fill-antialias": False},
    }


def _cells() -> dict[str, Any]:
    by_shade: list[Any] = ["match", ["coalesce", ["feature-state", "shade"], -1], 0, palette.NO_DATA]
    for number, colour in enumerate(shade_colours(), start=1):
        by_shade += [number, colour]
    by_shade.append("rgba(0,0,0,0)")
    return {
        "id": "cell",
        "type": "fill",
        "source": "grid",
        "source-layer": "grid",
        "filter": ["==", ["get", "level"], "large"],
        "paint": {"fill-color": by_shade, "fill-opacity": 0.94},
    }


def _veil() -> dict[str, Any]:
    """What dims the neighbours of the grid that is shown, and the points in them."""
    return {
        "id": "veil",
        "type": "fill",
        "source": "grid",
        "source-layer": "grid",
        "filter": _NOTHING,
        "paint": {"fill-color": palette.GROUND, "fill-opacity": 0.7, "fill-antialias": False},
    }


def _line(name: str, colour: str, width: float, *, opacity: float = 1.0, blur: float = 0.0) -> dict[str, Any]:
    by_level: list[Any] = ["match", ["get", "level"]]
    for level, band in _BAND.items():
        by_level += [level, band]
    by_level.append(1)
    fixed = name not in ("line-far", "line-near")
    return {
        "id": name,
        "type": "line",
        "source": "grid",
        "source-layer": "grid",
        "filter": _NOTHING,
        "layout": {"line-join": "round", "line-cap": "round"},
        "paint": {
            "line-color": colour,
            "line-opacity": ["case", ["boolean", ["feature-state", "hover"], False], opacity, 0]
            if name == "line-hover"
            else opacity,
            "line-width": ["*", ["global-state", "scale"], width, 1 if fixed else by_level],
            "line-blur": ["*", ["global-state", "scale"], blur],
        },
    }


def _label() -> dict[str, Any]:
    scale: Filter = ["global-state", "scale"]
    return {
        "id": "label",
        "type": "symbol",
        "source": "label",
        "layout": {
            "text-field": [
                "case",
                ["has", "more"],
                ["format", ["get", "name"], {}, "\n", {}, ["get", "more"], {"font-scale": 0.84}],
                ["get", "name"],
            ],
            "text-font": FONT,
            "text-size": ["*", scale, ["coalesce", ["get", "size"], 13]],
            "text-max-width": 9,
            "text-padding": 3,
            "text-letter-spacing": 0.02,
            "symbol-sort-key": ["get", "order"],
        },
        "paint": {
            "text-color": palette.TEXT,
            "text-halo-color": palette.HALO,
            "text-halo-width": ["*", ["global-state", "scale"], 1.5],
        },
    }
