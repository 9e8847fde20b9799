"""A register full of dirt of more than forty kinds: every row is accounted for, and refused for the right reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from deliveries import Town, write_declarations
from dirty_register import CATEGORIES, DATASET, KINDS, write_register

from etl.reasons import REASONS
from layers.database import Database
from layers.settings import CHECKOUT, Settings

FOUND = """
select q.line, q.reason, q.field, q.value from raw.quarantine q join raw.delivery d on d.id = q.delivery_id
where d.dataset = 'club' order by q.line
"""


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path) -> Town:
    town = Town(db, settings, tmp_path)
    declared = {"categories.toml": CATEGORIES, "datasets/club.toml": DATASET}
    town.catalog = write_declarations(town.catalog_dir, declared)
    return town


def judged(town: Town, n: int, share: float, **more: Any) -> pd.DataFrame:
    """Load a register of `n` rows; a row for each that was spoilt or refused: kind, reason and found."""
    sheet = write_register(town.files / "club.csv", n, share)
    report = town.load("grid_small", "club", **more).deliveries[-1]
    assert (report.problem, report.n_read) == ("", n)
    assert report.n_inserted + report.n_updated + report.n_unchanged + report.n_quarantined == n
    assert town.rows("select count(*) from ops.organisation where dataset = 'club'") == [(report.n_inserted,)]
    found = pd.DataFrame(town.rows(FOUND), columns=["line", "found", "field", "value"])
    assert len(found) == report.n_quarantined
    return sheet.merge(found, on="line", how="outer")


def test_every_kind_is_refused_for_its_reason(town: Town) -> None:
    both = judged(town, 20_000, 0.5)
    wrong = both[both["reason"] != both["found"]]
    assert wrong.groupby(["kind", "found"], dropna=False).size().to_dict() == {}
    assert set(both["kind"]) == {kind.name for kind in KINDS}
    cells = both[both["found"] != "wrong_field_count"]
    assert cells["field"].notna().all(), "the cell is named"
    empty = ("missing_value", "bad_coordinates")
    assert set(cells.loc[cells["value"].isna(), "found"]) <= set(empty), "and its value shown, where there is one"


def test_processes_judge_as_one_does(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_DIR", str(town.settings.local_dir))
    monkeypatch.setenv("DATABASE_URL", town.db.url("admin"))
    both = judged(town, 3000, 0.5, executor="processes:2")
    assert both[both["reason"] != both["found"]].to_dict("records") == []


@pytest.mark.soak
def test_a_million_dirty_rows_are_accounted_for(town: Town) -> None:
    both = judged(town, 1_000_000, 0.3)
    assert (both["reason"] == both["found"]).mean() >= 0.999
    same = town.load("club").deliveries[0]
    assert same.status == "known"


def test_there_are_more_than_forty_kinds_each_with_a_reason_of_ours() -> None:
    assert len(KINDS) >= 40
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert {kind.reason for kind in KINDS} <= set(REASONS)


def test_the_stewards_guide_shows_every_kind() -> None:
    guide = (CHECKOUT / "docs" / "loading.md").read_text(encoding="utf-8")
    table = re.search(r"^\| dirt \|.*?\n\|[-|]+\n(.*?)\n\n", guide, re.MULTILINE | re.DOTALL)
    assert table is not None
    shown = [tuple(cell.strip() for cell in line.strip("| ").split(" | ")) for line in table[1].splitlines()]
    assert shown == [(kind.name, kind.looks, f"`{kind.reason}`", REASONS[kind.reason].name.zh) for kind in KINDS]
