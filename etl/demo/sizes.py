"""How big a sample city is: one record for each size."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Number of grids at each level, area, and how many people and events are made when nothing else is said."""

    key: str
    n_county: int
    n_large: int
    n_medium: int
    n_small: int
    area_km2: float
    people: int
    events: int


SIZES: dict[str, Size] = {
    "small": Size("small", 1, 6, 60, 300, 400.0, 20_000, 20_000),
    "full": Size("full", 4, 56, 868, 4_555, 5_100.0, 200_000, 300_000),
}
"""The sizes that can be built: `small` for tests, `full` for the demonstration."""
