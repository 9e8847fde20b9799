"""Households and the people in them: sizes, ages and kinship that make sense together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from etl.demo.ground import Ground
from etl.demo.mesh import Ints
from etl.demo.names import Texts
from etl.demo.numbers import id_numbers, phones
from etl.demo.person_names import given_names, surnames
from etl.demo.terrain import Floats

ROLES = ("户主", "配偶", "子女", "父亲", "母亲", "孙子女")


@dataclass(frozen=True)
class Kind:
    """A kind of household: its share, who lives in it (positions in `ROLES`), and the age of its head."""

    share: float
    roles: tuple[int, ...]
    head: tuple[int, int]
    male_head: float = 0.75


KINDS: dict[str, Kind] = {
    "elder_alone": Kind(0.085, (0,), (65, 93), 0.38),
    "alone": Kind(0.13, (0,), (19, 64), 0.58),
    "elder_couple": Kind(0.09, (0, 1), (62, 89), 0.95),
    "couple": Kind(0.125, (0, 1), (24, 61), 0.9),
    "one_child": Kind(0.19, (0, 1, 2), (26, 51), 0.9),
    "two_children": Kind(0.13, (0, 1, 2, 2), (29, 50), 0.9),
    "three_children": Kind(0.035, (0, 1, 2, 2, 2), (32, 50), 0.9),
    "single_parent": Kind(0.05, (0, 2), (25, 52), 0.25),
    "three_generations": Kind(0.06, (0, 1, 2, 4), (28, 52), 0.9),
    "big": Kind(0.06, (0, 1, 2, 2, 3, 4), (29, 50), 0.95),
    "grandparents": Kind(0.045, (0, 1, 5), (50, 72), 0.95),
}
"""Kinds of household; `grandparents` look after children left behind."""


@dataclass(frozen=True)
class Population:
    """Everybody: a row of `people` is a person, a row of `households` is one of their households."""

    people: pd.DataFrame
    households: pd.DataFrame


def make_population(ground: Ground, n_people: int) -> Population:
    """Make exactly `n_people` people in their households, each household a door in one small grid."""
    rng = ground.rng("people")
    kinds = list(KINDS.values())
    share = np.array([k.share for k in kinds])
    sizes = np.array([len(k.roles) for k in kinds])
    n_drawn = int(n_people / (share / share.sum() @ sizes) * 1.05) + 50
    kind = rng.choice(len(kinds), size=n_drawn, p=share / share.sum())
    total = np.cumsum(sizes[kind])
    kind = kind[: int(np.searchsorted(total, n_people)) + 1]
    cells = np.sort(ground.cells(len(kind), ground.people, rng))
    home = np.repeat(np.arange(len(kind)), sizes[kind])[:n_people]
    seat = (np.arange(len(home)) - np.searchsorted(home, home)).astype(np.int64)
    roles = np.array([[*k.roles, *[-1] * (6 - len(k.roles))] for k in kinds])
    role = roles[kind[home], seat]

    low, high = (np.array([k.head[i] for k in kinds])[kind] for i in (0, 1))
    head_age = low + (high - low) * rng.beta(1.3, 1.5, len(kind))
    head_male = rng.random(len(kind)) < np.array([k.male_head for k in kinds])[kind]
    age = _ages(role, head_age[home], seat, rng)
    is_male = _sexes(role, head_male[home], rng)
    born_on = ground.end.astype("datetime64[D]") - (age * 365.25).astype(int) - 1
    people = pd.DataFrame(
        {"household": home, "cell": cells[home], "role": role, "is_male": is_male, "born_on": born_on}
    )
    people["name"] = _names(home, role, head_male, is_male, born_on, rng)
    people["kind"] = np.array(list(KINDS), dtype=object)[kind[home]]
    people = _with_papers(people, ground, age, rng)
    spots = ground.points(cells, rng)
    households = pd.DataFrame(
        {"cell": cells, "lon": spots[:, 0], "lat": spots[:, 1], "address": ground.addresses(cells, rng)}
    )
    households["n_people"] = np.bincount(home, minlength=len(cells))
    return Population(people, households)


def _ages(role: Ints, head: Floats, seat: Ints, rng: np.random.Generator) -> Floats:
    """Age in years of each person, from that of the head of the household."""
    n = len(role)
    younger = head - rng.uniform(23, 34, n) - 2.5 * np.maximum(seat - 2, 0)
    ages = np.select(
        [role == 0, role == 1, role == 2, (role == 3) | (role == 4)],
        [head, head - rng.normal(1.5, 2.5, n), younger, head + rng.uniform(21, 33, n)],
        head - rng.uniform(46, 58, n),
    )
    newborn = rng.uniform(0.05, 6, n)
    ages = np.where(ages < 0.05, newborn, ages)
    grown = np.where(role == 1, np.maximum(ages, 20.2), ages)
    return np.asarray(np.clip(np.where(role == 5, np.minimum(grown, 17), grown), 0.02, 101))


def _sexes(role: Ints, head_male: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Sex of each person: spouses differ, fathers and mothers are what they are, children as it comes."""
    child = rng.random(len(role)) < 0.53
    return np.asarray(
        np.select([role == 0, role == 1, role == 3, role == 4], [head_male, ~head_male, True, False], child)
    )


def _names(
    home: Ints,
    role: Ints,
    head_male: NDArray[np.bool_],
    is_male: NDArray[np.bool_],
    born_on: NDArray[np.datetime64],
    rng: np.random.Generator,
) -> Texts:
    """Full names; children and fathers bear the family's surname, whoever married in bears their own."""
    family = surnames(len(head_male), rng)[home]
    own = surnames(len(home), rng)
    married_in = np.where(head_male[home], role == 1, role == 0) | (role == 4)
    years = born_on.astype("datetime64[Y]").astype(int) + 1970
    return np.asarray(np.where(married_in, own, family) + given_names(years, is_male, rng))


def _with_papers(people: pd.DataFrame, ground: Ground, age: Floats, rng: np.random.Generator) -> pd.DataFrame:
    """Add where each person is registered, their ID number (none for those from abroad) and telephone."""
    n, cells = len(people), people["cell"].to_numpy()
    floats = (rng.random(n) < 0.05 + 0.12 * np.minimum(ground.crowd[cells], 2)) & np.isin(people["role"], (0, 1, 2))
    abroad = rng.random(n) < 0.003
    left = (people["kind"] == "grandparents").to_numpy()
    residence = np.select([abroad, left, floats], ["境外", "留守", "流动"], "户籍").astype(object)
    county = np.array([c[:6] for c in ground.codes], dtype=object)[cells]
    elsewhere = np.array([f"4499{n}" for n in range(21, 30)], dtype=object)[rng.integers(0, 9, n)]
    number = id_numbers(np.where(floats, elsewhere, county), people["born_on"].to_numpy(), people["is_male"].to_numpy())
    has_phone = (age > 12) & (rng.random(n) < 0.85)
    return people.assign(
        residence=residence,
        number=np.where(abroad, "", number),
        phone=np.where(has_phone, phones(n, rng), ""),
        age=age,
    )
