"""Small cells through the web: whatever is asked, no answer moves when people do and their publication does not.

A figure, a class, a legend, an order, an attribute of a tile, a size or an ETag that told a true count of 1 to 9 would
be another one after half of the people of every small grid have gone and nothing was published anew.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import Any

import pytest
from addresses import addresses
from databases import copy_of
from knock import Knocker
from serving import serving
from signing import sign_in
from verdict import plain

from layers.access import AccountRole
from layers.database import Database
from layers.declare.records import Catalog
from mapapp import watch
from mapapp.door import Pace
from mapapp.explore import handlers
from mapapp.rights import may_open

EVERY = 13
"""A slice asks one in so many."""

READERS: Sequence[AccountRole] = ("analyst", "dispatcher", "department_handler", "leader", "wall")
"""Roles that see figures of people and none of them."""

OWN = {
    "/care/list", "/care/one/{person_id}/visits", "/care/case/{event_id}", "/care/lists/{token}",
    "/care/counts",  # overdue visits in tens, which are of records of care and not of people
    "/account",
}  # fmt: skip
"""What is of who asks, or of who is visited."""

MOMENT = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.+Z]*|\"end_id\":\"[^\"]*\"")
"""When an answer was made, and a name of the page's renderer made by chance."""
MADE = {(b"etag", "/api/view"), (b"content-length", "/api/explore/export/xlsx")}
"""Headers made of when the server started or the file was made, and where."""


@pytest.fixture
def here(settings: Any, server: Any, city_template: Database) -> Iterator[Database]:
    with copy_of(city_template, server, settings) as copy:
        yield copy


@pytest.fixture(autouse=True)
def one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock of the wall, where figures follow the hours that cases are open, and of files to take away."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime(2026, 7, 2, 4, tzinfo=tz)

    for one in (watch, handlers):
        monkeypatch.setattr(one, "datetime", Stopped)


@dataclass(frozen=True)
class Said:
    """What an address answered: status, headers, length and digest of the body."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    length: int
    digest: str


def ask_all(db: Database, catalog: Catalog, settings: Any, every: int) -> dict[tuple[str, str], Said]:
    """What addresses answer readers, of a server that has kept nothing; every so many of them."""
    found: dict[tuple[str, str], Said] = {}
    with serving(db, catalog, settings) as server:
        server.app._pace = Pace(burst=1e9)
        asked = dict.fromkeys(path for one, path in addresses(server.app, db, catalog, of_people=True)
                              if one.template not in OWN)  # fmt: skip
        pairs = [(role, path) for path in asked for role in (READERS if "indicator=" not in path else READERS[-2:])]
        whose = {role: Knocker(server.app, server.loop, partial(sign_in, db, role)) for role in READERS}
        for role, (path, _, query) in [(role, path.partition("?")) for role, path in pairs[::every]]:
            if may_open(role, path):
                answer = whose[role].ask("GET", path, query.encode())
                body = MOMENT.sub(b"", plain(answer))
                headers = tuple(sorted(one for one in answer.headers.items() if (one[0], path) not in MADE))
                said = Said(answer.status, headers, len(body), hashlib.sha256(body).hexdigest())
                found[role, f"{path}?{query}"] = said
    return found


def move_out(db: Database, each: int) -> None:
    """Take every so many of the people away behind everybody's back, and publish nothing."""
    with db.connect("admin") as admin:
        admin.execute("set session_replication_role = replica")
        gone = admin.execute("delete from vault.person where id %% %s = 0", [each])
        assert gone.rowcount > 1000


def attack(here: Database, catalog: Catalog, settings: Any, each: int, every: int) -> tuple[int, list[tuple[str, str]]]:
    """Number of addresses asked, and those whose answers moved."""
    before = ask_all(here, catalog, settings, every)
    move_out(here, each)
    after = ask_all(here, catalog, settings, every)
    return len(before), [at for at, said in before.items() if after.get(at) != said]


def test_no_answer_moves_when_people_do(here: Database, catalog: Catalog, settings: Any) -> None:
    n, moved = attack(here, catalog, settings, each=2, every=EVERY)
    assert moved == []
    assert n > 25
    count_truly(here)
    assert len(attack(here, catalog, settings, each=3, every=EVERY)[1]) > 2, "counts of the vault would be found"


@pytest.mark.soak
def test_no_answer_to_anybody_moves_when_people_do(
    here: Database, catalog: Catalog, settings: Any, capsys: Any
) -> None:
    n, moved = attack(here, catalog, settings, each=5, every=1)
    with capsys.disabled():
        print(f"\nsmall cells: {n} answers compared, with and without half of the people")
    assert moved == []


def count_truly(db: Database) -> None:
    """Take the defence away: let published counts be those of the vault."""
    with db.connect("admin") as admin:
        admin.execute(
            "alter table pub.people_count rename to published;"
            " create view pub.people_count as select month, edition, breakdown, grid_code, cell,"
            " (select count(*) from vault.person as p where p.grid_code ^@ c.grid_code)::int as n"
            " from pub.published as c where breakdown = 'all' union all"
            " select month, edition, breakdown, grid_code, cell, n from pub.published where breakdown <> 'all';"
            " grant select on pub.people_count to atlas_web"
        )
