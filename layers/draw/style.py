"""The style of the map: a plain dict that MapLibre takes, and plotly takes as `layout.map.style`.

Nothing here looks anything up. Sizes carry the global state `scale`, so that a wall of 3840 pixels shows the same
picture as a desk; colours of cells come from the feature state `shade`, a number worked out from their classes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.codes import LENGTHS, level_of
from layers.draw import palette

Style = dict[str, Any]

FONT = ["Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "sans-serif"]
"""Fonts for labels, drawn by the browser: the style names no glyph server."""

MEDIUM_FROM, SMALL_FROM = 10, 12
"""Zooms from which tiles hold medium and small grids."""

SHADES = 9
"""Shades cells can have; fewer classes are spread over them."""

_SCALE = ["global-state", "scale"]
_EMPTY = {"type": "FeatureCollection", "features": []}
_BAND = {"county": 2.2, "large": 1.1, "medium": 1.0, "small": 0.9}


def map_style(tiles: str) -> Style:
    """Make the style of a map that stands on grids only.

    Layers of one level share their geometry, and nothing but paint and feature states changes from view to view: no
    tile is ever cut into buckets twice. `cell-LEVEL` is coloured by the feature state `shade` (large grids without
    one are the land), `line-LEVEL` drawn by `near` and `cell`, `veil-LEVEL` by `veil`, `top-LEVEL` by `chosen` and
    `hover`. Areas are of the source `grid`, lines of `border`, which has the same tiles: a state that changes writes
    all vertices of its source anew, and lines have ten times those of areas.

    Parameters
    ----------
    tiles
        Address of the grid tiles, with `{z}/{x}/{y}`; whoever draws it has to make it absolute, for a worker fetches
        them.
    """
    levels = list(LENGTHS)
    return {
        "version": 8,
        "state": {"scale": {"default": 1}, "rise": {"default": 0}},
        "transition": {"duration": 0},  # a view is there at once: what fades is drawn again and again
        "sources": {
            "grid": _source(tiles),
            "border": _source(tiles),
            "label": {"type": "geojson", "data": _EMPTY},
        },
        "layers": [
            {"id": "ground", "type": "background", "paint": {"background-color": palette.GROUND}},
            *(_cells(level) for level in levels[1:]),
            *(_lines(level) for level in reversed(levels[1:])),
            *(_veil(level) for level in levels[1:-1]),
            *(_top(level) for level in levels),
            _label(),
        ],
    }


def shade_of(classes: NDArray[np.uint8], n: int) -> NDArray[np.uint8]:
    """Turn classes (0 no data, 1 .. n) into shades (0 no data, 1 .. `SHADES`), spread over the whole ramp."""
    if n <= 1:
        spread = np.full(max(n, 0), (SHADES + 1) // 2)
    else:
        spread = 1 + np.round(np.arange(n) * (SHADES - 1) / (n - 1)).astype(int)
    return np.concatenate([[0], spread]).astype(np.uint8)[classes]


def written_shades(shades: NDArray[np.uint8]) -> str:
    """Write shades as a digit each, which packs to a third of a byte or so."""
    return bytes((shades + ord("0")).astype(np.uint8)).decode()


def class_colours(n: int) -> list[str]:
    """Colours of the classes 0 (no data), 1 .. n, as the map draws them: for legends and bars."""
    shades = [palette.NO_DATA, *shade_colours()]
    return [shades[shade] for shade in shade_of(np.arange(n + 1, dtype=np.uint8), n)]


def shade_colours() -> list[str]:
    """Colours of the shades 1 .. `SHADES`, low to high."""
    return palette.ramp(SHADES)


def cell_colours(without: str) -> list[Any]:
    """Colour of a cell by its feature state `shade`; `without` one where it has none."""
    by_shade: list[Any] = ["match", ["coalesce", ["feature-state", "shade"], -1], 0, palette.NO_DATA]
    for number, colour in enumerate(shade_colours(), start=1):
        by_shade += [number, colour]
    return [*by_shade, without]


def view_paint(
    frame: str,
    at: str,
    shown: str,
    pick: str,
    *,
    dim: bool = True,
    hidden: Collection[str] = (),
    opacity: Callable[[Any], float] = lambda part: 1.0,
) -> dict[str, float]:
    """Opacity of every layer of the grids in one view; layers of 0 cost nothing.

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
    dim
        Whether there are points around the frame to dim.
    hidden
        What the reader does not want to see of it: `colours`, `borders`, `labels`.
    opacity
        Opacity of each of these three, from 0 to 1.
    """
    levels = list(LENGTHS)
    up_to = levels.index(level_of(frame))
    on: dict[str, float] = {
        "cell-large": 1,
        f"cell-{shown}": opacity("colours"),
        f"line-{shown}": opacity("borders"),
        f"line-{pick}": opacity("borders"),
        f"top-{level_of(at)}": 1,
        f"top-{pick}": 1,
    }
    on |= {f"line-{level}": opacity("borders") for level in levels[1 : up_to + 1]}
    if dim:
        on |= {f"veil-{level}": 0.7 for level in levels[1 : up_to + 1]}
    names = [f"{kind}-{level}" for kind in ("cell", "line") for level in levels[1:]]
    names += [f"veil-{level}" for level in levels[1:-1]] + [f"top-{level}" for level in levels]
    if "colours" in hidden:
        on[f"cell-{shown}"] = 0.15  # still there to be clicked
    if "borders" in hidden:
        on |= {name: 0 for name in on if name.startswith("line-")}
    return {name: on.get(name, 0) for name in names} | {"label": 0 if "labels" in hidden else opacity("labels")}


def zoom_floor(shown: str) -> int:
    """Zoom below which the tiles do not hold grids of the level."""
    return {"medium": MEDIUM_FROM, "small": SMALL_FROM}.get(shown, 0)


def _source(tiles: str) -> dict[str, Any]:
    return {"type": "vector", "tiles": [tiles], "minzoom": 6, "maxzoom": 14}


def _fill(name: str, level: str, paint: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "type": "fill",
        "source": "grid",
        "source-layer": level,
        "paint": paint,
    }


def _cells(level: str) -> dict[str, Any]:
    by_shade = cell_colours(palette.LAND if level == "large" else "rgba(0,0,0,0)")
    return _fill(f"cell-{level}", level, {"fill-color": by_shade, "fill-opacity": 0, "fill-antialias": False})


def _veil(level: str) -> dict[str, Any]:
    """What dims the neighbours of the grid that is shown, and the points in them."""
    colour = ["case", _state("veil"), palette.GROUND, "rgba(0,0,0,0)"]
    return _fill(f"veil-{level}", level, {"fill-color": colour, "fill-opacity": 0, "fill-antialias": False})


def _line(name: str, level: str, paint: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "type": "line",
        "source": "border",
        "source-layer": level,
        "paint": paint,
    }


def _lines(level: str) -> dict[str, Any]:
    """Borders: between cells dark, of the grids a click opens bright, of all others of the upper levels faint.

    A line that is not to be seen has no width: one without colour is filled all the same, which without a graphics
    card costs as much as one that is seen.
    """
    is_seen_far = level in ("county", "large")
    far = palette.LINE_FAINT if is_seen_far else "rgba(0,0,0,0)"
    colour = ["case", _state("near"), palette.LINE, _state("cell"), palette.GROUND, far]
    width = ["*", _SCALE, _BAND[level]]
    if not is_seen_far:
        width = ["case", _state("near"), width, _state("cell"), width, 0]
    return _line(f"line-{level}", level, {"line-color": colour, "line-width": width, "line-opacity": 0})


def _top(level: str) -> dict[str, Any]:
    """Outline of the grid that is shown, and of the one under the pointer."""
    colour = ["case", _state("hover"), "#ffffff", _state("chosen"), palette.LINE_CHOSEN, "rgba(0,0,0,0)"]
    seen = ["*", _SCALE, 2.4]
    width = ["case", _state("hover"), seen, _state("chosen"), seen, 0]
    return _line(f"top-{level}", level, {"line-color": colour, "line-width": width, "line-opacity": 0})


def _state(name: str) -> list[Any]:
    return ["boolean", ["feature-state", name], False]


def _label() -> dict[str, Any]:
    scale = _SCALE
    return {
        "id": "label",
        "type": "symbol",
        "source": "label",
        "layout": {
            "text-field": [
                "case",
                ["has", "more"],
                ["format", ["get", "name"], {}, "\n", {}, ["get", "more"], {"font-scale": ["get", "small"]}],
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
