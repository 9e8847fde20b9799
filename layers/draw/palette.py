"""The colours of the map, one table for screen, report and notebook.

The ramp rises in lightness from first to last and keeps blue against yellow, so that it is read in the same order by
readers with any of the common colour vision deficiencies, and in grey; a test holds it to that. Red is for alarms only.
"""

from __future__ import annotations

from collections.abc import Sequence

GROUND = "#06121f"
LAND = "#0c2136"
LINE = "#a9d4ee"
LINE_FAINT = "#1d3f5a"
LINE_CHOSEN = "#f4fbff"
TEXT = "#eaf6ff"
HALO = "#04101c"
NO_DATA = "#2a3440"
MARK = "#ffffff"
"""What was looked for, over every class of the ramp and every layer."""

RAMP = ("#123a63", "#17588a", "#1f7fa8", "#35aab0", "#8ed1a0", "#fde58a")
"""Six classes, low to high."""

ELEMENTS = {
    "event": "#ff8a5c",
    "place": "#c8a6ff",
    "thing": "#9fb6c9",
    "organisation": "#7fd0ff",
    "person": "#ffffff",
}
"""Colour of each element where its layer names none."""

CASES = {"late": "#ff6b6b", "soon": "#fde58a", "open": "#4fd0e0", "done": "#6b8aa3"}
"""Colour of a case by how it stands to its time limit."""


def ramp(n: int, colours: Sequence[str] = RAMP) -> list[str]:
    """Take `n` colours from the ramp, first and last included, mixed where there are more classes than colours."""
    if n <= 0:
        return []
    if n == 1:
        return [colours[len(colours) // 2]]
    stops = [_rgb(colour) for colour in colours]
    taken = []
    for at in range(n):
        place = at * (len(stops) - 1) / (n - 1)
        low = min(int(place), len(stops) - 2)
        part = place - low
        mixed = [round(a + (b - a) * part) for a, b in zip(stops[low], stops[low + 1], strict=True)]
        taken.append("#" + "".join(f"{channel:02x}" for channel in mixed))
    return taken


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
