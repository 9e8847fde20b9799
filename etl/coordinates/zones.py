"""Gauss-Kruger zones: which zone of CGCS2000 eastings and northings are of, when it is certain.

An easting of eight digits begins with the number of its zone: 13 to 23 for zones of 6 degrees, 25 to 45 for those of
3. One of six digits says nothing, and the zone is certain only when a single one puts the places into the city.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import pyproj

from layers.errors import DeliveryError

Floats = npt.NDArray[np.float64]
IsNear = Callable[[Floats, Floats], npt.NDArray[np.bool_]]

ZONE_UNKNOWN = "CGCS2000-GK"
"""The crs of a delivery whose zone is to be found."""

CERTAIN_SHARE = 0.95
"""At least this share of the pairs has to speak for one zone, and none may speak for another."""

_BY_PREFIX = {
    **{zone: 4491 + zone - 13 for zone in range(13, 24)},
    **{zone: 4513 + zone - 25 for zone in range(25, 46)},
}
"""EPSG codes of the zones with a prefix."""

_BY_MERIDIAN = {meridian: 4534 + (meridian - 75) // 3 for meridian in range(75, 136, 3)}
"""EPSG codes of the zones of 3 degrees without a prefix; those of 6 degrees are every other of them."""


def find_zone(pairs: Iterable[tuple[Floats, Floats]], is_near: IsNear | None) -> str:
    """Find the zone of a file's eastings and northings.

    Parameters
    ----------
    pairs
        Eastings and northings, part by part; NaN where there is none.
    is_near
        Says of longitudes and latitudes whether they are in or near the city; None when no grids are loaded yet.

    Returns
    -------
    str
        `EPSG:n`.

    Raises
    ------
    DeliveryError
        No zone is certain; the remedy names those that may be meant.
    """
    n, prefixes, meridians = 0, dict.fromkeys(_BY_PREFIX, 0), dict.fromkeys(_BY_MERIDIAN, 0)
    n_swapped = 0
    for east, north in pairs:
        there = np.isfinite(east) & np.isfinite(north) & ((east != 0) | (north != 0))
        x, y = east[there], north[there]
        n += len(x)
        for prefix, count in zip(*np.unique(x // 1_000_000, return_counts=True), strict=True):
            if int(prefix) in prefixes:
                prefixes[int(prefix)] += int(count)
        n_swapped += int(((y >= 1e7) & (x < 1e7)).sum())
        bare = x < 1e6
        if is_near is not None and bare.any():
            for meridian, epsg in _BY_MERIDIAN.items():
                meridians[meridian] += int(is_near(*_degrees(epsg, x[bare], y[bare])).sum())
    counts = {f"EPSG:{_BY_PREFIX[zone]}": count for zone, count in prefixes.items() if count}
    counts |= {f"EPSG:{_BY_MERIDIAN[meridian]}": count for meridian, count in meridians.items() if count}
    spoken = {crs: count for crs, count in counts.items() if count > (1 - CERTAIN_SHARE) * n}
    if len(spoken) == 1 and max(spoken.values()) >= CERTAIN_SHARE * n:
        return next(iter(spoken))
    raise _uncertain(n, spoken, n_swapped, is_near is None)


def _degrees(epsg: int, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    lon, lat = pyproj.Transformer.from_crs(epsg, 4490, always_xy=True).transform(x, y)
    return np.where(np.isfinite(lon), lon, np.nan), np.where(np.isfinite(lat), lat, np.nan)


def _uncertain(n: int, spoken: dict[str, int], n_swapped: int, no_grids: bool) -> DeliveryError:
    ask = 'Ask the deliverer for the central meridian, and write the zone as crs = "EPSG:n"'
    if not n:
        return DeliveryError(f"No row has coordinates, so the zone of {ZONE_UNKNOWN} cannot be found.", f"{ask}.")
    if n_swapped >= CERTAIN_SHARE * n:
        return DeliveryError(
            "Eastings and northings are swapped: the numbers of the zone stand in the northings.",
            "Surveyors call the northing X and the easting Y: exchange `lon` and `lat` in [source].",
        )
    if len(spoken) > 1:
        named = ", ".join(f"{crs} ({count:,} of {n:,} rows)" for crs, count in sorted(spoken.items()))
        return DeliveryError(f"Several zones of {ZONE_UNKNOWN} may be meant: {named}.", f"{ask} of one file each.")
    if no_grids:
        why = "the eastings carry no number of the zone, and no grids are loaded that would say where the city lies"
    else:
        why = "under none do the places lie in the city"
    named = ", ".join(f"EPSG:{epsg} ({meridian} degrees east)" for meridian, epsg in _BY_MERIDIAN.items())
    return DeliveryError(f"The zone of {ZONE_UNKNOWN} is not certain: {why}.", f"{ask}, one of {named}.")
