"""What marks one place on the map: a ring around it, with its name."""

from __future__ import annotations

from typing import Any

from layers.draw import palette
from layers.draw.style import FONT

RING_PX = 15
"""Radius of the ring, clear of the sign of a row."""


def mark_drawing(name: str, point: tuple[float, float]) -> dict[str, Any]:
    """Make the source of a mark at (lon, lat) and its layers, the lowest first, which lie over everything else."""
    scale = ["global-state", "scale"]
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [round(edge, 6) for edge in point]},
        "properties": {"name": name},
    }

    def ring(id: str, colour: str, width: float) -> dict[str, Any]:
        paint = {
            "circle-radius": ["*", scale, RING_PX], "circle-opacity": 0,
            "circle-stroke-color": colour, "circle-stroke-width": ["*", scale, width],
        }  # fmt: skip
        return {"id": id, "type": "circle", "source": "mark", "paint": paint}

    title = {
        "id": "mark-name", "type": "symbol", "source": "mark",
        "layout": {
            "text-field": ["get", "name"], "text-font": FONT, "text-size": ["*", scale, 15],
            "text-anchor": "top", "text-offset": [0, 1.3], "text-max-width": 12,
            "text-allow-overlap": True, "text-ignore-placement": True,
        },
        "paint": {
            "text-color": palette.MARK, "text-halo-color": palette.HALO, "text-halo-width": ["*", scale, 2],
        },
    }  # fmt: skip
    layers = [ring("mark-edge", palette.HALO, 6), ring("mark-ring", palette.MARK, 3), title]
    return {"source": {"type": "geojson", "data": feature}, "layers": layers}
