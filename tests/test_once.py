"""Exactly once: whatever comes again, late, overlapping or changed, the map ends with what is true, once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from layers.database import Database
from layers.declare.records import Dataset
from layers.settings import Settings
from tests.deliveries import REPORTS, Town


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path) -> Town:
    town = Town(db, settings, tmp_path)
    town.deliver("report.csv", REPORTS)
    return town


def declare(town: Town, **changes: Any) -> Dataset:
    """Declare reports otherwise than before."""
    report = replace(town.catalog.datasets["report"], **changes)
    town.catalog = replace(town.catalog, datasets={**town.catalog.datasets, "report": report})
    return report


def test_a_changed_declaration_loads_its_files_again_and_says_so(town: Town) -> None:
    said: list[str] = []
    town.load(say=said.append)
    before = dict(town.rows("select source_key, id from ops.event"))
    columns = tuple(c for c in town.catalog.datasets["report"].columns if c.key != "note")
    declare(town, columns=columns)
    (done,) = town.load("report", say=said.append).deliveries
    assert (done.status, done.n_updated, done.n_unchanged, done.n_quarantined) == ("loaded", 5, 0, 1)
    assert "report: the declaration has changed, report.csv is loaded again" in said
    assert dict(town.rows("select source_key, id from ops.event")) == before
    assert town.rows("select count(*) from ops.event where attrs ? 'note'") == [(0,)]
    assert [d.status for d in town.load("report").deliveries] == ["known"]


def test_names_and_bounds_of_a_declaration_load_nothing_again(town: Town) -> None:
    report = town.catalog.datasets["report"]
    town.load()
    declare(town, licence="open", expect=replace(report.expect, rows_max=10))
    assert [d.status for d in town.load("report").deliveries] == ["known"]


def test_rows_that_became_sensitive_are_sealed_at_once(town: Town) -> None:
    town.load()
    declare(town, sensitive=True)
    (done,) = town.load("report").deliveries
    assert done.n_updated == 5
    assert town.rows("select count(*) from ops.event where not is_sensitive") == [(0,)]
    assert town.rows("select coalesce(sum(n), 0)::int from pub.tally_small_month") == [(0,)]
    assert town.rows("select sum(n)::int from vault.tally_small_month") == [(5,)]
