"""Looks of the map: its style in other colours, for a light page, another ramp, or changes instead of values.

A look only says what each colour of `palette` becomes, so that no second style has to be kept. Every ramp goes one way
in lightness for all common kinds of colour vision, as a test holds it to; changes go from blue over grey to ochre,
which they all tell apart too. On a light page the ramps run from light to dark.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layers.draw import palette
from layers.draw.style import SHADES, class_colours, shade_colours

THEMES = ("light", "dark")

RAMPS: Mapping[str, tuple[str, ...]] = {
    "sea": palette.RAMP,
    "earth": ("#3b1f0b", "#6d3a12", "#a05c1c", "#c98a3c", "#e5bd7c", "#f7ead0"),
    "cividis": ("#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838"),
    "plum": ("#2b0b45", "#56197a", "#8a3a8f", "#bd6f9c", "#e2a9b6", "#fae3dc"),
}
"""Ramps to choose from, each from dark to light."""

CHANGE: Mapping[str, tuple[str, ...]] = {
    "light": ("#1d5b9c", "#6a9fce", "#bcd4e8", "#e9e9e6", "#ecd2a4", "#d39a42", "#8f5902"),
    "dark": ("#7fbdf2", "#4683b8", "#284f73", "#39424b", "#7a5a24", "#b98a35", "#f3c469"),
}
"""Less than before, as much, more."""

_LIGHT: Mapping[str, str] = {
    palette.GROUND: "#f3f5f7",
    palette.LAND: "#e4e9ed",
    palette.LINE: "#31566f",
    palette.LINE_FAINT: "#9fb3c1",
    palette.LINE_CHOSEN: "#0a2233",
    palette.TEXT: "#12232f",
    palette.HALO: "#ffffff",
    palette.NO_DATA: "#c9cfd4",
    "#ffffff": "#0a2233",
}


def colours(theme: str, ramp: str, *, is_change: bool = False) -> dict[str, str]:
    """What each colour of the palette becomes in a theme, with a ramp, for values or for changes."""
    stops = CHANGE[theme] if is_change else RAMPS[ramp] if theme == "dark" else RAMPS[ramp][::-1]
    shades = dict(zip(shade_colours(), palette.ramp(SHADES, stops), strict=True))
    if theme == "light":
        return shades | dict(_LIGHT)
    return shades | ({palette.NO_DATA: "#101a24"} if is_change else {})


def dressed(style: Any, becomes: Mapping[str, str]) -> Any:
    """Make a style in other colours; the given one stays as it is."""
    if isinstance(style, str):
        return becomes.get(style, style)
    if isinstance(style, Mapping):
        return {key: dressed(value, becomes) for key, value in style.items()}
    if isinstance(style, list | tuple):
        return [dressed(one, becomes) for one in style]
    return style


def legend_colours(n: int, becomes: Mapping[str, str]) -> list[str]:
    """Colours of the classes 0 (no data), 1 .. n, as a map in that look draws them."""
    return [becomes.get(colour, colour) for colour in class_colours(n)]
