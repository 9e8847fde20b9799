"""Roles x operations x scopes, by HTTP: nobody is told of a grid or a case beside the own, or that there is one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest
from knock import SCOPE, Knocker
from surface import Operation, names_read, operations
from test_attack_inputs import fill, role_for, some
from verdict import faults

from layers.access import ROLES
from layers.database import Database
from mapapp.rights import is_keyed, is_public, may_open

RELATIONS = {
    "own": SCOPE, "above": "449901", "the city": "4499", "beside": "449901002", "below another": "449901100001",
    "nowhere": "449999",
}  # fmt: skip
COUNT = {"asked": 0}


def attack(knocker: Callable[..., Knocker], app: Any, people: frozenset[bytes], most: int | None) -> Iterator[str]:
    """Each role asks each address that is read, with each grid in every place that takes one."""
    read = [one for one in operations(app) if one.method == "GET" and not is_public("GET", one.template)]
    whose = {role: knocker(role) for role in ROLES}
    for role, one, (relation, code) in some(product(ROLES, read, RELATIONS.items()), most):
        if is_keyed(one.template):
            continue
        given = {name: code for name in names_read() if name not in ("kind", "lang")}
        path = fill(one, {hole: code for hole in one.holes if hole in ("code", "frame", "at", "grid")})
        answer = whose[role].ask("GET", path, urlencode(given).encode())
        COUNT["asked"] += 1
        found = list(faults(answer, scope=SCOPE, sent=f"{path} {code}", people=people))
        if not may_open(role, path) and answer.status != 404:
            found.append(f"opened: {answer.status}")
        yield from (f"{role} {one.template} {relation}: {fault}" for fault in found)


def test_nothing_beside_is_told(knocker: Any, attacked: Any, people: Any) -> None:
    assert sorted(set(attack(knocker, attacked.app, people, 100)))[:20] == []
    assert COUNT["asked"] > 60


@pytest.mark.soak
def test_nothing_beside_is_told_to_any_role(knocker: Any, attacked: Any, people: Any, capsys: Any) -> None:
    found = sorted(set(attack(knocker, attacked.app, people, None)))
    with capsys.disabled():
        print(f"\nroles x operations x scopes: {COUNT['asked']} requests")
    assert found[:40] == []


def numbered(app: Any) -> list[Operation]:
    """Operations on one row by its number."""
    return [one for one in operations(app) if any(hole.endswith("_id") for hole in one.holes)]


def test_not_there_and_not_yours_look_alike(knocker: Any, attacked: Any, city: Database) -> None:
    """No answer tells whether there is a row of that number in another grid."""
    with city.connect("admin") as admin:
        row = admin.execute("select id from ops.event where grid_code like '449901002%' and gone_on is null"
                            " and state = 'reported' limit 1").fetchone()  # fmt: skip
        kept = admin.execute("select version, state from ops.event where id = %s", row).fetchone()
    assert row is not None
    theirs, nobodys = str(row[0]), str(row[0] + 3_000_000_000)
    asked = numbered(attacked.app)
    assert len(asked) > 3
    for one in asked:
        who = knocker(role_for(one.template))
        said = []
        for number in (theirs, nobodys):
            path = fill(one, {hole: number for hole in one.holes if hole.endswith("_id")})
            body = b'{"key": "attack-attack", "step": "accept", "version": 1, "do": "yes", "original": 1}'
            answer = who.ask(one.method, path, body=body if one.method == "POST" else b"",
                             headers={b"content-type": b"application/json"})  # fmt: skip
            said.append((answer.status, re.sub(number.encode(), b"N", answer.body)))
        assert said[0] == said[1], one.template
    with city.connect("admin") as admin:
        assert admin.execute("select version, state from ops.event where id = %s", row).fetchone() == kept
