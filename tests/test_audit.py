"""The audit: written by functions only, sealed, and whatever is changed afterwards is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from serving import serving
from signing import sign_in
from typer.testing import CliRunner

from layers.accounts import audit, records
from layers.accounts.sessions import carry
from layers.database import Database
from mapapp.__main__ import app as commands
from mapapp.commands import audit as audit_commands


@pytest.fixture
def sealed(db: Database, tmp_path: Path) -> Iterator[tuple[Database, Path]]:
    """Three seals of four entries each."""
    heads = tmp_path / "audit" / "heads"
    with db.connect("door", autocommit=True) as door:
        actor = sign_in(db).actor
        for _ in range(3):
            for n in range(4):
                audit.write(door, "export", actor, f"layer {n}", rows=n)
            assert audit.seal(door, heads) == 4
        assert audit.seal(door, heads) == 0
    yield db, heads


def verify(db: Database, heads: Path) -> list[str]:
    with db.connect("door", autocommit=True) as door:
        return list(audit.verify(door, heads))


def test_what_is_as_it_was_sealed_is_found_so(sealed: Any) -> None:
    assert verify(*sealed) == []


TAMPERING = {
    "update audit.entry set account = 'somebody.else' where id = (select min(id) + 5 from audit.entry)": "as they were",
    "update audit.entry set detail = '{}' where id = (select min(id) from audit.entry)": "as they were sealed",
    "update audit.entry set at = at + interval '1 s' where id = (select max(id) from audit.entry)": "as they were",
    "delete from audit.entry where id = (select min(id) + 5 from audit.entry)": "there are 3",
    "insert into audit.entry (id, at, kind, detail) values (0, now(), 'export', '{}')": "as they were sealed",
    "delete from audit.seal where seal_no = 2": "Seal 2 is missing",
    "delete from audit.seal where seal_no = 3": "the later ones were removed",
    "truncate audit.seal, audit.entry": "the later ones were removed",
}


@pytest.mark.parametrize("statement", TAMPERING)
def test_whatever_a_superuser_changes_is_found(sealed: Any, statement: str) -> None:
    db, heads = sealed
    with db.connect("admin") as admin:
        if "values (0" in statement:
            admin.execute("update audit.entry set id = id + 100; update audit.seal set last_id = last_id + 100")
        admin.execute(statement.encode())
    assert TAMPERING[statement] in "\n".join(verify(db, heads))


def test_a_chain_made_anew_is_found_by_the_heads_outside(sealed: Any, tmp_path: Path) -> None:
    db, heads = sealed
    with db.connect("admin") as admin:
        admin.execute("delete from audit.entry where id = (select min(id) from audit.entry); truncate audit.seal")
    with db.connect("door", autocommit=True) as door:
        audit.seal(door, tmp_path / "other")
    assert any("is not the one kept" in sentence for sentence in verify(db, heads))


@pytest.mark.parametrize("role", ["web", "analyst", "door", "loader"])
@pytest.mark.parametrize(
    "statement",
    ["update audit.entry set account = ''", "delete from audit.entry", "truncate audit.entry",
     "insert into audit.entry (at, kind, detail) values (now(), 'export', '{}')", "update audit.seal set head = ''",
     "delete from audit.seal", "alter table audit.entry disable trigger all"],
)  # fmt: skip
def test_no_login_changes_what_was_written(sealed: Any, role: Any, statement: str) -> None:
    with sealed[0].connect(role, autocommit=True) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_the_web_writes_in_the_name_of_its_session_only(db: Database) -> None:
    session = sign_in(db, scope="449901")
    with db.connect("web", autocommit=True) as web:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            audit.note(web, "export", "layer")
        with web.transaction():
            carry(web, session.token)
            audit.note(web, "export", "layer", rows=3)
        for kind in ("sign_in", "scope", "account"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), web.transaction():
                carry(web, session.token)
                audit.note(web, kind, "layer")
    with db.connect("door") as door:
        entry = audit.read_entries(door, kind="export")[0]
    assert (entry.account, entry.role, entry.scope) == (session.actor.account, "leader", "449901")
    assert (entry.subject, entry.detail) == ("layer", {"rows": 3})


def test_the_auditor_filters_and_sees_who_asked_most(db: Database, catalog: Any, settings: Any) -> None:
    with db.connect("door", autocommit=True) as door:
        for account, n in (("li", 3), ("wang", 1)):
            actor = records.Account(account, account, "leader", "4499", None, False, False, False, None).actor
            for _ in range(n):
                audit.write(door, "export", actor, f"<i>{account}", rows=1)
        assert audit.read_most(door)[0] == ("li", "export", 3)
    with serving(db, catalog, settings) as running:
        browser = running.browser()
        browser.cookies = {"session": sign_in(db, "auditor").token}
        whole = browser.ask("/audit").text
        assert "&lt;i&gt;li" in whole and "<i>li" not in whole and "&lt;i&gt;wang" in whole
        some = browser.ask("/audit", params={"account": "wang", "kind": "export", "since": "2020-01-01"}).text
        assert "&lt;i&gt;li" not in some and "&lt;i&gt;wang" in some
        assert "&lt;i&gt;" not in browser.ask("/audit", params={"until": "2020-01-01"}).text
        strange = {"kind": "'; drop", "since": "x", "account": "' or 1=1 --"}
        assert browser.ask("/audit", params=strange).status_code == 200


def test_the_commands_seal_and_verify(db: Database, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(audit_commands, "open_database", lambda settings: db)
    environ = {"LOCAL_DIR": str(tmp_path)}

    def run(word: str) -> tuple[int, str]:
        done = CliRunner().invoke(commands, ["audit", word], env=environ)
        return done.exit_code, done.output

    with db.connect("door") as door:
        records.add_account(door, "li", "leader", "4499")
    assert run("seal") == (0, "1 entries sealed.\n")
    assert run("verify") == (0, "Every entry is as it was sealed.\n")
    with db.connect("admin") as admin:
        admin.execute("update audit.entry set account = 'x'")
    assert run("verify")[0] == 1
