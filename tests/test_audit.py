"""The audit: written by functions only, sealed, and whatever is changed afterwards is found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import psycopg
import pytest
from databases import copy_of
from people_at_work import GRID, actor, key, prepare, working_catalog
from serving import serving
from signing import InSession, sign_in, signed
from typer.testing import CliRunner

from layers import cases
from layers.access import Actor, Scope
from layers.accounts import audit, records
from layers.accounts.sessions import carry
from layers.database import Database
from mapapp.__main__ import app as commands
from mapapp.commands import audit as audit_commands
from mapapp.pages.audit import MOST
from mapapp.pages.noted import Noted
from mapapp.text import read_words


@pytest.fixture(scope="module")
def here(settings: Any, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as copy:
        yield copy


@pytest.fixture(scope="module")
def heads(here: Database, tmp_path_factory: Any) -> Path:
    """Three seals of four entries each; where their heads lie."""
    heads: Path = tmp_path_factory.mktemp("audit") / "audit" / "heads"
    with here.connect("door", autocommit=True) as door:
        actor = sign_in(here).actor
        for _ in range(3):
            for n in range(4):
                audit.write(door, "export", actor, f"layer {n}", rows=n)
            assert audit.seal(door, heads) == 4
        assert audit.seal(door, heads) == 0
        assert list(audit.verify(door, heads)) == []
    return heads


@pytest.fixture
def superuser(here: Database, heads: Path) -> Iterator[psycopg.Connection[Any]]:
    """Somebody who may change anything; it is undone afterwards."""
    with here.connect("admin", autocommit=True) as admin, admin.transaction(force_rollback=True):
        yield admin


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
def test_whatever_a_superuser_changes_is_found(superuser: Any, heads: Path, statement: str) -> None:
    if "values (0" in statement:
        superuser.execute("update audit.entry set id = id + 100; update audit.seal set last_id = last_id + 100")
    superuser.execute(statement.encode())
    assert TAMPERING[statement] in "\n".join(audit.verify(superuser, heads))


def test_a_chain_made_anew_is_found_by_the_heads_outside(superuser: Any, heads: Path, tmp_path: Path) -> None:
    superuser.execute("delete from audit.entry where id = (select min(id) from audit.entry)")
    superuser.execute("delete from audit.seal")
    assert audit.seal(superuser, tmp_path / "other") > 10
    assert any("is not the one kept" in sentence for sentence in audit.verify(superuser, heads))


@pytest.mark.parametrize("role", ["web", "analyst", "door", "loader"])
@pytest.mark.parametrize(
    "statement",
    ["update audit.entry set account = ''", "delete from audit.entry", "truncate audit.entry",
     "insert into audit.entry (at, kind, detail) values (now(), 'export', '{}')", "update audit.seal set head = ''",
     "delete from audit.seal", "alter table audit.entry disable trigger all"],
)  # fmt: skip
def test_no_login_changes_what_was_written(here: Database, role: Any, statement: str) -> None:
    with here.connect(role, autocommit=True) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_the_web_writes_in_the_name_of_its_session_only(here: Database) -> None:
    session = sign_in(here, scope="449901")
    with here.connect("web", autocommit=True) as web:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            audit.note(web, "export", "layer")
        with web.transaction():
            carry(web, session.token)
            audit.note(web, "export", "layer", rows=3)
        for kind in ("sign_in", "scope", "account"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), web.transaction():
                carry(web, session.token)
                audit.note(web, kind, "layer")
    with here.connect("door") as door:
        entry = audit.read_entries(door, kind="export")[0]
    assert (entry.account, entry.role, entry.scope) == (session.actor.account, "leader", "449901")
    assert (entry.subject, entry.detail) == ("layer", {"rows": 3})


def test_the_loader_writes_what_the_loader_does(here: Database) -> None:
    with here.connect("loader", autocommit=True) as loader:
        audit.note_load(loader, "quarantine_view", "li", "hotline", rows=3)
        for kind in ("sign_in", "scope", "person_read", "case_step"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                audit.note_load(loader, kind, "li", "hotline")
    with here.connect("door") as door:
        entry = audit.read_entries(door, kind="quarantine_view")[0]
    assert (entry.account, entry.role, entry.subject, entry.detail) == ("li", "loader", "hotline", {"rows": 3})


def test_the_steps_of_cases_are_written_and_no_receipt(db: Database) -> None:
    prepare(db)
    catalog, receipt, inside = working_catalog(), "receipt-4711", InSession(cases)
    resident = Actor(receipt, "resident", Scope("4499"))
    with signed(db, autocommit=True) as web:
        made = inside.report(web, catalog, resident, cases.Report(key(), "noise", GRID, dataset="call"))
        case = inside.read_case(web, Scope("4499"), made.id)
        for _ in range(2):
            inside.take_step(web, catalog, actor("dispatcher"), case, "accept", key="twice")
    with db.connect("door") as door:
        entries = audit.read_entries(door, kind="case_step")
    assert [(entry.role, entry.detail["step"]) for entry in entries] == [
        ("dispatcher", "accept"), ("resident", "report")
    ]  # fmt: skip
    assert {entry.subject for entry in entries} == {str(made.id)} and entries[0].account
    assert receipt not in str(entries)


def test_the_auditor_filters_and_sees_who_asked_most(here: Database, catalog: Any, settings: Any) -> None:
    with here.connect("door", autocommit=True) as door:
        for account, n in (("li", 30), ("wang", 1)):
            actor = records.Account(account, account, "leader", "4499", None, False, False, False, False, None).actor
            for _ in range(n):
                audit.write(door, "export", actor, f"<i>{account}", rows=1)
        assert audit.read_most(door)[0] == ("li", "export", 30)
    with serving(here, catalog, settings) as running:
        browser = running.browser()
        browser.cookies = {"session": sign_in(here, "auditor").token}
        whole = browser.ask("/audit").text
        assert "&lt;i&gt;li" in whole and "<i>li" not in whole and "&lt;i&gt;wang" in whole
        some = browser.ask("/audit", params={"account": "wang", "kind": "export", "since": "2020-01-01"}).text
        assert "&lt;i&gt;li" not in some and "&lt;i&gt;wang" in some
        assert "&lt;i&gt;" not in browser.ask("/audit", params={"until": "2020-01-01"}).text
        with here.connect("door", autocommit=True) as door:
            for n in range(MOST):
                audit.write(door, "export", None, f"file-{n}.")
        first = browser.ask("/audit").text
        assert "file-199." in first and "&lt;i&gt;wang" not in first
        (address,) = re.findall(r'href="(/audit\?[^"]*before=[^"]*)"', first)
        assert "&lt;i&gt;wang" in browser.ask(unescape(address)).text, "and so to the first entry"
        strange = {"before": "1; drop", "kind": "'; drop", "since": "x", "account": "' or 1=1 --"}
        assert browser.ask("/audit", params=strange).status_code == 200


@pytest.mark.parametrize(
    ("detail", "zh", "en"),
    [
        ({"step": "accept", "state": "accepted", "version": 2}, "步骤：受理<br>状态：已受理<br>版本：2",
         "step: Accept<br>state: Accepted<br>version: 2"),
        ({"was": {"scope": "4499"}, "now": {"scope": "449901", "role": "leader"}},
         "原为：范围：<code>4499</code><br>现为：范围：<code>449901</code>、角色：领导",
         "was: scope: <code>4499</code><br>now: scope: <code>449901</code>, role: Leader"),
        ({"field": "phone", "purpose": "visit", "case": None, "refused": "limit"},
         "项目：联系电话<br>用途：上门走访<br>未准：超过当日限额",
         "field: Phone<br>purpose: A visit<br>refused: limit of the day"),
        ({"page": "explore", "what": "xlsx", "category": "noise", "period": 202603},
         "页面：分析页<br>内容：<code>xlsx</code><br>类别：噪音扰民<br>时段：202603",
         "page: explore<br>what: <code>xlsx</code><br>category: Noise<br>period: 202603"),
        ({"done": "expired", "rows": {"ops.photo": 1200}, "dry_run": False},
         "所做：到期删除<br>行数：<code>ops.photo</code>：1200<br>试运行：否",
         "done: expired<br>rows: <code>ops.photo</code>: 1200<br>dry run: no"),
        ({"what": "<i>"}, "内容：<code>&lt;i&gt;</code>", "what: <code>&lt;i&gt;</code>"),
    ],
)  # fmt: skip
def test_an_entry_is_told_in_the_words_of_the_reader(detail: Any, zh: str, en: str, catalog: Any) -> None:
    words = read_words()
    assert Noted(words["zh"], catalog).detail(detail) == zh
    assert Noted(words["en"], catalog).detail(detail) == en


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
