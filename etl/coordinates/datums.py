"""Old datums, Beijing 1954 and Xi'an 1980, turned into CGCS2000 by parameters that the county's surveyors give.

Two kinds are in use. Four parameters turn, stretch and move a plane: eastings and northings of one zone of the old
system become those of a zone of CGCS2000. Seven do so in space, and serve every zone of their datum.

Nothing is taken on trust: each set names a control point in both systems, and has to carry the one to the other within
the accuracy it promises. A sign the other way round, or seconds taken for degrees, does not pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyproj
from pyproj.exceptions import CRSError, ProjError

from layers.declare.records import Datum
from layers.errors import DeliveryError

Floats = npt.NDArray[np.float64]
Step = Callable[[Floats, Floats], tuple[Floats, Floats]]

_CGCS2000 = "EPSG:4490"
_OURS = "China 2000"


@dataclass(frozen=True)
class _Plane:
    """Four parameters: turned by an angle from north to east, stretched, moved; eastings and northings in metres."""

    north_m: float
    east_m: float
    cosine: float
    sine: float

    def __call__(self, east: Floats, north: Floats) -> tuple[Floats, Floats]:
        moved_north = self.north_m + self.cosine * north - self.sine * east
        moved_east = self.east_m + self.sine * north + self.cosine * east
        return moved_east, moved_north


def datum_steps(crs: pyproj.CRS, datum: Datum) -> tuple[Step, ...]:
    """Give the steps from a system on an old datum to CGCS2000 longitude and latitude.

    Raises
    ------
    DeliveryError
        The parameters are for another system, or do not carry their control point where it belongs.
    """
    old, new = _system(datum, "from", datum.from_crs), _system(datum, "to", datum.to_crs)
    if crs.geodetic_crs != old.geodetic_crs:
        raise DeliveryError(
            f"The datum {datum.key} is for {datum.from_crs} ({old.name}), the delivery is in {crs.name}.",
            "Mend crs or datum in [source]: parameters serve the one datum they were measured for.",
        )
    way = _plane_steps(crs, old, new, datum) if datum.kind == "four" else _space_steps(crs, datum)
    _check_point(old, new, datum)
    return way


def _check_point(old: pyproj.CRS, new: pyproj.CRS, datum: Datum) -> None:
    steps = _plane_steps(old, old, new, datum) if datum.kind == "four" else _space_steps(old, datum)
    x, y = (np.array([v]) for v in datum.point_from)
    for step in steps:
        x, y = step(x, y)
    lon, lat = _transformer(new, pyproj.CRS(_CGCS2000)).transform(*datum.point_to)
    _, _, off_m = pyproj.Geod(ellps="GRS80").inv(x[0], y[0], lon, lat)
    if not off_m <= datum.accuracy_m:
        raise DeliveryError(
            f"The datum {datum.key} carries its control point {off_m:,.3f} m from where it belongs, "
            f"but promises {datum.accuracy_m:g} m.",
            "Compare its numbers, signs and units in datums.toml with the surveyors' paper; docs/loading.md says which "
            "sign means what.",
        )


def _system(datum: Datum, key: str, crs: str) -> pyproj.CRS:
    try:
        known = pyproj.CRS.from_user_input(crs)
    except CRSError as error:
        raise DeliveryError(
            f"The datum {datum.key} has {key} = {crs!r}, which is not known.", "Write EPSG and the right number."
        ) from error
    base = known.geodetic_crs
    if key == "to" and (base is None or _OURS not in str(base.datum)):
        raise DeliveryError(
            f"The datum {datum.key} leads to {crs} ({known.name}), which is not CGCS2000.",
            "Write in `to` the CGCS2000 system its control point is given in, EPSG:4490 to 4554.",
        )
    if datum.kind == "four" and not known.is_projected:
        raise DeliveryError(
            f"The datum {datum.key} has four parameters, but {crs} ({known.name}) is no plane.",
            "Write in `from` and `to` the zones that the parameters are for, or give all seven.",
        )
    return known


def _plane_steps(crs: pyproj.CRS, old: pyproj.CRS, new: pyproj.CRS, datum: Datum) -> tuple[Step, ...]:
    angle, scale = np.radians(datum.values["rotation_arcsec"] / 3600.0), 1.0 + datum.values["scale_ppm"] * 1e-6
    cosine, sine = float(scale * np.cos(angle)), float(scale * np.sin(angle))
    plane = _Plane(datum.values["north_m"], datum.values["east_m"], cosine, sine)
    to_zone = () if crs == old else (_transformer(crs, old).transform,)
    return (*to_zone, plane, _transformer(new, pyproj.CRS(_CGCS2000)).transform)


def _space_steps(crs: pyproj.CRS, datum: Datum) -> tuple[Step, ...]:
    base = crs.geodetic_crs
    assert base is not None and base.ellipsoid is not None
    ellipsoid, v = base.ellipsoid, datum.values
    pipeline = (
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        f"+step +proj=cart +a={ellipsoid.semi_major_metre!r} +rf={ellipsoid.inverse_flattening!r} "
        f"+step +proj=helmert +x={v['x_m']!r} +y={v['y_m']!r} +z={v['z_m']!r} +rx={v['rx_arcsec']!r} "
        f"+ry={v['ry_arcsec']!r} +rz={v['rz_arcsec']!r} +s={v['scale_ppm']!r} +convention={datum.convention} "
        "+step +inv +proj=cart +ellps=GRS80 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
    flat = () if crs == base else (_transformer(crs, base).transform,)
    return (*flat, pyproj.Transformer.from_pipeline(pipeline).transform)


def _transformer(one: pyproj.CRS, other: pyproj.CRS) -> pyproj.Transformer:
    """Between two systems of one datum, which is exact."""
    try:
        return pyproj.Transformer.from_crs(one, other, always_xy=True, allow_ballpark=False)
    except ProjError as error:
        raise DeliveryError(
            f"There is no exact way from {one.name} to {other.name}.", "Mend `from` and `to` in datums.toml."
        ) from error
