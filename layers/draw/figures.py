"""Plotly figures that draw the same map without a server: for notebooks, reports and tests. No request leaves."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
import shapely

from layers.classes import classes
from layers.declare.records import Indicator
from layers.draw import palette
from layers.draw.style import class_colours
from layers.errors import AtlasError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

FINENESS = 2000
"""Steps across the picture that shapes are drawn in."""


def heatmap(
    grids: gpd.GeoDataFrame,
    indicator: Indicator | None = None,
    *,
    value: str = "value",
    title: str = "",
    language: str = "zh",
    height: int = 640,
) -> go.Figure:
    """Draw grids coloured by a value; a shape is a row.

    Parameters
    ----------
    grids
        Columns grid_code, name, the value, and the geometry, EPSG:4490 or 4326, as `atlas.indicator` gives them.
    indicator
        Its classes colour the map and its name and unit are said; five quantiles without it.
    value
        Column that is drawn.
    title
        Heading; the indicator's name when left out.
    language
        `zh` or `en`.
    height
        Pixels.

    Returns
    -------
    Figure with one trace for each class, so that the legend names the classes; it asks no other host for anything.

    Raises
    ------
    AtlasError
        There are no grids, or no such column.
    """
    if value not in grids.columns or not len(grids):
        raise AtlasError(f"There is nothing to draw: no grids with a column {value!r}.", "Give it atlas.indicator(..).")
    said = indicator or _quantiles()
    breaks, found = classes(grids[value].astype("float64"), said)
    names, drawn = _class_names(breaks, said.digits, language), _drawn(grids)
    unit = f" ({said.unit.said(language)})" if indicator else ""
    figure = go.Figure(layout=_layout(grids, title or (said.name.said(language) + unit), height))
    for one, colour in enumerate(class_colours(len(breaks) + 1)):
        rows = grids[found == one]
        if not len(rows):
            continue
        figure.add_choroplethmap(
            geojson=_geojson(rows["grid_code"], drawn[found == one]),
            locations=rows["grid_code"],
            z=np.zeros(len(rows)),
            colorscale=[[0, colour], [1, colour]],
            showscale=False,
            showlegend=True,
            name=names[one],
            text=rows["name"] if "name" in rows else rows["grid_code"],
            customdata=rows[[value]],
            hovertemplate=f"%{{text}}<br>%{{customdata[0]:,.{said.digits}f}}{unit}<extra>%{{location}}</extra>",
            marker={"line": {"color": palette.GROUND, "width": 0.8}, "opacity": 0.95},
        )
    return figure


def _layout(grids: gpd.GeoDataFrame, title: str, height: int) -> dict[str, Any]:
    """Lay out the figure around its map, centre and zoom given: a picture left to find them may go elsewhere."""
    west, south, east, north = grids.total_bounds
    return {
        "title": title,
        "height": height,
        "margin": {"l": 0, "r": 0, "t": 48, "b": 0},
        "paper_bgcolor": palette.GROUND,
        "font": {"color": palette.TEXT},
        "legend": {"bgcolor": "rgba(9,26,44,0.86)", "traceorder": "reversed"},
        "map": {
            "style": _ground(west, south),
            "center": {"lon": (west + east) / 2, "lat": (south + north) / 2},
            "zoom": _zoom(west, south, east, north, height),
        },
    }


def _drawn(grids: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Simplify shapes, borders still shared, to what a screen shows: a city of small grids would weigh 30 MB."""
    west, _, east, _ = grids.total_bounds
    drawn: NDArray[np.object_] = shapely.coverage_simplify(grids.geometry.to_numpy(), (east - west) / FINENESS)
    return drawn


def _geojson(codes: Iterable[str], shapes: NDArray[np.object_]) -> dict[str, Any]:
    rounded = shapely.transform(shapes, lambda coordinates: coordinates.round(5))
    features = [
        {"type": "Feature", "id": code, "properties": {}, "geometry": json.loads(shape)}
        for code, shape in zip(codes, shapely.to_geojson(rounded), strict=True)
    ]
    return {"type": "FeatureCollection", "features": features}


def _ground(west: float, south: float) -> dict[str, Any]:
    """A style without a request; plotly drops an empty table of sources, so it has one."""
    point = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [west, south]}}
    return {
        "version": 8,
        "sources": {"none": {"type": "geojson", "data": {"type": "FeatureCollection", "features": [point]}}},
        "layers": [{"id": "ground", "type": "background", "paint": {"background-color": palette.GROUND}}],
    }


def _zoom(west: float, south: float, east: float, north: float, height: int) -> float:
    """Zoom at which the box fits into a figure of the usual width."""
    wide = 360 * 900 / 512 / max(east - west, 1e-6)
    high = 360 * math.cos(math.radians((south + north) / 2)) * height / 512 / max(north - south, 1e-6)
    return float(np.clip(np.log2(min(wide, high)) - 0.2, 1, 16))


def _class_names(breaks: np.ndarray[Any, Any], digits: int, language: str) -> list[str]:
    none = "无数据" if language == "zh" else "No data"
    if not len(breaks):
        return [none, "全部" if language == "zh" else "all"]
    marks = [f"{mark:,.{digits}f}" for mark in breaks]
    between = [f"{low} – {high}" for low, high in pairwise(marks)]
    return [none, f"< {marks[0]}", *between, f"≥ {marks[-1]}"]


def _quantiles() -> Indicator:
    from layers.declare.records import Count, Text

    nothing = Text("", "")
    return Indicator(
        key="", name=nothing, unit=nothing, formula="count", count=Count(()), of=None, period="now", factor=1, digits=1,
        better="neither", classes="quantile", n_classes=5,
    )  # fmt: skip
