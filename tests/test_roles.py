"""What each login can and cannot do, tried with SQL as somebody who got hold of it would."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from databases import copy_of
from psycopg import errors, sql
from signing import carry_on, sign_in

from layers.database import Database
from layers.migrations.roles import TIMEOUTS
from layers.tables import metadata

READERS = ("web", "analyst")
CLOSED = tuple(sorted(name for name in metadata.tables if not name.startswith("pub.")))
OPEN = tuple(sorted(name for name in metadata.tables if name.startswith("pub.")))

CALLED = {
    "web": {
        *("element_tile", "event_tile"),
        *("read_event", "read_organisation", "read_place", "read_thing"),
        *("report_case", "take_step", "read_case", "read_steps", "changes"),
        *("low", "high", "scope", "note"),
        *("ask_back", "answer_back", "reopening_requests", "decline_reopening", "case_facts"),
        *("raise_call", "answer_call", "report_in", "read_calls", "near_cases", "folded"),
        *("suggestions", "photo_by_resident"),
        *("report_by_resident", "step_by_resident", "follow", "last_change", "level_tile", "sensitive_counts"),
        *("open_cases", "latest_cases", "due_cases", "reported_cases"),
        *("holder", "report_by_key", "list_requests", "request_steps", "number_of"),
        *("read_sent", "changes_by_key", "answer_by_key"),
        *("asked_back", "release_echo", "withdraw_echo", "echo_of", "read_echo"),
        *("workers", "worker_cases", "worker_visits"),
        *("found_inside", "found_near", "roster", "open_inside", "search_by_name"),
        *("list_care", "care_visits", "visit_care", "late_care"),
        *("case_people", "ask_identity", "read_identity", "make_visit_list", "read_visit_list"),
        *("list_cases", "case_place", "linked", "add_photo", "list_photos", "read_photo", "record_visit", "my_visits"),
        *("my_reports", "pass_on"),
    },
    "analyst": {
        *("read_event", "read_organisation", "read_place", "read_thing", "case_facts"),
        *("found_inside", "found_near", "roster", "open_inside", "search_by_name"),
        *("low", "high", "scope"),
    },
    "door": {"write"},
    "loader": {
        "expire_photos",
        "analyse",
        "carry_events",
        "drop_indexes",
        "follow_scopes",
        "known_on",
        "make_indexes",
        "note",
    },
}
"""The functions each login may call: the short list a reviewer reads."""

UNTOUCHED = {
    "raw.held_index",
    "ops.transition",
    "ops.promise",
    "ops.event_step",
    "ops.visit_back",
    "ops.call",
    "ops.report_in",
    "ops.pass_on",
    "ops.photo",
    "raw.tombstone",
    "ops.echo",
}
"""Tables of which the loader may delete nothing."""

REFUSED = (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)


@pytest.fixture(scope="module")
def here(settings: Any, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as copy:
        yield copy


@pytest.fixture(scope="module")
def logins(here: Database) -> Iterator[dict[str, psycopg.Connection[Any]]]:
    with (
        here.connect("web", autocommit=True) as web,
        here.connect("analyst", autocommit=True) as analyst,
        here.connect("loader", autocommit=True) as loader,
        here.connect("admin", autocommit=True) as admin,
    ):
        carry_on(web, sign_in(here))
        yield {"web": web, "analyst": analyst, "loader": loader, "admin": admin}


def table_of(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))


@pytest.mark.parametrize("role", READERS)
def test_readers_get_nothing_out_of_the_closed_schemas(logins: Any, role: str) -> None:
    for name in CLOSED:
        for statement in (
            "select 1 from {}",
            "select count(*) from {}",
            "copy {} to stdout",
            "insert into {} default values",
            "update {} set dataset = ''",
            "delete from {}",
            "truncate {}",
            "lock table {} in access share mode",
            "create index on {} (town_code)",
            "create policy p on {} using (true)",
            "explain select 1 from {}",
        ):
            with pytest.raises(errors.InsufficientPrivilege), logins[role].transaction():
                logins[role].execute(sql.SQL(statement).format(table_of(name)))


@pytest.mark.parametrize("role", READERS)
def test_readers_read_pub_and_change_nothing_in_it(logins: Any, role: str) -> None:
    for name in OPEN:
        logins[role].execute(sql.SQL("select * from {}").format(table_of(name)))
        for statement in (
            "insert into {} default values",
            "delete from {}",
            "truncate {}",
            "drop table {}",
            "alter table {} add column mine text",
            "select * from {} for update",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                logins[role].execute(sql.SQL(statement).format(table_of(name)))


@pytest.mark.parametrize("role", READERS)
def test_rights_of_readers_are_exactly_select_on_pub(logins: Any, role: str) -> None:
    held = logins["admin"].execute(
        "select table_schema || '.' || table_name, privilege_type from information_schema.role_table_grants"
        " where grantee = %s",
        [f"atlas_{role}"],
    )
    assert set(held.fetchall()) == {(name, "SELECT") for name in OPEN}
    columns = logins["admin"].execute("select count(*) from pg_attribute where attacl::text ~ %s", [f"atlas_{role}="])
    assert columns.fetchone() == (0,)


@pytest.mark.parametrize("role", CALLED)
def test_functions_a_login_may_call_are_listed(logins: Any, role: str) -> None:
    found = logins["admin"].execute(
        "select proname::text from pg_proc where pronamespace::regnamespace::text = any(%s)"
        " and has_function_privilege(%s, oid, 'execute')",
        [["raw", "vault", "ops", "pub", "auth", "audit"], f"atlas_{role}"],
    )
    assert {name for (name,) in found} == CALLED[role]


@pytest.mark.parametrize("role", READERS)
def test_functions_for_readers_show_no_sensitive_row_and_nothing_out_of_scope(logins: Any, role: str) -> None:
    row = (
        "insert into ops.{} (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at, tied_by,"
        " is_sensitive, gone_on, attrs, geom{}) values ('449901001', '449901001', 1, 'd', %s, 1, '2026-01-01', 'code',"
        " %s, %s, '{{}}', st_setsrid(st_point(115.3, 22.8), 4490){})"
    )
    admin = logins["admin"]
    kept = [("plain", False, None), ("sensitive", True, None), ("gone", False, "2026-01-01")]
    for table in ("event", "place", "thing", "organisation"):
        more = ", category, state, reported_at, is_urgent, is_on_spot" if table == "event" else ""
        values = ", 'noise', 'reported', '2026-01-01', false, false" if table == "event" else ""
        for one in kept:
            admin.execute(row.format(table, more, values), one)
        times = ", '-infinity', 'infinity'" if table == "event" else ""
        read = f"select source_key from pub.read_{table}(%s, %s, 'd'{times}, null)"
        assert logins[role].execute(read, ["4499", "449:"]).fetchall() == [("plain",)], table
        assert logins[role].execute(read, ["449902", "449903"]).fetchall() == [], table
        admin.execute(sql.SQL("delete from {}").format(table_of(f"ops.{table}")))


def test_households_are_never_single_points(logins: Any) -> None:
    row = (
        "insert into ops.organisation (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at,"
        " category, tied_by, is_sensitive, attrs, geom) values ('449901001', '449901001', 1, 'd', 'k', 1, '2026-01-01',"
        " %s, 'code', %s, '{\"n_people\": 3}', st_setsrid(st_point(115.3, 22.8), 4490))"
    )
    tile = (
        "select length(pub.element_tile('4499', '449:', 'organisation', '{d}', '{}', true, 14,"
        " floor((115.3 + 180) / 360 * 2 ^ 14)::int,"
        " floor((1 - asinh(tand(22.8)) / pi()) / 2 * 2 ^ 14)::int))"
    )
    read = "select count(*) from pub.read_organisation('4499', '449:', 'd', null)"
    seen = {}
    for category in ("company", "household"):
        logins["admin"].execute(row, [category, category == "household"])
        seen[category] = (logins["web"].execute(tile).fetchone()[0] > 0, logins["web"].execute(read).fetchone()[0])
        logins["admin"].execute("delete from ops.organisation")
    assert seen == {"company": (True, 1), "household": (False, 0)}


@pytest.mark.parametrize("role", READERS)
@pytest.mark.parametrize("schema", ["raw", "vault", "ops", "auth", "audit"])
def test_readers_may_not_enter_closed_schemas(logins: Any, role: str, schema: str) -> None:
    row = logins[role].execute("select has_schema_privilege(%s, 'usage')", [schema]).fetchone()
    assert row == (False,)
    with pytest.raises(errors.InsufficientPrivilege):
        logins[role].execute(sql.SQL("create table {} (x int)").format(sql.Identifier(schema, "mine")))


@pytest.mark.parametrize("role", READERS)
@pytest.mark.parametrize(
    "statement",
    [
        "create table pub.mine (x int)",
        "create table public.mine (x int)",
        "create temporary table mine (x int)",
        "create schema mine",
        "create function public.mine() returns int language sql return 1",
        "create function pub.mine() returns int language sql return 1",
        "create extension dblink",
        "create role mine",
        "create database mine",
        "do $$ begin create temp table mine (x int); end $$",
        "select pg_read_file('/etc/passwd')",
        "copy (select 1) to '/tmp/mine'",
        "copy (select 1) to program 'id'",
        "select lo_import('/etc/passwd')",
        "select pg_ls_dir('.')",
        "select rolpassword from pg_authid",
        "alter system set log_statement = 'none'",
        "alter role atlas_owner login",
        "alter function ops.analyse(regclass[]) security invoker",
        "select ops.analyse(array['pg_class']::regclass[])",
        "select raw.drop_indexes('ops.event')",
        "select nextval('ops.row_id')",
        "set session authorization atlas_loader",
        "reassign owned by atlas_owner to current_user",
    ],
)
def test_readers_make_nothing_and_reach_nothing_outside(logins: Any, role: str, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        logins[role].execute(statement)


@pytest.mark.parametrize("role", [*READERS, "loader"])
@pytest.mark.parametrize("target", ["atlas_owner", "atlas_admin", "atlas_loader", "pg_read_all_data", "pg_monitor"])
def test_no_login_can_become_another(logins: Any, role: str, target: str) -> None:
    if target == f"atlas_{role}":
        return
    for statement in ("set role {}", "grant {} to current_user"):
        with pytest.raises(REFUSED):
            logins[role].execute(sql.SQL(statement).format(sql.Identifier(target)))


@pytest.mark.parametrize("role", ["web", "analyst", "door", "loader", "migrate"])
def test_a_statement_of_a_login_ends_in_time(here: Database, role: Any) -> None:
    with here.connect(role, autocommit=True) as connection:
        limit = connection.execute("show statement_timeout").fetchone()
        idle = connection.execute("show idle_in_transaction_session_timeout").fetchone()
        assert limit == (TIMEOUTS.get(role, "0"),), "loads and revisions take as long as they take"
        assert idle == ("1min" if role in TIMEOUTS else "0",)
        if role in TIMEOUTS:
            connection.execute("set statement_timeout = 50")  # a shorter one, that nobody waits for the other
            with pytest.raises(errors.QueryCanceled):
                connection.execute("select pg_sleep(60)")


def test_a_wrong_password_does_not_enter(here: Database) -> None:
    address = here.url("web").split("@", 1)[1]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://atlas_web:wrong@{address}")


def test_loader_writes_rows_and_owns_nothing(logins: Any) -> None:
    loader = logins["loader"]
    for name in sorted(metadata.tables):
        if name not in UNTOUCHED and not name.startswith(("auth.", "audit.")):
            loader.execute(sql.SQL("delete from {}").format(table_of(name)))
    loader.execute("create temporary table staging (x int) on commit drop")
    for statement in (
        "create table ops.mine (x int)",
        "create table raw.mine (x int)",
        "create function public.mine() returns int language sql return 1",
        "alter table ops.event disable trigger all",
        "drop table ops.event",
        "truncate ops.event",
        "delete from ops.event_step",
        "update ops.event_step set reason = ''",
        "insert into ops.transition values ('jump', 'reported', 'closed', '{department_handler}', '{}', '')",
        "delete from ops.transition",
        "update ops.promise set due_at = null",
        "create trigger t before insert on ops.event execute function suppress_redundant_updates_trigger()",
        "select * from raw.held_index",
        "create role mine",
        "create schema mine",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            loader.execute(statement)


def test_loader_keeps_statistics_fresh_without_owning_tables(logins: Any) -> None:
    logins["loader"].execute("select ops.analyse(array['ops.event', 'vault.person']::regclass[])")
    with pytest.raises(errors.RaiseException):
        logins["loader"].execute("select raw.drop_indexes('pg_catalog.pg_class')")


def test_people_of_other_databases_stay_out(logins: Any) -> None:
    admin, name = logins["admin"], f"stranger_{os.getpid()}"
    with admin.transaction(force_rollback=True):
        admin.execute(sql.SQL("create role {} login").format(sql.Identifier(name)))
        row = admin.execute(
            "select has_database_privilege(%(r)s, current_database(), 'connect'),"
            " has_database_privilege(%(r)s, current_database(), 'temp'),"
            " has_schema_privilege(%(r)s, 'public', 'usage')",
            {"r": name},
        ).fetchone()
    assert row == (False, False, False)


@pytest.mark.parametrize("role", READERS)
def test_later_tables_and_functions_follow_the_same_rule(logins: Any, role: str) -> None:
    admin, reader = logins["admin"], logins[role]
    with admin.transaction(force_rollback=True):
        admin.execute("set local role atlas_owner")
        admin.execute("create table pub.later (x int); create table ops.later (x int)")
        admin.execute("create function pub.later() returns int language sql return 1")
        rights = admin.execute(
            "select has_table_privilege(%(r)s, 'pub.later', 'select'),"
            " has_table_privilege(%(r)s, 'pub.later', 'insert'),"
            " has_table_privilege(%(r)s, 'ops.later', 'select'),"
            " has_function_privilege(%(r)s, 'pub.later()', 'execute'),"
            " has_table_privilege('atlas_loader', 'ops.later', 'insert')",
            {"r": f"atlas_{role}"},
        ).fetchone()
    assert rights == (True, False, False, False, True)
    assert reader.execute("select to_regclass('pub.later')").fetchone() == (None,)


@pytest.mark.parametrize("role", READERS)
def test_readers_use_postgis_but_not_on_closed_rows(logins: Any, role: str) -> None:
    reader = logins[role]
    assert reader.execute("select st_astext(st_setsrid(st_point(115.3, 22.8), 4490))").fetchone()
    tables = reader.execute("select distinct f_table_schema from geometry_columns").fetchall()
    assert tables == [("pub",)]
