"""Comparison with another period and with the siblings, as small tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from layers.compare import change_breaks, period_before, siblings_mean
from layers.periods import Period


@pytest.mark.parametrize(
    ("period", "against", "expected"),
    [
        (202603, "previous", 202602),
        (202601, "previous", 202512),
        (202603, "year", 202503),
        (2026, "previous", 2025),
        (2026, "year", 2025),
        (202603, "siblings", None),
        (202603, "none", None),
    ],
)
def test_period_before(period: int, against: str, expected: int | None) -> None:
    found = period_before(Period(period), against)  # type: ignore[arg-type]
    assert (found and found.number) == expected


def frame(rows: list[tuple[str, float | None, float | None]]) -> pd.DataFrame:
    made = pd.DataFrame(rows, columns=["grid_code", "numerator", "denominator"])
    return made.astype({"grid_code": "str", "numerator": "Float64", "denominator": "Float64"})


def test_the_mean_of_siblings_of_counts_leaves_out_the_grid_itself_and_those_without_data() -> None:
    counts = frame([("449901001", 3, None), ("449901002", 5, None), ("449901003", None, None), ("449902001", 9, None)])
    np.testing.assert_array_equal(siblings_mean(counts, 1), [5, 3, 4, np.nan])


def test_rates_of_siblings_are_summed_and_never_averaged() -> None:
    rates = frame([("449901001", 1, 2), ("449901002", 0, 100), ("449901003", 50, 100)])
    np.testing.assert_allclose(siblings_mean(rates, 100), [25, 51 / 102 * 100, 1 / 102 * 100])


def test_changes_have_classes_as_wide_below_nought_as_above() -> None:
    breaks = change_breaks(np.array([-4.0, 0, 1, 2, 9, np.nan]), 0)
    assert (breaks == -breaks[::-1]).all()
    assert np.searchsorted(breaks, 0.0) == len(breaks) // 2
    assert len(change_breaks(np.array([0.0, np.nan]), 0)) == 0
