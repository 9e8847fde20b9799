"""Counts of people after a reform: parts of a split add up to what the old grid was shown as, merged ones are sums."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from layers.database import Database
from layers.declare.records import Breakdown, Text
from layers.people import publish
from layers.secrets import Secrets, read_secrets
from tests.test_people import lay_grids, move_in

SEX = Breakdown("sex", Text("性别", "Sex"), ("sex",))
ABOVE = ["4499", "449901", "449901001", "449901001200", "449901001201"]
SPLIT = {f"44990100120000{n}": (f"44990100120010{n}", f"44990100120020{n}") for n in range(1, 9)}
MERGED = {f"44990100120100{n}": f"44990100120110{(n + 1) // 2}" for n in range(1, 9)}
KEPT = "449901001201009"


@pytest.fixture
def loader(db: Database) -> Iterator[psycopg.Connection[Any]]:
    with db.connect("loader", autocommit=True) as connection:
        yield connection


@pytest.fixture
def secrets(settings: Any) -> Secrets:
    return read_secrets(settings)


def settle(loader: Any) -> None:
    """Let women and men move into the parts that the old grids are going to have."""
    for at, (old, parts) in enumerate(SPLIT.items()):
        for number, part in enumerate(parts):
            for sex, n in (("female", 2 + (3 * at + number) % 9), ("male", 1 + (5 * at + 4 * number) % 8)):
                move_in(loader, old, n)
                loader.execute("update vault.person set sex = %s, attrs = jsonb_build_object('part', %s::text)"
                               " where sex is null", [sex, part])  # fmt: skip
    for at, old in enumerate([*MERGED, KEPT]):
        for sex, n in (("female", 1 + (7 * at) % 9), ("male", 3 + (2 * at) % 9)):
            move_in(loader, old, n)
            loader.execute("update vault.person set sex = %s where sex is null", [sex])


def reform(db: Database, loader: Any) -> None:
    """Open the next edition: every grid of the first village is split in two, those of the other merged in pairs."""
    parts = [part for pair in SPLIT.values() for part in pair]
    lay_grids(loader, [*ABOVE, *parts, *sorted(set(MERGED.values())), KEPT], edition=2)
    pairs = [(one, one, 1.0) for one in [*ABOVE, KEPT]] + [(old, new, 1.0) for old, new in MERGED.items()]
    pairs += [(old, part, 0.5) for old, both in SPLIT.items() for part in both]
    with db.connect("admin") as admin:
        admin.execute("update pub.edition set closed_on = '2026-02-01' where edition = 1")
        for old, new, share in pairs:
            admin.execute(
                "insert into pub.succession (old_edition, old_code, new_edition, new_code, share)"
                " values (1, %s, 2, %s, %s)",
                [old, new, share],
            )
        admin.execute("update vault.person set edition = 2, grid_code = coalesce(attrs ->> 'part', grid_code)")
        for old, new in MERGED.items():
            admin.execute("update vault.person set grid_code = %s where grid_code = %s", [new, old])


def told(db: Database, month: int) -> dict[tuple[str, str], int]:
    """Published figures by grid and cell."""
    with db.connect("web") as web:
        rows = web.execute("select grid_code, cell, n from pub.people_count where month = %s", [month]).fetchall()
    return {(code, cell): n for code, cell, n in rows}


def test_parts_are_rounded_under_the_old_grid_and_merged_ones_are_sums(
    db: Database, loader: Any, secrets: Secrets
) -> None:
    lay_grids(loader, [*ABOVE, *SPLIT, *MERGED, KEPT])
    settle(loader)
    assert publish(loader, secrets, 202601, [SEX]) == len(ABOVE) + 17
    reform(db, loader)
    assert publish(loader, secrets, 202602, [SEX]) == len(ABOVE) + 21
    before, after = told(db, 202601), told(db, 202602)
    for cell in ("all", "female", "male"):
        for one in [*ABOVE, KEPT]:
            assert after.get((one, cell), 0) == before.get((one, cell), 0)
        for old, parts in SPLIT.items():
            assert sum(after.get((part, cell), 0) for part in parts) == before.get((old, cell), 0), (old, cell)
        for new in set(MERGED.values()):
            pair = [old for old, to in MERGED.items() if to == new]
            assert abs(after.get((new, cell), 0) - sum(before.get((old, cell), 0) for old in pair)) <= 10
    assert len(set(before.values())) > 4


def test_old_grids_are_kept_in_mind_and_not_shown(db: Database, loader: Any, secrets: Secrets) -> None:
    lay_grids(loader, [*ABOVE, *SPLIT, *MERGED, KEPT])
    settle(loader)
    publish(loader, secrets, 202601, [SEX])
    reform(db, loader)
    publish(loader, secrets, 202602, [SEX])
    publish(loader, secrets, 202603, [SEX])
    assert told(db, 202603) == told(db, 202602)
    kept = loader.execute("select count(*) from vault.people_told where edition = 2 and node like '%~'").fetchone()
    assert kept == (2 * len(SPLIT),)
    assert not [code for code, _ in told(db, 202602) if not code.isdigit()]
