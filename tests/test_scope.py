"""The scope in the database: what SQL sees with no, an old, a forged and a good token, and that indexes are used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from databases import copy_of
from psycopg import sql
from signing import sign_in

from layers.accounts.logins import SHARED, let_login
from layers.accounts.sessions import carry, end_session
from layers.database import Database
from layers.settings import CHECKOUT
from layers.tables import metadata

ROWS = {"449901001001001": 3, "449901002001001": 5, "449902001001001": 7, "4499": 2}
GUARDED = sorted(name for name in metadata.tables if name.startswith(("vault.", "ops.")))
COUNT = "select count(*) from ops.place"

RELATIONS = {
    "4499": 17, "449901": 8, "449902": 7, "449903": 0, "449901001": 3, "449901001001001": 3, "449901001001002": 0,
}  # fmt: skip
"""Scope of a session, and the rows it sees: own, parent, child, sibling, foreign."""


@pytest.fixture(scope="module")
def here(settings: Any, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as copy:
        with copy.connect("loader") as loader:
            for code, n in ROWS.items():
                loader.execute(
                    "insert into ops.place (town_code, grid_code, edition, dataset, source_key, delivery_id,"
                    " updated_at, tied_by, is_sensitive, attrs, geom)"
                    " select left(rpad(%(code)s, 9, '0'), 9), %(code)s, 1, 'd',"
                    " %(code)s || i, 1, now(), 'code', false, '{}', ST_SetSRID(ST_MakePoint(115, 22), 4490)"
                    " from generate_series(1, %(n)s) as i",
                    {"code": code, "n": n},
                )
        with copy.connect("admin") as admin:  # as if somebody had given rights by mistake
            for schema in ("ops", "vault"):
                for role in ("atlas_web", "atlas_analyst"):
                    admin.execute(
                        sql.SQL("grant usage on schema {} to {}").format(*map(sql.Identifier, (schema, role)))
                    )
                    admin.execute(
                        sql.SQL("grant select on all tables in schema {} to {}").format(
                            *map(sql.Identifier, (schema, role))
                        )
                    )
        yield copy


@pytest.fixture
def web(here: Database) -> Iterator[psycopg.Connection[Any]]:
    with here.connect("web", autocommit=True) as connection:
        yield connection


def seen(connection: psycopg.Connection[Any], token: str | None) -> int:
    with connection.transaction():
        if token is not None:
            carry(connection, token)
        row = connection.execute(COUNT).fetchone()
    assert row is not None
    return int(row[0])


def read(connection: psycopg.Connection[Any], token: str | None, low: str, high: str) -> int:
    """Rows that the definer function gives."""
    with connection.transaction():
        if token is not None:
            carry(connection, token)
        return len(connection.execute("select id from pub.read_place(%s, %s, 'd', null)", [low, high]).fetchall())


@pytest.mark.parametrize("scope", RELATIONS)
def test_a_session_sees_its_scope_and_no_more(here: Database, web: Any, scope: str) -> None:
    session = sign_in(here, scope=scope)
    assert seen(web, session.token) == RELATIONS[scope]
    own = session.actor.scope
    assert read(web, session.token, own.low, own.high) == RELATIONS[scope]
    for other, n in RELATIONS.items():
        expected = n if other.startswith(scope) else 0
        high = other[:-1] + chr(ord(other[-1]) + 1)
        assert read(web, session.token, other, high) == expected, other
    assert read(web, session.token, "0", ":") == 0
    assert read(web, session.token, own.low, own.high + "0") == 0


def test_without_a_good_token_there_is_nothing(here: Database, web: Any) -> None:
    good = sign_in(here)
    with here.connect("door") as door:
        ended = sign_in(here, "analyst")
        end_session(door, ended.token)
        idle = sign_in(here, "dispatcher")
        door.execute("update auth.session set seen_at = now() - interval '1 hour' where account = %s",
                     [idle.actor.account])  # fmt: skip
        old = sign_in(here, "case_officer")
        door.execute("update auth.session set ends_at = now() where account = %s", [old.actor.account])
        disabled = sign_in(here, "data_steward", department="water")
        door.execute("update auth.account set is_disabled = true where account = %s", [disabled.actor.account])
    bad = [None, "", "forged", good.token[:-1], good.token.upper(), "4499", good.form_token]
    bad += [one.token for one in (ended, idle, old, disabled)]
    for connection_kind in ("fresh", "used"):
        for token in bad:
            if connection_kind == "used":
                assert seen(web, good.token) == 17
                assert (seen(web, token), read(web, token, "4499", "449:")) == (0, 0)
            else:
                with here.connect("web", autocommit=True) as fresh:
                    assert (seen(fresh, token), read(fresh, token, "4499", "449:")) == (0, 0)


def test_a_pooled_connection_carries_nothing_over(here: Database) -> None:
    session = sign_in(here)
    with here.pool("web", min_size=1, max_size=1) as pool:
        for breaking in (False, True):
            with pool.connection() as connection:
                carry(connection, session.token)
                assert connection.execute(COUNT).fetchone() == (17,)
                if breaking:
                    with pytest.raises(psycopg.errors.DivisionByZero):
                        connection.execute("select 1 / 0")
                    connection.rollback()
                else:
                    connection.commit()
                assert connection.execute(COUNT).fetchone() == (0,)
            with pool.connection() as connection:
                assert connection.execute(COUNT).fetchone() == (0,)


@pytest.mark.parametrize(
    "statement",
    [
        "select set_config('atlas.session', '4499', true)",
        "select set_config('atlas.scope', '4499', true)",
        "select set_config('app.scope', '4499', true)",
        "select set_config('atlas.session', encode(sha256('x'), 'hex'), true)",
        "set local row_security = off",
        "set local search_path = pg_temp, public",
    ],
)
def test_a_setting_raises_no_scope(here: Database, web: Any, statement: str) -> None:
    with web.transaction(force_rollback=True):
        carry(web, sign_in(here, scope="449901001").token)
        web.execute(statement)
        try:
            assert web.execute(COUNT).fetchone()[0] in (0, 3)
        except psycopg.errors.InsufficientPrivilege:
            assert "row_security" in statement  # an error instead of rows: the query would have been filtered


@pytest.mark.parametrize("role", ["web", "analyst"])
@pytest.mark.parametrize(
    "statement",
    ["select * from auth.session", "select * from auth.account", "select auth.span()", "select * from auth.analyst",
     "insert into auth.analyst values (session_user, '0', ':', true)", "select * from audit.entry",
     "select audit.write('export', 'x', 'x', 'x', 'x', '{}')", "set role atlas_owner", "set role atlas_door"],
)  # fmt: skip
def test_nobody_reads_or_makes_sessions(here: Database, role: Any, statement: str) -> None:
    with here.connect(role, autocommit=True) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_the_door_sees_no_data(here: Database) -> None:
    with here.connect("door", autocommit=True) as door:
        for table in sorted(name for name in metadata.tables if not name.startswith(("auth.", "audit."))):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                door.execute(sql.SQL("select 1 from {}").format(sql.Identifier(*table.split("."))))


def test_an_analysts_login_sees_the_range_of_its_row(here: Database) -> None:
    with here.connect("admin", autocommit=True) as admin, here.connect("analyst", autocommit=True) as analyst:
        assert seen(analyst, None) == 17
        admin.execute("update auth.analyst set low = '449901', high = '449902' where login = 'atlas_analyst'")
        assert seen(analyst, sign_in(here).token) == 8, "a token of the web is worth nothing on another login"
        admin.execute("delete from auth.analyst")
        assert seen(analyst, None) == 0
    with here.connect("door") as door:
        let_login(door, SHARED, "4499")


@pytest.mark.parametrize("table", GUARDED)
def test_every_table_is_guarded_and_its_owner_too(here: Database, table: str) -> None:
    with here.connect("admin") as admin:
        row = admin.execute(
            "select relrowsecurity, relforcerowsecurity from pg_class where oid = %s::regclass", [table]
        ).fetchone()
        policies = admin.execute(
            "select polname, pg_get_expr(polqual, polrelid) from pg_policy where polrelid = %s::regclass", [table]
        ).fetchall()
    assert row == (True, True), f"{table}: name it to layers.migrations.operations.guard_rows in its revision"
    assert dict(policies)["whole"] == "true"
    assert table in ("ops.transition", "vault.care_group") or "auth.low()" in dict(policies)["scoped"]


def test_every_function_that_is_given_a_range_holds_it_to_the_session(here: Database) -> None:
    """Those that begin with `low` and `high` read more than their caller; they ask auth.covers, or auth.holder."""
    with here.connect("admin") as admin:
        rows = admin.execute(
            "select proname::text, prosrc from pg_proc where pronamespace = 'pub'::regnamespace and prosecdef"
            " and 'low' = any (proargnames)"
        ).fetchall()
    assert len(rows) >= 10
    assert [name for name, text in rows if "auth.covers(" not in text and "auth.holder()" not in text] == []


CHECKS = {
    "role": r"auth\.(actor\(\)|may_look_at\()|auth\.session as",
    "range": r"auth\.covers\(",
    "own": r"auth\.(low|high|span)\(",
    "key": r"auth\.holder\(\)",
    "receipt": r"ops\.of_receipt\(|token_hash = \$",
}
"""What a function asks before it answers, and how that is written in it."""


def checks_of(text: str) -> str:
    """What a function asks, as docs/security.md says it."""
    found = [name for name, pattern in CHECKS.items() if re.search(pattern, text)]
    if "role" in found:
        return "range and role" if "range" in found else "role"
    return found[0] if found else "nothing"


def test_what_each_function_of_the_web_asks_is_written_down(here: Database) -> None:
    """The list a reviewer reads: docs/security.md, held against what the functions of this moment are made of."""
    with here.connect("admin") as admin:
        rows = admin.execute(
            "select proname::text, prosrc, provolatile = 'v' from pg_proc where prosecdef"
            " and pronamespace::regnamespace::text in ('pub', 'auth', 'ops', 'vault', 'raw', 'audit') and"
            " (has_function_privilege('atlas_web', oid, 'execute') or has_function_privilege('atlas_analyst', oid,"
            " 'execute'))"
        ).fetchall()
    asked: dict[str, set[str]] = {}
    for name, text, _ in rows:
        asked.setdefault(checks_of(text), set()).add(name)
    guide = (CHECKOUT / "docs/security.md").read_text("utf-8")
    told = {
        what: set(re.findall(r"`(\w+)`", names))
        for what, names in re.findall(
            r"^\| (range and role|range|role|own|key|receipt|nothing): [^|]*\| (.*) \|$", guide, re.M
        )
    }
    assert told == asked
    writes = {name for name, _, is_writer in rows if is_writer}
    assert writes <= asked["range and role"] | asked["role"] | asked["key"] | asked["receipt"], "who acts is asked"
    assert asked["nothing"] == {"read_echo"}, "what is public anyway"


def test_no_commit_leaves_a_table_unguarded(here: Database) -> None:
    """A first load puts the guard of an empty table aside; until it is back, its transaction cannot end well."""
    with here.connect("loader") as loader:
        loader.execute("select raw.drop_indexes('ops.thing')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), loader.transaction():
            loader.execute("delete from raw.held_index")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            loader.commit()
    with here.connect("loader") as loader:
        loader.execute("select raw.drop_indexes('ops.thing')")
        loader.execute("select raw.make_indexes('ops.thing')")
        loader.commit()
    with here.connect("admin") as admin:
        query = "select relname::text from pg_class where relforcerowsecurity and not relrowsecurity"
        assert admin.execute(query).fetchall() == []
        assert admin.execute("select count(*) from pg_index where indrelid = 'ops.thing'::regclass").fetchone() > (1,)


def test_a_removed_guard_is_found(here: Database, web: Any) -> None:
    """The test of these tests: without the policy's defence everything is seen."""
    with here.connect("admin", autocommit=True) as admin:
        admin.execute("alter table ops.place disable row level security")
        assert seen(web, None) == 17
        admin.execute("alter table ops.place enable row level security")
    assert seen(web, None) == 0


@pytest.mark.parametrize(("scope", "rows"), [("449901001001001", 40), ("449901001", 2000), ("4499", 40_000)])
def test_spatial_reads_stay_indexed(settings: Any, server: Any, template: Database, scope: str, rows: int) -> None:
    with copy_of(template, server, settings) as copy, copy.connect("admin", autocommit=True) as admin:
        admin.execute(
            "insert into ops.place (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at,"
            " tied_by, is_sensitive, attrs, geom) select '449901' || lpad((i %% 20)::text, 3, '0'), '449901' ||"
            " lpad((i %% 20)::text, 3, '0') || lpad((i %% 50)::text, 6, '0'), 1, 'd', i::text, 1, now(), 'code', false,"
            " '{}', ST_SetSRID(ST_MakePoint(115 + (i %% 200) / 1000.0, 22 + i / 200 / 1000.0), 4490)"
            " from generate_series(1, %s) as i",
            [40_000],
        )
        admin.execute("analyze ops.place")
        session = sign_in(copy, scope=scope)
        with copy.connect("web", autocommit=True) as web, web.transaction():
            carry(web, session.token)
            own = session.actor.scope
            tile = web.execute(
                "select pub.element_tile(%s, %s, 'place', '{d}', '{}', true, 15, 26852, 14317)", [own.low, own.high]
            ).fetchone()
            assert tile is not None
        # the text of the query inside the function, as its owner runs it under the forced policy
        admin.execute("set role atlas_owner")
        plan = "\n".join(
            line
            for (line,) in admin.execute(
                "explain select id from ops.place where geom && ST_MakeEnvelope(115.01, 22.01, 115.02, 22.02, 4490)"
                " and dataset = any ('{d}') and grid_code >= %s and grid_code < %s and not is_sensitive"
                " and gone_on is null",
                [own.low, own.high],
            )
        )
    assert "Seq Scan" not in plan, plan
