"""With the program out of the way: every function the web may call, by SQL, for every role, range and row of others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import psycopg
import pytest
from knock import SCOPE
from psycopg import sql
from psycopg.types.json import Jsonb
from signing import sign_in

from layers.access import ROLES
from layers.accounts.sessions import carry
from layers.database import Database

RANGES: dict[str, tuple[str | None, str | None]] = {
    "own": ("449901001", "449901002"), "beside": ("449901002", "449901003"), "above": ("449901", "449902"),
    "all": ("0", ":"), "over the edge": ("449901001", "449901003"), "text": ("", "~"), "none": (None, None),
    "turned": ("449901002", "449901001"),
}  # fmt: skip
WORDS, SECRET = "CANARYWORDS", "CANARYSECRET"
"""Words of a plain and of a sensitive case inside the scope."""

WORKING = {"dispatcher", "case_officer"}
"""Roles that work on sensitive cases; handlers and grid workers on their own."""
READING = WORKING | {"leader", "grid_worker", "department_handler"}
KEEPING = {"security_admin", "auditor"}

BY_NAME: dict[str, Any] = {
    "z": 11, "x": 1679, "y": 891, "p_edition": 1, "edition": 1, "p_level": "large", "element": "place", "unit": "day",
    "zone": "Asia/Shanghai", "step": "accept", "dataset": "grid_event", "way": "phone", "digits": 9, "most": 20,
    "metres": 1e6, "what": "help", "kind": "export", "category": "noise", "request_key": "attack-attack",
}  # fmt: skip
BY_TYPE: dict[str, Any] = {
    "text": "x", "text[]": [], "bigint": 1, "integer": 1, "smallint": 1, "boolean": False, "jsonb": Jsonb({}),
    "bytea": b"x", "double precision": 115.2, "timestamp with time zone": "2000-01-01", "date": "2026-01-01",
    "bigint[]": [], "integer[]": [], "geometry": "SRID=4490;POLYGON((110 20,120 20,120 30,110 30,110 20))",
}  # fmt: skip
OPEN = {"scope", "low", "high", "note", "follow", "report_by_resident", "step_by_resident"}
"""Functions that take no range: one's own scope, one's own entry, and what residents do with their receipts."""


@dataclass(frozen=True)
class Function:
    """A function the web may call: its name, and the names and types of its arguments."""

    name: str
    arguments: tuple[tuple[str, str], ...]

    def call(self, given: dict[str, Any]) -> tuple[sql.Composed, list[Any]]:
        values = [given.get(name, BY_NAME.get(name, BY_TYPE.get(kind))) for name, kind in self.arguments]
        marks = sql.SQL(", ").join(sql.SQL("%s::" + kind) for _, kind in self.arguments)
        return sql.SQL("select * from pub.{}({})").format(sql.Identifier(self.name), marks), values


@pytest.fixture(scope="module")
def functions(city: Database) -> list[Function]:
    with city.connect("admin") as admin:
        rows = admin.execute(
            "select proname::text, coalesce(proargnames[:pronargs], '{}'),"
            " array(select format_type(t, null) from unnest(proargtypes) as t)"
            " from pg_proc where pronamespace = 'pub'::regnamespace"
            " and has_function_privilege('atlas_web', oid, 'execute') order by 1"
        ).fetchall()
    found = [Function(name, tuple(zip(names, kinds, strict=True))) for name, names, kinds in rows]
    assert {kind for one in found for _, kind in one.arguments} <= set(BY_TYPE), "say what to send for the new type"
    return found


@pytest.fixture(scope="module")
def rows(city: Database) -> dict[str, int]:
    """Numbers of cases: of the scope, plain and sensitive, with words that nobody else has, and of others."""
    with city.connect("admin") as admin:
        found: dict[str, int] = {}
        for name, low in (("plain", SCOPE), ("sensitive", SCOPE), ("beside", "449901002")):
            row = admin.execute(
                "select id from ops.event where grid_code >= %s and grid_code < %s and not is_sensitive and"
                " gone_on is null and state not in ('closed', 'refused') and geom is not null and id <> all(%s)"
                " order by id limit 1",
                [low, low[:-1] + chr(ord(low[-1]) + 1), list(found.values())],
            ).fetchone()
            assert row is not None, name
            found[name] = int(row[0])
        admin.execute("update ops.event set is_sensitive = true where id = %s", [found["sensitive"]])
        for name, word in (("plain", WORDS), ("sensitive", SECRET), ("beside", "CANARYBESIDE")):
            admin.execute("update ops.event set summary = %s where id = %s", [word, found[name]])
            admin.execute("update ops.event_step set reason = %s where event_id = %s", [word, found[name]])
    return found | {"nobody": 4_000_000_000}


def answer(web: psycopg.Connection[Any], function: Function, given: dict[str, Any]) -> str:
    """What a function gives, as text; what it refuses in words of its own is nothing. Nothing of it is kept."""
    statement, values = function.call(given)
    try:
        with web.transaction(force_rollback=True):
            found = web.execute(statement, values).fetchall()
    except psycopg.Error as error:
        assert error.sqlstate and error.sqlstate[:2] in ("MQ", "42", "22", "23", "P0"), (function.name, given, error)
        return ""
    texts = [
        value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for row in found for value in row if value not in (None, False, 0)
    ]  # fmt: skip
    return "\n".join(texts)


def wrong(role: str, function: Function, ranged: str, said: str) -> Iterator[str]:
    """What an answer to a role holds that it must not."""
    beside = {code for code in re.findall(r"(?<!\d)4499\d{2}(?:\d{3}){0,3}(?!\d)", said) if not code.startswith(SCOPE)}
    if beside or "CANARYBESIDE" in said:
        yield f"rows outside: {sorted(beside)[:3]}"
    has_range = ("low", "text") in function.arguments
    if has_range and ranged != "own" and said:
        yield f"an answer out of range: {said[:80]!r}"
    if SECRET in said and role not in WORKING:
        yield "words of a sensitive case"
    if WORDS in said and role not in READING:
        yield "words of a case"
    if role in KEEPING and said and function.name not in OPEN:
        yield f"data for who keeps accounts or the audit: {said[:80]!r}"


def attack(
    city: Database, functions: list[Function], rows: dict[str, int], role: Any, every: int
) -> tuple[int, list[str]]:
    """Each function with each range and each case of others, in the session of a role."""
    found, n, asked = [], 0, 0
    session = sign_in(city, role, scope=SCOPE, department="water")
    with city.connect("web", autocommit=True, options=f"-c atlas.session={session.token}") as web:
        for function, (ranged, (low, high)), (case, number) in product(functions, RANGES.items(), rows.items()):
            n += 1
            if n % every:
                continue
            asked += 1
            given = {"low": low, "high": high, "grid_code": low} | {
                name: number for name, kind in function.arguments if kind == "bigint" and name.endswith("_id")
            }
            said = answer(web, function, given)
            found += [f"{role} {function.name} {ranged} {case}: {one}" for one in wrong(role, function, ranged, said)]
    return asked, found


@pytest.mark.parametrize("role", ROLES)
def test_no_function_gives_a_role_what_is_not_for_it(city: Any, functions: Any, rows: Any, role: Any) -> None:
    asked, found = attack(city, functions, rows, role, every=11)
    assert found[:20] == []
    assert asked > 100


@pytest.mark.soak
def test_no_function_gives_any_role_what_is_not_for_it(city: Any, functions: Any, rows: Any, capsys: Any) -> None:
    told = [attack(city, functions, rows, role, every=1) for role in ROLES]
    with capsys.disabled():
        print(f"\nroles x functions x ranges x rows: {sum(asked for asked, _ in told)} calls by SQL")
    assert [one for _, found in told for one in found][:40] == []


def test_without_a_session_there_is_nothing(city: Database, functions: list[Function], rows: dict[str, int]) -> None:
    for token in ("", "forged", "4499"):
        with city.connect("web", autocommit=True, options=f"-c atlas.session={token}") as web:
            for function in functions:
                if function.name not in OPEN:
                    said = answer(
                        web, function, {"low": "0", "high": ":", "event_id": rows["plain"], "grid_code": SCOPE}
                    )
                    assert said == "", function.name


def test_a_defence_taken_away_is_found(city: Database, functions: list[Function], rows: dict[str, int]) -> None:
    """The test of these tests: with a database that holds no range to the session, and no words to the work."""
    with city.connect("admin", autocommit=True) as admin:
        for name, role in (("auth.covers(text,text)", "leader"), ("ops.works_on(ops.event,text,text,text)", "wall")):
            kept = admin.execute("select pg_get_functiondef(%s::regprocedure)", [name]).fetchone()
            assert kept is not None
            admin.execute(re.sub(r"AS \$(\w*)\$.*\$\1\$", "AS $x$ select true $x$", kept[0], flags=re.S))
            try:
                some = [one for one in functions if one.name in ("read_case", "read_steps", "list_cases", "level_tile")]
                _, found = attack(city, some, rows, role, every=1)
            finally:
                admin.execute(kept[0])
            assert len(found) > 1, name


@pytest.mark.parametrize("role", ["web", "analyst"])
def test_no_definer_function_can_be_led_astray(city: Database, role: Any) -> None:
    """Names are found where the owner put them, and nothing can be put before them."""
    with city.connect("admin") as admin:
        loose = admin.execute(
            "select oid::regprocedure::text from pg_proc where prosecdef and pronamespace::regnamespace::text"
            " in ('raw', 'vault', 'ops', 'pub', 'auth', 'audit') and (proowner::regrole::text <> 'atlas_owner' or not"
            " 'search_path=pg_catalog, public, pg_temp' = any(coalesce(proconfig, '{}')))"
        ).fetchall()
        public = admin.execute(
            "select oid::regprocedure::text from pg_proc where pronamespace::regnamespace::text"
            " in ('raw', 'vault', 'ops', 'pub', 'auth', 'audit') and has_function_privilege('public', oid, 'execute')"
        ).fetchall()
    assert (loose, public) == ([], [])
    with city.connect(role, autocommit=True) as connection:
        for statement in (
            "create temporary table event (id int)", "create function public.now() returns int language sql return 1",
            "create schema mine", "create table public.x (id int)", "create extension dblink", "load 'x'",
            "select pg_read_file('/etc/passwd')", "copy (select 1) to program 'id'", "copy pub.grid to '/tmp/x'",
            "select lo_import('/etc/passwd')", "alter role atlas_web superuser", "set role atlas_owner",
            "select * from pg_authid", "do $$ begin perform pg_ls_dir('/'); end $$", "select pg_reload_conf()",
            "alter system set fsync = off", "create language plpython3u",
        ):  # fmt: skip
            with pytest.raises(psycopg.Error):
                connection.execute(statement)


def test_a_used_connection_carries_nothing_over(city: Database) -> None:
    """One connection in many hands, with commits, faults, cancelled statements and savepoints between."""
    sessions = [sign_in(city, "leader", scope=scope) for scope in ("449901", "449902")]
    with city.pool("web", min_size=1, max_size=1) as pool:
        for n in range(60):
            session = sessions[n % 2]
            with pool.connection() as connection:
                assert connection.execute("select pub.scope()").fetchone() == (None,)
                connection.rollback()
                try:
                    with connection.transaction():
                        carry(connection, session.token)
                        assert connection.execute("select pub.scope()").fetchone() == (session.actor.scope.code,)
                        if n % 3 == 1:
                            connection.execute("select 1 / 0")
                        if n % 3 == 2:
                            connection.execute("set local statement_timeout = 1")
                            connection.execute("select pg_sleep(1)")
                except (psycopg.errors.DivisionByZero, psycopg.errors.QueryCanceled):
                    assert connection.execute("select pub.scope()").fetchone() == (None,)
