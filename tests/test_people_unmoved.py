"""Figures of grids in which nothing has changed stay, whatever the key: month by month, and through a reform."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from layers.cube import FORMER, Cube, _summed
from layers.reformed import former_parents, told_of_former
from layers.release import release
from layers.told import NONE, TOTAL, Told, told_with
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
    former = former_parents(shares)
    assert former == {part: f"{old}{FORMER}" for old, parts in SPLIT.items() for part in parts}
    return cube(before, {}), cube(after, former), shares


@pytest.mark.parametrize("n_keys", [8, pytest.param(100, marks=pytest.mark.soak)])
def test_a_reform_moves_nothing_under_any_key(n_keys: int) -> None:
    n_withheld = 0
    for seed, key in enumerate(keys(n_keys)):
        before, after, shares = reform(seed)
        first = release(before, [SEX], key)
        told = told_of_former(shares, after.names, before.names, told_with(Told(), before, first.shown(before)))
        second = release(after, [SEX], key, told)
        third = release(after, [SEX], key, told_with(told, after, second.shown(after)))
        assert first.withheld == []
        n_withheld += bool(second.withheld)
        shown, then = ({TOTAL: one.totals[:, None], **one.parts} for one in (first, second))
        told_then, told_now = second.shown(after), third.shown(after)
        old, new = ({name: at for at, name in enumerate(one.names)} for one in (before, after))
        for cells in (TOTAL, "sex"):
            a_month_later = told_now[cells]
            assert ((told_then[cells] == a_month_later) | (told_then[cells] == NONE) | (a_month_later == NONE)).all()
            for one in (*ABOVE, KEPT):
                assert (shown[cells][old[one]] == then[cells][new[one]]).all(), (seed, one)
            for one, parts in SPLIT.items():
                assert (shown[cells][old[one]] == sum(then[cells][new[part]] for part in parts)).all(), (seed, one)
            for one in set(MERGED.values()):
                pair = [shown[cells][old[was]] for was, to in MERGED.items() if to == one]
                assert (np.abs(then[cells][new[one]] - sum(pair)) <= 10).all(), (seed, one)
    assert n_withheld <= n_keys / 10


def moved_borders(seed: int) -> tuple[Cube, Cube, pd.DataFrame]:
    """Draw people of eight pairs of grids between which the border is moved: some of either come to the other."""
    rng = np.random.default_rng(seed)
    before: Counts = {}
    after: Counts = {}
    pairs = [(one, one) for one in ABOVE]
    for west, east in SPLIT.values():
        parts = rng.integers(0, 12, (3, 2))  # of the west, of the east, and between the old border and the new
        for code, n_before, n_after in (
            (west, parts[0] + parts[2], parts[0]),
            (east, parts[1], parts[1] + parts[2]),
        ):
            before[code], after[code] = (
                dict(zip(("female", "male"), n.tolist(), strict=True)) for n in (n_before, n_after)
            )
        pairs += [(west, west), (west, east), (east, east)]
    before[KEPT] = after[KEPT] = {"female": 3, "male": 4}
    shares = pd.DataFrame([*pairs, (KEPT, KEPT)], columns=["old_code", "new_code"])
    weight = np.where(shares["old_code"].isin([west for west, _ in SPLIT.values()]), 0.5, 1.0)
    shares = shares.assign(weight=weight)
    return cube(before, {}), cube(after, former_parents(shares)), shares


def n_narrowed(then: NDArray[np.int64], now: NDArray[np.int64], counts: NDArray[np.int64]) -> int:
    """How many small counts are held to less than 1 to 9 by figures of before, on grids that hold the same people."""
    high, low = now + 9, np.maximum(now - 9, 0)
    most = np.minimum(high, (then + 9).sum(axis=0) - (low.sum(axis=0) - low))
    least = np.maximum(low, np.maximum(then - 9, 0).sum(axis=0) - (high.sum(axis=0) - high))
    return int(((counts > 0) & (counts < 10) & ((most < 9) | (least > 1))).sum())


@pytest.mark.parametrize("n_keys", [10, pytest.param(200, marks=pytest.mark.soak)])
def test_old_and_new_grids_on_the_same_ground_narrow_nobody(n_keys: int) -> None:
    n_shown = n_open = n_totals = 0
    for seed, key in enumerate(keys(n_keys)):
        before, after, shares = moved_borders(seed)
        first = release(before, [SEX], key)
        told = told_of_former(shares, after.names, before.names, told_with(Told(), before, first.shown(before)))
        second = release(after, [SEX], key, told)
        shown, now = first.shown(before), second.shown(after)
        free = release(after, [SEX], key).parts
        old, new = ({name: at for at, name in enumerate(one.names)} for one in (before, after))
        for pair in SPLIT.values():
            was, at = [old[one] for one in pair], [new[one] for one in pair]
            n_totals += n_narrowed(shown[TOTAL][was], now[TOTAL][at], after.totals[at, None])
            if now["sex"][at].min() >= 0 and shown["sex"][was].min() >= 0:
                n_shown += 1
                assert n_narrowed(shown["sex"][was], now["sex"][at], after.parts["sex"][at]) == 0, (seed, pair)
            n_open += n_narrowed(shown["sex"][was], free["sex"][at], after.parts["sex"][at])
    assert n_shown > 4 * n_keys
    assert n_totals <= n_keys * 2 * len(SPLIT) * 0.001, "a total is never withheld; docs/privacy.md says how many"
    assert n_open, "without what was told before some would be narrowed"
