"""Canary people: names, numbers and phones that nobody else has, looked for wherever something is left behind."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from addresses import addresses
from deliveries import SQUARES, Town
from knock import Knocker
from serving import serving
from signing import sign_in
from verdict import plain

from etl.demo.numbers import id_numbers, phones
from layers.access import ROLES
from layers.database import Database
from mapapp.door import Pace

SURNAME = "鸑鷟"
"""Begins every canary's name, and nothing else in the world."""

DIRT = ("{number}9", "{number},{number}", "＝{number}", "{number}\x00")
"""What is made of some numbers, so that their rows are refused."""


def canaries(n: int) -> Iterator[tuple[str, str, str]]:
    """Number, name and phone of as many people."""
    chance = np.random.default_rng(7)
    born = (np.datetime64("1950-01-01") + chance.integers(0, 20_000, n)).astype("datetime64[D]")
    numbers = id_numbers(np.full(n, "449901"), born, chance.random(n) < 0.5)
    names = [f"{SURNAME}{i:05d}" for i in range(n)]
    yield from zip(map(str, numbers), names, map(str, phones(n, chance)), strict=True)


def deliver(town: Town, n: int) -> set[bytes]:
    """Deliver canaries, one in twenty with a number that makes no sense; what must be found nowhere."""
    town.load("grid_small")
    places, lines, words = list(SQUARES.values()), ["number,name,phone,lon,lat"], set()
    for i, (number, name, phone) in enumerate(canaries(n)):
        x, y = places[i % len(places)]
        sent = DIRT[i % len(DIRT)].format(number=number) if i % 20 == 0 else number
        lines.append(f'"{sent}",{name},{phone},{x + 0.05},{y + 0.05}')
        words |= {number.encode(), phone.encode()}
    (town.files / "resident.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return words | {SURNAME.encode(), SURNAME.encode("gb18030")}


SCHEMAS = ("raw", "vault", "ops", "pub", "auth", "audit")


def tables(db: Database, *schemas: str) -> Iterator[tuple[str, bytes]]:
    """Every table of some schemas, or of all, as text."""
    with db.connect("admin") as admin:
        found = admin.execute(
            "select c.oid::regclass::text from pg_class as c where c.relkind in ('r', 'p', 'm')"
            " and c.relnamespace::regnamespace::text = any(%s)",
            [list(schemas or SCHEMAS)],
        ).fetchall()
        for (name,) in found:
            with admin.cursor().copy(f"copy (select * from {name}) to stdout") as out:  # type: ignore[arg-type]
                yield name, b"".join(bytes(part) for part in out)


def files(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of some folders, but what was delivered."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and path.name != "resident.csv":
                yield str(path), path.read_bytes()


def leaks(places: Iterator[tuple[str, bytes]], words: set[bytes]) -> list[str]:
    return [where for where, content in places if any(word in content for word in words)]


POPULATION = {
    "indicators/population.toml": """
        name = { zh = "常住人口", en = "Residents" }
        unit = { zh = "人", en = "people" }
        formula = "people"
        period = "now"
        digits = 0
        better = "neither"
        source = "公安局"
        [classes]
        method = "natural"
        n = 5
    """
}


def answers(town: Town, every: int) -> Iterator[tuple[str, bytes]]:
    """What the town's map answers every role at every address, every so many of them; files are unpacked."""
    with serving(town.db, town.catalog, town.settings) as server:
        server.app._pace = Pace(burst=1e9)
        asked = dict.fromkeys(path for _, path in addresses(server.app, town.db, town.catalog))
        whose = {
            role: Knocker(server.app, server.loop, partial(sign_in, town.db, role, department="x")) for role in ROLES
        }
        pairs = [(role, path.partition("?")) for path in asked for role in ROLES]
        for role, (path, _, query) in pairs[::every]:
            yield f"{role} {path}", plain(whose[role].ask("GET", path, query.encode()))


def attack(
    db: Database, settings: Any, folder: Path, caplog: Any, capsys: Any, monkeypatch: Any, n: int, every: int
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder))  # what is left there is looked into as well
    town, said = Town(db, settings, folder, POPULATION), []
    with caplog.at_level(logging.DEBUG):
        words = deliver(town, n)
        report = town.load("resident", say=said.append)
        told = list(answers(town, every))
    assert sum(one.n_inserted for one in report.deliveries) > n * 0.9
    assert sum(one.n_quarantined for one in report.deliveries) > 0
    assert leaks(iter(told), words) == []
    out, err = capsys.readouterr()
    talk = "\n".join([*said, caplog.text, out, err, repr(report), str(report)]).encode()
    log = settings.local_dir.rglob("*.log")
    assert leaks(iter([("what was said", talk)]), words) == []
    assert leaks(tables(db), words) == [], "everything that names a person is encrypted"
    assert leaks(files(folder), words) == []
    assert leaks(((str(path), path.read_bytes()) for path in log), words) == []
    assert leaks(iter([("the delivery", (town.files / "resident.csv").read_bytes())]), words), "a test that can fail"


def test_a_few_hundred_people_are_found_nowhere(
    db: Database, settings: Any, tmp_path: Path, caplog: Any, capsys: Any, monkeypatch: Any
) -> None:
    attack(db, settings, tmp_path, caplog, capsys, monkeypatch, 300, every=11)


@pytest.mark.soak
def test_ten_thousand_people_are_found_nowhere(
    db: Database, settings: Any, tmp_path: Path, caplog: Any, capsys: Any, monkeypatch: Any
) -> None:
    attack(db, settings, tmp_path, caplog, capsys, monkeypatch, 10_000, every=1)


def test_an_error_of_the_database_names_nobody(db: Database) -> None:
    """What PostgreSQL says of a statement that failed goes into its log, and into ours: not the values."""
    with db.connect("loader") as loader:
        row = loader.execute("select current_setting('log_parameter_max_length_on_error')").fetchone()
    assert row == ("0",)
