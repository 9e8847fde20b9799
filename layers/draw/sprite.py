"""The sprite: signs of the map in one picture, drawn from their SVG files, at single and double density."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import resvg_py
from PIL import Image

from layers.draw.overlay import SIGN_PX

DENSITIES = (1, 2)


def make_sprite(icons: Mapping[str, Path], names: Iterable[str], density: int) -> tuple[bytes, bytes]:
    """Draw signs into one PNG; the second answer is the JSON that says where each lies, as MapLibre reads it.

    Raises
    ------
    KeyError
        A name has no file; `etl check` finds that before.
    """
    listed = sorted(set(names))
    side = SIGN_PX * density
    across = max(1, math.ceil(math.sqrt(len(listed))))
    sheet = Image.new("RGBA", (across * side, max(1, math.ceil(len(listed) / across)) * side))
    places: dict[str, Any] = {}
    for number, name in enumerate(listed):
        x, y = number % across * side, number // across * side
        drawn = resvg_py.svg_to_bytes(svg_path=str(icons[name]), width=side, height=side, skip_system_fonts=True)
        sheet.paste(Image.open(io.BytesIO(bytes(drawn))).convert("RGBA"), (x, y))
        places[name] = {"x": x, "y": y, "width": side, "height": side, "pixelRatio": density}
    picture = io.BytesIO()
    sheet.save(picture, "PNG", optimize=True)
    return picture.getvalue(), json.dumps(places, separators=(",", ":")).encode()
