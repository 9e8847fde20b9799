"""The private cluster: made, started, killed, stopped, removed; and what is said when PostgreSQL cannot be had."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import layers.server.binaries as binaries
from layers.errors import ServerError
from layers.secrets import secrets_file
from layers.server import Server, ensure_server, read_server, remove_server, server_is_running, stop_server
from layers.server.place import SOCKET_LIMIT, find_place, read_record
from layers.settings import CHECKOUT, Settings, read_settings
from mapapp import check


def quiet(line: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a cluster that the tests of this file may kill."""
    settings = read_settings({"LOCAL_DIR": str(tmp_path_factory.mktemp("server") / "local")})
    yield settings
    remove_server(settings, quiet)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Settings]:
    """Settings of a cluster that is not there yet."""
    settings = read_settings({"LOCAL_DIR": str(tmp_path / "local")})
    yield settings
    remove_server(settings, quiet)


def _ask(server: Server, question: str) -> object:
    with psycopg.connect(server.admin_url) as conn:
        row = conn.execute(question).fetchone()
    assert row is not None
    return row[0]


def _postmaster(settings: Settings) -> int:
    return int((find_place(settings).data / "postmaster.pid").read_text().split()[0])


def test_a_second_start_finds_the_server_running(home: Settings) -> None:
    first = ensure_server(home, quiet)
    assert ensure_server(home, quiet) == first == read_server(home)
    assert _ask(first, "SELECT count(*) FROM pg_available_extensions WHERE name = 'postgis'") == 1


def test_it_listens_on_this_machine_only_with_passwords_and_keeps_its_promises(home: Settings) -> None:
    server = ensure_server(home, quiet)
    expected = {
        "listen_addresses": "127.0.0.1",
        "fsync": "on",
        "synchronous_commit": "on",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "jit": "off",
        "password_encryption": "scram-sha-256",
        "TimeZone": "UTC",
    }
    with psycopg.connect(server.admin_url) as conn:
        assert {name: conn.execute(f"SHOW {name}").fetchone()[0] for name in expected} == expected  # type: ignore[index]
        assert list(check.server(conn)) == []
        methods = conn.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
    assert methods == [("scram-sha-256",)]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(make_conninfo(server.admin_url, password="wrong"))


def test_it_never_runs_as_root(home: Settings) -> None:
    ensure_server(home, quiet)
    assert Path(f"/proc/{_postmaster(home)}").stat().st_uid != 0


def test_its_socket_has_a_short_path_even_in_a_deep_folder(tmp_path: Path) -> None:
    deep = read_settings({"LOCAL_DIR": str(tmp_path / ("d" * 60) / ("e" * 60))})
    try:
        server = ensure_server(deep, quiet)
        assert server.socket_dir is not None
        path = server.socket_dir / f".s.PGSQL.{server.port}"
        assert path.is_socket()
        assert len(os.fsencode(path)) <= SOCKET_LIMIT
    finally:
        remove_server(deep, quiet)
    assert not server.socket_dir.exists()


def test_data_and_port_outlive_a_stop(home: Settings) -> None:
    server = ensure_server(home, quiet)
    with psycopg.connect(server.admin_url) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS n")
    stop_server(home, quiet)
    assert not server_is_running(home)
    with pytest.raises(ServerError, match="not running") as caught:
        read_server(home)
    assert "python -m layers.server start" in caught.value.hint
    again = ensure_server(home, quiet)
    assert again.port == server.port
    assert _ask(again, "SELECT n FROM kept") == 42


def test_it_comes_back_after_a_kill_at_once(home: Settings) -> None:
    server = ensure_server(home, quiet)
    busy = psycopg.connect(server.admin_url, autocommit=True)  # has a child that has still to notice
    os.kill(_postmaster(home), signal.SIGKILL)
    again = ensure_server(home, quiet)
    busy.close()
    assert _ask(again, "SELECT 1") == 1


def test_a_pid_that_is_somebody_elses_by_now_does_not_keep_it_from_starting(home: Settings) -> None:
    ensure_server(home, quiet)
    stop_server(home, quiet)
    place = find_place(home)
    pid_file = place.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{place.data}\n0\n1\n\n127.0.0.1\n")
    place.own(pid_file)
    assert not server_is_running(home)
    assert _ask(ensure_server(home, quiet), "SELECT 1") == 1


def test_another_port_is_taken_when_the_earlier_one_is_in_use(home: Settings) -> None:
    earlier = ensure_server(home, quiet).port
    stop_server(home, quiet)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", earlier))
        other.listen()
        server = ensure_server(home, quiet)
    assert server.port != earlier
    assert _ask(server, "SELECT 1") == 1


def test_two_starts_at_once_make_one_cluster(fresh: Settings) -> None:
    command = [sys.executable, "-m", "layers.server", "start"]
    environ = {**os.environ, "LOCAL_DIR": str(fresh.local_dir)}
    both = [subprocess.Popen(command, cwd=CHECKOUT, env=environ, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Making a private database cluster" in text for text in said) == 1


def test_the_log_holds_no_data_of_a_failed_statement(home: Settings) -> None:
    server = ensure_server(home, quiet)
    with psycopg.connect(server.admin_url, autocommit=True) as conn:
        conn.execute("CREATE TABLE person (number text PRIMARY KEY)")
        for _ in range(2):
            try:
                conn.execute("INSERT INTO person VALUES (%s)", ["canary-4499"])
            except psycopg.errors.UniqueViolation as error:
                assert "canary-4499" in str(error)
        with pytest.raises(psycopg.DatabaseError):
            conn.execute("SELECT 'canary-4499'::int")
        conn.execute("DROP TABLE person")
    assert "DETAIL" not in find_place(home).log.read_text()
    assert "INSERT" not in find_place(home).log.read_text()


def test_a_killed_initdb_leaves_nothing_in_the_way(fresh: Settings) -> None:
    place = find_place(fresh)
    (place.home / "making-abc" / "data").mkdir(parents=True)
    (place.home / "data" / "global").mkdir(parents=True)
    assert _ask(ensure_server(fresh, quiet), "SELECT 1") == 1
    assert list(place.home.glob("making-*")) == []


def test_a_damaged_cluster_is_left_alone_and_named(fresh: Settings) -> None:
    place = find_place(fresh)
    (place.data / "base" / "5").mkdir(parents=True)
    (place.data / "base" / "5" / "1259").write_text("rows")
    with pytest.raises(ServerError, match="damaged") as caught:
        ensure_server(fresh, quiet)
    assert "make clean" in caught.value.hint
    assert (place.data / "base" / "5" / "1259").exists()


def test_a_server_that_cannot_start_says_what_postgresql_said(fresh: Settings) -> None:
    ensure_server(fresh, quiet)
    stop_server(fresh, quiet)
    (find_place(fresh).data / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(ServerError, match="could not read file") as caught:
        ensure_server(fresh, quiet)
    assert "server.log" in caught.value.hint


def test_lost_secrets_are_named_as_the_reason(fresh: Settings) -> None:
    ensure_server(fresh, quiet)
    stop_server(fresh, quiet)
    secrets_file(fresh).unlink()
    with pytest.raises(ServerError, match="other secrets") as caught:
        ensure_server(fresh, quiet)
    assert "secrets.toml" in caught.value.hint


def test_remove_takes_everything_away(fresh: Settings) -> None:
    ensure_server(fresh, quiet)
    place = find_place(fresh)
    remove_server(fresh, quiet)
    assert not place.home.exists()
    assert read_record(fresh) is None


def test_where_nobody_but_us_can_enter_the_cluster_lies_outside_the_checkout(fresh: Settings) -> None:
    place = find_place(fresh)
    if os.geteuid() == 0:  # pytest's folders are closed to the user postgres
        assert place.user == "postgres"
        assert fresh.local_dir not in place.home.parents
    else:
        assert place.home == fresh.local_dir / "server"
    ensure_server(fresh, quiet)
    assert json.loads((fresh.local_dir / "server.json").read_text())["home"] == str(place.home)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of Debian's, and nothing on the PATH."""
    folder = tmp_path / "postgresql"
    folder.mkdir()
    monkeypatch.setattr(binaries, "DEBIAN", folder)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    return folder


def _pretend(folder: Path, version: str) -> None:
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb", "pg_ctl"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        program.chmod(0o755)


def test_without_postgresql_it_says_what_to_install(programs: Path, fresh: Settings) -> None:
    with pytest.raises(ServerError, match="PostgreSQL is not installed") as caught:
        ensure_server(fresh, quiet)
    assert "make setup" in caught.value.hint
    assert "apt-get install" in caught.value.hint
    assert "DATABASE_URL" in caught.value.hint


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("17.6", "PostgreSQL 17 is installed, but PostGIS for it is not"),
        ("15.13", "PostgreSQL 15.13 has a known leak; 15.14 or later is needed"),
        ("14.19", "PostgreSQL 14 is not among the versions"),
        ("19.0", "PostgreSQL 19 is not among the versions"),
    ],
)
def test_an_unfit_postgresql_is_named(programs: Path, fresh: Settings, version: str, said: str) -> None:
    major = version.partition(".")[0]
    _pretend(programs / major / "bin", version)
    with pytest.raises(ServerError, match=said):
        ensure_server(fresh, quiet)


@pytest.mark.parametrize(("version", "fit"), [(None, False), ("3.2.9", False), ("3.3.2", True), ("3.10.0", True)])
def test_the_floor_of_postgis_is_3_3(version: str | None, fit: bool) -> None:
    assert (binaries.postgis_problem(version) is None) is fit


def test_a_cluster_of_another_version_is_not_touched(programs: Path, fresh: Settings) -> None:
    _pretend(programs.parent / "venv" / "bin", "17.6")
    (programs.parent / "venv" / "conda-meta").mkdir()
    (programs.parent / "venv" / "share" / "extension").mkdir(parents=True)
    (programs.parent / "venv" / "share" / "extension" / "postgis.control").touch()
    place = find_place(fresh)
    place.data.mkdir(parents=True)
    (place.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(ServerError, match="made by PostgreSQL 16") as caught:
        ensure_server(fresh, quiet)
    assert "Install PostgreSQL 16" in caught.value.hint


def test_an_active_conda_environment_comes_first(
    tmp_path: Path, fresh: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = binaries.find_binaries()
    conda = tmp_path / "conda"
    (conda / "conda-meta").mkdir(parents=True)
    (conda / "share" / "extension").mkdir(parents=True)
    (conda / "share" / "extension" / "postgis.control").touch()
    (conda / "bin").symlink_to(real.folder)
    monkeypatch.setattr(sys, "prefix", str(conda))
    assert binaries.find_binaries().folder == conda / "bin"
    if os.geteuid() == 0:
        tmp_path.chmod(0o755)
        for folder in tmp_path.parents:
            if folder.stat().st_uid == os.geteuid() and folder.is_relative_to("/tmp") and folder != Path("/tmp"):
                folder.chmod(folder.stat().st_mode | 0o011)
    assert _ask(ensure_server(fresh, quiet), "SELECT 1") == 1


def test_database_url_names_a_server_that_is_only_checked(server: Server, settings: Settings) -> None:
    named = replace(settings, database_url=server.admin_url)
    assert ensure_server(named, quiet).port == server.port
    said: list[str] = []
    stop_server(named, said.append)
    remove_server(named, said.append)
    assert all("not ours" in line for line in said)
    assert _ask(server, "SELECT 1") == 1


def test_database_url_may_name_a_database_that_is_to_be_made_yet(server: Server, settings: Settings) -> None:
    url = server.admin_url.rpartition("/")[0] + "/not_made_yet"
    assert ensure_server(replace(settings, database_url=url), quiet).admin_url == url


def test_database_url_that_leads_nowhere_is_named_without_its_password(server: Server, settings: Settings) -> None:
    address = urlsplit(server.admin_url)
    urls = {
        f"postgresql://nobody:hush-hush@127.0.0.1:{address.port}/postgres": "refuses us",
        "postgresql://nobody:hush-hush@127.0.0.1:1/postgres": "cannot be reached",
        "mysql://root:hush-hush@localhost/map": "not the address of a PostgreSQL server",
    }
    for url, said in urls.items():
        with pytest.raises(ServerError, match=said) as caught:
            ensure_server(replace(settings, database_url=url), quiet)
        assert "hush-hush" not in str(caught.value)


def test_a_role_that_may_not_make_roles_is_refused_at_the_door(server: Server, settings: Settings) -> None:
    with psycopg.connect(server.admin_url, autocommit=True) as conn:
        conn.execute("DROP ROLE IF EXISTS test_weak")
        conn.execute("CREATE ROLE test_weak LOGIN PASSWORD 'weak'")
    url = f"postgresql://test_weak:weak@127.0.0.1:{server.port}/postgres"
    try:
        with pytest.raises(ServerError, match="may not create roles"):
            ensure_server(replace(settings, database_url=url), quiet)
    finally:
        with psycopg.connect(server.admin_url, autocommit=True) as conn:
            conn.execute("DROP ROLE test_weak")


def _run(*words: str, local: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "LOCAL_DIR": str(local)}
    command = [sys.executable, "-m", "layers.server", *words]
    return subprocess.run(command, cwd=CHECKOUT, env=environ, capture_output=True, text=True, check=False)


def test_its_commands_answer_in_sentences(fresh: Settings) -> None:
    assert _run("dance", local=fresh.local_dir).returncode == 2
    not_there = _run("status", local=fresh.local_dir)
    assert not_there.returncode == 5
    assert "not running" in not_there.stderr
    assert "Traceback" not in not_there.stderr
    started = _run("start", local=fresh.local_dir)
    assert "PostGIS is ready" in started.stdout
    assert _run("status", local=fresh.local_dir).returncode == 0
    assert _run("stop", local=fresh.local_dir).stdout == "Stopped the database server.\n"
    assert _run("remove", local=fresh.local_dir).returncode == 0


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = _run("start", local=blocked / "local")
    assert done.returncode == 5
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_waiting_for_the_last_children_of_a_killed_server_has_an_end(home: Settings) -> None:
    """A process that sits in the data directory is waited for and goes; the start then goes through."""
    ensure_server(home, quiet)
    stop_server(home, quiet)
    begin = time.monotonic()
    with subprocess.Popen(["sleep", "0.5"], cwd=find_place(home).data):
        assert _ask(ensure_server(home, quiet), "SELECT 1") == 1
    assert time.monotonic() - begin > 0.4
