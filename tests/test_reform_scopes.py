"""Scopes after a reform: they follow what is certain, and see nothing more unless it is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from signing import sign_in

from layers.accounts.audit import read_entries
from layers.accounts.records import list_accounts
from layers.accounts.sessions import read_session
from layers.database import Database
from layers.settings import Settings
from tests.reforms import ReformTown

PLAN = """
    old_code        | new_code        | new_name | change
    449901002       | 449901007       | 西街道   | re-coded
    449901001001001 | 449901001001001 | 大组     | merged
    449901001001002 | 449901001001001 | 大组     | merged
    449901001002001 | 449901001002001 | 丙一组   | split
    449901001002001 | 449901001002003 | 丙二组   | split
    449901001002002 | 449901001001002 |          | moved
"""
OUTLINES = {"449901001002001": (115.2, 115.25), "449901001002003": (115.25, 115.3)}
BECAME = {
    "4499": ("4499", ""),
    "449901002": ("449901007", "449901002 -> 449901007"),
    "449901002001001": ("449901007001001", "449901002001001 -> 449901007001001"),
    "449901001001002": ("449901001001001", "sees other ground too now"),
    "449901001001001": ("449901001001001", "sees other ground too now"),
    "449901001002001": ("449901001002001", "has no certain successor"),
    "449901001002002": ("449901001001002", "449901001002002 -> 449901001001002"),
}
"""Scopes before and after, and what is said of them."""


KEYS = {"harbour": "449901002", "whole": "4499"}


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path) -> ReformTown:
    town = ReformTown(db, settings, tmp_path)
    town.load()
    return town


def scopes(town: ReformTown) -> dict[str, tuple[str, bool]]:
    with town.db.connect("door") as door:
        return {one.account: (one.scope, one.is_disabled) for one in list_accounts(door)}


def test_scopes_follow_what_is_certain_and_the_rest_is_said(town: ReformTown) -> None:
    sessions = {code: sign_in(town.db, "leader", code) for code in BECAME}
    with town.db.connect("admin") as admin:
        admin.execute("insert into auth.analyst values ('west', '449901002', '449901003', false)")
        for name, code in KEYS.items():
            admin.execute(
                "insert into auth.key values (%s, sha256(%s), 'open311', 'report', %s, false, false, now())",
                [name, name.encode(), code],
            )
    report = town.reform(PLAN, outlines=OUTLINES)
    said = {line.partition(": ")[0]: line for line in report.scopes}
    assert scopes(town) == {f"test.leader.{code}": (now, False) for code, (now, _) in BECAME.items()}
    assert set(said) == {"west", "key harbour", *(f"test.leader.{code}" for code, (_, word) in BECAME.items() if word)}
    assert all(word in said[f"test.leader.{code}"] for code, (_, word) in BECAME.items() if word)
    with town.db.connect("admin") as admin:
        ranges = admin.execute("select low, high from auth.analyst where login = 'west'").fetchall()
        keys = admin.execute("select name, scope, is_disabled from auth.key order by name").fetchall()
    assert ranges == [("449901007", "449901008")]
    assert keys == [("harbour", "449901007", False), ("whole", "4499", False)]
    with town.db.connect("door") as door:
        goes_on = {code for code, one in sessions.items() if read_session(door, one.token) is not None}
        kept = {entry.subject: entry.detail["now"] for entry in read_entries(door, kind="scope")}
    assert goes_on == {code for code, (now, _) in BECAME.items() if now == code}
    assert kept["test.leader.449901002"] == {"scope": "449901007"}


def test_a_scope_whose_code_went_to_other_ground_is_shut(town: ReformTown) -> None:
    sign_in(town.db, "grid_worker", "449901001001002")
    report = town.reform(
        """
        old_code        | new_code        | new_name | change
        449901001001002 | 449901001001003 | 乙一组   | split
        449901001001002 | 449901001001004 | 乙二组   | split
        449901001002001 | 449901001001002 |          | moved
        """,
        outlines={"449901001001003": (115.1, 115.15), "449901001001004": (115.15, 115.2)},
    )
    assert scopes(town) == {"test.grid_worker.449901001001002": ("449901001001002", True)}
    assert ["stands for other ground now" in line for line in report.scopes] == [True]
