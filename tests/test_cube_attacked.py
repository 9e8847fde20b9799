"""Cubes of invented people attacked as hard as we can: overlapping breakdowns, two months, whole families."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from layers.cube import Cube
from layers.declare.records import Breakdown
from layers.gate import attack
from layers.release import Release, release
from tests.test_cube import AGE, KEY, NAME, NEAR, RESIDENCE, SEX, SEX_AGE, SIZE, held, never, summed

Ints = NDArray[np.int64]
ON = Breakdown("on", NAME, ("register",), register="elder_allowance")
OVERLAPPING = (SEX_AGE, RESIDENCE, NEAR, SIZE, ON, AGE, SEX)
"""Sex and age are told twice, crossed and alone."""


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


def published(cube: Cube, found: Release) -> Any:
    """What a later release reads of an earlier one."""
    position = {name: at for at, name in enumerate(cube.names)}
    length = np.array([len(name) for name in cube.names])

    def last(breakdown: str, names: Any) -> Ints | None:
        digits = found.digits.get(breakdown, 0)
        if not digits:
            return None
        at = np.array([position[name] for name in names])
        return np.where((length[at] <= digits)[:, None], found.parts[breakdown][at], -1)

    return last


@dataclass
class Tried:
    """What an attack on small counts came to."""

    n_cubes: int = 0
    n_counts: int = 0
    narrowed: int = 0
    recovered: int = 0

    def family(self, cube: Cube, found: Release, parent: int, last: Any = never, before: Cube | None = None) -> None:
        """Attack every count of 1 to 9 of a family; with last month's, knowing in which grids nothing has changed."""
        children = np.flatnonzero(cube.parents == parent)
        digits = len(cube.codes[children[0]])
        out = [one for one in OVERLAPPING if found.digits[one.key] >= digits]
        names = [cube.names[at] for at in children]
        figures = {one.key: found.parts[one.key][children] for one in out}
        over = {one.key: found.parts[one.key][parent] for one in out}
        then = {}
        for key in figures if before is not None else ():
            same = [
                (before.parts[one.key][children] == cube.parts[one.key][children]).all(axis=1) for one in OVERLAPPING
            ]
            if (told := last(key, names)) is not None:
                then[key] = np.where(np.all(same, axis=0)[:, None], told, -1)
        small = [
            (one.key, int(child), int(cell))
            for one in out
            for child, cell in zip(*np.nonzero(figures[one.key] <= 10), strict=True)
            if 1 <= cube.parts[one.key][children[child], cell] <= 9
        ]
        narrowed = attack(out, figures, over, then, small)
        self.n_counts += len(small)
        self.narrowed += len(narrowed)
        self.recovered += len(attack(out, figures, over, then, narrowed, exactly=True))


def attacked(seeds: range) -> tuple[Tried, Tried]:
    """Release two months for each seed and attack a family: each month by itself, the second with the first."""
    alone, together = Tried(), Tried()
    for seed in seeds:
        rng = np.random.default_rng(seed)
        town = Town.settled(rng, float(rng.choice([3, 8, 30])))
        cube, later = town.cube(OVERLAPPING), town.a_month_later(rng).cube(OVERLAPPING)
        first = release(cube, OVERLAPPING, KEY, never)
        last = published(cube, first)
        second = release(later, OVERLAPPING, KEY, last)
        held(cube, first)
        held(later, second)
        parent = int(rng.integers(1, 14))
        alone.family(cube, first, parent)
        alone.family(later, second, parent)
        together.family(later, second, parent, last, cube)
        alone.n_cubes += 2
    return alone, together


def test_overlapping_breakdowns_give_nothing_away() -> None:
    alone, together = attacked(range(2))
    assert alone.n_counts > 50 and alone.narrowed == 0
    assert together.recovered == 0


@pytest.mark.soak
@pytest.mark.parametrize("tenth", range(10))
def test_a_thousand_cubes_give_nothing_away(tenth: int) -> None:
    alone, together = attacked(range(100 + 50 * tenth, 150 + 50 * tenth))
    assert alone.n_cubes == 100 and alone.n_counts > 1000
    assert alone.narrowed == 0
    assert together.recovered == 0
    assert together.narrowed <= together.n_counts * 0.06, "docs/privacy.md says how many"
