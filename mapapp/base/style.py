"""How a base map lies in the style of a map: its picture under the grids, names of places above them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mapapp.base.base import Base

SEEN_THROUGH = 0.55
"""Opacity of what is filled with colour while a base map lies under it."""

_COLOURS = (
    (("water", "ocean", "river", "sea"), "#0c3550"),
    (("wood", "forest", "park", "green", "landuse", "landcover"), "#0d2b2c"),
    (("building",), "#1a3350"),
    (("road", "transport", "street", "rail", "highway"), "#3d6480"),
)
"""Colours of vector tiles by what the names of their layers speak of; all else is quiet."""
_QUIET = "#14304a"


def with_base(style: Mapping[str, Any], base: Base, attribution: str, failing: str = "") -> dict[str, Any]:
    """Put a base map into a style; without one the style stays as it is. `failing` is said while its host is silent."""
    if not base.said:
        return dict(style)
    low, high = base.zooms
    kind = "vector" if base.vector_layers else "raster"
    sources = {
        f"base-{name}": {"type": kind, "tiles": [f"/base/{name}/{{z}}/{{x}}/{{y}}"], "minzoom": low, "maxzoom": high}
        | ({} if kind == "vector" else {"tileSize": 256})
        for name in base.names
    }
    under, *above = base.names
    layers = list(style["layers"])
    ground = next((at for at, one in enumerate(layers) if one["type"] == "background"), -1) + 1
    layers[ground:ground] = _vectors(base) if kind == "vector" else [_raster(under)]
    names = next((at for at, one in enumerate(layers) if one["id"] in ("veil-county", "small")), len(layers))
    layers[names:names] = [_raster(name) for name in above]
    layers = [_thin(one) if one["id"] == "land" else one for one in layers]
    told = {**style.get("metadata", {}), "attribution": attribution, "failing": failing}
    return {**style, "sources": {**style.get("sources", {}), **sources}, "layers": layers, "metadata": told}


def seen_through(paint: Mapping[str, float], base: Base) -> dict[str, float]:
    """Opacities of a view, cells lighter where a base map lies under them."""
    return {
        name: value * SEEN_THROUGH if base.said and name.startswith("cell-") else value for name, value in paint.items()
    }


def _thin(layer: Mapping[str, Any]) -> dict[str, Any]:
    return {**layer, "paint": {**layer["paint"], "fill-opacity": SEEN_THROUGH}}


def _raster(name: str) -> dict[str, Any]:
    return {"id": f"base-{name}", "type": "raster", "source": f"base-{name}", "paint": {"raster-fade-duration": 0}}


def _vectors(base: Base) -> list[dict[str, Any]]:
    """A fill and a line for each layer of vector tiles, whatever their scheme."""
    drawn: list[dict[str, Any]] = []
    for layer in base.vector_layers:
        colour = next((shade for words, shade in _COLOURS if any(word in layer.lower() for word in words)), _QUIET)
        common = {"source": "base-file", "source-layer": layer}
        polygons, lines = ["==", ["geometry-type"], "Polygon"], ["==", ["geometry-type"], "LineString"]
        drawn += [
            {"id": f"base-fill-{layer}", "type": "fill", **common, "filter": polygons,
             "paint": {"fill-color": colour, "fill-opacity": 0.8, "fill-antialias": False}},
            {"id": f"base-line-{layer}", "type": "line", **common, "filter": lines,
             "paint": {"line-color": colour, "line-width": ["interpolate", ["linear"], ["zoom"], 10, 0.6, 16, 3]}},
        ]  # fmt: skip
    return drawn
