"""Zones that are found or refused, the county's own parameters, and degrees written as text."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.coordinates import conversion, find_zone, parse_degrees
from layers.declare.records import Datum
from layers.errors import DeliveryError

HERE = (115.365058, 22.779207)

SPELLINGS = """
115°22′12.8″E       | 115.370222 | lon
E115°22′12.8″       | 115.370222 | lon
115 22 12.8         | 115.370222 | lon
115-22-12.8         | 115.370222 | lon
115:22:12.8         | 115.370222 | lon
115d22'12.8"        | 115.370222 | lon
115º22'12.8''       | 115.370222 | lon
115° 22’ 12.8”      | 115.370222 | lon
东经115度22分12.8秒 | 115.370222 | lon
１１５°２２′１２．８″ | 115.370222 | lon
１１５度２２分１２．８秒 | 115.370222 | lon
115°22.2133′        | 115.370222 | lon
115.370222°         | 115.370222 | lon
115.370222E         | 115.370222 | lon
115°22′             | 115.366667 | lon
西经0度5分24秒      | -0.09      | lon
-0 5 24             | -0.09      | lon
22°47′19.8″N        | 22.788833  | lat
北纬22度47分19.8秒  | 22.788833  | lat
22°47′19.8″S        | -22.788833 | lat
N22°47′19.8″        | swapped    | lon
东经115度22分12.8秒 | swapped    | lat
东经115度           |            | lon
115°                |            | lon
115°60′00″          |            | lon
115°22′60″          |            | lon
115.5°22′           |            | lon
115°22.5′12″        |            | lon
不详                |            | lon
E115°22′W           |            | lon
"""


@pytest.mark.parametrize("line", SPELLINGS.strip().splitlines())
def test_degrees_are_read_as_they_are_written(line: str) -> None:
    text, wanted, axis = (cell.strip() for cell in line.split("|"))
    numbers, other_axis = parse_degrees(pa.array([text, None]), is_longitude=axis == "lon")
    assert np.isnan(numbers[1])
    assert bool(other_axis[0]) == (wanted == "swapped")
    if wanted in ("", "swapped"):
        assert np.isnan(numbers[0])
    else:
        assert numbers[0] == pytest.approx(float(wanted), abs=5e-7)


@given(st.integers(0, 179), st.integers(0, 59), st.integers(0, 59_999))
@settings(deadline=None, max_examples=60)
def test_degrees_come_back_whatever_signs_they_are_written_with(degrees: int, minutes: int, thousandths: int) -> None:
    seconds = f"{thousandths / 1000:.3f}"
    texts = [
        f"{degrees}°{minutes}′{seconds}″", f"{degrees} {minutes:02} {seconds}", f"东经{degrees}度{minutes}分{seconds}秒"
    ]  # fmt: skip
    numbers, _ = parse_degrees(pa.array(texts), is_longitude=True)
    assert numbers == pytest.approx(degrees + minutes / 60 + thousandths / 3_600_000, abs=1e-11)


def pairs(epsg: int, lons: list[float], lats: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Eastings and northings of places in a zone."""
    x, y = pyproj.Transformer.from_crs(4490, epsg, always_xy=True).transform(lons, lats)
    return np.array(x), np.array(y)


def near(west: float, south: float, east: float, north: float):
    """Whether places lie in a box."""
    return lambda lon, lat: (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


CITY = near(114.8, 22.5, 116.2, 23.5)
LONS, LATS = list(np.linspace(114.9, 116.1, 40)), list(np.linspace(22.6, 23.4, 40))


@pytest.mark.parametrize("epsg", [4526, 4527, 4498, 4547, 4548])
def test_a_zone_is_found_when_it_is_certain(epsg: int) -> None:
    x, y = pairs(epsg, LONS, LATS)
    assert find_zone([(x[:20], y[:20]), (x[20:], y[20:])], CITY) == f"EPSG:{epsg}"


def test_a_zone_of_six_degrees_is_the_one_of_three_with_its_meridian() -> None:
    x, y = pairs(4509, LONS, LATS)  # 117 degrees east
    found = find_zone([(x, y)], CITY)
    assert found == "EPSG:4548"
    assert conversion(found).convert(x, y)[0] == pytest.approx(LONS, abs=1e-9)


def test_the_number_of_the_zone_is_enough_where_no_grids_are_loaded() -> None:
    assert find_zone([pairs(4526, LONS, LATS)], None) == "EPSG:4526"
    with pytest.raises(DeliveryError, match="no grids are loaded") as caught:
        find_zone([pairs(4547, LONS, LATS)], None)
    assert "EPSG:4547 (114 degrees east)" in caught.value.hint


def test_a_few_faulty_rows_do_not_keep_the_zone_from_being_found() -> None:
    x, y = pairs(4526, LONS * 5, LATS * 5)
    x[0], y[0], x[1], x[2] = 0, 0, np.nan, x[2] + 1e6
    assert find_zone([(x, y)], CITY) == "EPSG:4526"


def test_a_zone_that_is_not_certain_is_refused_with_those_that_may_be_meant() -> None:
    mixed = np.concatenate([pairs(4526, LONS, LATS), pairs(4527, LONS, LATS)], axis=1)
    with pytest.raises(DeliveryError, match=r"EPSG:4526 .* EPSG:4527"):
        find_zone([(mixed[0], mixed[1])], CITY)
    wide = near(105, 20, 125, 30)  # three degrees to either side lie in it too
    with pytest.raises(DeliveryError, match="EPSG:4547"):
        find_zone([pairs(4547, LONS, LATS)], wide)
    with pytest.raises(DeliveryError, match="under none do the places lie in the city"):
        find_zone([pairs(4547, LONS, LATS)], near(100, 40, 101, 41))
    east, north = pairs(4526, LONS, LATS)
    with pytest.raises(DeliveryError, match="swapped"):
        find_zone([(north, east)], CITY)
    with pytest.raises(DeliveryError, match="No row has coordinates"):
        find_zone([], CITY)


SEVEN = {
    "x_m": -12.5, "y_m": 95.25, "z_m": 47.75, "rx_arcsec": 0.9, "ry_arcsec": -1.1, "rz_arcsec": 2.3, "scale_ppm": -3.5
}  # fmt: skip


def by_hand(lon: float, lat: float, signs: int) -> tuple[float, float]:
    """Bursa-Wolf in full, from the ellipsoid of Xi'an 1980; `signs` is 1 for position vector, -1 for the other."""
    to_space = pyproj.Transformer.from_pipeline("+proj=cart +a=6378140 +rf=298.257")
    x, y, z = to_space.transform(np.radians(lon), np.radians(lat), 0.0, radians=True)
    rx, ry, rz = (signs * np.radians(SEVEN[k] / 3600) for k in ("rx_arcsec", "ry_arcsec", "rz_arcsec"))
    turned = np.array([x - rz * y + ry * z, rz * x + y - rx * z, -ry * x + rx * y + z])
    moved = np.array([SEVEN["x_m"], SEVEN["y_m"], SEVEN["z_m"]]) + (1 + SEVEN["scale_ppm"] * 1e-6) * turned
    back = pyproj.Transformer.from_pipeline("+proj=cart +ellps=GRS80").transform(
        *moved, direction="INVERSE", radians=True
    )
    return float(np.degrees(back[0])), float(np.degrees(back[1]))


def seven(convention: str, signs: int) -> Datum:
    """Seven parameters with their control point."""
    to = by_hand(*HERE, signs)
    return Datum("linhai", "seven", "EPSG:4610", "EPSG:4490", 0.01, HERE, to, SEVEN, convention)  # type: ignore[arg-type]


@pytest.mark.parametrize(("convention", "signs"), [("position_vector", 1), ("coordinate_frame", -1)])
def test_seven_parameters_serve_every_zone_of_their_datum(convention: str, signs: int) -> None:
    datum = seven(convention, signs)
    wanted = by_hand(115.5, 23.0, signs)
    for crs in ("EPSG:4610", "EPSG:2362", "EPSG:2383"):
        at = pyproj.Transformer.from_crs(4610, crs, always_xy=True).transform(115.5, 23.0)
        way = conversion(crs, datum)
        lon, lat = way.convert([at[0]], [at[1]])
        assert (lon[0], lat[0]) == pytest.approx(wanted, abs=1e-9)
        assert (way.accuracy_m, way.operation) == (0.01, "linhai of datums.toml")
        lon, lat = pickle.loads(pickle.dumps(way)).convert([at[0]], [at[1]])
        assert (lon[0], lat[0]) == pytest.approx(wanted, abs=1e-9)


FOUR = Datum(
    "linhai", "four", "EPSG:2383", "EPSG:4547", 0.05, (640067.9785, 2520736.2135), (640185.1419, 2520733.0685),
    {"north_m": -2.6, "east_m": 114.7, "rotation_arcsec": 0.2, "scale_ppm": 0.03},
)  # fmt: skip


def test_four_parameters_carry_a_zone_to_a_zone() -> None:
    for crs, east in (("EPSG:2383", 640067.9785), ("EPSG:2362", 38640067.9785)):
        lon, lat = conversion(crs, FOUR).convert([east, np.nan], [2520736.2135, 1.0])
        assert (lon[0], lat[0]) == pytest.approx(HERE, abs=5e-7)
        assert np.isnan(lon[1])


@pytest.mark.parametrize(
    "wrong",
    [
        {"north_m": 2.6},
        {"east_m": -114.7},
        {"rotation_arcsec": 0.2 * 3600},
        {"rotation_arcsec": -0.2},
        {"scale_ppm": 3.0},
    ],
)
def test_parameters_with_a_wrong_sign_or_unit_do_not_pass_their_control_point(wrong: dict[str, float]) -> None:
    with pytest.raises(DeliveryError, match="control point") as caught:
        conversion("EPSG:2383", replace(FOUR, values={**FOUR.values, **wrong}))
    assert "datums.toml" in caught.value.hint


def test_angles_turned_the_other_way_do_not_pass_their_control_point() -> None:
    with pytest.raises(DeliveryError, match="control point"):
        conversion("EPSG:2383", replace(seven("position_vector", 1), convention="coordinate_frame"))


@pytest.mark.parametrize(
    ("datum", "crs", "says"),
    [
        (FOUR, "EPSG:2433", "is for EPSG:2383"),
        (FOUR, "EPSG:4547", "is for EPSG:2383"),
        (replace(FOUR, to_crs="EPSG:2382"), "EPSG:2383", "not CGCS2000"),
        (replace(FOUR, from_crs="EPSG:4610"), "EPSG:2383", "no plane"),
        (replace(FOUR, from_crs="EPSG:99999"), "EPSG:2383", "not known"),
    ],
)
def test_parameters_are_for_one_datum_only(datum: Datum, crs: str, says: str) -> None:
    with pytest.raises(DeliveryError, match=says) as caught:
        conversion(crs, datum)
    assert caught.value.hint


def test_a_conversion_says_what_it_is_and_how_exact() -> None:
    assert conversion("EPSG:4547").said().startswith("EPSG:4547: Inverse of 3-degree Gauss-Kruger CM 114E")
    assert conversion("EPSG:2383", FOUR).said() == "EPSG:2383: linhai of datums.toml, within 0.05 m"
    versions = {conversion(crs).version for crs in ("EPSG:4547", "EPSG:4526", "GCJ-02", "BD-09")}
    changed = replace(FOUR, values={**FOUR.values, "scale_ppm": 0.031})
    versions |= {conversion("EPSG:2383", FOUR).version, conversion("EPSG:2383", changed).version}
    assert len(versions) == 6
