"""Colour classes: the legend and the map never disagree."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_city import indicator

from layers.classes import NO_DATA, classes, natural_breaks

NUMBERS = st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")) | st.integers(0, 5).map(float), max_size=60)


def by(method: str, n: int = 5, **more: Any) -> Any:
    return indicator("x", classes=method, n_classes=n, **more)


@given(NUMBERS, st.sampled_from(["quantile", "equal", "natural"]), st.integers(1, 8), st.integers(0, 3))
def test_every_value_lies_between_the_breaks_of_its_class(numbers: list[float], method: str, n: int, d: int) -> None:
    breaks, found = classes(numbers, by(method, n, digits=d))
    assert found.dtype == np.uint8
    assert len(found) == len(numbers)
    assert len(breaks) < n
    assert (np.diff(breaks) > 0).all()
    edges = [-np.inf, *breaks, np.inf]
    for value, one in zip(numbers, found, strict=True):
        if np.isnan(value):
            assert one == NO_DATA
        else:
            assert edges[one - 1] <= value < edges[one]


@given(NUMBERS, st.sampled_from(["quantile", "natural"]))
def test_no_class_is_empty_at_the_low_end(numbers: list[float], method: str) -> None:
    _, found = classes(numbers, by(method))
    assert not np.isfinite(numbers).any() or 1 in found


def test_quantiles_hold_the_same_number_each() -> None:
    breaks, found = classes(np.arange(100.0), by("quantile", 4, digits=0))
    assert breaks.tolist() == [25, 50, 74]
    assert np.bincount(found)[1:].tolist() == [25, 25, 24, 26]


def test_many_noughts_are_a_class_of_their_own_and_the_rest_is_still_told_apart() -> None:
    breaks, found = classes([0.0] * 70 + [1.0] * 20 + [9.0] * 10, by("quantile", 5))
    assert breaks.tolist() == [1, 9]
    assert np.bincount(found)[1:].tolist() == [70, 20, 10]


def test_equal_steps_and_fixed_breaks() -> None:
    assert classes([0, 10], by("equal", 5))[0].tolist() == [2, 4, 6, 8]
    breaks, found = classes([59.9, 60, 100, np.nan], by("fixed", 3, breaks=(60, 90)))
    assert (breaks.tolist(), found.tolist()) == ([60, 90], [1, 2, 3, 0])


def test_breaks_are_rounded_as_the_legend_shows_them() -> None:
    assert classes([0.0, 1.0, 2.0, 3.4567], by("equal", 2, digits=1))[0].tolist() == [1.7]
    assert classes([0.001, 0.002], by("equal", 2, digits=0))[0].tolist() == [0.0015]  # rounded, it would tell nothing


@pytest.mark.parametrize("numbers", [[], [np.nan], [3.0, 3.0, 3.0]])
def test_nothing_to_tell_apart_makes_no_breaks(numbers: list[float]) -> None:
    breaks, found = classes(numbers, by("natural"))
    assert len(breaks) == 0
    assert set(found.tolist()) <= {NO_DATA, 1}


@given(st.lists(st.integers(0, 50).map(float), min_size=4, max_size=9), st.integers(2, 4))
def test_natural_breaks_are_the_best_there_are(numbers: list[float], n: int) -> None:
    distinct = sorted(set(numbers))
    if len(distinct) < n:
        return

    def spread(breaks: tuple[float, ...]) -> float:
        group = np.searchsorted(breaks, numbers, side="right")
        return sum(float(np.var(part) * len(part)) for g in range(n) if len(part := np.array(numbers)[group == g]))

    best = min(spread(breaks) for breaks in itertools.combinations(distinct[1:], n - 1))
    assert spread(tuple(natural_breaks(np.array(numbers), n))) == pytest.approx(best, abs=1e-6)


def test_natural_breaks_of_many_values_find_the_gaps() -> None:
    random = np.random.default_rng(1)
    numbers = np.concatenate([random.normal(centre, 1, 4000) for centre in (0, 50, 200)])
    low, high = natural_breaks(numbers, 3)
    assert 10 < low < 50
    assert 60 < high < 200
