"""Older editions follow what is loaded after a reform: their counts of a dataset are worked out again."""

from __future__ import annotations

from pathlib import Path

from etl.copying import Connection
from etl.ledger import lock_dataset
from etl.reform.recount import carry_staged, count_staged, forget
from etl.reform.retie import ELEMENTS, stage_since, stage_succession, stage_ties, stage_unsure
from etl.released import is_of_people
from etl.rows import TABLES
from etl.tree import read_tree
from layers.declare.records import Catalog
from layers.editions import read_editions
from layers.succession import became, shares_between

_NOTE = """
insert into raw.recount (dataset) select %s where exists (select from pub.edition where closed_on is not null)
"""


def note_change(connection: Connection, dataset: str) -> None:
    """Note, in the transaction that changes rows, that older editions have to count them again."""
    connection.execute(_NOTE, [dataset])


def follow_changes(connection: Connection, catalog: Catalog, cache_dir: Path) -> dict[str, int]:
    """Count again what was noted, by whomever: a load, a step of a case, or a load that was killed thereafter.

    A transaction for each dataset; returns how many tally rows each took.
    """
    noted = connection.execute("select distinct dataset from raw.recount order by dataset").fetchall()
    connection.commit()
    written = {}
    for dataset in (key for (key,) in noted if key in catalog.datasets and not is_of_people(catalog.datasets[key])):
        with connection.transaction():
            lock_dataset(connection, dataset)
            # what is noted from here on stays noted: it may be in the counts already, or not
            connection.execute("delete from raw.recount where dataset = %s", [dataset])
            written[dataset] = follow(connection, catalog, dataset, cache_dir)
    return written


def follow(connection: Connection, catalog: Catalog, dataset: str, cache_dir: Path) -> int:
    """Count a dataset again on every edition but the one in force, in the transaction under way.

    Points are tied by each edition's own index; rows without one stand where they stood then, unless they moved
    since; what came later is carried by share. People are not counted again: what is published of them stays. Returns
    how many tally rows that took; none, and nothing is done, where there was no reform.
    """
    editions = [one.edition for one in read_editions(connection)]
    table = TABLES.get(catalog.datasets[dataset].table, "")
    if len(editions) < 2 or table not in ELEMENTS or table == "vault.person":
        return 0
    written, zone, (*older, now) = 0, catalog.city.zone, editions
    for edition in older:
        tree = read_tree(connection, edition, cache_dir)
        shares = shares_between(connection, now, edition)
        stage_succession(connection, tree.number_of, became(shares), shares)
        stage_since(connection, became(shares_between(connection, edition, now)))
        stage_ties(connection, table, tree, dataset)
        forget(connection, edition, dataset)
        written += count_staged(connection, table, zone)
    shares = shares_between(connection, older[-1], now)
    stage_succession(connection, read_tree(connection, now, cache_dir).number_of, became(shares), shares)
    forget(connection, now, dataset, only_carried=True)
    if stage_unsure(connection, table, older[-1], dataset):
        written += carry_staged(connection, table, zone)
    return written
