"""Counts of people: who counts, where, and what comes out of the one function screens read them by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import psycopg
import pytest

from layers.access import Scope
from layers.accounts.audit import read_entries
from layers.database import Database
from layers.errors import AccessError, AtlasError
from layers.people import people, people_unplaced, publish, published_month
from layers.secrets import Secrets, read_secrets

CITY = Scope("4499")
BOX = "st_multi(st_makeenvelope(115, 22, 116, 23, 4490))"
LEVELS = {4: "city", 6: "county", 9: "large", 12: "medium", 15: "small"}


@pytest.fixture
def secrets(settings: Any) -> Secrets:
    return read_secrets(settings)


@pytest.fixture
def loader(db: Database) -> Iterator[psycopg.Connection[Any]]:
    with db.connect("loader", autocommit=True) as connection:
        yield connection


def lay_grids(loader: psycopg.Connection[Any], codes: Sequence[str], edition: int = 1) -> None:
    loader.execute(
        "insert into pub.edition values (%s, 'a state', '2023-01-01', null, 1) on conflict do nothing", [edition]
    )
    loader.execute(
        "insert into pub.grid (edition, code, grid_no, level, name, aliases, geom, centre, area_m2, west, south, east,"
        " north) select %(edition)s, code, (%(edition)s - 1) * 1000 + row_number() over (order by code), level, code,"
        f" '{{}}', {BOX}, st_centroid({BOX}), 1, 115, 22, 116, 23"
        " from unnest(%(codes)s::text[], %(levels)s::text[]) as one (code, level)",
        {"edition": edition, "codes": list(codes), "levels": [LEVELS[len(code)] for code in codes]},
    )


def move_in(
    loader: psycopg.Connection[Any],
    grid: str,
    n: int = 1,
    *,
    subject: str | None = None,
    dataset: str = "resident",
    updated: str = "2026-01-01",
    gone: str | None = None,
    edition: int = 1,
) -> None:
    """Add rows of people in a grid: one subject told, or n new ones."""
    count = loader.execute("select count(*) from vault.person").fetchone()
    assert count is not None
    names = [subject or f"{dataset} {grid} {count[0] + at}" for at in range(n)]
    loader.execute(
        "insert into vault.person (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at,"
        " gone_on, subject, has_number, tied_by, is_sensitive, attrs)"
        " select left(rpad(%(grid)s, 9, '0'), 9), %(grid)s, %(edition)s, %(dataset)s, key, 1, %(updated)s, %(gone)s,"
        " subject, true, 'code', false, '{}'"
        " from unnest(%(keys)s::text[], %(subjects)s::bytea[]) as one (key, subject)",
        {
            "grid": grid,
            "edition": edition,
            "dataset": dataset,
            "updated": updated,
            "gone": gone,
            "keys": [f"{count[0] + at}" for at in range(n)],
            "subjects": [hashlib.sha256(name.encode()).digest() for name in names],
        },
    )


def counted(connection: psycopg.Connection[Any], level: str, **kw: Any) -> dict[str, int]:
    frame = people(connection, CITY, level=level, **kw)
    return dict(zip(frame["grid_code"], frame["n"], strict=True))


TREE = [
    "4499",
    "449901",
    "449902",
    "449901001",
    "449902001",
    "449901001200",
    "449902001200",
    "449901001200001",
    "449901001200002",
    "449902001200001",
]


def test_whole_tens_are_shown_as_they_are_on_every_level(db: Database, loader: Any, secrets: Secrets) -> None:
    lay_grids(loader, TREE)
    move_in(loader, "449901001200001", 40)
    move_in(loader, "449901001200002", 20)
    move_in(loader, "449902001200001", 10)
    assert publish(loader, secrets, 202601) == len(TREE)
    with db.connect("web") as web:
        assert counted(web, "small") == {"449901001200001": 40, "449901001200002": 20, "449902001200001": 10}
        assert counted(web, "medium") == {"449901001200": 60, "449902001200": 10}
        assert counted(web, "county") == {"449901": 60, "449902": 10}
        assert counted(web, "city") == {"4499": 70}
        assert counted(web, "small", within="449902") == {"449902001200001": 10}
        assert counted(web, "county", within="449902") == {"449902": 10}
        assert counted(web, "city", within="449902") == {}
        assert published_month(web) == 202601
    with db.connect("door") as door:
        (release,) = read_entries(door, kind="release")
    assert (release.subject, release.role, release.detail["figures"]) == ("people 202601", "loader", len(TREE))


def test_nothing_published_is_an_empty_frame(db: Database, loader: Any, secrets: Secrets) -> None:
    assert publish(loader, secrets, 202601) == 0, "there are no grids yet"
    with db.connect("analyst") as analyst:
        frame = people(analyst, CITY, level="small")
        assert list(frame.columns) == ["grid_code", "n"] and frame.empty
        assert frame["n"].dtype == np.int64
        assert published_month(analyst) is None
        assert people_unplaced(analyst, CITY, level="small") == 0


def test_a_subject_in_two_datasets_counts_once_where_it_is_known_finest_then_latest(
    db: Database, loader: Any, secrets: Secrets
) -> None:
    lay_grids(loader, TREE)
    for n in range(10):
        move_in(loader, "449901001", subject=f"a{n}", updated="2026-03-01")
        move_in(loader, "449901001200001", subject=f"a{n}", dataset="elder_allowance", updated="2025-01-01")
        move_in(loader, "449901001200002", subject=f"b{n}", updated="2025-01-01")
        move_in(loader, "449902001200001", subject=f"b{n}", dataset="elder_allowance", updated="2026-01-01")
    publish(loader, secrets, 202601)
    assert counted(loader, "small") == {"449901001200001": 10, "449901001200002": 0, "449902001200001": 10}
    assert counted(loader, "city") == {"4499": 20}


def test_who_is_gone_does_not_count(loader: Any, secrets: Secrets) -> None:
    lay_grids(loader, TREE)
    move_in(loader, "449901001200001", 20)
    move_in(loader, "449901001200001", 20, gone="2026-01-01")
    publish(loader, secrets, 202601)
    assert counted(loader, "city") == {"4499": 20}


def test_rows_known_to_a_higher_grid_only_are_in_it_and_in_no_child(loader: Any, secrets: Secrets) -> None:
    lay_grids(loader, TREE)
    move_in(loader, "449901001200001", 50)
    move_in(loader, "449901001", 30)
    move_in(loader, "4499", 20)
    publish(loader, secrets, 202601)
    assert counted(loader, "small") == {"449901001200001": 50, "449901001200002": 0, "449902001200001": 0}
    assert counted(loader, "large") == {"449901001": 80, "449902001": 0}
    assert counted(loader, "city") == {"4499": 100}
    assert people_unplaced(loader, CITY, level="small") == 50
    assert people_unplaced(loader, CITY, level="large") == 20
    assert people_unplaced(loader, CITY, level="small", within="449901001") == 30
    assert people_unplaced(loader, CITY, level="city", within="449901001") == 0


def test_a_code_no_grid_has_counts_in_the_nearest_grid_above(loader: Any, secrets: Secrets) -> None:
    lay_grids(loader, TREE)
    move_in(loader, "449901001200009", 20)
    move_in(loader, "449901777", 30)
    publish(loader, secrets, 202601)
    assert counted(loader, "medium") == {"449901001200": 20, "449902001200": 0}
    assert counted(loader, "county") == {"449901": 50, "449902": 0}


def test_people_of_another_city_stop_the_publication(loader: Any, secrets: Secrets) -> None:
    lay_grids(loader, TREE)
    move_in(loader, "4401", 1)
    with pytest.raises(AtlasError, match="in no grid"):
        publish(loader, secrets, 202601)


def test_who_is_tied_to_an_older_edition_is_in_the_city(loader: Any, secrets: Secrets) -> None:
    lay_grids(loader, TREE, edition=1)
    loader.execute("update pub.edition set closed_on = '2026-01-01'")
    lay_grids(loader, TREE, edition=2)
    move_in(loader, "449901001200001", 10, edition=1)
    move_in(loader, "449901001200001", 20, edition=2)
    publish(loader, secrets, 202601)
    assert counted(loader, "small")["449901001200001"] == 20
    assert counted(loader, "city") == {"4499": 30}
    assert loader.execute("select distinct edition from pub.people_count").fetchall() == [(2,)]


def test_every_figure_is_rounded_and_all_levels_add_up(loader: Any, secrets: Secrets) -> None:
    rng = np.random.default_rng(4)
    mediums = [f"449901001{n}" for n in range(200, 206)]
    smalls = [f"{medium}{n:03d}" for medium in mediums for n in range(1, 6)]
    lay_grids(loader, ["4499", "449901", "449901001", *mediums, *smalls])
    truth = {code: int(rng.integers(0, 40)) for code in [*smalls, *mediums[:3], "449901001", "4499"]}
    for code, n in truth.items():
        move_in(loader, code, n)
    publish(loader, secrets, 202601)
    small, medium = counted(loader, "small"), counted(loader, "medium")
    assert all(n % 10 == 0 for n in (*small.values(), *medium.values()))
    assert all(abs(small[code] - truth[code]) <= 9 for code in smalls)
    for code in mediums:
        inside = [n for one, n in small.items() if one.startswith(code)]
        true = truth.get(code, 0) + sum(truth[one] for one in smalls if one.startswith(code))
        rest = medium[code] - sum(inside)
        assert abs(medium[code] - true) <= 9
        assert rest == people_unplaced(loader, CITY, level="small", within=code)
        assert abs(rest - truth.get(code, 0)) <= 9 and rest >= 0
        assert code in mediums[:3] or rest == 0
    total = counted(loader, "city")["4499"]
    assert abs(total - sum(truth.values())) <= 9
    assert total - people_unplaced(loader, CITY, level="medium") == sum(medium.values())


def test_publishing_again_replaces_the_month_and_unchanged_counts_give_the_same_figures(
    loader: Any, secrets: Secrets
) -> None:
    lay_grids(loader, TREE)
    move_in(loader, "449901001200001", 17)
    move_in(loader, "449902001200001", 13)
    publish(loader, secrets, 202601)
    first = counted(loader, "small")
    publish(loader, secrets, 202602)
    publish(loader, secrets, 202602)
    assert counted(loader, "small") == counted(loader, "small", month=202601) == first
    move_in(loader, "449901001200001", 100)
    publish(loader, secrets, 202602)
    assert counted(loader, "small", month=202601) == first
    assert counted(loader, "small")["449901001200001"] > 100
    assert counted(loader, "small", month=202512) == {}


def test_a_publication_belongs_to_the_transaction_of_its_load(db: Database, loader: Any, secrets: Secrets) -> None:
    lay_grids(loader, TREE)
    with loader.transaction(force_rollback=True):
        move_in(loader, "449901001200001", 20)
        publish(loader, secrets, 202601)
        assert counted(loader, "city") == {"4499": 20}
        with db.connect("web") as web:
            assert counted(web, "city") == {}
    assert counted(loader, "city") == {}


def test_a_scope_is_kept(db: Database, loader: Any, secrets: Secrets) -> None:
    lay_grids(loader, TREE)
    move_in(loader, "449901001200001", 40)
    move_in(loader, "449902001200001", 10)
    publish(loader, secrets, 202601)
    with db.connect("web") as web:
        town = Scope("449902001")
        assert people(web, town, level="small")["grid_code"].tolist() == ["449902001200001"]
        assert people(web, town, level="city").empty and people(web, town, level="county").empty
        with pytest.raises(AccessError):
            people(web, town, level="small", within="449901")
        with pytest.raises(AccessError):
            people_unplaced(web, town, level="small", within="4499")


def test_reading_needs_no_right_beyond_pub(db: Database, loader: Any, secrets: Secrets) -> None:
    lay_grids(loader, TREE)
    move_in(loader, "449901001200001", 20)
    publish(loader, secrets, 202601)
    for role in ("web", "analyst"):
        with db.connect(role) as reader:  # type: ignore[arg-type]
            assert counted(reader, "city") == {"4499": 20}
        with db.connect(role) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):  # type: ignore[arg-type]
            publish(reader, secrets, 202601)
