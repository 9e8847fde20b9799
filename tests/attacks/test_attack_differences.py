"""Differences of areas and of months through the web: all answers together hold no small count to less than 1 to 9.

The attacker asks for two indicators of people on every level, in two months, and for circles, polygons and sets of
grids that overlap; he knows the method and in which grids nobody came or went. Every answer becomes a row of a linear
program over the true counts.
"""

from __future__ import annotations

import csv
import io
import json
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
from databases import copy_of
from knock import Knocker
from scipy.optimize import linprog
from scipy.sparse import csr_array
from serving import serving
from signing import sign_in
from verdict import plain

from layers.cube import Cube, work_out
from layers.database import Database
from layers.declare.records import Catalog
from layers.people import publish
from layers.secrets import read_secrets
from mapapp.door import Pace

LEVELS = ("city", "county", "large", "medium", "small")
MONTHS = (202607, 202608)
OLD = "people_over_60"
Told = tuple[list[str], int, int]
N_CELLS = 6
"""Cells whose sum the number of old people is."""


@pytest.fixture
def here(settings: Any, server: Any, city_template: Database) -> Iterator[Database]:
    with copy_of(city_template, server, settings) as copy:
        yield copy


def figures(knocker: Knocker, indicator: str) -> dict[str, int]:
    """Download what an indicator says of every grid of every level."""
    found: dict[str, int] = {}
    for level in LEVELS:
        query = f"indicator={indicator}&level={level}&lang=en".encode()
        answer = knocker.ask("GET", "/api/explore/export/csv", query)
        assert answer.status == 200
        lines = list(csv.reader(io.StringIO(plain(answer).decode("utf-8-sig"))))
        head = lines.index([]) + 1
        code, value = 0, next(at for at, name in enumerate(lines[head]) if name.lower() in ("value", "number"))
        found |= {line[code].lstrip("'"): int(float(line[value])) for line in lines[head + 1 :] if line[value]}
    return found


def areas(knocker: Knocker, chance: random.Random, n: int, codes: Sequence[str]) -> Iterator[Told]:
    """Ask for circles, polygons and sets of grids that overlap: grids touched, people told of them, how far off."""
    answered = set()
    for at in range(3 * n):
        lon, lat = chance.uniform(115.15, 115.35), chance.uniform(22.75, 22.95)
        r = chance.choice([300, 800, 1500, 3000])
        asked = (
            f"lon={lon:.5f}&lat={lat:.5f}&r={r}",
            f"shape={polygon(chance, lon, lat, r)}",
            f"grids={','.join(chance.sample(codes, chance.randint(1, 12)))}",
        )[at % 3]
        answer = knocker.ask("GET", "/command/nearby", f"{asked}&lang=en".encode())
        said = json.loads(plain(answer)) if answer.status == 200 else {"people": {"all": None}}
        if told := said["people"]["all"]:
            answered.add(at % 3)
            rows = said["grids"]["rows"]
            assert len(rows) == told["n_grids"]
            yield [one["code"] for one in rows], number(told["n"]), told["off_by"]
            whole = [one["code"] for one in rows if one["is_whole"]]
            if told["n_whole"] is not None:
                yield whole, number(told["n_whole"]), 9 * len(whole)
    assert answered == {0, 1, 2}, "each kind of area tells of people somewhere"


def polygon(chance: random.Random, lon: float, lat: float, r: float) -> str:
    """Draw a polygon of a few corners around a place, as the address of an area says it."""
    corners = []
    for turn in sorted(chance.uniform(0, 2 * math.pi) for _ in range(chance.randint(3, 9))):
        far = r * chance.uniform(0.2, 1) / 111_000
        corners.append(f"{lon + far * math.cos(turn):.6f},{lat + far * math.sin(turn):.6f}")
    return ";".join(corners)


def number(said: str) -> int:
    """Read how many people are said to be there."""
    return 0 if said.startswith("<") else int(said.split()[-1].replace(",", ""))


class Attacker:
    """A linear program over the people and the old people of all grids that no grid is below, month by month."""

    def __init__(self, leaves: Sequence[str], n_months: int) -> None:
        self.leaves, self.shape = list(leaves), (n_months, 2, len(leaves))
        self.at = np.arange(2 * n_months * len(leaves)).reshape(self.shape)
        self.rows: list[tuple[Any, Any]] = []
        self.high: list[float] = []
        for month in range(n_months):
            for leaf in range(len(leaves)):
                self.add([self.at[month, 1, leaf]], [self.at[month, 0, leaf]], 0)

    def add(self, plus: Any, minus: Any, most: float) -> None:
        """Know that some counts less some others are `most` at most."""
        self.rows.append((plus, minus))
        self.high.append(most)

    def learn(self, month: int, kind: int, codes: Iterable[str], n: int, off_by: int) -> None:
        """Know how many people some grids have together, and how far off that may be."""
        whole = tuple(codes)
        held = [at for at, leaf in enumerate(self.leaves) if leaf.startswith(whole)] if whole else []
        self.add(self.at[month, kind, held], [], n + off_by)
        self.add([], self.at[month, kind, held], off_by - n)

    def narrows(self, month: int, kind: int, leaf: int) -> bool:
        """Whether a count is held to less than 1 to 9."""
        signs = [np.concatenate([np.ones(len(plus)), -np.ones(len(minus))]) for plus, minus in self.rows]
        columns = [np.concatenate([plus, minus]).astype(np.int64) for plus, minus in self.rows]
        row = np.repeat(np.arange(len(columns)), [len(one) for one in columns])
        matrix = csr_array((np.concatenate(signs), (row, np.concatenate(columns))), (len(columns), self.at.size))
        aim = np.zeros(self.at.size)
        aim[self.at[month, kind, leaf]] = 1
        least, most = (linprog(sign * aim, matrix, self.high, bounds=(0, None)) for sign in (1, -1))
        assert least.status == most.status == 0, "the truth fits all answers"
        return bool(least.fun > 1 + 1e-6 or -most.fun < 9 - 1e-6)


def a_month_later(db: Database, catalog: Catalog, settings: Any) -> None:
    """Some people go, and the month after is published."""
    with db.connect("admin") as admin:
        admin.execute("set session_replication_role = replica")
        assert admin.execute("delete from vault.person where id % 60 = 0").rowcount > 100
    with db.connect("loader") as loader:
        publish(loader, read_secrets(settings), MONTHS[1], list(catalog.breakdowns.values()))


def truth(db: Database, catalog: Catalog, month: int) -> Cube:
    """True counts by grid, and by sex and age."""
    with db.connect("loader") as loader:
        codes = [code for (code,) in loader.execute("select code from pub.grid order by code").fetchall()]
        return work_out(loader, 1, month, codes, [catalog.breakdowns["sex_age"]])


def of_leaves(cube: Cube, catalog: Catalog, leaves: Sequence[str]) -> Any:
    """People of some leaves, by sex and age, and how many of them are old: leaves by all these."""
    cells, kept = catalog.breakdowns["sex_age"].cells, catalog.indicators[OLD].people
    assert kept is not None
    parts = cube.parts["sex_age"]
    old = parts[:, [cells.index(one) for one in kept.cells]].sum(axis=1)
    counts = dict(zip(cube.names, np.column_stack([cube.totals, parts, old]), strict=True))
    return np.array([counts.get(leaf, np.zeros(len(cells) + 2, dtype=np.int64)) for leaf in leaves])


@pytest.mark.parametrize(
    ("n_areas", "n_targets"), [(4, 2), pytest.param(200, 400, marks=pytest.mark.soak)], ids=["slice", "all"]
)
def test_areas_and_months_hold_nobody_to_less(
    here: Database, catalog: Catalog, settings: Any, n_areas: int, n_targets: int
) -> None:
    chance, cubes = random.Random(4499), list[Cube]()
    learned: list[tuple[int, int, list[str], int, int]] = []
    for n, month in enumerate(MONTHS):
        if n:
            a_month_later(here, catalog, settings)
        cubes.append(truth(here, catalog, month))
        with serving(here, catalog, settings) as server:
            server.app._pace = Pace(burst=1e9)
            knocker = Knocker(server.app, server.loop, lambda: sign_in(here, "dispatcher"))
            people = figures(knocker, "population")
            learned += [(n, 0, [code], figure, 9) for code, figure in people.items()]
            learned += [(n, 1, [code], figure, 9 * N_CELLS) for code, figure in figures(knocker, OLD).items()]
            small = sorted(code for code in people if len(code) == 15)
            for codes, told, off_by in areas(knocker, chance, n_areas, small):
                assert told == sum(people[code] for code in codes), "an area tells sums of published figures alone"
                learned.append((n, 0, codes, told, off_by))
    inner = {cubes[0].codes[at] for at in cubes[0].parents if at >= 0}
    leaves = sorted({name for cube in cubes for name in cube.names} - inner)
    attacker = Attacker(leaves, 2)
    for one in learned:
        attacker.learn(*one)
    first, second = (of_leaves(cube, catalog, leaves) for cube in cubes)
    unchanged = np.flatnonzero((first == second).all(axis=1)).tolist()
    assert 0 < len(unchanged) < len(leaves)
    for leaf, kind in product(unchanged, range(2)):
        now, then = attacker.at[1, kind, leaf], attacker.at[0, kind, leaf]
        attacker.add([now], [then], 0)
        attacker.add([then], [now], 0)
    counts = second[:, [0, -1]].T
    kinds, where = np.nonzero((counts >= 1) & (counts <= 9))
    targets = list(zip(kinds.tolist(), where.tolist(), strict=True))
    assert targets
    chosen = chance.sample(targets, min(n_targets, len(targets)))
    assert [(kind, leaf) for kind, leaf in chosen if attacker.narrows(1, kind, leaf)] == []
    kind, leaf = chosen[0]
    attacker.learn(1, kind, [leaves[leaf]], int(counts[kind, leaf]), 0)
    assert attacker.narrows(1, kind, leaf), "a true count would be found"
