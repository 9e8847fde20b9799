"""What is attacked: the small city in a copy of its own, served, with somebody of every role signed in."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import copy_of
from knock import SCOPE, Knocker
from serving import Server, serving
from signing import sign_in

from layers.accounts.keys import add_key
from layers.accounts.sessions import Session
from layers.database import Database
from mapapp.door import Pace
from mapapp.rights import KEYED


@pytest.fixture(scope="package")
def city(settings: Any, server: Any, city_template: Database) -> Iterator[Database]:
    with copy_of(city_template, server, settings) as copy:
        yield copy


@pytest.fixture(scope="package")
def attacked(city: Database, catalog: Any, settings: Any) -> Iterator[Server]:
    with serving(city, catalog, settings) as server:
        server.app._pace = Pace(burst=1e9)  # the attacks come faster than the pace lets; it has tests of its own
        yield server


@pytest.fixture(scope="package")
def knocker(attacked: Server, city: Database, catalog: Any) -> Callable[..., Knocker]:
    """Make who sends requests: of a role and a scope, or of nobody; all have a key for other systems' routes."""
    with city.connect("door") as door:
        keys = {
            "/open311/": add_key(door, catalog, "attacker", scope=SCOPE),
            "/intake/": add_key(door, catalog, "other", channel="hotline", scope=SCOPE),
        }
    assert set(keys) == set(KEYED), "give a key for what is new"

    def make(role: Any = None, scope: str = SCOPE) -> Knocker:
        def enter() -> Session | None:
            return None if role is None else sign_in(city, role, scope=scope, department="water")

        return Knocker(attacked.app, attacked.loop, enter, keys)

    return make


@pytest.fixture(scope="package")
def people(city_folder: Path) -> frozenset[bytes]:
    """Numbers and phones of everybody who lives in the small city: canaries that no answer may hold."""
    found: set[bytes] = set()
    for path in city_folder.rglob("resident*.csv"):
        with path.open(encoding="gb18030", newline="") as lines:
            for row in csv.DictReader(lines):
                found |= {row["公民身份号码"].strip().encode(), row["联系电话"].strip().encode()}
    found.discard(b"")
    assert len(found) > 20_000
    return frozenset(found)
