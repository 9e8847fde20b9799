"""Deletion by request: everything of a person goes, the sums agree, and the next delivery does not bring them back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from psycopg import errors
from typer.testing import CliRunner

from etl.__main__ import app
from etl.forget import Forgotten, forget, subject_of
from layers.accounts.audit import read_entries
from layers.database import Database
from layers.seal import Sealer
from layers.secrets import read_secrets
from layers.settings import Settings
from tests.deliveries import NOW, RESIDENTS, Town

ZHANG, LI = "11010519491231002X", "440524188001010014"
COUNTED = "select coalesce(sum(n), 0)::int from vault.tally_medium_day where period = 0"

NAMED = {
    "datasets/helped.toml": """
        name = { zh = "帮扶", en = "Helped" }
        department = "public_security"
        table = "person"
        each_row_is_a = { zh = "一人", en = "a person" }
        row_key = ["no"]
        delivery = "full"
        [source]
        files = "helped*.csv"
        format = "csv"
        grid_code = "grid"
        [columns]
        no = { from = "no", type = "key", required = true }
        number = { from = "number", type = "id_number" }
        name = { from = "name", type = "person_name", required = true }
        born_on = { from = "born", type = "date" }
        [expect]
        rows = [1, 1000]
        quarantine_share_max = 0.9
        drop_share_max = 0.9
    """,
}
HELPED = """
no | number             | name   | born       | grid
H1 | 11010519491231002X | 张三丰 | 1949-12-31 | 449901001001001
H2 |                    | 赵六   | 1950-01-01 | 449901001001002
H3 |                    | 钱七   | 1951-01-01 | 449901001001002
"""


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path) -> Town:
    town = Town(db, settings, tmp_path, NAMED)
    town.deliver("resident.csv", RESIDENTS)
    town.deliver("helped.csv", HELPED)
    town.load()
    return town


def gone(town: Town, number: str | None, dataset: str = "", key: str = "", **more: Any) -> Forgotten:
    secrets = read_secrets(town.settings)
    return forget(
        town.db, town.catalog, secrets, subject_of(Sealer(secrets), number, dataset, key),
        why="申请 2026-17", run_by="steward", cache_dir=town.cache, now=NOW, **more,
    )  # fmt: skip


def keys(town: Town) -> list[str]:
    return [key for (key,) in town.rows("select dataset || ' ' || left(source_key, 4) from vault.person order by 1")]


def test_everything_of_a_person_goes(town: Town) -> None:
    assert len(keys(town)) == 5 and town.rows(COUNTED) == [(5,)]
    town.deliver("resident.csv", RESIDENTS.replace("13800000001", "13800000008"))
    town.load("resident")
    assert town.rows("select count(*) from vault.past") == [(1,)]
    assert gone(town, ZHANG, dry_run=True).rows == {"helped": 1, "resident": 1}
    assert len(keys(town)) == 5, "a dry run deletes nothing"
    assert gone(town, ZHANG).rows == {"helped": 1, "resident": 1}
    assert len(keys(town)) == 3 and town.rows(COUNTED) == [(3,)]
    for table in ("vault.identity", "vault.past", "raw.source_registry"):
        rest = {"vault.identity": 3, "vault.past": 0, "raw.source_registry": 3}[table]
        dataset = "dataset in ('resident', 'helped')"
        assert town.rows(f"select count(*) from {table} where {dataset}") == [(rest,)], table
    with town.db.connect("door") as door:
        (entry,) = read_entries(door, kind="person_change")
    assert (entry.account, entry.detail["done"]) == ("steward", "forgotten")
    assert ZHANG not in str(entry) and "张" not in str(entry)


def test_the_next_delivery_does_not_bring_anybody_back(town: Town) -> None:
    gone(town, ZHANG)
    for text in (RESIDENTS.replace("115.15", "115.16"), RESIDENTS.replace("张三丰", "张三")):
        town.deliver("resident.csv", text)
        (done,) = town.load("resident").deliveries
        assert (done.n_forgotten, done.n_quarantined) == (1, 1)
        told = done.n_inserted + done.n_updated + done.n_unchanged + done.n_quarantined + done.n_forgotten
        assert done.n_read == told == 3
    town.deliver("helped.csv", HELPED.replace("赵六", "赵六六"))
    (done,) = town.load("helped").deliveries
    assert (done.n_read, done.n_updated, done.n_unchanged, done.n_forgotten, done.n_gone) == (3, 1, 1, 1, 0)
    assert len(keys(town)) == 3 and town.rows(COUNTED) == [(3,)]
    assert town.rows("select sum(n_forgotten)::int from raw.delivery") == [(3,)]


def test_a_refused_row_of_a_forgotten_person_is_not_kept_either(town: Town) -> None:
    gone(town, ZHANG)
    town.deliver("helped.csv", HELPED.replace("1949-12-31", "2949-12-31").replace("1950-01-01", "2950-01-01"))
    (done,) = town.load("helped").deliveries
    assert (done.n_forgotten, done.n_quarantined, done.n_unchanged) == (1, 1, 1)
    assert town.rows("select source_key from raw.quarantine where dataset = 'helped'") == [("H2",)]
    town.deliver("helped.csv", HELPED.replace("11010519491231002X", "110105194912310021"))
    (done,) = town.load("helped").deliveries
    assert done.n_forgotten == 1, "by its key where the number cannot be read"


def test_who_has_no_number_is_forgotten_by_dataset_and_key(town: Town) -> None:
    assert gone(town, None, "helped", "H2").rows == {"helped": 1}
    town.deliver("helped.csv", HELPED.replace("钱七", "钱七七"))
    (done,) = town.load("helped").deliveries
    assert (done.n_updated, done.n_unchanged, done.n_forgotten) == (1, 1, 1)
    assert keys(town)[0] == "helped H1" and len(keys(town)) == 4


def test_who_is_not_known_yet_is_not_taken_in_later(town: Town) -> None:
    number = "11010119900307803X"
    assert gone(town, number).rows == {}
    town.deliver("resident_2.csv", RESIDENTS.replace(LI, number))
    done = next(one for one in town.load("resident").deliveries if one.file == "resident_2.csv")
    assert (done.n_forgotten, done.n_unchanged, done.n_quarantined) == (1, 1, 1)


def test_no_login_takes_a_tombstone_away(town: Town) -> None:
    gone(town, ZHANG)
    with town.db.connect("loader", autocommit=True) as loader:
        for statement in ("delete from raw.tombstone", "update raw.tombstone set why = ''"):
            with pytest.raises(errors.InsufficientPrivilege):
                loader.execute(statement.encode())


def test_the_command_forgets(town: Town, monkeypatch: Any) -> None:
    monkeypatch.setattr("layers.database.open_database", lambda settings: town.db)
    monkeypatch.setenv("LOCAL_DIR", str(town.settings.local_dir))
    monkeypatch.setenv("CATALOG_DIR", str(town.catalog_dir))

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["forget", "--why", "申请 2026-17", *words], catch_exceptions=False, input=ZHANG)
        assert done.exit_code == 0 and ZHANG not in done.output
        return done.output

    assert "resident: 1 rows would be deleted" in run("--dry-run")
    assert "helped: 1 rows were deleted" in run()
    assert "Nothing is kept" in run()
