"""The signs of the map: SVG files of 32 by 32, ours and those a city keeps in `icons/` beside its declarations."""

from __future__ import annotations

from pathlib import Path

HOUSE = Path(__file__).with_name("icons")
"""Our own signs."""


def icons_in(folder: Path) -> dict[str, Path]:
    """Give the file of every sign a folder of declarations can name, by its name; its own go before ours."""
    files = [*HOUSE.glob("*.svg"), *(folder / "icons").glob("*.svg")]
    return {path.stem: path for path in sorted(files, key=lambda path: (path.parent != HOUSE, path.stem))}
