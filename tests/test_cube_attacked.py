"""Cubes of invented people attacked as hard as we can: overlapping breakdowns, two months, whole families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from layers.cube import Cube
from layers.declare.records import Breakdown
from layers.gate import margins
from layers.release import Release, release
from layers.told import Told, told_with
from tests.test_cube import AGE, KEY, NAME, NEAR, RESIDENCE, SEX, SEX_AGE, SIZE, held, summed

Ints = NDArray[np.int64]
ON = Breakdown("on", NAME, ("register",), register="elder_allowance")
OVERLAPPING = (SEX_AGE, RESIDENCE, NEAR, SIZE, ON, AGE, SEX)
"""Sex and age are told twice, crossed and alone."""
SINGLE = OVERLAPPING[:5]
"""Nothing is told twice."""


@dataclass(frozen=True)
class Town:
    """People of a county of three large, nine medium and 36 small grids; each has a value of every dimension."""

    codes: list[str]
    parents: Ints
    home: Ints
    values: Mapping[str, NDArray[np.str_]]

    @classmethod
    def settled(cls, rng: np.random.Generator, mean: float) -> Town:
        """Draw people; whether one lives near the clinic hangs on the grid."""
        codes = ["4499", "449901", *(f"44990100{n}" for n in (1, 2, 3))]
        codes += [f"{one}20{n}" for one in codes[2:5] for n in (1, 2, 3)]
        codes += [f"{one}00{n}" for one in codes[5:] for n in (1, 2, 3, 4)]
        parents = [max((at for at, up in enumerate(codes) if up != one and one.startswith(up)), default=-1)
                   for one in codes]  # fmt: skip
        home = np.repeat(np.arange(36), rng.poisson(mean, 36))
        n = len(home)
        age = rng.choice(["0", "18", "60", "80", "unknown"], n, p=[0.2, 0.5, 0.2, 0.07, 0.03])
        values = {
            "sex": rng.choice(["female", "male", "unknown"], n, p=[0.49, 0.49, 0.02]),
            "age": age,
            "residence": rng.choice(RESIDENCE.cells, n, p=[0.16, 0.01, 0.05, 0.77, 0.01]),
            "household_size": rng.choice(["1", "3", "unknown"], n, p=[0.3, 0.65, 0.05]),
            "register": np.where((age == "80") & (rng.random(n) < 0.9), "on", "off"),
            "near": rng.choice(["far", "near"], 36)[home],
        }
        return cls(codes, np.array(parents), home, values)

    def a_month_later(self, rng: np.random.Generator) -> Town:
        """Some have gone and some have moved house, with all that they are."""
        stays = rng.random(len(self.home)) > 0.03
        moves = rng.random(len(self.home)) < 0.03
        home = np.where(moves, rng.integers(0, 36, len(self.home)), self.home)
        return Town(self.codes, self.parents, home[stays], {key: told[stays] for key, told in self.values.items()})

    def cube(self, breakdowns: tuple[Breakdown, ...]) -> Cube:
        """Count them."""
        parts = {}
        for one in breakdowns:
            counts = np.zeros((36, len(one.cells)), dtype=np.int64)
            bands = {"age": one.ages} if one.ages else {}
            told = [self._banded(dimension, bands) for dimension in one.by]
            position = {cell: at for at, cell in enumerate(one.cells)}
            columns = [position[".".join(values)] for values in zip(*told, strict=True)]
            np.add.at(counts, (self.home, np.array(columns, dtype=np.int64)), 1)
            parts[one.key] = summed(self.parents, counts, 36)
        totals = summed(self.parents, np.bincount(self.home, minlength=36), 36)
        return Cube(self.codes, self.codes, self.parents, totals, parts)

    def _banded(self, dimension: str, bands: Mapping[str, tuple[int, ...]]) -> list[str]:
        values = self.values[dimension].tolist()
        if dimension not in bands:
            return values
        first = bands[dimension]
        return [str(max(b for b in first if b <= int(one))) if one.isdigit() else one for one in values]


@dataclass(frozen=True)
class Month:
    """A month as it was published, and the truth beside it."""

    cube: Cube
    found: Release

    def family(self, parent: int) -> Ints:
        """Children of a node."""
        return np.flatnonzero(self.cube.parents == parent)


class Memory:
    """Linear programs of somebody who remembers all months, and knows in which grids nothing has changed.

    The unknowns are the counts of a family in each month; a child in which nothing has changed has the same in both.
    """

    def __init__(self, months: Sequence[Month], parent: int, breakdowns: Sequence[Breakdown]) -> None:
        self.at: list[dict[str, Ints]] = []
        self.bounds: list[tuple[float, float]] = []
        self.sums: list[tuple[Ints, float, float]] = []
        self.pairs: list[tuple[Ints, Ints]] = []
        for n, month in enumerate(months):
            children = month.family(parent)
            digits = len(month.cube.codes[children[0]])
            out = [one for one in breakdowns if month.found.digits[one.key] >= digits]
            self.at.append({})
            for one in out:
                self._tell(n, one.key, month.found.parts[one.key][children], month.found.parts[one.key][parent])
            for one, other in [*combinations(out, 2)]:
                for mine, others in margins(one, other):
                    pairs = zip(self.at[n][one.key][:, mine], self.at[n][other.key][:, others], strict=True)
                    self.pairs += list(pairs)
            for one, other in pairwise(out):
                self.pairs += list(zip(self.at[n][one.key], self.at[n][other.key], strict=True))
            if n:
                self._same(months[n - 1], month, children)

    def _tell(self, n: int, key: str, figures: Ints, above: Ints) -> None:
        at = len(self.bounds) + np.arange(figures.size).reshape(figures.shape)
        self.at[n][key] = at
        self.bounds += [(max(0, figure - 9), figure + 9) for figure in figures.ravel().tolist()]
        self.sums += [(column, figure - 9, figure + 9) for column, figure in zip(at.T, above, strict=True)]
        self.sums += [(row, figure - 9, figure + 9) for row, figure in zip(at, figures.sum(axis=1), strict=True)]

    def _same(self, then: Month, now: Month, children: Ints) -> None:
        same = [(then.cube.parts[key] == now.cube.parts[key])[children].all(axis=1) for key in now.cube.parts]
        rows = np.flatnonzero(np.all(same, axis=0))
        for key in set(self.at[-1]) & set(self.at[-2]):
            cells = zip(self.at[-2][key][rows].ravel(), self.at[-1][key][rows].ravel(), strict=True)
            self.pairs += [(np.array([a]), np.array([b])) for a, b in cells]

    def between(self, key: str, child: int, cell: int) -> tuple[float, float]:
        """Least and most a count of the last month can be."""
        n = len(self.bounds)

        def rows(sums: Sequence[Ints]) -> csr_array:
            row = np.repeat(np.arange(len(sums)), [len(one) for one in sums])
            columns = np.concatenate([*sums, np.zeros(0, dtype=np.int64)])
            return csr_array((np.ones(len(row)), (row, columns)), shape=(len(sums), n))

        below = rows([one for one, _, _ in self.sums])
        equal = rows([a for a, _ in self.pairs]) - rows([b for _, b in self.pairs])
        limits = np.concatenate([[high for _, _, high in self.sums], [-low for _, low, _ in self.sums]])
        aim = np.zeros(n)
        aim[self.at[-1][key][child, cell]] = 1
        found = [
            linprog(sign * aim, vstack([below, -below]), limits, equal, np.zeros(len(self.pairs)), self.bounds)
            for sign in (1, -1)
        ]
        assert all(one.status == 0 for one in found), "the truth fits"
        return found[0].fun, -found[1].fun


@dataclass
class Tried:
    """What an attack on small counts came to."""

    n_cubes: int = 0
    n_counts: int = 0
    narrowed: int = 0
    recovered: int = 0
    n_withheld: int = 0

    def family(self, months: Sequence[Month], parent: int, breakdowns: Sequence[Breakdown]) -> None:
        """Attack every count of 1 to 9 of a family in the last month."""
        month, memory = months[-1], Memory(months, parent, breakdowns)
        children = month.family(parent)
        for key in memory.at[-1]:
            counts, figures = month.cube.parts[key][children], month.found.parts[key][children]
            for child, cell in zip(*np.nonzero((counts > 0) & (counts < 10) & (figures <= 10)), strict=True):
                least, most = memory.between(key, int(child), int(cell))
                self.n_counts += 1
                self.narrowed += least > 1 + 1e-6 or most < 9 - 1e-6
                self.recovered += most - least < 1 - 1e-6


def months_of(seed: int, breakdowns: tuple[Breakdown, ...], n: int, mean: float | None = None) -> list[Month]:
    """Release some months of a town, each knowing what was told before."""
    rng = np.random.default_rng(seed)
    town, told, months = Town.settled(rng, mean or float(rng.choice([3, 8, 30]))), Told(), list[Month]()
    for _ in range(n):
        cube = town.cube(breakdowns)
        found = release(cube, breakdowns, KEY, told)
        held(cube, found)
        told = told_with(told, cube, found.shown(cube))
        months.append(Month(cube, found))
        town = town.a_month_later(rng)
    return months


def attacked(seeds: range, breakdowns: tuple[Breakdown, ...], n: int) -> tuple[Tried, Tried]:
    """Release months for each seed and attack a family: the last month by itself, and with all before it."""
    alone, together = Tried(), Tried()
    for seed in seeds:
        months = months_of(seed, breakdowns, n)
        parent = int(np.random.default_rng(seed).integers(1, 14))
        alone.family(months[-1:], parent, breakdowns)
        together.family(months, parent, breakdowns)
        alone.n_cubes += len(months)
        together.n_withheld += bool(months[-1].found.withheld)
    return alone, together


def test_months_give_nothing_away() -> None:
    for breakdowns in (OVERLAPPING, SINGLE):
        alone, together = attacked(range(2), breakdowns, 3)
        assert together.n_counts > 30 and together.narrowed == 0 and alone.narrowed == 0


@pytest.mark.soak
@pytest.mark.parametrize("tenth", range(10))
def test_a_thousand_cubes_give_nothing_away(tenth: int) -> None:
    alone, together = attacked(range(100 + 17 * tenth, 117 + 17 * tenth), SINGLE, 3)
    assert alone.n_cubes == 51 and alone.n_counts > 300
    assert alone.narrowed == together.narrowed == 0


@pytest.mark.soak
@pytest.mark.parametrize("tenth", range(10))
def test_overlapping_breakdowns_of_a_thousand_cubes_give_next_to_nothing_away(tenth: int) -> None:
    alone, together = attacked(range(100 + 17 * tenth, 117 + 17 * tenth), OVERLAPPING, 3)
    assert alone.n_cubes == 51 and alone.n_counts > 100
    assert alone.narrowed == together.recovered == 0
    assert together.narrowed <= together.n_counts * 0.01, "docs/privacy.md says how many"
