"""Coordinates of every kind a department delivers, turned into CGCS2000 longitude and latitude, once, at the door.

| crs         | what it is                                                       | how it is converted               |
|-------------|------------------------------------------------------------------|-----------------------------------|
| `EPSG:4490` | CGCS2000 longitude and latitude                                  | taken as it is                    |
| `EPSG:4326` | WGS 84 longitude and latitude, equal to it within centimetres    | taken as it is                    |
| `EPSG:n`    | any other, such as the Gauss-Kruger zones EPSG:4491 to EPSG:4554 | PROJ, never by a guess (ballpark) |
| `GCJ-02`    | the shifted coordinates of Amap, Tencent and most phone software | published formula, backwards      |
| `BD-09`     | those of Baidu, shifted once more                                | likewise, to GCJ-02 and then on   |

Beijing 1954 and Xi'an 1980 are refused: without the county's own parameters they would be off by up to 100 m unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from pyproj.exceptions import CRSError, ProjError

from layers.errors import DeliveryError

Floats = npt.NDArray[np.float64]
Shift = Callable[[Floats, Floats], tuple[Floats, Floats]]

SHIFTED = ("GCJ-02", "BD-09")
"""Shifted coordinates, which have no EPSG code."""

TAKEN_AS_IS = ("EPSG:4490", "EPSG:4326")
"""Longitude and latitude that need no conversion; the two agree within centimetres, by decision they are equal."""

CHINA = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north of the box in which the published formula shifts; outside it nothing is shifted."""

_KRASOVSKY_A_M = 6378245.0
_KRASOVSKY_E2 = 0.00669342162296594323
_BD_TURN = np.pi * 3000.0 / 180.0
_CLOSE_ENOUGH = 1e-7
_MOST_ROUNDS = 12
_CHUNK = 1 << 15
_SAME_AS_OURS = ("World Geodetic System 1984", "China 2000", "China Geodetic Coordinate System 2000")
_NEEDS_PARAMETERS = ("Beijing 1954", "New Beijing", "Xian 1980", "Xi'an 1980")


def to_cgcs2000(lon: npt.ArrayLike, lat: npt.ArrayLike, crs: str) -> tuple[Floats, Floats]:
    """Convert coordinates to CGCS2000 longitude and latitude; one pair for each pair given.

    Parameters
    ----------
    lon, lat
        Longitude and latitude in degrees or, for a projected system, easting and northing in metres.
    crs
        `EPSG:n`, `GCJ-02` or `BD-09`.

    Returns
    -------
    tuple
        Longitude and latitude in degrees, EPSG:4490; NaN where a pair was missing or cannot be converted.

    Raises
    ------
    DeliveryError
        The system is unknown, or needs parameters that only the county has.
    """
    x, y = np.atleast_1d(np.asarray(lon, dtype=np.float64)), np.atleast_1d(np.asarray(lat, dtype=np.float64))
    if crs in TAKEN_AS_IS:
        return _both_or_none(x, y)
    if crs == "GCJ-02":
        return _both_or_none(*_in_chunks(_from_gcj02, x, y))
    if crs == "BD-09":
        return _both_or_none(*_in_chunks(lambda a, b: _from_gcj02(*_from_bd09(a, b)), x, y))
    return _both_or_none(*_transformer(crs).transform(x, y))


def to_cgcs2000_geometries(geometries: npt.ArrayLike, crs: str) -> npt.NDArray[np.object_]:
    """Convert shapely geometries to CGCS2000; one geometry for each given, heights dropped, None stays None.

    A geometry of which a corner cannot be converted becomes empty, so that the check of geometries finds it.

    Raises
    ------
    DeliveryError
        As for `to_cgcs2000`.
    """
    check_crs(crs)
    shapes = np.array(shapely.force_2d(np.asarray(geometries, dtype=object)), dtype=object)
    xy, of = shapely.get_coordinates(shapes, return_index=True)
    converted = np.column_stack(to_cgcs2000(xy[:, 0], xy[:, 1], crs))
    lost = np.unique(of[np.isnan(converted).any(axis=1)])
    shapes[lost] = shapely.GeometryCollection()
    kept = ~np.isin(of, lost)
    result: npt.NDArray[np.object_] = shapely.set_coordinates(shapes, converted[kept])
    return result


def to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Shift CGCS2000 or WGS 84 coordinates to GCJ-02, by the published formula; one pair for each pair given."""
    x, y = np.atleast_1d(np.asarray(lon, dtype=np.float64)), np.atleast_1d(np.asarray(lat, dtype=np.float64))
    return _in_chunks(_gcj02, x, y)


def to_bd09(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Shift CGCS2000 or WGS 84 coordinates to BD-09; one pair for each pair given."""
    x, y = to_gcj02(lon, lat)
    return _in_chunks(_bd09, x, y)


def check_crs(crs: str) -> None:
    """Check that coordinates of this system can be converted.

    Raises
    ------
    DeliveryError
        The system is unknown, or needs parameters that only the county has.
    """
    if crs not in TAKEN_AS_IS and crs not in SHIFTED:
        _transformer(crs)


def _transformer(crs: str) -> pyproj.Transformer:
    try:
        known = pyproj.CRS.from_user_input(crs) if crs.startswith("EPSG:") else None
    except CRSError:
        known = None
    base = known.geodetic_crs if known else None
    if known is None or base is None:
        raise DeliveryError(
            f"The coordinate system {crs!r} is not known.",
            'Write crs = "EPSG:n" with the number from the deliverer\'s papers, or GCJ-02 (Amap, Tencent) or BD-09.',
        )
    datum = base.datum.name if base.datum else base.name
    if any(name in datum or name in base.name for name in _NEEDS_PARAMETERS):
        raise DeliveryError(
            f"{crs} ({known.name}) lies on an old datum, which cannot be converted without the county's parameters.",
            "Ask the natural resources department for the file in CGCS2000 (EPSG:4490 to 4554), which they must keep.",
        )
    ours = any(name in datum for name in _SAME_AS_OURS)
    try:
        return pyproj.Transformer.from_crs(known, base if ours else "EPSG:4326", always_xy=True, allow_ballpark=False)
    except ProjError as error:
        raise DeliveryError(
            f"There is no exact way from {crs} ({known.name}) to CGCS2000 on this machine.",
            "Ask the deliverer for WGS 84 (EPSG:4326) or CGCS2000 (EPSG:4490).",
        ) from error


def _both_or_none(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    fine = np.isfinite(x) & np.isfinite(y)
    return (x, y) if fine.all() else (np.where(fine, x, np.nan), np.where(fine, y, np.nan))


def _in_chunks(convert: Shift, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Convert piece by piece, so that what lies between stays in the processor's cache."""
    out_x, out_y = np.empty_like(x), np.empty_like(y)
    for at in range(0, len(x), _CHUNK):
        piece = slice(at, at + _CHUNK)
        out_x[piece], out_y[piece] = convert(x[piece], y[piece])
    return out_x, out_y


def _in_china(lon: Floats, lat: Floats) -> npt.NDArray[np.bool_]:
    west, south, east, north = CHINA
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def _gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    moved_x, moved_y = _gcj02_everywhere(lon, lat)
    inside = _in_china(lon, lat)
    return np.where(inside, moved_x, lon), np.where(inside, moved_y, lat)


def _gcj02_everywhere(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """The published formula; sines of multiples of an angle are made from the sine and cosine of that angle."""
    x, y = lon - 105.0, lat - 35.0
    sine_x, sine_y = np.sin(np.pi * x), np.sin(np.pi * y)
    double = 2.0 * sine_x * np.cos(np.pi * x)
    waves = (20.0 / 1.5) * (4.0 * double - 4.0 * double * double * double)
    root, xy = np.sqrt(np.abs(x)), x * y
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * xy + 0.2 * root + waves
    d_lat += (20.0 * sine_y + 40.0 * np.sin(np.pi / 3.0 * y)) / 1.5
    d_lat += (160.0 * np.sin(np.pi / 12.0 * y) + 320.0 * np.sin(np.pi / 30.0 * y)) / 1.5
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * xy + 0.1 * root + waves
    d_lon += (20.0 * sine_x + 40.0 * np.sin(np.pi / 3.0 * x)) / 1.5
    d_lon += (150.0 * np.sin(np.pi / 12.0 * x) + 300.0 * np.sin(np.pi / 30.0 * x)) / 1.5
    phi = np.radians(lat)
    sine = np.sin(phi)
    magic = 1.0 - _KRASOVSKY_E2 * sine * sine
    root_magic = np.sqrt(magic)
    d_lat *= (180.0 / np.pi / _KRASOVSKY_A_M / (1.0 - _KRASOVSKY_E2)) * magic * root_magic
    d_lon *= (180.0 / np.pi / _KRASOVSKY_A_M) * root_magic / np.cos(phi)
    return lon + d_lon, lat + d_lat


def _bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    moved_x, moved_y = _bd09_everywhere(lon, lat)
    inside = _in_china(lon, lat)
    return np.where(inside, moved_x, lon), np.where(inside, moved_y, lat)


def _bd09_everywhere(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_TURN)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _from_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    return _undo(_gcj02_everywhere, lon, lat)


def _from_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    return _undo(_bd09_everywhere, lon, lat)


def _undo(shift: Shift, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Find the point that `shift` moves here: guess, shift, correct the guess by what is missing.

    Each round leaves less than a hundredth of the error of the one before, so that once a correction is below a
    centimetre (`_CLOSE_ENOUGH` degrees) what remains is below a tenth of a millimetre.
    """
    x, y = lon, lat
    inside = _in_china(lon, lat)
    if not inside.any():
        return x, y
    for _ in range(_MOST_ROUNDS):
        there_x, there_y = shift(x, y)
        off_x, off_y = np.where(inside, there_x - lon, 0.0), np.where(inside, there_y - lat, 0.0)
        x, y = x - off_x, y - off_y
        if max(np.abs(off_x).max(), np.abs(off_y).max()) < _CLOSE_ENOUGH:
            break
    return x, y
