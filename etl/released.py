"""Released: counts of people are published once a run, after all its deliveries, however many of them hold people.

A delivery that changes people notes so in its own transaction. Until the counts are published the note stands, so a
loader that is killed in between leaves no doubt that they are older than the rows, and the next run publishes them.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from etl.copying import Connection
from etl.rows import TABLES
from layers.declare.records import Catalog, Dataset
from layers.people import publish
from layers.secrets import Secrets

_TABLE = "vault.person"


def is_of_people(dataset: Dataset) -> bool:
    """Whether rows of a dataset are people, whose counts are published."""
    return TABLES.get(dataset.table) == _TABLE


def note_people(connection: Connection, dataset: str) -> None:
    """Note, in the transaction that changes rows of people, that their counts have to be published anew."""
    connection.execute("insert into raw.recount (dataset) values (%s)", [dataset])


def publish_changes(connection: Connection, catalog: Catalog, secrets: Secrets, now: datetime) -> int | None:
    """Publish the month's counts where people have changed, by whomever; return how many grids, None for no change.

    One transaction publishes and takes the notes; what is noted meanwhile stays noted. So does everything where nothing
    can be published yet, since the month stands on the grids of before a reform, or no grids are there: 0 grids.
    """
    with connection.transaction():
        noted = [
            number
            for number, key in connection.execute("select id, dataset from raw.recount order by id").fetchall()
            if key in catalog.datasets and is_of_people(catalog.datasets[key])
        ]
        if not noted:
            return None
        local = now.astimezone(ZoneInfo(catalog.city.zone))
        n_grids = publish(connection, secrets, local.year * 100 + local.month, list(catalog.breakdowns.values()))
        if n_grids:
            connection.execute("delete from raw.recount where id = any(%s)", [noted])
        return n_grids
