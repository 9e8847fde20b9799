"""Figures of grids in which nothing has changed stay, whatever the key: month by month, and through a reform."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from layers.cube import FORMER, Cube, _summed
from layers.reformed import told_of_former
from layers.release import release
from layers.told import TOTAL, Told, told_with
from tests.test_cube_attacked import SINGLE, Month, months_of
from tests.test_people_reformed import ABOVE, KEPT, MERGED, SEX, SPLIT

Counts = dict[str, Mapping[str, int]]


def keys(n: int) -> Iterator[bytes]:
    """Rounding keys."""
    yield from (hashlib.sha256(str(one).encode()).digest() for one in range(n))


def n_moved(months: list[Month]) -> int:
    """How many figures moved of grids in which nothing had changed."""
    n = 0
    for then, now in pairwise(months):
        pairs = [(then.cube.parts[key], now.cube.parts[key]) for key in now.cube.parts]
        same = np.all([(a == b).all(axis=1) for a, b in pairs], axis=0)[:, None]
        n += sum(int((same & (then.found.parts[key] != now.found.parts[key])).sum()) for key in now.cube.parts)
    return n


@pytest.mark.parametrize(
    ("n_towns", "mean", "most_moved", "most_withheld"),
    [(6, 30, 0, 0), (6, 8, 12, 1), *(
        pytest.param(60, *one, marks=pytest.mark.soak) for one in ((30, 0, 0), (8, 80, 12), (3, 300, 50))
    )],
)  # fmt: skip
def test_few_figures_move_and_few_levels_are_withheld(
    n_towns: int, mean: float, most_moved: int, most_withheld: int
) -> None:
    towns = [months_of(seed, SINGLE, 3, mean) for seed in range(n_towns)]
    assert sum(n_moved(months) for months in towns) <= most_moved
    assert sum(bool(month.found.withheld) for months in towns for month in months) <= most_withheld


def cube(counts: Counts, former: Mapping[str, str]) -> Cube:
    """Count women and men of small grids."""
    codes = sorted([*ABOVE, *counts])
    position = {code: at for at, code in enumerate(codes)}
    parts = np.zeros((len(codes), len(SEX.cells)), dtype=np.int64)
    for code, cells in counts.items():
        for cell, n in cells.items():
            parts[position[code], SEX.cells.index(cell)] = n
    return _summed(codes, position, parts.sum(axis=1), {"sex": parts}, former)


def reform(seed: int) -> tuple[Cube, Cube, pd.DataFrame]:
    """Draw people before and after the reform of `test_people_reformed`, and say what became of which grid."""
    rng = np.random.default_rng(seed)
    after: Counts = {}
    before: Counts = {}
    for old, parts in [*SPLIT.items(), *((one, (one,)) for one in (*MERGED, KEPT))]:
        drawn = {part: dict(zip(("female", "male"), rng.integers(0, 12, 2).tolist(), strict=True)) for part in parts}
        before[old] = {sex: sum(one[sex] for one in drawn.values()) for sex in ("female", "male")}
        for part, cells in drawn.items():
            new = MERGED.get(part, part)
            after[new] = {sex: n + after.get(new, {}).get(sex, 0) for sex, n in cells.items()}
    pairs = [(one, one) for one in (*ABOVE, KEPT)] + [*MERGED.items()]
    pairs += [(old, part) for old, parts in SPLIT.items() for part in parts]
    shares = pd.DataFrame(pairs, columns=["old_code", "new_code"]).assign(weight=1.0)
    former = {part: f"{old}{FORMER}" for old, parts in SPLIT.items() for part in parts}
    return cube(before, {}), cube(after, former), shares


@pytest.mark.parametrize("n_keys", [8, pytest.param(100, marks=pytest.mark.soak)])
def test_a_reform_moves_nothing_under_any_key(n_keys: int) -> None:
    for seed, key in enumerate(keys(n_keys)):
        before, after, shares = reform(seed)
        first = release(before, [SEX], key)
        told = told_of_former(shares, after.names, before.names, told_with(Told(), before, first.shown(before)))
        second = release(after, [SEX], key, told)
        third = release(after, [SEX], key, told_with(told, after, second.shown(after)))
        assert first.withheld == second.withheld == third.withheld == []
        shown, then, now = (one.shown(of) for one, of in ((first, before), (second, after), (third, after)))
        old, new = ({name: at for at, name in enumerate(one.names)} for one in (before, after))
        for cells in (TOTAL, "sex"):
            assert (then[cells] == now[cells]).all()
            for one in (*ABOVE, KEPT):
                assert (shown[cells][old[one]] == then[cells][new[one]]).all(), (seed, one)
            for one, parts in SPLIT.items():
                assert (shown[cells][old[one]] == sum(then[cells][new[part]] for part in parts)).all(), (seed, one)
            for one in set(MERGED.values()):
                pair = [shown[cells][old[was]] for was, to in MERGED.items() if to == one]
                assert (np.abs(then[cells][new[one]] - sum(pair)) <= 10).all(), (seed, one)
