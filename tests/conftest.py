"""What the tests stand on: a PostGIS cluster of their own in `.local/test`, and databases copied from a template.

The cluster outlives the run, so that the next one starts at once; `make test` stops it. The migrated template and the
loaded small city are kept under a hash of everything they are made from, and made anew when any of it changes.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from layers.database import Database, migrate
from layers.secrets import read_secrets
from layers.server import Server, ensure_server
from layers.settings import CHECKOUT, Settings, read_settings

if TYPE_CHECKING:
    from layers.declare import Catalog

UNTIL = date(2026, 6, 30)
"""Last day of the small city's events: the tests do not depend on today."""

LOADED_AT = datetime(2026, 7, 1, 1, tzinfo=UTC)
"""Moment at which the small city was loaded, so that nothing in it lies in the future."""

TEST_DIR = CHECKOUT / ".local" / "test"


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Settings of the tests: everything made lies in `.local/test`, the declarations are the checkout's."""
    return read_settings({"LOCAL_DIR": str(TEST_DIR)})


@pytest.fixture(scope="session")
def server(settings: Settings) -> Server:
    """The tests' own server, running."""
    found = ensure_server(settings, say=lambda line: None)
    _drop_left_overs(found)
    return found


@pytest.fixture(scope="session")
def template(settings: Settings, server: Server) -> Database:
    """A migrated, empty database that others are copied from; never write to it."""
    made_from = _hash("layers/tables", "layers/migrations")
    with _alone(settings, "template"):
        return _kept(server, settings, f"template_{made_from}", migrate)


@pytest.fixture
def db(settings: Settings, server: Server, template: Database) -> Iterator[Database]:
    """A fresh database with the schema and nothing in it, for one test."""
    with copy_of(template, server, settings) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def catalog(settings: Settings) -> Catalog:
    """The checkout's declarations."""
    from layers.declare import read_catalog

    return read_catalog(settings.catalog_dir)


@pytest.fixture(scope="session")
def city_folder(settings: Settings) -> Path:
    """Folder with the small city's deliveries and its answer sheet; never write to it."""
    made_from = _hash("etl/demo", "etl/coordinates.py", "data")
    folder = TEST_DIR / "city" / made_from
    with _alone(settings, "city"):
        if not (folder / "answers.json").exists():
            from etl.demo import build_city

            build_city(folder, "small", until=UNTIL, say=lambda line: None)
            for old in set(folder.parent.iterdir()) - {folder}:
                shutil.rmtree(old)
    return folder


@pytest.fixture(scope="session")
def small_city(settings: Settings, server: Server, template: Database, city_folder: Path) -> Database:
    """The small city, generated and loaded by the ETL; for reading only, `writable_city` is for the rest."""

    def load(city: Database) -> None:
        _create(server, city, template)
        _load_city(city, settings, city_folder)

    made_from = _hash("layers", "etl", "data")
    with _alone(settings, "small-city"):
        return _kept(server, settings, f"city_{made_from}", load)


@pytest.fixture
def writable_city(settings: Settings, server: Server, small_city: Database) -> Iterator[Database]:
    """A copy of the small city that one test may change."""
    with copy_of(small_city, server, settings) as fresh:
        yield fresh


@contextlib.contextmanager
def copy_of(source: Database, server: Server, settings: Settings) -> Iterator[Database]:
    """Copy a database that nobody is connected to, and drop the copy afterwards."""
    fresh = _database(server, settings, f"test_{os.getpid()}_{next(_NUMBERS)}")
    with _alone(settings, "copy"):
        _create(server, fresh, source)
    try:
        yield fresh
    finally:
        _drop(server, fresh.name)


_NUMBERS = itertools.count(1)


def _load_city(city: Database, settings: Settings, folder: Path) -> None:
    from etl.run import run
    from layers.declare import read_catalog

    report = run(
        city,
        read_catalog(settings.catalog_dir),
        read_secrets(settings),
        folder,
        cache_dir=settings.local_dir / "cache",
        now=LOADED_AT,
        say=lambda line: None,
    )
    refused = [delivery.problem for delivery in report.deliveries if delivery.status == "refused"]
    assert refused == []


def _kept(server: Server, settings: Settings, name: str, make: object) -> Database:
    """The database of that name: made aside and renamed, so that one under its name is always whole."""
    kept = _database(server, settings, name)
    with _admin(server) as conn:
        if conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return kept
        kind = name.partition("_")[0]
        for (old,) in conn.execute("SELECT datname FROM pg_database WHERE datname ^@ %s", [f"{kind}_"]).fetchall():
            busy = conn.execute("SELECT 1 FROM pg_stat_activity WHERE datname = %s", [old]).fetchone()
            if not busy:
                _drop(server, old)
    making = _database(server, settings, f"test_{os.getpid()}_{name}")
    assert callable(make)
    make(making)
    with _admin(server) as conn:
        conn.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(_name(making.name), _name(name)))
    return kept


def _create(server: Server, fresh: Database, source: Database) -> None:
    """Copy a database, rights on the database itself included: PostgreSQL leaves those behind."""
    from layers.migrations.roles import prepare

    with _admin(server) as conn:
        conn.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(_name(fresh.name), _name(source.name))
        )
    prepare(fresh)


def _drop(server: Server, name: str) -> None:
    with _admin(server) as conn:
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(_name(name)))


def _drop_left_overs(server: Server) -> None:
    """Drop what a killed run left behind."""
    with _admin(server) as conn:
        names = conn.execute(r"SELECT datname FROM pg_database WHERE datname ~ '^test_\d+_'").fetchall()
    for (name,) in names:
        if not Path("/proc", name.split("_")[1]).exists():
            _drop(server, name)


def _database(server: Server, settings: Settings, name: str) -> Database:
    return Database(name=name, admin_url=server.admin_url, passwords=read_secrets(settings).passwords)


def _name(name: str) -> sql.Identifier:
    return sql.Identifier(name)


def _admin(server: Server) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(server.admin_url, autocommit=True)


@contextlib.contextmanager
def _alone(settings: Settings, what: str) -> Iterator[None]:
    """One process at a time."""
    settings.local_dir.mkdir(parents=True, exist_ok=True)
    with (settings.local_dir / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _hash(*places: str) -> str:
    """Hash of the files something is made from."""
    digest = hashlib.sha256()
    for place in places:
        root = CHECKOUT / place
        files = sorted(root.rglob("*")) if root.is_dir() else [root]
        for path in files:
            if path.is_file() and path.suffix != ".pyc":
                digest.update(str(path.relative_to(CHECKOUT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
