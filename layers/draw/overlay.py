"""What is drawn over the coloured grids: circles and signs of a layer, a heat surface, and grids that stand up.

Far out a layer is counts by mesh, drawn as circles; from its own zoom on it is single rows, each a disc with its sign.
What costs most on a machine without a graphics card carries `metadata.needs`, and what is drawn there in its place
`metadata.instead`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from layers.declare.records import MESHES
from layers.draw import palette
from layers.draw.style import FONT, cell_colours

COUNTS_TO = 13
"""Deepest zoom of tiles that hold counts."""

ROWS_TO = 15
"""Deepest zoom of tiles that hold single rows; further in the same are drawn larger."""

WIDEST = 360
"""Radius of the widest circle, in pixels times the meshes along a tile: half as wide again as a mesh far out."""

SIGN_PX = 32
"""Pixels of a sign in the sprite, at single density."""

NEEDS: Mapping[str, str] = {"needs": "graphics card"}
INSTEAD: Mapping[str, str] = {"instead": "graphics card"}

Drawing = dict[str, Any]

_SCALE = ["global-state", "scale"]


def layer_drawing(
    layer: str,
    element: str,
    tiles: str,
    *,
    colour: str,
    icon: str,
    rows_from: float | None,
    meshes: int,
    heat: bool,
    opacity: float,
) -> tuple[dict[str, Drawing], list[Drawing]]:
    """Make sources and layers of one layer of points, the lowest first.

    Parameters
    ----------
    layer
        Its key; sources and layers are called after it.
    element
        Its element, the name of the layer in the tiles.
    tiles
        Address of its tiles, with `{how}`, which is `rows` or as `counted` says, and `{z}/{x}/{y}`.
    colour, icon
        Of the layer; the icon is one of the sprite.
    rows_from
        Zoom from which rows stand one by one; None where they never do.
    meshes
        Along each side of a tile of counts: where they are wider, circles may be. A surface takes the usual ones.
    heat
        A surface that glows where many are, instead of circles.
    opacity
        From 0 to 1.
    """
    first = COUNTS_TO + 1 if rows_from is None else max(0, math.ceil(rows_from))
    counts, rows = f"layer-{layer}-counts", f"layer-{layer}-rows"
    sources, drawn = dict[str, Drawing](), list[Drawing]()

    def add(source: str, kind: str, type_: str, **rest: Any) -> None:
        made = {"id": f"layer-{layer}-{kind}", "type": type_, "source": source, "source-layer": element, **rest}
        drawn.append(made)

    if first > 0:
        meshes = MESHES if heat else meshes
        sources[counts] = _source(tiles.replace("{how}", counted(meshes)), 6, min(first - 1, COUNTS_TO))
        below = {} if rows_from is None else {"maxzoom": first}
        paint = _circles(colour, opacity, meshes)
        if heat:
            add(counts, "heat", "heatmap", paint=_heat(colour, opacity), metadata=dict(NEEDS), **below)
            add(counts, "circles", "circle", paint=paint, metadata=dict(INSTEAD), **below)
        else:
            add(counts, "circles", "circle", paint=paint, **below)
    if rows_from is not None:
        sources[rows] = _source(tiles.replace("{how}", "rows"), first, max(first, ROWS_TO))
        add(rows, "discs", "circle", paint=_discs(colour, opacity, first), minzoom=first)
        layout = _sign(icon)
        add(rows, "signs", "symbol", layout=layout, paint=_sign_paint(opacity), minzoom=min(first + 1, 22))
    return sources, drawn


def counted(meshes: int) -> str:
    """Say in the address of a tile by how many meshes along each side it counts."""
    return "counts" if meshes == MESHES else f"counts-{meshes}"


def blocks(level: str, frame: str, opacity: float = 1.0) -> Drawing:
    """Make the layer of the grids of a level in a frame that stand up.

    Their height is the feature state `height`, 0 to 255, times the global state `rise` in metres.
    """
    height = ["*", ["coalesce", ["feature-state", "height"], 0], ["global-state", "rise"]]
    return {
        "id": "blocks",
        "type": "fill-extrusion",
        "source": "grid",
        "source-layer": level,
        "filter": ["==", ["slice", ["get", "code"], 0, len(frame)], frame],
        "metadata": dict(NEEDS),
        "paint": {
            "fill-extrusion-color": cell_colours("rgba(0,0,0,0)"),
            "fill-extrusion-height": height,
            "fill-extrusion-opacity": 0.88 * opacity,
            "fill-extrusion-vertical-gradient": True,
        },
    }


def _source(tiles: str, first: int, last: int) -> Drawing:
    return {"type": "vector", "tiles": [tiles], "minzoom": min(first, last), "maxzoom": last}


def _circles(colour: str, opacity: float, meshes: int) -> Drawing:
    """Circles that grow with how many there are; one alone is a dot."""
    single = ["==", ["get", "n"], 1]
    size = ["min", round(WIDEST / meshes, 1), ["*", 2.1, ["^", ["get", "n"], 0.45]]]
    return {
        "circle-color": colour,
        "circle-radius": ["*", _SCALE, ["case", single, 2.8, ["+", 1.6, size]]],
        "circle-opacity": ["case", single, 0.9 * opacity, 0.45 * opacity],
        "circle-stroke-color": ["case", single, palette.HALO, colour],
        "circle-stroke-width": ["*", _SCALE, ["case", single, 0.8, 0.6]],
        "circle-stroke-opacity": 0.9 * opacity,
    }


def _heat(colour: str, opacity: float) -> Drawing:
    """A surface of one hue that grows brighter; its radius is a mesh of the tiles, so that meshes run together."""
    glow = [0, "rgba(0,0,0,0)", 0.12, _faded(colour, 0.25), 0.5, _faded(colour, 0.8), 1, palette.RAMP[-1]]
    return {
        "heatmap-weight": ["min", 1, ["/", ["^", ["get", "n"], 0.6], 7]],
        "heatmap-intensity": ["interpolate", ["linear"], ["zoom"], 8, 0.9, COUNTS_TO, 1.8],
        "heatmap-radius": ["interpolate", ["linear"], ["zoom"], 8, ["*", _SCALE, 26], COUNTS_TO, ["*", _SCALE, 38]],
        "heatmap-color": ["interpolate", ["linear"], ["heatmap-density"], *glow],
        "heatmap-opacity": 0.9 * opacity,
    }


def _discs(colour: str, opacity: float, first: int) -> Drawing:
    """A dot where rows begin to stand one by one, grown to a disc for the sign one zoom further in."""
    growing = ["interpolate", ["linear"], ["zoom"], first, ["*", _SCALE, 3.2], first + 1, ["*", _SCALE, 9]]
    return {
        "circle-color": colour,
        "circle-radius": growing,
        "circle-opacity": 0.95 * opacity,
        "circle-stroke-color": palette.HALO,
        "circle-stroke-width": ["*", _SCALE, 1],
        "circle-stroke-opacity": opacity,
    }


def _sign(icon: str) -> Drawing:
    """The sign on its disc, and further in the name below it where there is room."""
    return {
        "icon-image": icon,
        "icon-size": ["*", _SCALE, 14 / SIGN_PX],
        "icon-overlap": "always",
        "icon-ignore-placement": True,
        "text-field": ["step", ["zoom"], "", 15, ["coalesce", ["get", "name"], ""]],
        "text-font": FONT,
        "text-size": ["*", _SCALE, 12],
        "text-offset": [0, 1.05],
        "text-anchor": "top",
        "text-optional": True,
        "text-max-width": 8,
    }


def _sign_paint(opacity: float) -> Drawing:
    return {
        "icon-opacity": opacity,
        "text-color": palette.TEXT,
        "text-halo-color": palette.HALO,
        "text-halo-width": ["*", _SCALE, 1.4],
        "text-opacity": opacity,
    }


def _faded(colour: str, share: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"
