"""Retention: every personal column is in the register, and what is kept longer than its days goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from people_at_work import GRID, START, actor, cases, prepare
from signing import sign_in, signed
from test_care import CATALOG, enrol
from typer.testing import CliRunner

from etl.__main__ import app
from etl.retention import expire
from layers.accounts.audit import read_entries
from layers.database import Database
from layers.declare import read_catalog
from layers.declare.records import Catalog
from layers.errors import DeclarationError
from layers.seal import Sealer
from layers.secrets import read_secrets
from layers.tables import metadata
from tests.deliveries import write_declarations

NOW = datetime.now(UTC)


def test_every_column_is_in_the_register(catalog: Catalog) -> None:
    """A new column of a closed schema has to be put into `data/retention.toml`: into a rule, or under `impersonal`."""
    told = {f"{rule.table}.{column}" for rule in catalog.retention.rules for column in rule.columns}
    columns = {
        f"{name}.{column.name}"
        for name, table in metadata.tables.items()
        if not name.startswith("pub.")
        for column in table.columns
    }
    patterns = catalog.retention.impersonal
    lost = {name for name in columns - told if not any(fnmatch(name, pattern) for pattern in patterns)}
    assert lost == set()
    assert [pattern for pattern in patterns if not any(fnmatch(name, pattern) for name in columns)] == []


def test_what_names_somebody_is_never_called_impersonal(catalog: Catalog) -> None:
    for name in ("vault.identity.name_sealed", "vault.person.born_on", "ops.photo.jpeg", "ops.event.summary"):
        assert not any(fnmatch(name, pattern) for pattern in catalog.retention.impersonal), name
    for rule in catalog.retention.rules:
        if rule.table.startswith("vault."):
            assert rule.do != "keep", rule.table


@pytest.fixture
def kept(db: Database, settings: Any) -> dict[str, int]:
    """Something old and something new in every table that rules delete from or clear."""
    prepare(db)
    sealer = Sealer(read_secrets(settings))
    made = enrol(db, sealer)
    with signed(db, autocommit=True) as web:
        said = cases.Report("r1", "noise", GRID, dataset="call", summary="老人摔倒", at=START)
        old = cases.report(web, CATALOG, actor("resident"), said).id
        new = cases.report(web, CATALOG, actor("resident"), cases.Report("r2", "noise", GRID, dataset="call")).id
    sign_in(db, "analyst")
    ages = {"old": NOW - timedelta(days=4000), "new": NOW - timedelta(hours=1)}
    with db.connect("admin") as admin:
        admin.execute("update vault.person set gone_on = %s where id = %s", [ages["old"], made["甲一"]])
        admin.execute("update vault.person set gone_on = %s where id = %s", [ages["new"], made["乙二"]])
        for event, age in ((old, "old"), (new, "new")):
            admin.execute("update ops.event set closed_at = %s, summary = 's' where id = %s", [ages[age], event])
            admin.execute(
                "insert into vault.identity (town_code, id, dataset, key_id) values ('449901001', %s, 'call', 'k')",
                [event],
            )
            admin.execute(
                "insert into ops.photo (town_code, event_id, sha256, taken_by, at, width, height, jpeg)"
                " values ('449901001', %s, 'x', 'me', now(), 1, 1, 'x')",
                [event],
            )
        for age, moment in ages.items():
            admin.execute(
                "insert into vault.care_visit (town_code, person_id, care_group, account, request_key, visited_on,"
                " status, at) values ('449901001', 7, 'alone', 'li', %s, %s, 'away', now())",
                [age, moment],
            )
            admin.execute(
                "insert into vault.opening (town_code, row_id, field, purpose, account, asked_at, txid)"
                " values ('449901001', 7, 'name', 'visit', 'li', %s, 1)",
                [moment],
            )
            admin.execute(
                "insert into vault.visit_list (town_code, token_hash, account, made_at, ends_at, person_ids)"
                " values ('449901001', %s, 'li', %s, %s, '{7}')",
                [age.encode(), moment, moment],
            )
            admin.execute(
                "insert into ops.visit (town_code, grid_code, edition, dataset, source_key, visited_at, found,"
                " updated_at) values ('449901001', %s, 1, 'visit', %s, %s, 'words', now())",
                [GRID, age, moment],
            )
            admin.execute(
                "insert into raw.amendment (dataset, source_key, row_key, field, edition, value_sealed, made_at, why,"
                " ended_at, ended_by) values ('d', %s, 'k', 'name', 1, '', now(), 'w', %s, 1)",
                [age, moment],
            )
            for schema in ("vault", "ops"):
                admin.execute(
                    f"insert into {schema}.past (town_code, grid_code, edition, dataset, source_key, of_id,"
                    " delivery_id, valid_from, valid_to, content)"
                    " values ('449901001', %s, 1, 'd', %s, 7, 1, %s, %s, '{}')".encode(),
                    [GRID, age, moment, moment],
                )
        admin.execute("update auth.session set ends_at = %s where account like 'test.analyst%%'", [ages["old"]])
        admin.execute(
            "update auth.session set ends_at = %s where account not like 'test.analyst%%'", [NOW + timedelta(days=1)]
        )
    return made


def count(db: Database) -> dict[str, int]:
    queries: Mapping[str, str] = {
        "vault.person": "select count(*) from vault.person",
        "vault.identity": "select count(*) from vault.identity",
        "vault.past": "select count(*) from vault.past",
        "ops.past": "select count(*) from ops.past",
        "vault.care_visit": "select count(*) from vault.care_visit",
        "raw.amendment": "select count(*) from raw.amendment",
        "vault.opening": "select count(*) from vault.opening",
        "vault.visit_list": "select count(*) from vault.visit_list",
        "ops.photo": "select count(*) from ops.photo",
        "ops.event": "select count(summary) from ops.event",
        "ops.visit": "select count(found) from ops.visit",
        "auth.session": "select count(*) from auth.session where account like 'test.analyst%'",
    }
    with db.connect("admin") as admin:
        found = {}
        for name, query in queries.items():
            row = admin.execute(query.encode()).fetchone()
            assert row is not None
            found[name] = row[0]
    return found


def test_what_is_older_than_its_days_goes_and_nothing_else(db: Database, kept: Any, catalog: Catalog) -> None:
    before = count(db)
    told = expire(db, catalog.retention, NOW, run_by="night", dry_run=True)
    assert count(db) == before, "a dry run changes nothing"
    done = expire(db, catalog.retention, NOW, run_by="night")
    assert [(one.table, one.n) for one in done] == [(one.table, one.n) for one in told]
    assert {one.table: one.n for one in done if one.table != "raw.quarantine"} == dict.fromkeys(before, 1)
    after = count(db)
    one_less = {name: n - 1 for name, n in before.items()}
    assert after == one_less | {"vault.identity": before["vault.identity"] - 2}, "with the identity of who is gone"
    again = expire(db, catalog.retention, NOW, run_by="night")
    assert sum(one.n for one in again) == 0
    with db.connect("door") as door:
        entries = read_entries(door, kind="person_change")
    assert [one.detail["done"] for one in entries] == ["expired", "expired"]
    assert entries[1].account == "night" and entries[1].detail["rows"]["delete vault.person"] == 1


def test_photos_are_kept_for_thirty_days_at_least(db: Database) -> None:
    with db.connect("loader") as loader, pytest.raises(Exception, match="thirty days"):
        loader.execute("select raw.expire_photos(now(), false)")


def test_the_command_counts_and_expires(db: Database, kept: Any, settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("layers.database.open_database", lambda settings: db)
    monkeypatch.setenv("LOCAL_DIR", str(settings.local_dir))
    before = count(db)
    told = CliRunner().invoke(app, ["retention", "--dry-run"], catch_exceptions=False)
    assert told.exit_code == 0 and "vault.person: " in told.output and count(db) == before
    done = CliRunner().invoke(app, ["retention"], catch_exceptions=False)
    assert done.output == told.output and count(db) != before


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ('table = "vault.persons"\ncolumns = ["sex"]', "there is no table vault.persons"),
        ('table = "vault.person"\ncolumns = ["sec"]', "vault.person has no column sec"),
        ('table = "vault.person"\ncolumns = ["sex"]\ndo = "clear"', "needs days and since"),
        ('table = "vault.person"\ncolumns = ["sex"]\ndo = "clear"\ndays = 3\nsince = "gone"', "has no column gone"),
        ('table = "vault.person"\ncolumns = ["subject"]\ndo = "clear"\ndays = 3\nsince = "gone_on"', "cannot be empty"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused(tmp_path: Path, rule: str, says: str) -> None:
    write_declarations(tmp_path)
    text = f'[[rules]]\n{rule}\npurpose = {{ zh = "甲", en = "a" }}\n'
    (tmp_path / "retention.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError, match=says):
        read_catalog(tmp_path)
