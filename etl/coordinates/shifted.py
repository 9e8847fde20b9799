"""The shifted coordinates of Chinese map software: GCJ-02 and BD-09, there and back within a millimetre.

The published formula is exact one way. The way back is found by Newton's method: the formula is evaluated where the
point would be, and what is missing is divided by how the formula changes there. Two rounds are enough.

All sines of the formula are of multiples of one angle in longitude and one in latitude. A sine with its cosine is a
complex number whose powers have those of the multiples, which is several times faster than asking for each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]
Shift = Callable[[Floats, Floats], tuple[Floats, Floats]]

CHINA = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north of the box in which the published formula shifts; outside it nothing is shifted."""

_KRASOVSKY_A_M = 6378245.0
_KRASOVSKY_E2 = 0.00669342162296594323
_DEGREES_PER_M = 180.0 / np.pi / _KRASOVSKY_A_M
_AT_35 = complex(np.cos(np.radians(35.0)), np.sin(np.radians(35.0)))
_BD_TURN = np.pi * 3000.0 / 180.0
_CLOSE_ENOUGH = 1e-7
_MOST_ROUNDS = 12
_CHUNK = 1 << 14


def to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Shift CGCS2000 or WGS 84 coordinates to GCJ-02, by the published formula; one pair for each pair given."""
    return _in_chunks(_gcj02, lon, lat)


def to_bd09(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Shift CGCS2000 or WGS 84 coordinates to BD-09; one pair for each pair given."""
    return _in_chunks(lambda x, y: _bd09(*_gcj02(x, y)), lon, lat)


def from_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Find the CGCS2000 or WGS 84 coordinates that are shifted here; one pair for each pair given, NaN stays NaN."""
    return _in_chunks(_undo_gcj02, lon, lat)


def from_bd09(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Find the CGCS2000 or WGS 84 coordinates that BD-09 has here; one pair for each pair given, NaN stays NaN."""
    return _in_chunks(lambda x, y: _undo_gcj02(*_undo_bd09(x, y)), lon, lat)


def _in_chunks(convert: Shift, lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Convert piece by piece, so that what lies between stays in the processor's cache."""
    x, y = np.atleast_1d(np.asarray(lon, dtype=np.float64)), np.atleast_1d(np.asarray(lat, dtype=np.float64))
    out_x, out_y = np.empty_like(x), np.empty_like(y)
    for at in range(0, len(x), _CHUNK):
        piece = slice(at, at + _CHUNK)
        out_x[piece], out_y[piece] = convert(x[piece], y[piece])
    return out_x, out_y


def _in_china(lon: Floats, lat: Floats) -> npt.NDArray[np.bool_]:
    west, south, east, north = CHINA
    inside: npt.NDArray[np.bool_] = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return inside


@dataclass(frozen=True)
class _Offset:
    """How far the formula moves points, in degrees, and how that changes with the point itself.

    `lon_by_lat` is left out: it is below 1/5,000, and the second round makes up for it.
    """

    lon: Floats
    lat: Floats
    lon_by_lon: Floats
    lat_by_lon: Floats
    lat_by_lat: Floats


def _offset(lon: Floats, lat: Floats) -> _Offset:
    """The published formula and how it changes."""
    x, y = lon - 105.0, lat - 35.0
    tenth_xy, root = 0.1 * x * y, np.sqrt(np.abs(x))
    above_35 = np.exp(1j * np.radians(y))
    east_waves, east_slope, half_turn = _waves(np.exp(1j * np.pi / 60.0 * x), 150.0, 300.0)
    north_waves, north_slope, _ = _waves(above_35 * above_35 * above_35, 160.0, 320.0)
    double = half_turn * half_turn
    sixfold = double * double * double
    waves = (20.0 / 1.5) * (sixfold.imag + double.imag)
    slope = (20.0 / 1.5 * np.pi) * (6.0 * sixfold.real + 2.0 * double.real)
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + tenth_xy + 0.1 * root + waves + east_waves
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + tenth_xy + 0.2 * root + waves + north_waves
    phi = above_35 * _AT_35
    magic = 1.0 - _KRASOVSKY_E2 * phi.imag * phi.imag
    by_north = _DEGREES_PER_M * np.sqrt(magic)
    by_east = by_north / phi.real
    by_north *= magic / (1.0 - _KRASOVSKY_E2)
    return _Offset(
        east * by_east,
        north * by_north,
        (1.0 + 0.2 * x + 0.1 * y + slope + east_slope) * by_east,
        (2.0 + 0.1 * y + slope) * by_north,
        (3.0 + 0.4 * y + 0.1 * x + north_slope) * by_north,
    )


def _waves(turn: Complexes, twelfth: float, thirtieth: float) -> tuple[Floats, Floats, Complexes]:
    """Add up the sines of one axis; `turn` has cosine and sine of a sixtieth of half a turn for each degree.

    Returns
    -------
    tuple
        Metres; metres for each degree; and `turn` for half a turn for each degree.
    """
    by_30 = turn * turn
    by_12 = by_30 * by_30 * turn
    by_6 = by_12 * by_12
    by_3 = by_6 * by_6
    by_1 = by_3 * by_3 * by_3
    metres = 20.0 * by_1.imag + 40.0 * by_3.imag + twelfth * by_12.imag + thirtieth * by_30.imag
    slope = 20.0 * by_1.real + 40.0 / 3.0 * by_3.real + twelfth / 12.0 * by_12.real + thirtieth / 30.0 * by_30.real
    return metres / 1.5, slope * (np.pi / 1.5), by_1


def _gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    offset, inside = _offset(lon, lat), _in_china(lon, lat)
    return np.where(inside, lon + offset.lon, lon), np.where(inside, lat + offset.lat, lat)


def _undo_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    inside = _in_china(lon, lat)
    if not inside.any():
        return lon, lat
    x, y = lon, lat
    for _ in range(_MOST_ROUNDS):
        offset = _offset(x, y)
        east = np.where(inside, (x + offset.lon - lon) / (1.0 + offset.lon_by_lon), 0.0)
        north = np.where(inside, (y + offset.lat - lat - offset.lat_by_lon * east) / (1.0 + offset.lat_by_lat), 0.0)
        x, y = x - east, y - north
        if max(np.abs(east).max(), np.abs(north).max()) < _CLOSE_ENOUGH:
            break
    return x, y


def _bd09_everywhere(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """The published formula: a little longer from the origin and a little turned; the turn is far below a degree."""
    longer = 1.0 + 0.00002 * np.sin(lat * _BD_TURN) / np.sqrt(lon * lon + lat * lat)
    turned = 0.000003 * np.cos(lon * _BD_TURN)
    cosine = 1.0 - 0.5 * turned * turned
    return longer * (lon * cosine - lat * turned) + 0.0065, longer * (lat * cosine + lon * turned) + 0.006


def _bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    inside = _in_china(lon, lat)
    moved_x, moved_y = _bd09_everywhere(lon, lat)
    return np.where(inside, moved_x, lon), np.where(inside, moved_y, lat)


def _undo_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Guess, shift, take off what is too much; each round leaves about a thousandth of the error before."""
    inside = _in_china(lon, lat)
    x, y = np.where(inside, lon - 0.0065, lon), np.where(inside, lat - 0.006, lat)
    for _ in range(_MOST_ROUNDS if inside.any() else 0):
        there_x, there_y = _bd09_everywhere(x, y)
        east, north = np.where(inside, there_x - lon, 0.0), np.where(inside, there_y - lat, 0.0)
        x, y = x - east, y - north
        if max(np.abs(east).max(), np.abs(north).max()) < _CLOSE_ENOUGH:
            break
    return x, y
