"""Gone: rows that a delivery of the whole no longer has are marked with the day, never deleted."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
from psycopg import sql

from etl import binary
from etl.copying import Connection, copy_in, table_name

_LEAVING = """
create temp table leaving on commit drop as
select r.town_code as old_town, r.id, r.source_key from raw.source_registry r
where r.dataset = %s and r.gone_on is null
    and not exists (select from called c where c.source_key = r.source_key)
"""


class RollCall:
    """The keys of a delivery, good or refused, so that at the end it can be said who is missing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        connection.execute('create temp table called (source_key text collate "C") on commit drop')
        self.n_nameless = 0

    def add(self, keys: pa.Array, n_broken: int = 0) -> None:
        """Note the keys of a batch; rows without a key, broken ones too, are only counted."""
        self.n_nameless += keys.null_count + n_broken
        keys = keys.drop_null()
        copy_in(self._connection, "called", {"source_key": binary.text(keys)}, len(keys))

    def find_missing(self, dataset: str) -> int:
        """Put the rows of the dataset that were not called into `leaving`; return how many."""
        run = self._connection.execute
        run("analyze called")
        return run(_LEAVING, [dataset]).rowcount


def mark_gone(connection: Connection, dataset: str, table: str, day: date) -> None:
    """Mark the rows in `leaving` as gone since a day."""
    connection.execute(
        sql.SQL("update {} t set gone_on = %s from leaving l where t.town_code = l.old_town and t.id = l.id").format(
            table_name(table)
        ),
        [day],
    )
    connection.execute(
        "update raw.source_registry t set gone_on = %s from leaving l"
        " where t.dataset = %s and t.source_key = l.source_key",
        [day, dataset],
    )
