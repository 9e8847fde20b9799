"""What is left behind of people: in answers, errors, logs, entries, caches, frames and files, whatever was asked."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Set
from itertools import chain
from typing import Any

import pytest
from addresses import addresses
from surface import names_read, operations
from test_attack_inputs import role_for, send
from test_attack_people import files, tables
from verdict import NUMBER, plain

from layers.access import ROLES, Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.declare.records import Catalog
from layers.errors import AtlasError
from mapapp.rights import is_keyed, is_public, may_open

N = {"answers": 0, "frames": 0}


def told_of(content: bytes, people: Set[bytes]) -> set[bytes]:
    """Numbers and phones of people in a content."""
    return set(NUMBER.findall(content)) & people


def answers(knocker: Any, attacked: Any, city: Database, catalog: Catalog, every: int) -> Iterator[tuple[str, bytes]]:
    """What is answered to every role at every address, every so many of them."""
    asked = dict.fromkeys(path for _, path in addresses(attacked.app, city, catalog))
    whose = {role: knocker(role) for role in ROLES}
    pairs = [(role, path) for path in asked for role in ROLES if may_open(role, path.partition("?")[0])]
    for role, path in pairs[::every]:
        at, _, query = path.partition("?")
        N["answers"] += 1
        yield f"{role} {path}", plain(whose[role].ask("GET", at, query.encode()))
    for role in ROLES:
        if may_open(role, "/live"):
            yield f"{role} /live", whose[role].ask("GET", "/live", b"since=1").body


def typed(knocker: Any, attacked: Any, people: Set[bytes], every: int) -> Iterator[tuple[str, bytes]]:
    """What is answered to who writes somebody's number or phone into every field; it may be said again to who did."""
    numbers = sorted(people)
    for at, one in enumerate(operations(attacked.app)[::every]):
        for number in (numbers[at], numbers[-at - 1]):  # a phone, a number
            who = knocker(
                None if is_public(one.method, one.template) or is_keyed(one.template) else role_for(one.template)
            )
            given = dict.fromkeys((name for name in names_read() if name != "key"), number.decode())
            for answer in send(who, one, given):
                N["answers"] += 1
                yield f"{one.method} {one.template}", plain(answer).replace(number, b"")


def broken(knocker: Any, city: Database) -> Iterator[tuple[str, bytes]]:
    """What is answered, and logged, where the database fails in the middle of people."""
    with city.connect("admin", autocommit=True) as admin:
        for statement, undo in (
            ("alter function pub.list_care rename to lost", "alter function pub.lost rename to list_care"),
            ("revoke select on vault.person from atlas_owner", "grant select on vault.person to atlas_owner"),
        ):
            admin.execute(statement)
            try:
                answer = knocker("grid_worker").ask("GET", "/care/list")
                assert answer.status >= 500 or answer.fault, "it was broken"
                yield statement, answer.body
            finally:
                admin.execute(undo)


def frames(city: Database, catalog: Catalog, every: int) -> Iterator[tuple[str, bytes]]:
    """Everything an analyst may read by the atlas."""
    atlas = Atlas(catalog, city, "analyst", Scope("4499"))
    for name in list(catalog.datasets)[::every]:
        for read in (atlas.features, lambda key: atlas.tally(key, level="small")):
            try:
                frame = read(name)
            except AtlasError:
                continue  # people and what is sensitive are not read row by row
            N["frames"] += 1
            yield name, frame.drop(columns="geom", errors="ignore").to_csv().encode()
    yield "datasets", atlas.datasets().to_csv().encode()
    yield from (
        (name, atlas.people("small", breakdown=name).to_csv().encode()) for name in list(catalog.breakdowns)[::every]
    )


def attack(
    knocker: Any, attacked: Any, city: Any, catalog: Any, people: Any, settings: Any, caplog: Any, every: int
) -> list[str]:
    """Where anybody was found."""
    few = min(every, 7)
    logs = {path: path.stat().st_size for path in settings.local_dir.glob("*/server.log")}
    assert logs, "the log of the database is looked into"
    with caplog.at_level(logging.DEBUG):
        asked = answers(knocker, attacked, city, catalog, every), typed(knocker, attacked, people, few)
        said = list(chain(*asked, broken(knocker, city), frames(city, catalog, few)))
        kept = [("our log", caplog.text.encode())]
    written = [(str(path), path.read_bytes()[size:]) for path, size in logs.items()]
    left = files(*(settings.local_dir / name for name in ("cache", "audit")))
    kept_rows = tables(city) if every == 1 else tables(city, "audit", "auth", "raw")
    return [at for at, content in chain(said, kept, written, left, kept_rows) if told_of(content, people)]


def test_nobody_is_found_in_what_is_left(
    knocker: Any, attacked: Any, city: Any, catalog: Any, people: Any, settings: Any, caplog: Any
) -> None:
    assert attack(knocker, attacked, city, catalog, people, settings, caplog, every=23) == []
    some = sorted(people)[7]
    logging.getLogger("mapapp").warning("a number %s", some.decode())
    assert told_of(caplog.text.encode(), people) == {some}, "a number in a log would be found"


@pytest.mark.soak
def test_nobody_is_found_anywhere(
    knocker: Any, attacked: Any, city: Any, catalog: Any, people: Any, settings: Any, caplog: Any, capsys: Any
) -> None:
    found = attack(knocker, attacked, city, catalog, people, settings, caplog, every=1)
    with capsys.disabled():
        print(f"\n{len(people)} numbers and phones looked for in {N['answers']} answers and {N['frames']} frames")
    assert found == []
