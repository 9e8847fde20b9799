"""The schema's history: Alembic revisions, run by a login that is no superuser and may act as the owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from layers.database import Database
from layers.migrations.roles import OWNER, make_database, prepare
from layers.tables import metadata

__all__ = ["differences", "downgrade", "upgrade"]


def upgrade(db: Database, revision: str = "head") -> None:
    """Make database and roles where missing, which the admin does, then run the revisions up to one."""
    make_database(db)
    prepare(db)
    with _config(db) as config:
        command.upgrade(config, revision)


def downgrade(db: Database, revision: str = "base") -> None:
    """Run the revisions back to one; `base` leaves an empty database. Roles stay: other databases may use them."""
    with _config(db) as config:
        command.downgrade(config, revision)


def differences(db: Database) -> list[str]:
    """Return one sentence for each place where models and database disagree; empty when they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from layers.migrations.compare import OPTIONS, sentences

    with _connection(db) as connection:
        context = MigrationContext.configure(connection, opts=OPTIONS)
        return list(sentences(compare_metadata(context, metadata)))


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
