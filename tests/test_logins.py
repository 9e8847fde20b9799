"""Analysts' own logins: bound to their scope by the database, whatever they ask, and ended at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from databases import copy_of
from little_city import count, fill_grids
from psycopg import sql
from typer.testing import CliRunner

from layers.accounts import logins, records
from layers.atlas import Atlas, open_atlas
from layers.database import Database
from layers.errors import AccessError, AtlasError, ServerError, UnknownNameError
from layers.migrations.roles import make_reader
from layers.settings import Settings, read_settings
from mapapp import check
from mapapp.__main__ import app as commands
from mapapp.commands import account as account_commands

LOGIN = f"li.{os.getpid()}"
CALLS = """
grid            | day        | category | state    | n
449901001001001 | 2026-02-10 | noise    | closed   | 4
449902001001001 | 2026-04-02 | noise    | reported | 8
"""


@pytest.fixture(scope="module")
def here(settings: Any, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as copy:
        fill_grids(copy)
        count(copy, CALLS)
        yield copy
        with copy.connect("admin", autocommit=True) as admin:
            admin.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(LOGIN)))


@pytest.fixture
def address(here: Database) -> str:
    """Address of a login that may see one county."""
    with here.connect("admin") as admin, here.connect("door") as door:
        password = logins.give_login(admin, door, LOGIN, "449901", city="4499")
    assert password
    return here.url_of(LOGIN, password)


def own(address: str) -> Atlas:
    return open_atlas(read_settings({"ANALYST_URL": address}))


def test_an_own_login_sees_its_scope_and_no_more(address: str) -> None:
    atlas = own(address)
    assert atlas.scope.code == "449901" and address.split(":")[2].split("@")[0] not in repr(atlas)
    assert set(atlas.grids("county")["grid_code"]) == {"449901"}
    with pytest.raises(AccessError):
        open_atlas(read_settings({"ANALYST_URL": address}), scope="449902")
    with psycopg.connect(address, autocommit=True) as connection:
        read = "select count(*) from pub.read_event(%s, %s, 'call', '-infinity', 'infinity', null)"
        for escape in ("select 1", "set role atlas_analyst", "select set_config('atlas.session', 'x', false)"):
            connection.execute(escape.encode())
            assert connection.execute("select pub.scope()").fetchone() == ("449901",)
            assert connection.execute(read, ["4499", "449:"]).fetchone() == (0,)
        for statement in ("select * from auth.analyst", "set role atlas_owner", "select * from ops.event",
                          "create table pub.mine (x int)", "create role mine"):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_an_own_login_opens_nothing_but_the_atlas(address: str) -> None:
    with pytest.raises(ServerError, match="for an analyst and for nothing else"):
        own(address).database.connect("loader")


def test_an_ended_login_sees_nothing_and_does_not_enter(here: Database, address: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        with here.connect("admin") as admin, here.connect("door") as door:
            logins.end_login(admin, door, LOGIN)
            with pytest.raises(UnknownNameError):
                logins.end_login(admin, door, LOGIN)
        assert connection.execute("select pub.scope()").fetchone() == (None,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address)


def test_the_shared_login_sees_what_its_row_says_and_else_nothing(here: Database, settings: Settings) -> None:
    place = read_settings({"LOCAL_DIR": str(settings.local_dir), "DATABASE_URL": here.url("admin")})
    with here.connect("admin") as admin, here.connect("door", autocommit=True) as door:
        assert logins.give_login(admin, door, logins.SHARED, "449902", city="4499") is None
        assert open_atlas(place).scope.code == "449902"
        logins.end_login(admin, door, logins.SHARED)
        with pytest.raises(AccessError, match="may see nothing yet") as caught:
            open_atlas(place)
        assert f"account login {logins.SHARED}" in caught.value.hint
        records.keep_demo_accounts(door, "4499", (), is_demo=True)
        assert open_atlas(place).scope.code == "4499"
        records.keep_demo_accounts(door, "4499", (), is_demo=False)
        assert logins.SHARED not in [one.login for one in logins.list_logins(door)]


@pytest.mark.parametrize(
    "login", ["postgres", "atlas_web", "atlas_admin", "pg_monitor", "Li", "l", "li;drop", "x" * 64]
)
def test_names_that_are_somebody_elses_are_refused(here: Database, login: str) -> None:
    with here.connect("admin") as admin, here.connect("door") as door:
        with pytest.raises(AtlasError):
            logins.give_login(admin, door, login, "4499", city="4499")
        with pytest.raises(AccessError):
            logins.give_login(admin, door, "li", "3201", city="4499")
        with pytest.raises(ServerError, match="somebody else"):
            make_reader(admin, "atlas_admin", "x")


def test_a_login_that_goes_past_its_scope_is_refused_at_the_start(here: Database, address: str) -> None:
    assert list(check.analysts(here)) == []
    with here.connect("admin", autocommit=True) as admin:
        for may, may_not in (("bypassrls", "nobypassrls"), ("createrole", "nocreaterole")):
            admin.execute(sql.SQL("alter role {} {}").format(sql.Identifier(LOGIN), sql.SQL(may)))
            assert LOGIN in next(check.analysts(here))
            admin.execute(sql.SQL("alter role {} {}").format(sql.Identifier(LOGIN), sql.SQL(may_not)))
    assert list(check.analysts(here)) == []


def test_the_commands_keep_logins(here: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr(account_commands, "open_database", lambda settings: here)

    def run(*words: str) -> str:
        done = CliRunner().invoke(commands, ["account", *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    said = run("login", LOGIN, "--scope", "449901001")
    assert own(said.split("ANALYST_URL=")[1].strip()).scope.code == "449901001"
    assert LOGIN in run("logins") and "449901001" in run("logins")
    run("login", LOGIN, "--end")
    assert LOGIN not in run("logins")
