"""Evading the audit: odd methods and headers, hanging up, many at once, a fault between; each look is logged before."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from addresses import addresses
from busy import JSON
from knock import Answer, Knocker
from test_attack_inputs import role_for

from layers.access import ROLES, AccountRole
from layers.database import Database
from layers.declare.records import Catalog
from mapapp.rights import may_open

ODD: dict[str, tuple[str, dict[bytes, bytes]]] = {
    "head": ("HEAD", {}),
    "range": ("GET", {b"range": b"bytes=0-99999999"}),
    "part": ("GET", {b"range": b"bytes=10-", b"if-range": b"*"}),
    "if it changed": ("GET", {b"if-none-match": b"*"}),
    "if it is newer": ("GET", {b"if-modified-since": b"Fri, 01 Jan 2100 00:00:00 GMT"}),
    "from a store": ("GET", {b"cache-control": b"only-if-cached", b"pragma": b"x"}),
    "ahead": ("GET", {b"sec-purpose": b"prefetch", b"purpose": b"prefetch", b"x-moz": b"prefetch"}),
    "another method": ("GET", {b"x-http-method-override": b"HEAD", b"x-method-override": b"OPTIONS"}),
    "without end": ("GET", {b"expect": b"100-continue", b"te": b"trailers"}),
}
"""Ways to ask for what a plain GET gives."""

ASKED: Counter[str] = Counter()
"""How many requests were sent, for the count at the end."""

UNLOGGED = (
    "select count(*) from vault.opening as o where o.used_at is not null and not exists (select from audit.entry as e"
    " where e.kind = 'person_read' and e.detail ->> 'opening' = o.id::text and e.at <= o.used_at)"
)
"""Fields that were read and not logged before."""


def count(city: Database, query: str = "select count(*) from audit.entry") -> int:
    with city.connect("admin") as admin:
        row = admin.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def noted(city: Database, ask: Callable[[], Answer]) -> tuple[int, Answer]:
    """How many entries a request left, and its answer."""
    before = count(city)
    answer = ask()
    return count(city) - before, answer


def readings(attacked: Any, city: Database, catalog: Catalog, is_all: bool) -> list[tuple[AccountRole, str]]:
    """Every address for every role, or one of each route."""
    found = list(addresses(attacked.app, city, catalog))
    if is_all:
        return [(role, path) for _, path in found for role in ROLES if may_open(role, path.partition("?")[0])]
    each = {one.template: path for one, path in reversed(found)}
    return [(role, path) for template, path in each.items() if (role := role_for(template))]


def evade(knocker: Any, attacked: Any, city: Database, catalog: Catalog, *, is_all: bool) -> Iterator[str]:
    """Where something that is logged when it is read is read and not logged."""
    whose = {role: knocker(role) for role in ROLES}
    for role, path in readings(attacked, city, catalog, is_all):
        at, _, query = path.partition("?")
        who: Knocker = whose[role]
        n, _ = noted(city, partial(who.ask, "GET", at, query.encode()))
        ASKED["read"] += 1
        for way, (method, headers) in ODD.items() if n else ():
            ASKED["oddly"] += 1
            m, answer = noted(city, partial(who.ask, method, at, query.encode(), headers=headers))
            if m < n and answer.status in (200, 206, 304):
                yield f"{role} {path} {way}: {answer.status} {len(answer.body)} bytes, {m} entries and not {n}"


def opening(knocker: Any) -> tuple[Knocker, tuple[str, str, bytes, bytes, dict[bytes, bytes]]]:
    """A worker, and the request that opens a field of somebody the worker visits."""
    who: Knocker = knocker("grid_worker")
    row = json.loads(who.ask("GET", "/care/list").body)["rows"][0]["id"]
    body = json.dumps({"row": row, "field": "phone", "purpose": "visit"}).encode()
    return who, ("POST", "/care/open", b"", body, JSON)


@pytest.fixture
def fresh(city: Database) -> None:
    """A day on which nobody has opened anything."""
    with city.connect("admin") as admin:
        admin.execute("delete from vault.opening")


def test_no_odd_request_reads_without_an_entry(knocker: Any, attacked: Any, city: Any, catalog: Any) -> None:
    assert list(evade(knocker, attacked, city, catalog, is_all=False)) == []
    assert ASKED["oddly"] > 2 * len(ODD), "some reads are logged"


@pytest.mark.soak
def test_no_odd_request_of_anybody_reads_without_an_entry(
    knocker: Any, attacked: Any, city: Any, catalog: Any, capsys: Any
) -> None:
    found = list(evade(knocker, attacked, city, catalog, is_all=True))
    with capsys.disabled():
        print(f"\naudit: {dict(ASKED)} requests")
    assert found == []


def test_hanging_up_reads_nothing_that_is_not_logged(knocker: Any, city: Database, fresh: None) -> None:
    who, (method, path, _, body, headers) = opening(knocker)
    for turns in range(12):
        who.leave(method, path, body, headers, 2**turns)
    assert who.ask(method, path, body=body, headers=headers).status == 200
    assert count(city, UNLOGGED) == 0


def test_many_at_once_open_no_more_than_a_day_allows(knocker: Any, city: Database, fresh: None) -> None:
    who, request = opening(knocker)
    answers = who.ask_at_once(*[request] * 55)
    told = Counter(answer.status for answer in answers)
    assert 30 < told[200] <= 40, told  # one that waited too long is told so and opens nothing
    assert count(city, "select count(*) from audit.entry where detail ->> 'refused' = 'limit'") >= 15
    assert count(city, UNLOGGED) == 0


def test_a_fault_between_leaves_the_entry(knocker: Any, city: Database, fresh: None) -> None:
    who, request = opening(knocker)
    with city.connect("admin", autocommit=True) as admin:
        admin.execute("alter function pub.read_identity rename to lost")
        try:
            n, answer = noted(city, lambda: who.ask(request[0], request[1], body=request[3], headers=JSON))
        finally:
            admin.execute("alter function pub.lost rename to read_identity")
    assert (n, answer.status >= 500 or answer.fault is not None) == (1, True)


def test_without_the_entry_these_tests_would_fail(knocker: Any, city: Database, fresh: None) -> None:
    who, request = opening(knocker)
    with city.connect("admin", autocommit=True) as admin:
        kept = admin.execute(
            "select pg_get_functiondef('pub.ask_identity(text,text,bigint,text,text,bigint)'::regprocedure)"
        ).fetchone()
        assert kept is not None
        silent = re.sub(r"perform audit\.write\([^;]*'opening', made\)\);", "", kept[0])
        assert silent != kept[0]
        admin.execute(silent)
        try:
            assert who.ask(request[0], request[1], body=request[3], headers=JSON).status == 200
            assert count(city, UNLOGGED) == 1
        finally:
            admin.execute(kept[0])
