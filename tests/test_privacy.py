"""Controlled rounding: what is shown adds up, stays near the truth, and does not give small counts away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from layers.errors import AtlasError
from layers.privacy import BASE, fixed_noise, problems, round_tree

KEY = bytes(range(32))

Tree = tuple[NDArray[np.int64], NDArray[np.int64], list[str]]


def tree_of(shape: list[list[int]], leaves: NDArray[np.int64]) -> Tree:
    """Build a tree of counts: `shape` says how many children each node of a level has, `leaves` counts the lowest."""
    parents, level = [-1], [0]
    for widths in shape:
        below = [node for node, width in zip(level, widths, strict=True) for _ in range(width)]
        level = list(range(len(parents), len(parents) + len(below)))
        parents += below
    counts = np.zeros(len(parents), dtype=np.int64)
    counts[level] = leaves[: len(level)]
    for node in range(len(parents) - 1, 0, -1):
        counts[parents[node]] += counts[node]
    return np.array(parents), counts, [f"4499{node:011d}" for node in range(len(parents))]


def rounded(tree: Tree, cell: str = "all") -> NDArray[np.int64]:
    parents, counts, codes = tree
    return round_tree(parents, counts, fixed_noise(codes, KEY, "all", cell))


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    shape: list[list[int]] = []
    width = 1
    for _ in range(draw(st.integers(0, 4))):
        shape.append(draw(st.lists(st.integers(1, 4), min_size=width, max_size=width)))
        width = sum(shape[-1])
    counts = draw(st.lists(st.one_of(st.integers(0, 12), st.integers(0, 400)), min_size=width, max_size=width))
    return tree_of(shape, np.array(counts, dtype=np.int64))


@settings(max_examples=300, deadline=None)
@given(trees())
def test_every_figure_is_a_multiple_near_the_truth_and_parts_add_up(tree: Tree) -> None:
    parents, counts, _ = tree
    figures = rounded(tree)
    assert (figures % BASE == 0).all() and (figures >= 0).all()
    assert (np.abs(figures - counts) <= BASE - 1).all()
    for node in range(len(parents)):
        children = parents == node
        if children.any():
            assert figures[children].sum() == figures[node]
    assert list(problems(parents, counts, figures)) == []
    assert (figures[counts % BASE == 0] == counts[counts % BASE == 0]).all()


@settings(deadline=None)
@given(trees(), st.randoms(use_true_random=False))
def test_figures_do_not_hang_on_the_order_of_the_rows(tree: Tree, chance: Any) -> None:
    parents, counts, codes = tree
    order = np.arange(len(parents))
    chance.shuffle(order)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    moved = np.where(parents[order] < 0, -1, place[parents[order]])
    shuffled = round_tree(moved, counts[order], fixed_noise([codes[at] for at in order], KEY, "all", "all"))
    assert (shuffled == rounded(tree)[order]).all()


def test_the_same_counts_give_the_same_figures_every_month_and_another_key_others() -> None:
    rng = np.random.default_rng(1)
    tree = tree_of([[4], [14] * 4, [15] * 56], rng.poisson(33, 840))
    parents, counts, codes = tree
    first = rounded(tree)
    assert (first == rounded(tree)).all()
    assert (first != rounded(tree, "60_to_69")).any(), "each cell has noise of its own"
    assert (first != round_tree(parents, counts, fixed_noise(codes, bytes(32), "all", "all"))).any()


def test_a_change_in_one_county_leaves_the_others_as_they_were() -> None:
    rng = np.random.default_rng(2)
    parents, counts, codes = tree_of([[4], [14] * 4, [15] * 56], rng.poisson(33, 840))
    before = rounded((parents, counts, codes))
    changed = counts.copy()
    node = len(parents) - 1
    while node >= 0:
        changed[node] += 1
        node = parents[node]
    after = rounded((parents, changed, codes))
    county = np.zeros(len(parents), dtype=bool)
    for node in range(5, len(parents)):
        top = node
        while parents[top] > 0:
            top = parents[top]
        county[node] = top == 4
    assert (before[1:5] == after[1:5]).all(), "one more in 28,000 moves no county here"
    assert (before[~county] == after[~county]).all()
    assert (np.abs(after - changed) < BASE).all()


def test_the_noise_belongs_to_the_node_and_is_spread_evenly() -> None:
    codes = [f"4499{n:011d}" for n in range(20000)]
    noise = fixed_noise(codes, KEY, "all", "all")
    assert (noise == fixed_noise(codes[::-1], KEY, "all", "all")[::-1]).all()
    assert noise.min() >= 0 and noise.max() < 1
    assert np.histogram(noise, bins=10, range=(0, 1))[0] == pytest.approx(2000, rel=0.1)
    # the pieces that name a cell cannot be pushed together into another one
    assert (fixed_noise(["1"], KEY, "ab", "c") != fixed_noise(["1"], KEY, "a", "bc")).all()


def test_rounding_is_on_average_fair() -> None:
    errors = []
    for n in range(300):
        parents, counts, codes = tree_of([[6], [5] * 6], np.random.default_rng(n).integers(0, 30, 30))
        errors.append(round_tree(parents, counts, fixed_noise(codes, KEY, str(n), "all")) - counts)
    assert abs(np.mean(errors)) < 0.5


def bounds_seen(parents: NDArray[np.int64], figures: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Work out, as somebody who knows the method would, between which counts each node must lie.

    The unknowns are the leaves, at least 0; every figure says that the leaves below it sum to less than a base away.
    """
    n = len(parents)
    below = np.eye(n)
    for node in range(n - 1, 0, -1):
        below[parents[node]] += below[node]
    leaves = np.flatnonzero(~np.isin(np.arange(n), parents))
    sums = below[:, leaves]
    matrix = np.vstack([sums, -sums])
    limits = np.concatenate([figures + BASE - 1, -(figures - BASE + 1)])
    low, high = np.empty(len(leaves)), np.empty(len(leaves))
    for at in range(len(leaves)):
        aim = np.zeros(len(leaves))
        aim[at] = 1
        least = linprog(aim, A_ub=matrix, b_ub=limits, bounds=(0, None))
        most = linprog(-aim, A_ub=matrix, b_ub=limits, bounds=(0, None))
        assert least.status == 0 and most.status == 0
        low[at], high[at] = least.fun, -most.fun
    return low, high


@pytest.mark.parametrize("seed", range(6))
def test_no_small_count_is_narrowed_by_linear_programming(seed: int) -> None:
    rng = np.random.default_rng(seed)
    small = np.where(rng.random(36) < 0.6, rng.integers(0, 10, 36), rng.integers(10, 80, 36))
    parents, counts, codes = tree_of([[3], [3] * 3, [4] * 9], small)
    figures = round_tree(parents, counts, fixed_noise(codes, KEY, str(seed), "all"))
    low, high = bounds_seen(parents, figures)
    leaves = counts[-36:]
    attacked = (leaves >= 1) & (leaves <= 9)
    assert attacked.sum() > 10
    assert (low[attacked] <= 1 + 1e-6).all(), "a small count was shown to be more than 1"
    assert (high[attacked] >= 9 - 1e-6).all(), "a small count was shown to be less than 9"


def test_the_attack_itself_finds_what_hiding_gives_away() -> None:
    parents = np.array([-1, 0, 0])
    low, high = bounds_seen(parents, np.array([100, 90, 20]))
    assert high[0] <= 99 and low[1] >= 11, "the attack does not even read the figures"


def test_thousands_of_grids_are_rounded_level_by_level(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    tree = tree_of([[4], [14] * 4, [15] * 56, [6] * 840], rng.poisson(40, 5040))
    calls = 0
    real = np.lexsort

    def counted(*args: Any, **kw: Any) -> Any:
        nonlocal calls
        calls += 1
        return real(*args, **kw)

    monkeypatch.setattr(np, "lexsort", counted)
    assert len(rounded(tree)) == 5941
    assert calls == 4


@pytest.mark.parametrize(
    ("parents", "counts"),
    [([-1, 0, 0], [10, 3, 4]), ([-1, 0], [-5, -5]), ([1, 0], [5, 5])],
)
def test_what_is_no_tree_is_refused(parents: list[int], counts: list[int]) -> None:
    with pytest.raises(AtlasError):
        round_tree(np.array(parents), np.array(counts), np.zeros(len(parents)))


def test_the_gate_says_what_is_wrong() -> None:
    parents, counts = np.array([-1, 0, 0]), np.array([30, 12, 18])
    assert "multiple" in " ".join(problems(parents, counts, np.array([31, 11, 20])))
    assert "negative" in " ".join(problems(parents, np.array([0, 0, 0]), np.array([0, -10, 10])))
    assert "from the truth" in " ".join(problems(parents, counts, np.array([30, 0, 30])))
    assert "not the sum" in " ".join(problems(parents, counts, np.array([30, 10, 10])))


def test_an_empty_tree_and_a_single_node() -> None:
    nothing = np.array([], dtype=np.int64)
    assert len(round_tree(nothing, nothing, fixed_noise([], KEY, "all", "all"))) == 0
    assert rounded(tree_of([], np.array([4])))[0] in (0, 10)
