"""What the tests stand on: a PostGIS cluster of their own in `.local/test`, and databases copied from a template.

The cluster outlives the run, so that the next one starts at once; `make test` stops it. The migrated template and the
loaded small city are kept under a hash of everything they are made from, and made anew when any of it changes.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from databases import alone, copy_of, create, drop_left_overs, furnish, hash_of, hasten, kept, room_of

from layers.accounts.logins import SHARED, let_login
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


FIRST = ("browser", "attacks")
"""Folders whose files take longest."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several run at once, begin with what takes long, so that all end together; where few are in a file, too."""
    if not hasattr(config, "workerinput"):
        return
    size = Counter(item.path for item in items)
    rank = {name: at for at, name in enumerate(FIRST)}
    items.sort(key=lambda item: (rank.get(item.path.parent.name, len(FIRST)), size[item.path]))


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Settings of the tests: everything made lies in `.local/test`, the declarations are the checkout's."""
    return read_settings({"LOCAL_DIR": str(TEST_DIR)})


@pytest.fixture(scope="session")
def server(settings: Settings) -> Server:
    """The tests' own server, running."""
    room = room_of(settings)
    found = ensure_server(settings, say=lambda line: None)
    hasten(found)
    furnish(found, settings, room)
    drop_left_overs(found)
    return found


@pytest.fixture(scope="session")
def template(settings: Settings, server: Server) -> Database:
    """A migrated, empty database whose analysts see the city, that others are copied from; never write to it."""

    def make(empty: Database) -> None:
        migrate(empty)
        with empty.connect("door") as door:
            let_login(door, SHARED, "4499")

    made_from = hash_of("layers/tables", "layers/functions", "layers/migrations")
    with alone(settings, "template"):
        return kept(server, settings, f"template_{made_from}", make)


@pytest.fixture
def db(settings: Settings, server: Server, template: Database) -> Iterator[Database]:
    """A fresh database with the schema and nothing in it, for one test."""
    with copy_of(template, server, settings) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def file_db(settings: Settings, server: Server, template: Database) -> Iterator[Database]:
    """A fresh database that the tests of a file share, for those that only read what one fixture put into it."""
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
    made_from = hash_of("etl/demo", "etl/coordinates", "data")
    folder = TEST_DIR / "city" / made_from
    with alone(settings, "city"):
        if not (folder / "answers.json").exists():
            from etl.demo import build_city

            build_city(folder, "small", until=UNTIL, say=lambda line: None)
            for old in set(folder.parent.iterdir()) - {folder}:
                shutil.rmtree(old)
    return folder


@pytest.fixture(scope="session")
def city_template(settings: Settings, server: Server, template: Database, city_folder: Path) -> Database:
    """The small city, generated and loaded by the ETL, that others are copied from; never connect to it."""

    def load(city: Database) -> None:
        create(server, city, template)
        _load_city(city, settings, city_folder)

    made_from = hash_of("layers", "etl", "data")
    with alone(settings, "small-city"):
        return kept(server, settings, f"city_{made_from}", load)


@pytest.fixture(scope="session")
def small_city(settings: Settings, server: Server, city_template: Database) -> Iterator[Database]:
    """The small city as all tests of a run share it; for reading only, `writable_city` is for the rest."""
    with copy_of(city_template, server, settings) as copy:
        yield copy


@pytest.fixture
def writable_city(settings: Settings, server: Server, city_template: Database) -> Iterator[Database]:
    """A copy of the small city that one test may change."""
    with copy_of(city_template, server, settings) as fresh:
        yield fresh


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
