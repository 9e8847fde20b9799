"""The sample city's grids: how many, how they nest, what they are called."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely

from etl.demo import SIZES
from etl.demo.grids import Grids, make_grids

SEED = 4499
LEVELS = ("county", "large", "medium", "small")
DIGITS = {"county": 6, "large": 9, "medium": 12, "small": 15}


@pytest.fixture(scope="module", params=["small", "full"])
def city(request: pytest.FixtureRequest) -> tuple[str, Grids]:
    return request.param, make_grids(SIZES[request.param], SEED)


def shapes(frame: gpd.GeoDataFrame) -> np.ndarray:
    return frame.geometry.to_numpy()


def test_there_are_exactly_as_many_grids_as_the_size_says(city: tuple[str, Grids]) -> None:
    size, grids = city
    counts = tuple(len(grids.levels[level]) for level in LEVELS)
    assert counts == {"small": (1, 6, 60, 300), "full": (4, 56, 868, 4555)}[size]


def test_every_level_is_a_valid_coverage(city: tuple[str, Grids]) -> None:
    for level, frame in city[1].levels.items():
        assert shapely.is_valid(shapes(frame)).all(), level
        assert shapely.coverage_is_valid(shapes(frame)), level


def test_a_grid_is_exactly_the_union_of_its_children(city: tuple[str, Grids]) -> None:
    levels = city[1].levels
    for above, below in itertools.pairwise(LEVELS):
        children = levels[below]
        parent_of = children["code"].str[: DIGITS[above]]
        assert set(parent_of) == set(levels[above]["code"])
        for code, shape in zip(levels[above]["code"], levels[above].geometry, strict=True):
            union = shapely.coverage_union_all(shapes(children[parent_of == code]))
            assert union.normalize() == shapely.coverage_union_all(shape).normalize(), code


def test_grids_are_in_one_piece_but_for_those_with_an_islet(city: tuple[str, Grids]) -> None:
    size, grids = city
    n_islets = 3 if size == "full" else 2
    for level, frame in grids.levels.items():
        parts = shapely.get_num_geometries(shapes(frame))
        assert (parts > 1).sum() <= n_islets, level
        assert (parts - 1).sum() == n_islets, level


def test_codes_follow_the_national_ranges(city: tuple[str, Grids]) -> None:
    levels = city[1].levels
    for level, frame in levels.items():
        codes = frame["code"]
        assert codes.is_unique and codes.is_monotonic_increasing
        assert codes.str.fullmatch(rf"4499\d{{{DIGITS[level] - 4}}}").all()
    large, medium = levels["large"], levels["medium"]
    segment = large["code"].str[6:].astype(int)
    assert (segment.between(1, 99) == large["name"].str.endswith("街道")).all()
    assert (segment.between(100, 199) == large["name"].str.endswith("镇")).all()
    segment = medium["code"].str[9:].astype(int)
    assert (segment.between(1, 199) == medium["name"].str.endswith("社区")).all()
    assert (segment.between(200, 399) == medium["name"].str.endswith("村")).all()


def test_small_grids_are_numbered_from_one_without_gaps_north_first(city: tuple[str, Grids]) -> None:
    small = city[1].levels["small"]
    number = small["code"].str[12:].astype(int)
    in_village = small["code"].str[:12]
    assert (number == small.groupby(in_village).cumcount() + 1).all()
    y = np.array([shapely.centroid(shape).y for shape in shapes(small)])
    last = number == number.groupby(in_village).transform("max")
    many = number.groupby(in_village).transform("max") >= 4
    assert y[(number == 1) & many].mean() > y[last & many].mean()


def test_names_are_unique_but_for_some_villages(city: tuple[str, Grids]) -> None:
    levels = city[1].levels
    assert levels["county"]["name"].is_unique
    assert levels["large"]["name"].is_unique
    medium = levels["medium"]
    again = medium[medium["name"].duplicated(keep=False)]
    assert len(again) >= 6
    assert again["name"].str.endswith("村").all()
    assert (again.groupby("name")["code"].agg(lambda codes: codes.str[:9].nunique()) == 2).all()
    assert {"青石镇", "桥头村"} <= set(levels["large"]["name"]) | set(medium["name"])
    small = levels["small"]
    village = small["code"].str[:12].map(medium.set_index("code")["name"])
    assert all(name.startswith(of) for name, of in zip(small["name"], village, strict=True))


def test_area_place_and_detail_are_those_of_a_city(city: tuple[str, Grids]) -> None:
    size, grids = city
    small = grids.levels["small"]
    area_km2 = small.to_crs("EPSG:4547").area.sum() / 1e6
    assert area_km2 == pytest.approx(SIZES[size].area_km2, rel=0.1)
    west, south, east, north = small.total_bounds
    assert west < 115.3 < east and south < 22.8 < north
    assert 40 <= shapely.get_num_coordinates(shapes(small)).mean() <= 100


def test_the_same_seed_draws_the_same_city_and_another_seed_another() -> None:
    first, again, other = (make_grids(SIZES["small"], seed).levels["small"] for seed in (1, 1, 2))
    assert (shapely.to_wkb(shapes(first)) == shapely.to_wkb(shapes(again))).all()
    assert first["name"].tolist() == again["name"].tolist()
    assert shapely.to_wkb(shapes(first))[0] != shapely.to_wkb(shapes(other))[0]


@pytest.mark.parametrize("seed", range(12))
def test_any_seed_gives_a_city_in_one_piece(seed: int) -> None:
    grids = make_grids(SIZES["small"], seed)
    assert len(grids.levels["small"]) == 300
    assert shapely.coverage_is_valid(shapes(grids.levels["small"]))
