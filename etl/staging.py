"""Staging: where workers put the batches they have done, sealed, until the loader's one transaction takes them in.

A batch stands under its delivery and number, so that one done twice stands there once. Whoever uses staging holds a
shared lock; whoever finds it free empties the table by TRUNCATE, which gives its space back to the disk.
"""

from __future__ import annotations

from types import TracebackType

from psycopg import errors

from etl.copying import Connection
from layers.database import Database
from layers.errors import ServerError

_IN_USE = 4_490_004


def put(connection: Connection, delivery: str, batch: int, content: bytes) -> None:
    """Put a batch into staging, in the place of an earlier one."""
    connection.execute(
        "insert into raw.staging (delivery, batch, content) values (%s, %s, %b)"
        " on conflict (delivery, batch) do update set content = excluded.content",
        [delivery, batch, content],
    )


def empty(connection: Connection) -> bool:
    """Empty staging unless somebody uses it; return whether it was emptied."""
    with connection.transaction():
        row = connection.execute("select pg_try_advisory_xact_lock(%s)", [_IN_USE]).fetchone()
        if not row or not row[0]:
            return False
        if connection.execute("select exists (select from raw.staging)").fetchone() == (False,):
            return True
        connection.execute("set local lock_timeout = '2s'")
        try:
            connection.execute("truncate raw.staging")
        except errors.LockNotAvailable:
            return False
    return True


class Staging:
    """Staging in use by one loader: left-overs of earlier ones go first, its own when it is done."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Staging:
        self._connection = self._database.connect("loader", autocommit=True)
        self._connection.execute("select pg_advisory_lock_shared(%s)", [_IN_USE])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def get(self, delivery: str, batch: int) -> bytes:
        """Give what a worker put there.

        Raises
        ------
        ServerError
            It is not there: the worker wrote to another database.
        """
        row = self._connection.execute(
            "select content from raw.staging where delivery = %s and batch = %s", [delivery, batch], binary=True
        ).fetchone()
        if row is None:
            raise ServerError(
                f"Batch {batch} was done, but it is not in staging.",
                "Give every worker the DATABASE_URL of the loader's database.",
            )
        return bytes(row[0])

    def drop(self, delivery: str) -> None:
        """Take away everything of a delivery."""
        self._connection.execute("delete from raw.staging where delivery = %s", [delivery])
