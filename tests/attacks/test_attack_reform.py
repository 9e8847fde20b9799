"""Scopes that follow a reform, against who may write what became of the grids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from databases import copy_of
from signing import sign_in

from layers.database import Database

FOLLOW = "select account, now_scope from raw.follow_scopes(%s::smallint, %s::smallint, 'x')"

GRIDS = """
insert into pub.grid (edition, code, level, name, aliases, geom, centre, area_m2, west, south, east, north, grid_no)
select edition, code, case length(code) when 6 then 'county' else 'large' end, code, '{}', st_multi(ground),
    st_centroid(ground), 1, 0, 0, 0, 0, row_number() over ()
from (
    select edition, code, st_makeenvelope(100 + at, 22, 100.9 + at, 23, 4490) as ground from (
        values (1, '449901001', 1), (2, '449901', 1), (1, '449902001', 2), (2, '449902002', 2), (1, '449902004', 4),
            (2, '449901005', 5), (1, '449902006', 6), (2, '449902006', 7)
    ) as g (edition, code, at)
) as g
"""
"""Grids of two editions; those with the same number lie on the same ground."""


@pytest.fixture
def here(settings: Any, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as copy:
        with copy.connect("admin") as admin:
            admin.execute("set session_replication_role = replica")  # of the grids only their ground matters here
            columns = "insert into pub.edition (edition, name, opened_on, closed_on, version) values"
            admin.execute(f"{columns} (1, '2025', '2025-01-01', '2026-01-01', 1), (2, '2026', '2026-01-01', null, 1)")
            admin.execute(GRIDS)
            moves = [("449901001", "449901"), ("449902001", "449902002"), ("449902002", "449902003")]
            for old, new in [*moves, ("449902004", "449901005"), ("449902006", "449902006")]:
                admin.execute(
                    "insert into pub.succession (old_edition, old_code, new_edition, new_code, share)"
                    " values (1, %s, 2, %s, 1)",
                    [old, new],
                )
        yield copy


def scope_of(here: Database, account: str) -> str:
    with here.connect("door") as door:
        row = door.execute("select scope from auth.account where account = %s", [account]).fetchone()
    assert row is not None
    return str(row[0])


def test_scopes_follow_once_and_never_upwards(here: Database) -> None:
    up, aside = (sign_in(here, scope=scope).actor.account for scope in ("449901001", "449902001"))
    with here.connect("loader", autocommit=True) as loader:
        for old, new in ((2, 2), (2, 1), (1, 3), (0, 2)):
            with pytest.raises(psycopg.Error, match="from the edition before"):
                loader.execute(FOLLOW, [old, new])
        told = dict(loader.execute(FOLLOW, [1, 2]).fetchall())
        with pytest.raises(psycopg.Error, match="followed to edition 2 before"):
            loader.execute(FOLLOW, [1, 2])
    assert scope_of(here, up) == "449901001", "a county is more than its town"
    assert (scope_of(here, aside), told[aside]) == ("449902002", "449902002"), "and not on to what that became"


def test_no_succession_moves_a_scope_to_other_ground(here: Database) -> None:
    """Whoever writes successions may say what is not so: a code of other ground is not followed, or is shut."""
    aside, swapped = (sign_in(here, scope=scope).actor.account for scope in ("449902004", "449902006"))
    with here.connect("loader", autocommit=True) as loader:
        told = dict(loader.execute(FOLLOW.replace("now_scope", "done"), [1, 2]).fetchall())
    assert (scope_of(here, aside), told[aside]) == ("449902004", "unsure"), "it opens nothing there"
    with here.connect("door") as door:
        row = door.execute("select is_disabled from auth.account where account = %s", [swapped]).fetchone()
    assert (told[swapped], row) == ("closed", (True,)), "the code stands for other ground now"
