"""Forget: delete everything kept of a person by request, and leave a tombstone that the next delivery does not pass.

A tombstone is the keyed token of the person, and of each row by its dataset and key, for rows without a number that can
be read. Nobody can be told from it without the key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from etl.copying import Connection
from etl.ledger import lock_dataset
from etl.load import TableLoader
from etl.reform.follow import follow_changes
from etl.tombstones import leave_tombstones
from etl.tree import read_tree
from layers.accounts import audit
from layers.database import Database
from layers.declare.records import Catalog
from layers.editions import edition_on
from layers.errors import UnknownNameError
from layers.people import publish
from layers.seal import Sealer
from layers.secrets import Secrets
from layers.tallies import fold, number_catalog

_DOOMED = """
create temp table doomed on commit drop as
select dataset, source_key, town_code, id from vault.person where subject = %s
"""
_LEAVING = """
create temp table leaving on commit drop as
select town_code as old_town, id, source_key from doomed where dataset = %s
"""
_KEYS_BEFORE = """
select a.dataset, a.source_key from raw.amendment a join doomed d on d.dataset = a.dataset and d.source_key = a.row_key
"""

REMOVALS = (
    "delete from vault.identity t using doomed d where t.town_code = d.town_code and t.id = d.id",
    "delete from vault.past t using doomed d where t.dataset = d.dataset and t.source_key = d.source_key",
    "delete from vault.care_visit t using doomed d where t.person_id = d.id",
    "delete from vault.opening t using doomed d where t.row_id = d.id",
    "delete from ops.link t using doomed d where t.to_id = d.id or t.from_id = d.id",
    "delete from ops.former_grid t using doomed d where t.id = d.id",
    "update ops.visit t set concerns_id = null, found = null from doomed d where t.concerns_id = d.id",
    "delete from raw.amendment t using doomed d where t.dataset = d.dataset and t.row_key = d.source_key",
    "delete from raw.quarantine t using doomed d where t.dataset = d.dataset and t.source_key = d.source_key",
    "delete from raw.source_registry t using doomed d where t.dataset = d.dataset and t.source_key = d.source_key",
    "delete from vault.person t using doomed d where t.town_code = d.town_code and t.id = d.id",
)
"""What goes with the rows of `doomed`, in an order that leaves nothing hanging."""


@dataclass
class Forgotten:
    """Rows deleted of a person by dataset; none where nothing was kept."""

    rows: dict[str, int] = field(default_factory=dict)


def subject_of(sealer: Sealer, number: str | None, dataset: str = "", key: str = "") -> bytes:
    """Make the subject of a person from the ID number, or from dataset and source key for who has none."""
    return sealer.subjects([number or None], dataset, [key])[0]


def forget(
    database: Database,
    catalog: Catalog,
    secrets: Secrets,
    subject: bytes,
    *,
    why: str,
    run_by: str,
    cache_dir: Path,
    now: datetime,
    dry_run: bool = False,
) -> Forgotten:
    """Delete all rows of a subject with what hangs on them, in one transaction, and leave a tombstone.

    A tombstone is left too where nothing is kept, so that a delivery to come brings nobody. Counts of people are
    published anew.

    Parameters
    ----------
    database, catalog, secrets
        The installation.
    subject
        Who, see `subject_of`.
    why
        Number or date of the request, for the log and the tombstone; names nobody.
    run_by
        Who runs it, for the log.
    cache_dir
        Where trees of grids are kept.
    now
        Moment of the tombstone; its month is published anew.
    dry_run
        Only say how many rows there are.
    """
    found, sealer = Forgotten(), Sealer(secrets)
    with database.connect("loader") as connection:
        connection.execute(_DOOMED, [subject])
        rows = connection.execute("select dataset, source_key from doomed order by 1, 2").fetchall()
        for dataset, _ in rows:
            found.rows[dataset] = found.rows.get(dataset, 0) + 1
        if dry_run:
            return found
        rows += connection.execute(_KEYS_BEFORE).fetchall()
        _take_out(connection, catalog, list(found.rows), cache_dir)
        remove(connection)
        tokens = [subject, *(subject_of(sealer, None, dataset, key) for dataset, key in rows)]
        leave_tombstones(connection, tokens, why, now)
        audit.note_load(
            connection, "person_change", run_by, f"person {subject.hex()}", done="forgotten", why=why, rows=found.rows
        )
        if found.rows:
            local = now.astimezone(ZoneInfo(catalog.city.zone))
            publish(connection, secrets, local.year * 100 + local.month, list(catalog.breakdowns.values()))
        fold(connection)
        connection.commit()
        follow_changes(connection, catalog, cache_dir)
    return found


def remove(connection: Connection) -> int:
    """Delete the rows of people in `doomed` with all that hangs on them; return how many rows of people."""
    return [connection.execute(statement.encode()).rowcount for statement in REMOVALS][-1]


def _take_out(connection: Connection, catalog: Catalog, datasets: list[str], cache_dir: Path) -> None:
    """Take the doomed rows out of the counts, dataset by dataset, each under the lock a load takes."""
    numbers = number_catalog(connection, catalog)
    tree = read_tree(connection, edition_on(connection, catalog.city), cache_dir)
    for name in datasets:
        if name not in catalog.datasets:
            raise UnknownNameError("dataset", name, catalog.datasets)
        lock_dataset(connection, name)
        connection.execute(_LEAVING, [name])
        loader = TableLoader(connection, catalog.datasets[name], tree, numbers, 0, key_id="", zone=catalog.city.zone)
        loader.take_out()
        loader.finish(tree.towns)
        connection.execute("drop table leaving")
