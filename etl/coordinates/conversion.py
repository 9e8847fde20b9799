"""The way from one coordinate system to CGCS2000, with what it is called and how exact it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from pyproj.exceptions import CRSError, ProjError
from pyproj.transformer import TransformerGroup

from etl.coordinates.datums import datum_steps
from etl.coordinates.shifted import from_bd09, from_gcj02
from etl.coordinates.zones import ZONE_UNKNOWN
from layers.declare.records import Datum
from layers.errors import DeliveryError

Floats = npt.NDArray[np.float64]
Step = Callable[[Floats, Floats], tuple[Floats, Floats]]

TAKEN_AS_IS = ("EPSG:4490", "EPSG:4326")
"""Longitude and latitude that need no conversion; the two agree within centimetres, by decision they are equal."""

_SHIFTED: dict[str, tuple[str, Step]] = {
    "GCJ-02": ("GCJ-02 by the published formula, backwards", from_gcj02),
    "BD-09": ("BD-09 by the published formula, backwards", from_bd09),
}
_SAME_AS_OURS = ("World Geodetic System 1984", "China 2000", "China Geodetic Coordinate System 2000")
_NEEDS_PARAMETERS = ("Beijing 1954", "New Beijing", "Xian 1980", "Xi'an 1980")


@dataclass(frozen=True)
class Conversion:
    """A way to CGCS2000 longitude and latitude: step by step, with its name and its accuracy (None: not known).

    `version` changes with whatever changes the outcome, so that rows are placed anew.
    """

    crs: str
    operation: str
    accuracy_m: float | None
    steps: tuple[Step, ...]
    datum: Datum | None = None

    @property
    def version(self) -> int:
        """A number of 64 bits made from the system and the parameters; 0 for coordinates taken as they are."""
        made_from = repr((self.crs, self.datum)).encode()
        return int.from_bytes(blake2b(made_from, digest_size=8).digest(), "big") if self.steps else 0

    def convert(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Convert coordinates; one pair in degrees for each given, NaN where one was missing or cannot be converted."""
        x, y = np.atleast_1d(np.asarray(lon, dtype=np.float64)), np.atleast_1d(np.asarray(lat, dtype=np.float64))
        for step in self.steps:
            x, y = step(x, y)
        fine = np.isfinite(x) & np.isfinite(y)
        return (x, y) if fine.all() else (np.where(fine, x, np.nan), np.where(fine, y, np.nan))

    def convert_geometries(self, geometries: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """Convert shapely geometries; one for each given, heights dropped, None stays None.

        A geometry of which a corner cannot be converted becomes an empty collection, so that the check of geometries
        finds it.
        """
        shapes = np.array(shapely.force_2d(np.asarray(geometries, dtype=object)), dtype=object)
        if not self.steps:
            return shapes
        xy, of = shapely.get_coordinates(shapes, return_index=True)
        converted = np.column_stack(self.convert(xy[:, 0], xy[:, 1]))
        lost = np.unique(of[np.isnan(converted).any(axis=1)])
        shapes[lost] = shapely.GeometryCollection()
        kept = ~np.isin(of, lost)
        result: npt.NDArray[np.object_] = shapely.set_coordinates(shapes, converted[kept])
        return result

    def said(self) -> str:
        """The conversion in a line of a report."""
        exact = "" if self.accuracy_m is None else f", within {self.accuracy_m:g} m"
        return f"{self.crs}: {self.operation}{exact}"


def conversion(crs: str, datum: Datum | None = None) -> Conversion:
    """Find the way from a coordinate system to CGCS2000.

    Parameters
    ----------
    crs
        `EPSG:n`, `GCJ-02` or `BD-09`.
    datum
        The county's own parameters, for a system on an old datum.

    Raises
    ------
    DeliveryError
        The system is unknown, needs parameters that only the county has, or these do not keep what they promise.
    """
    if crs in TAKEN_AS_IS:
        return Conversion(crs, "taken as it is", 0.0, ())
    if crs in _SHIFTED:
        operation, step = _SHIFTED[crs]
        return Conversion(crs, operation, None, (step,))
    if crs == ZONE_UNKNOWN:
        raise DeliveryError(
            f"The zone of {crs} has to be found first.", 'Write the zone as crs = "EPSG:n", EPSG:4491 to 4554.'
        )
    known = _known(crs)
    if datum is not None:
        return Conversion(crs, f"{datum.key} of datums.toml", datum.accuracy_m, datum_steps(known, datum), datum)
    base = known.geodetic_crs
    assert base is not None
    name = base.datum.name if base.datum else base.name
    if any(old in name or old in base.name for old in _NEEDS_PARAMETERS):
        raise DeliveryError(
            f"{crs} ({known.name}) lies on an old datum, which cannot be converted without the county's parameters.",
            "Ask the natural resources department for the file in CGCS2000 (EPSG:4490 to 4554), which they must keep, "
            'or for the county\'s parameters: they go into datums.toml, and datum = ".." into [source].',
        )
    ours = any(same in name for same in _SAME_AS_OURS)
    return _by_proj(crs, known, base if ours else pyproj.CRS.from_epsg(4326))


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
        As for `conversion`.
    """
    return conversion(crs).convert(lon, lat)


def to_cgcs2000_geometries(geometries: npt.ArrayLike, crs: str) -> npt.NDArray[np.object_]:
    """Convert shapely geometries to CGCS2000, as `Conversion.convert_geometries` does.

    Raises
    ------
    DeliveryError
        As for `conversion`.
    """
    return conversion(crs).convert_geometries(geometries)


def check_crs(crs: str, datum: Datum | None = None) -> None:
    """Check that coordinates of this system can be converted.

    Raises
    ------
    DeliveryError
        As for `conversion`; a zone that is to be found is fine.
    """
    if crs != ZONE_UNKNOWN:
        conversion(crs, datum)


def _known(crs: str) -> pyproj.CRS:
    try:
        known = pyproj.CRS.from_user_input(crs) if crs.startswith("EPSG:") else None
    except CRSError:
        known = None
    if known is None or known.geodetic_crs is None:
        raise DeliveryError(
            f"The coordinate system {crs!r} is not known.",
            'Write crs = "EPSG:n" with the number from the deliverer\'s papers, or GCJ-02 (Amap, Tencent) or BD-09.',
        )
    return known


def _by_proj(crs: str, known: pyproj.CRS, to: pyproj.CRS) -> Conversion:
    try:
        best = TransformerGroup(known, to, always_xy=True, allow_ballpark=False).transformers
        transformer = pyproj.Transformer.from_crs(known, to, always_xy=True, allow_ballpark=False)
    except ProjError:
        best = []
    if not best:
        raise DeliveryError(
            f"There is no exact way from {crs} ({known.name}) to CGCS2000 on this machine.",
            "Ask the deliverer for WGS 84 (EPSG:4326) or CGCS2000 (EPSG:4490).",
        )
    accuracy = best[0].accuracy if best[0].accuracy >= 0 else None
    parts = [part for part in best[0].description.split(" + ") if not part.startswith("axis order change")]
    return Conversion(crs, " + ".join(parts), accuracy, (transformer.transform,))
