"""The schema's history: Alembic revisions, run by a login that is no superuser and may act as the owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import psycopg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from layers.database import Database
from layers.errors import ServerError
from layers.migrations.roles import OWNER, make_database, prepare
from layers.tables import metadata

__all__ = ["differences", "downgrade", "upgrade"]


def upgrade(db: Database, revision: str = "head") -> None:
    """Make database and roles where missing, which the admin does, then run the revisions up to one.

    After the last one the functions are made as `layers.migrations.functions` says.

    Raises
    ------
    ServerError
        The server cannot be used, or the database is of a revision that this program does not have.
    """
    make_database(db)
    prepare(db)
    with _config(db) as config:
        try:
            command.upgrade(config, revision)
        except CommandError as error:
            raise ServerError(
                f"The schema of {db.name!r} cannot be brought up to date: {error}",
                "An older one: bring it up with the program that made it, or drop the database and load it anew. "
                "A newer one: update the program.",
            ) from error


def downgrade(db: Database, revision: str = "base") -> None:
    """Run the revisions back to one; `base` leaves an empty database. Roles stay: other databases may use them."""
    with _config(db) as config:
        command.downgrade(config, revision)


def differences(db: Database) -> list[str]:
    """Return one sentence for each place where models and database disagree; empty when they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from layers.migrations.compare import OPTIONS, sentences
    from layers.migrations.functions import are_made

    with _connection(db) as connection:
        context = MigrationContext.configure(connection, opts=OPTIONS)
        found = list(sentences(compare_metadata(context, metadata)))
        if not are_made(cast("psycopg.Connection[Any]", connection.connection.driver_connection)):
            found.append("functions are not those of layers/functions")
        return found


@contextmanager
def _config(db: Database) -> Iterator[Config]:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    with _connection(db) as connection:
        config.attributes["connection"] = connection
        yield config


@contextmanager
def _connection(db: Database) -> Iterator[Connection]:
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: db.connect("migrate", options=f"-c role={OWNER}"),
        poolclass=NullPool,
    )
    with engine.connect() as connection:
        yield connection
