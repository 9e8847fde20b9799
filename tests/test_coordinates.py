"""Coordinates: published pairs, both ways over all of China, and what has to be refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.coordinates import check_crs, to_bd09, to_cgcs2000, to_cgcs2000_geometries, to_gcj02
from layers.errors import DeliveryError

WGS84, GCJ02, BD09 = (115.3702248, 22.7888255), (115.3751647, 22.7861903), (115.3817179, 22.7918527)
ONE_METRE = 1e-5
ONE_MILLIMETRE = 1e-8

lons = st.floats(72.1, 137.7)
lats = st.floats(0.95, 55.7)


@pytest.mark.parametrize(
    ("crs", "there"), [("EPSG:4326", WGS84), ("EPSG:4490", WGS84), ("GCJ-02", GCJ02), ("BD-09", BD09)]
)
def test_a_published_place_is_found_in_every_system(crs: str, there: tuple[float, float]) -> None:
    lon, lat = to_cgcs2000([there[0]], [there[1]], crs)
    assert lon == pytest.approx([WGS84[0]], abs=ONE_METRE)
    assert lat == pytest.approx([WGS84[1]], abs=ONE_METRE)


@pytest.mark.parametrize(("shift", "there"), [(to_gcj02, GCJ02), (to_bd09, BD09)])
def test_the_published_formula_gives_the_published_pair(shift, there) -> None:
    lon, lat = shift(*WGS84)
    assert (lon[0], lat[0]) == pytest.approx(there, abs=ONE_METRE)


@pytest.mark.parametrize(("crs", "east"), [("EPSG:4526", 38640185.1419), ("EPSG:4547", 640185.1419)])
def test_gauss_kruger_with_and_without_the_number_of_the_zone(crs: str, east: float) -> None:
    lon, lat = to_cgcs2000([east], [2520733.0685], crs)
    assert (lon[0], lat[0]) == pytest.approx((115.365058, 22.779207), abs=5e-7)


def test_wgs84_and_cgcs2000_are_taken_as_they_are() -> None:
    for crs in ("EPSG:4326", "EPSG:4490"):
        lon, lat = to_cgcs2000([WGS84[0]], [WGS84[1]], crs)
        assert (lon[0], lat[0]) == WGS84


@given(st.lists(st.tuples(lons, lats), min_size=1, max_size=50))
@settings(deadline=None, max_examples=60)
def test_there_and_back_is_within_a_millimetre(places) -> None:
    lon, lat = (np.array(column) for column in zip(*places, strict=True))
    for shift, crs in ((to_gcj02, "GCJ-02"), (to_bd09, "BD-09")):
        back = to_cgcs2000(*shift(lon, lat), crs)
        assert np.abs(back[0] - lon).max() < ONE_MILLIMETRE
        assert np.abs(back[1] - lat).max() < ONE_MILLIMETRE


@given(st.lists(st.tuples(lons, lats), min_size=1, max_size=50))
@settings(deadline=None, max_examples=60)
def test_back_and_there_is_within_a_millimetre(places) -> None:
    lon, lat = (np.array(column) for column in zip(*places, strict=True))
    for shift, crs in ((to_gcj02, "GCJ-02"), (to_bd09, "BD-09")):
        again = shift(*to_cgcs2000(lon, lat, crs))
        assert np.abs(again[0] - lon).max() < ONE_MILLIMETRE
        assert np.abs(again[1] - lat).max() < ONE_MILLIMETRE


def as_published(lon: float, lat: float) -> tuple[float, float]:
    """GCJ-02 as it was published, one point at a time, each sine by itself."""
    sin, pi, x, y = math.sin, math.pi, lon - 105.0, lat - 35.0
    root, waves = math.sqrt(abs(x)), (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves
    north += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves
    east += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    a, e2 = 6378245.0, 0.00669342162296594323
    magic = 1.0 - e2 * sin(lat / 180.0 * pi) ** 2
    north = north * 180.0 / ((a * (1.0 - e2)) / (magic * math.sqrt(magic)) * pi)
    east = east * 180.0 / (a / math.sqrt(magic) * math.cos(lat / 180.0 * pi) * pi)
    return lon + east, lat + north


def bd_as_published(lon: float, lat: float) -> tuple[float, float]:
    """BD-09 from GCJ-02 as it was published."""
    turn = math.pi * 3000.0 / 180.0
    z = math.sqrt(lon * lon + lat * lat) + 0.00002 * math.sin(lat * turn)
    theta = math.atan2(lat, lon) + 0.000003 * math.cos(lon * turn)
    return z * math.cos(theta) + 0.0065, z * math.sin(theta) + 0.006


@given(st.lists(st.tuples(lons, lats), min_size=1, max_size=50))
@settings(deadline=None, max_examples=60)
def test_the_quick_formula_is_the_published_one_both_ways(places) -> None:
    lon, lat = (np.array(column) for column in zip(*places, strict=True))
    gcj = np.array([as_published(*place) for place in places]).T
    bd = np.array([bd_as_published(*place) for place in gcj.T]).T
    for shift, crs, wanted in ((to_gcj02, "GCJ-02", gcj), (to_bd09, "BD-09", bd)):
        assert np.abs(np.array(shift(lon, lat)) - wanted).max() < ONE_MILLIMETRE / 1000
        assert np.abs(np.array(to_cgcs2000(*wanted, crs)) - [lon, lat]).max() < ONE_MILLIMETRE


@given(st.lists(st.tuples(lons, lats), min_size=1, max_size=20))
@settings(deadline=None, max_examples=30)
def test_inside_china_the_shift_is_a_hundred_metres_to_two_kilometres(places) -> None:
    lon, lat = (np.array(column) for column in zip(*places, strict=True))
    moved = to_gcj02(lon, lat)
    assert (np.hypot(moved[0] - lon, moved[1] - lat) < 0.02).all()
    assert (np.hypot(moved[0] - lon, moved[1] - lat) > 0).all()


@pytest.mark.parametrize("place", [(-0.09, 51.51), (2.35, 48.85), (151.2, -33.9), (71.9, 40.0)])
def test_nothing_is_shifted_outside_china(place) -> None:
    for crs in ("GCJ-02", "BD-09"):
        lon, lat = to_cgcs2000([place[0]], [place[1]], crs)
        assert (lon[0], lat[0]) == place
    assert tuple(np.ravel(to_gcj02(*place))) == place
    assert tuple(np.ravel(to_bd09(*place))) == place


@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:4547", "GCJ-02", "BD-09"])
def test_a_missing_coordinate_stays_missing_and_harms_no_other(crs: str) -> None:
    lon, lat = to_cgcs2000([np.nan, 115.37, 115.37], [22.78, np.nan, 22.78], crs)
    assert np.isnan(lon).tolist() == np.isnan(lat).tolist() == [True, True, False]


@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:4547", "GCJ-02", "BD-09"])
def test_nothing_gives_nothing(crs: str) -> None:
    lon, lat = to_cgcs2000([], [], crs)
    assert len(lon) == len(lat) == 0
    assert len(to_cgcs2000_geometries(np.array([], dtype=object), crs)) == 0


@pytest.mark.parametrize(
    "crs", ["EPSG:4214", "EPSG:4610", "EPSG:2362", "EPSG:2433", "EPSG:4555", "EPSG:99999", "Mars", ""]
)
def test_an_unknown_or_old_system_is_refused_with_a_remedy(crs: str) -> None:
    for attempt in (lambda: to_cgcs2000([1.0], [1.0], crs), lambda: check_crs(crs)):
        with pytest.raises(DeliveryError) as caught:
            attempt()
        assert "EPSG:" in caught.value.hint


def test_every_gauss_kruger_zone_of_cgcs2000_is_known() -> None:
    for number in range(4491, 4555):
        check_crs(f"EPSG:{number}")


def test_geometries_are_converted_whole_and_none_stays_none() -> None:
    delivered = np.array(
        [shapely.box(640000, 2520000, 641000, 2521000), None, shapely.Point(640185.1419, 2520733.0685)]
    )
    converted = to_cgcs2000_geometries(delivered, "EPSG:4547")
    assert converted[1] is None
    assert shapely.covers(converted[0], converted[2])
    assert shapely.get_coordinates(converted[2])[0] == pytest.approx((115.365058, 22.779207), abs=5e-7)


def test_a_geometry_with_a_corner_nowhere_becomes_empty_and_harms_no_other() -> None:
    nowhere = shapely.Polygon([(1e30, 1e30), (1e31, 1e30), (1e31, 1e31)])
    fine = shapely.box(640000, 2520000, 641000, 2521000)
    converted = to_cgcs2000_geometries(np.array([fine, nowhere, fine]), "EPSG:4547")
    assert shapely.is_empty(converted).tolist() == [False, True, False]
    assert converted[0].equals(converted[2])
