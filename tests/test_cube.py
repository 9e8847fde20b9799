"""The cube of people: breakdowns under shared totals, the gate that attacks them, and what is withheld."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from layers.access import Scope
from layers.accounts.audit import read_entries
from layers.cells import Net, Table
from layers.cube import Cube, work_out
from layers.database import Database
from layers.declare.records import Breakdown, Text
from layers.gate import View, attack, homes_narrowed, margins, narrowed, seen
from layers.people import people, publish
from layers.people_parts import people_by
from layers.privacy import round_tree, sums_of_children
from layers.release import Release, release
from layers.secrets import Secrets, read_secrets
from layers.told import Told, told_with
from layers.totals import share_totals
from tests.test_people import TREE, lay_grids, move_in

KEY = bytes(range(32))
NAME = Text("名", "name")
CITY = Scope("4499")
SEX = Breakdown("sex", NAME, ("sex",))
AGE = Breakdown("age", NAME, ("age",), ages=(0, 18, 60, 80))
SEX_AGE = Breakdown("sex_age", NAME, ("sex", "age"), ages=(0, 60))
RESIDENCE = Breakdown("residence", NAME, ("residence",))
NEAR = Breakdown("near", NAME, ("near",), near="clinic", within_m=500)
SIZE = Breakdown("size", NAME, ("household_size",), sizes=(1, 3))
HOMES = Breakdown("homes", NAME, ("household",))
APART = (AGE, RESIDENCE, NEAR)


def cube_of(seed: int, breakdowns: tuple[Breakdown, ...], mean: float = 8) -> Cube:
    """Make a cube of a county: three large, nine medium and 36 small grids; near a clinic holds for whole grids."""
    rng = np.random.default_rng(seed)
    codes = ["4499", "449901", *(f"44990100{n}" for n in (1, 2, 3))]
    codes += [f"{one}20{n}" for one in codes[2:5] for n in (1, 2, 3)]
    smalls = [f"{one}00{n}" for one in codes[5:] for n in (1, 2, 3, 4)]
    codes += smalls
    parents = np.array([max((at for at, up in enumerate(codes) if up != one and one.startswith(up)), default=-1)
                        for one in codes])  # fmt: skip
    people_of = rng.poisson(mean, len(smalls))
    parts = {}
    for one in breakdowns:
        n = len(one.cells)
        shares = np.eye(n)[rng.integers(0, n, len(smalls))] if one.key == "near" else rng.dirichlet(np.ones(n) * 0.6)
        parts[one.key] = summed(parents, rng.multinomial(people_of, shares), len(smalls))
    return Cube(codes, codes, parents, summed(parents, people_of, len(smalls)), parts)


def summed(parents: NDArray[Any], leaves: NDArray[Any], n_leaves: int) -> NDArray[np.int64]:
    counts = np.zeros((len(parents), *leaves.shape[1:]), dtype=np.int64)
    counts[-n_leaves:] = leaves
    for node in range(len(parents) - 1, 0, -1):
        counts[parents[node]] += counts[node]
    return counts


def held(cube: Cube, found: Release) -> None:
    """Everything that is published keeps every promise."""
    length = np.array([len(code) for code in cube.codes])
    inner = np.isin(np.arange(len(length)), cube.parents)
    for key, figures in found.parts.items():
        out = length <= found.digits[key]
        told, true = figures[out], cube.parts[key][out]
        assert (told % 10 == 0).all() and (told >= 0).all() and (np.abs(told - true) <= 9).all()
        assert (told.sum(axis=1) == found.totals[out]).all()
        whole = inner & (length < found.digits[key])
        assert (sums_of_children(cube.parents, figures)[whole] == figures[whole]).all()
    assert (np.abs(found.totals - cube.totals) <= 9).all()


@pytest.mark.parametrize("seed", range(6))
def test_breakdowns_add_up_to_one_total_and_through_the_tree(seed: int) -> None:
    cube = cube_of(seed, APART, mean=(3, 8, 40)[seed % 3])
    held(cube, release(cube, APART, KEY))


def test_one_breakdown_always_has_a_solution_under_totals_sought_for_it() -> None:
    n_moved = 0
    for seed in range(40):
        cube = cube_of(seed, (NEAR,), mean=4)
        noise = np.random.default_rng(seed).random(len(cube.codes))
        table = Table(cube.parents, cube.parts["near"], np.full(cube.parts["near"].shape, 0.5))
        totals, parts = share_totals(cube.parents, cube.totals, noise, {"near": table})
        figures = parts["near"]
        assert figures is not None
        assert (figures.sum(axis=1) == totals).all() and (np.abs(totals - cube.totals) <= 9).all()
        n_moved += bool((totals != round_tree(cube.parents, cube.totals, noise)).any())
    assert n_moved, "as the tree alone is rounded is not always good enough"


def test_totals_that_do_not_fit_are_told_by_sums_they_must_keep() -> None:
    n_told = 0
    for seed in range(20):
        cube = cube_of(seed, (NEAR,), mean=4)
        table = Table(cube.parents, cube.parts["near"], np.full(cube.parts["near"].shape, 0.5))
        noise = np.random.default_rng(seed).random(len(cube.codes))
        good, _ = share_totals(cube.parents, cube.totals, noise, {"near": table})
        bad = round_tree(cube.parents, cube.totals, noise)
        figures, cuts = Net(table).round(bad)
        assert (figures is None) is bool(cuts)
        for one in cuts:
            n_told += 1
            assert not one.low <= bad[one.leaves].sum() <= one.high
            assert one.low <= good[one.leaves].sum() <= one.high
            assert one.low <= cube.totals[one.leaves].sum() <= one.high, "the truth keeps every cut"
    assert n_told


def test_no_totals_suit_three_breakdowns_and_the_last_is_left_out() -> None:
    """Three grids of 5: each pair of them is a cell of its own in one of three breakdowns, so two totals are 10."""
    parents, leaves = np.array([-1, 0, 0, 0]), np.array([5, 5, 5])
    counts = np.concatenate([[15], leaves])
    tables = {}
    for name, pair in (("a", (0, 1)), ("b", (1, 2)), ("c", (0, 2))):
        cells = np.zeros((4, 2), dtype=np.int64)
        cells[1:, 1] = leaves
        for grid in pair:
            cells[grid + 1] = cells[grid + 1, ::-1]
        cells[0] = cells[1:].sum(axis=0)
        tables[name] = Table(parents, cells, np.full(cells.shape, 0.5))
    totals, parts = share_totals(parents, counts, np.full(4, 0.5), tables)
    assert [key for key, figures in parts.items() if figures is None] == ["c"]
    assert totals[0] == totals[1:].sum() and (np.abs(totals - counts) < 10).all()


def test_few_breakdowns_are_withheld_and_the_same_counts_give_the_same_figures() -> None:
    n_withheld = 0
    for seed in range(8):
        cube = cube_of(seed, APART)
        first, again = release(cube, APART, KEY), release(cube, APART, KEY)
        n_withheld += len({key for key, *_ in first.withheld})
        assert all((first.parts[key] == again.parts[key]).all() for key in first.parts)
    assert n_withheld == 0, "of 24"


def family(cube: Cube, found: Release, breakdowns: tuple[Breakdown, ...], parent: int) -> list[tuple[str, int, int]]:
    """Attack every small count of a family, and say which gave way."""
    children = np.flatnonzero(cube.parents == parent)
    digits = len(cube.codes[children[0]])
    out = [one for one in breakdowns if found.digits[one.key] >= digits]
    figures = {one.key: found.parts[one.key][children] for one in out}
    below = {key: seen(told) for key, told in figures.items()}
    over = {one.key: seen(found.parts[one.key][parent]) for one in out}
    small = [
        (one.key, int(child), int(cell))
        for one in out
        for child, cell in zip(
            *np.nonzero((cube.parts[one.key][children] % 100 < 10) & (figures[one.key] <= 10)), strict=True
        )
    ]
    return attack(View(out, below, over), small)


def test_no_small_count_is_narrowed_by_linear_programming() -> None:
    for seed in range(1):
        cube = cube_of(seed, APART)
        found = release(cube, APART, KEY)
        assert family(cube, found, APART, 5) == []


def test_overlapping_breakdowns_are_caught_and_the_later_is_withheld() -> None:
    caught = 0
    for seed in range(4):
        cube = cube_of(seed, (SEX_AGE, RESIDENCE))
        sexes = [np.array([cell.startswith(sex) for cell in SEX_AGE.cells]) for sex in SEX.cells]
        alone = np.stack([cube.parts["sex_age"][:, one].sum(axis=1) for one in sexes], axis=1)
        cube = Cube(cube.codes, cube.names, cube.parents, cube.totals, {**cube.parts, "sex": alone})
        found = release(cube, (SEX_AGE, RESIDENCE, SEX), KEY)
        held(cube, found)
        caught += ("sex", 15, "attack") in found.withheld
        assert not any(key != "sex" and why == "attack" for key, _, why in found.withheld)
        kept = np.array([len(code) for code in cube.codes]) <= found.digits["sex"]
        pairs = list(margins(SEX_AGE, SEX))
        assert not narrowed(seen(found.parts["sex_age"][kept]), seen(found.parts["sex"][kept]), pairs).any()
    assert caught >= 2, "crossed and alone, the same people are rounded twice"


def test_the_attack_finds_what_two_roundings_give_away() -> None:
    pairs = list(margins(SEX_AGE, SEX))
    crossed = np.zeros((1, len(SEX_AGE.cells)), dtype=np.int64)
    crossed[0, [SEX_AGE.cells.index("male.0"), SEX_AGE.cells.index("male.60")]] = 10
    alone = np.array([[20, 0, 0]])
    assert narrowed(seen(crossed), seen(alone), pairs).all(), "two of 1 or more in a sum of 9 at most"
    told, then = np.array([[0, 20, 0]]), np.array([[0, 0, 0]])
    assert not narrowed(seen(crossed), seen(told), pairs).any()
    assert narrowed(seen(crossed), seen(np.array([[0, 10, 0]]), then, then), pairs).all(), "nine at most, then"
    children = {"sex_age": seen(crossed), "sex": seen(alone)}
    target = ("sex_age", 0, SEX_AGE.cells.index("male.0"))
    over = {key: one.at(0) for key, one in children.items()}
    assert attack(View((SEX_AGE, SEX), children, over), [target]) == [target]
    assert attack(View((SEX_AGE,), {"sex_age": seen(crossed)}, {"sex_age": seen(crossed[0])}), [target]) == []


@pytest.mark.parametrize(
    ("fine", "coarse"),
    [
        ((5000, 9000, 3000, 2800, 10), (14000, 5790, 20)),  # 19 people of unknown age are shown as 10 and as 20
        ((5000, 9000, 3000, 2800, 10), (14000, 5810, 0)),  # 1 to 9 of them
        ((5000, 9000, 3000, 2800, 0), (14000, 5800, 0)),  # 0 to 9
    ],
)
def test_that_a_count_is_more_than_nine_is_no_finding(fine: tuple[int, ...], coarse: tuple[int, ...]) -> None:
    pairs = list(margins(AGE, Breakdown("old", NAME, ("age",), ages=(0, 60))))
    assert not narrowed(seen(np.array([fine])), seen(np.array([coarse])), pairs).any()


@pytest.mark.parametrize(
    ("homes", "sizes", "is_told"),
    [
        ((7260, 12590), (1590, 18240, 20), False),
        ((10, 0), (0, 0, 10), False),  # 1 to 9 people without a known household
        ((30, 0), (10, 10, 10), True),  # at most 9 others, of whom 1 is in a household of 3 or more
        ((20, 10), (10, 20, 0), True),  # 29 people in households of 3 or more make at most 9 of 11
    ],
)
def test_households_and_their_sizes_are_laid_together(
    homes: tuple[int, ...], sizes: tuple[int, ...], is_told: bool
) -> None:
    assert homes_narrowed(seen(np.array([homes])), seen(np.array([sizes])), SIZE).all() == is_told


def test_bands_overlap_where_both_begin() -> None:
    found = {(tuple(a), tuple(b)) for a, b in margins(AGE, Breakdown("old", NAME, ("age",), ages=(0, 60)))}
    assert found == {((0, 1), (0,)), ((2, 3), (1,)), ((4,), (2,))}
    assert list(margins(AGE, RESIDENCE)) == []


def test_nothing_moves_when_nobody_moved() -> None:
    cube = cube_of(3, APART)
    first = release(cube, APART, KEY)
    told = told_with(Told(), cube, first.shown(cube))
    second = release(cube, APART, bytes(32), told)
    assert second.withheld == first.withheld
    assert all((first.parts[key] == second.parts[key]).all() for key in first.parts), "not even under another key"
    assert any((first.parts[key] != release(cube, APART, bytes(32)).parts[key]).any() for key in first.parts)


@pytest.fixture
def loader(db: Database) -> Iterator[psycopg.Connection[Any]]:
    with db.connect("loader", autocommit=True) as connection:
        yield connection


@pytest.fixture
def secrets(settings: Any) -> Secrets:
    return read_secrets(settings)


HOME, AWAY = "449901001200001", "449902001200001"


def move_in_families(loader: Any) -> None:
    """Twenty old women alone near the clinic, thirty in households of three with no place, ten of no known age."""
    lay_grids(loader, TREE)
    move_in(loader, HOME, 20)
    loader.execute(
        "update vault.person set sex = 'female', born_on = '1950-01-01', residence = 'registered',"
        " household = id::text, geom = st_setsrid(st_makepoint(115.5, 22.5), 4490)"
    )
    move_in(loader, AWAY, 30)
    loader.execute(
        "update vault.person set sex = 'male', born_on = '2000-02-01', household = (id / 3 * 3 + 50000)::text"
        " where sex is null"
    )
    loader.execute(
        "update vault.person set household = 'h' || (n - 1) / 3 from (select id as of_id,"
        " row_number() over (order by id) as n from vault.person where sex = 'male') as one where id = of_id"
    )
    move_in(loader, AWAY, 10, dataset="elder_allowance")
    loader.execute(
        "insert into ops.place (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at, tied_by,"
        " is_sensitive, attrs, geom, category)"
        " values ('449901001', %s, 1, 'clinic', '1', 1, now(), 'point', false, '{}',"
        " st_setsrid(st_makepoint(115.503, 22.5), 4490), 'clinic')",
        [HOME],
    )


def test_people_are_told_apart_as_declared(db: Database, loader: Any, secrets: Secrets) -> None:
    move_in_families(loader)
    on = Breakdown("on", NAME, ("register",), register="elder_allowance")
    wanted: dict[Breakdown, dict[str, dict[str, int]]] = {
        AGE: {HOME: {"60": 20}, AWAY: {"18": 30, "unknown": 10}},
        SIZE: {HOME: {"1": 20}, AWAY: {"3": 30, "unknown": 10}},
        HOMES: {HOME: {"first": 20}, AWAY: {"first": 10, "other": 30}},
        NEAR: {HOME: {"near": 20}, AWAY: {"unknown": 40}},
        RESIDENCE: {HOME: {"registered": 20}, AWAY: {"unknown": 40}},
        on: {HOME: {"off": 20}, AWAY: {"off": 30, "on": 10}},
        Breakdown("both", NAME, ("sex", "near"), near="clinic", within_m=50): {
            HOME: {"female.far": 20},
            AWAY: {"male.unknown": 30, "unknown.unknown": 10},
        },
    }
    apart = [one for one in wanted if one.key != "both"]
    assert publish(loader, secrets, 202601, apart) == len(TREE)
    with db.connect("web") as web:
        for one in apart:
            frame = people_by(web, CITY, one, level="small")
            told = {code: dict(zip(part["cell"], part["n"], strict=True)) for code, part in frame.groupby("grid_code")}
            for code, cells in wanted[one].items():
                assert {cell: n for cell, n in told[code].items() if n} == cells, one.key
                assert set(told[code]) == set(one.cells)
            city = people_by(web, CITY, one, level="city")["n"].sum()
            assert city == people(web, CITY, level="city")["n"].sum() == 60
        assert people_by(web, Scope("449902"), AGE, level="small")["grid_code"].unique().tolist() == [AWAY]
    cube = work_out(loader, 1, 202601, sorted(TREE), [one for one in wanted if one.key == "both"])
    told = dict(zip(list(wanted)[-1].cells, cube.parts["both"][sorted(TREE).index(HOME)].tolist(), strict=True))
    assert {cell: n for cell, n in told.items() if n} == {"female.far": 20}


def test_a_withheld_level_says_so_and_its_parent_is_published(db: Database, loader: Any, secrets: Secrets) -> None:
    lay_grids(loader, TREE)
    for sex, n in (("male", 4), ("female", 3)):
        for born in ("1950-01-01", "2001-01-01"):
            for grid in (HOME, "449901001200002", AWAY):
                move_in(loader, grid, n)
                loader.execute("update vault.person set sex = %s, born_on = %s where sex is null", [sex, born])
    months = (202601, 202602)
    seen = set()
    for month in months:
        publish(loader, secrets, month, [SEX_AGE, SEX])
    with db.connect("web") as web:
        withheld = web.execute(
            "select breakdown, digits, reason from pub.people_withheld where month = 202601"
        ).fetchall()
        for level, digits in (("city", 4), ("county", 6), ("large", 9), ("medium", 12), ("small", 15)):
            frame = people_by(web, CITY, SEX, level=level, month=202601)
            is_out = ("sex", digits) not in {one[:2] for one in withheld}
            assert frame.attrs.get("withheld", False) is not is_out and frame.empty is not is_out
            seen.add(is_out)
    with db.connect("door") as door:
        entries = read_entries(door, kind="release")
    assert sorted(map(tuple, entries[-1].detail["withheld"])) == sorted(withheld)
