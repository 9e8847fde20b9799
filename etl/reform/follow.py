"""Older editions follow what is loaded after a reform: their counts of a dataset are worked out again."""

from __future__ import annotations

from pathlib import Path

from etl.copying import Connection
from etl.ledger import lock_dataset
from etl.reform.recount import carry_staged, count_staged, forget
from etl.reform.retie import ELEMENTS, stage_since, stage_succession, stage_ties, stage_unsure
from etl.rows import TABLES
from etl.tree import read_tree
from layers.declare.records import Catalog
from layers.editions import read_editions
from layers.succession import became, shares_between


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
    lock_dataset(connection, dataset)
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
