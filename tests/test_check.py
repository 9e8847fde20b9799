"""The start-up check, each refusal in words; and the certificate one makes oneself."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from etl.retention import expire
from layers.database import Database
from layers.declare.records import Catalog
from layers.errors import SettingError
from layers.secrets import read_secrets, secrets_file
from layers.settings import Settings, read_settings
from mapapp import check
from mapapp.__main__ import app as commands
from mapapp.certificate import make_certificate

LAX = re.compile(r"server runs with (\w+) = off and loses data")
"""Said of the tests' own server, which waits for no disk; one as it ought to be is asked in `test_server.py`."""


def but_lax(found: Iterable[str]) -> list[str]:
    return [sentence for sentence in found if not LAX.search(sentence)]


def test_an_installation_as_it_ought_to_be_may_be_served(db: Database, settings: Settings) -> None:
    assert but_lax(check.findings(settings, {}, db)) == []


def test_nights_without_retention_are_said(db: Database, catalog: Catalog) -> None:
    now = datetime.now(UTC)
    assert "etl retention" in "\n".join(check.overdue(db, now))
    expire(db, catalog.retention, now, run_by="night", dry_run=True)
    assert list(check.overdue(db, now)) != [], "a dry run deletes nothing"
    expire(db, catalog.retention, now, run_by="night")
    assert list(check.overdue(db, now)) == []
    assert list(check.overdue(db, now + timedelta(days=3))) != []


@pytest.mark.parametrize("name", check.NOT_HERE)
def test_switches_for_developing_are_refused(name: str) -> None:
    assert name in next(check.switches({name: "1"}))
    assert list(check.switches({name: "false"})) == list(check.switches({name: ""})) == []


DAMAGE: dict[str, Callable[[str], str]] = {
    "easily guessed": lambda text: text.replace(_value(text, "web"), "web"),
    "one database password": lambda text: text.replace(_value(text, "web"), _value(text, "loader")),
    "not random": lambda text: text.replace(_value(text, "token_key"), "A" * 43 + "="),
    "damaged": lambda text: "nothing",
}


def _value(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"{name} = ")).split('"')[1]


@pytest.mark.parametrize("word", DAMAGE)
def test_weak_secrets_are_refused(tmp_path: Path, word: str) -> None:
    settings = read_settings({"LOCAL_DIR": str(tmp_path)})
    assert "missing" in next(check.secrets(settings))
    read_secrets(settings)
    assert list(check.secrets(settings)) == []
    path = secrets_file(settings)
    path.chmod(0o640)
    assert "chmod 600" in next(check.secrets(settings))
    path.chmod(0o600)
    path.write_text(DAMAGE[word](path.read_text()))
    assert word in "\n".join(check.secrets(settings))


def test_a_login_that_is_a_superuser_is_refused(db: Database, monkeypatch: Any) -> None:
    assert list(check.logins(db)) == []
    real = Database.connect
    monkeypatch.setattr(Database, "connect", lambda self, role, **kw: real(self, "admin", **kw))
    assert "is a superuser" in "\n".join(check.logins(db))


def test_a_login_that_may_act_as_the_owner_is_refused(db: Database, monkeypatch: Any) -> None:
    real = Database.connect
    monkeypatch.setattr(Database, "connect", lambda self, role, **kw: real(self, "migrate", **kw))
    found = list(check.logins(db))
    assert len(found) == 4 and all("may act as the owner" in sentence for sentence in found)


def test_a_login_that_cannot_enter_is_said(db: Database) -> None:
    wrong = replace(db, passwords=dict.fromkeys(db.passwords, "wrong"))
    assert len(list(check.logins(wrong))) == 5


def test_a_table_without_a_guard_is_refused(db: Database) -> None:
    with db.connect("admin") as admin:
        assert but_lax(check.server(admin)) == []
        admin.execute("alter table vault.person no force row level security")
        assert ["vault.person" in sentence for sentence in but_lax(check.server(admin))] == [True]
        admin.execute("create table ops.new (town_code text)")
        assert any("ops.new" in sentence for sentence in check.server(admin))
        admin.rollback()


def test_a_server_that_loses_data_is_refused(db: Database, settings: Settings) -> None:
    found = "\n".join(check.findings(settings, {}, db))
    assert LAX.findall(found) == ["fsync", "full_page_writes"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "map.example"])
def test_beyond_this_machine_it_takes_tls(tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingError, match="no TLS") as caught:
        read_settings({"HOST": host})
    assert "python -m mapapp certificate" in caught.value.hint
    _, cert, key = make_certificate(tmp_path, [host])
    assert read_settings({"HOST": host, "TLS_CERT": str(cert), "TLS_KEY": str(key)}).tls_cert == cert
    for half in ({"TLS_CERT": str(cert)}, {"TLS_KEY": str(key)}, {"TLS_CERT": "nowhere", "TLS_KEY": str(key)}):
        with pytest.raises(SettingError):
            read_settings({"HOST": host} | half)


def test_who_trusts_the_authority_trusts_the_certificate(tmp_path: Path) -> None:
    authority, cert, key = make_certificate(tmp_path, ["map.example", "127.0.0.1"])
    assert key.stat().st_mode & 0o777 == (tmp_path / "authority.key").stat().st_mode & 0o777 == 0o600
    first = authority.read_bytes()
    make_certificate(tmp_path, ["map.example", "127.0.0.1"])
    assert authority.read_bytes() == first
    inside = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    inside.load_cert_chain(cert, key)
    outside = ssl.create_default_context(cafile=authority)
    stranger = ssl.create_default_context()

    def shake(context: ssl.SSLContext, name: str) -> None:
        ours, theirs = socket.socketpair()

        def serve() -> None:
            try:
                inside.wrap_socket(theirs, server_side=True).close()
            except OSError:
                theirs.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            context.wrap_socket(ours, server_hostname=name).close()
        finally:
            ours.close()
            thread.join(5)

    shake(outside, "map.example")
    shake(outside, "127.0.0.1")
    for context, name in ((stranger, "map.example"), (outside, "other.example")):
        with pytest.raises(ssl.SSLCertVerificationError):
            shake(context, name)


def test_the_command_says_how_to_serve_with_it(tmp_path: Path) -> None:
    done = CliRunner().invoke(commands, ["certificate", "map.example"], env={"LOCAL_DIR": str(tmp_path)})
    assert done.exit_code == 0 and "TLS_CERT=" in done.output and "HOST=0.0.0.0" in done.output
