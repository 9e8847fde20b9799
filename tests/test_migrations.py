"""The schema goes up on an empty server and down to nothing; passwords come from the secrets."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql

from layers.database import LOGINS, NAME, Database, migrate, open_database
from layers.errors import ServerError
from layers.migrations import __file__ as migrations_file
from layers.migrations import _config as _config_of
from layers.migrations import differences, downgrade
from layers.migrations.functions import function_files
from layers.migrations.roles import set_roles
from layers.server import Server
from layers.settings import Settings
from layers.tables import SCHEMAS


@pytest.fixture
def nothing(server: Server, template: Database) -> Iterator[Database]:
    """A database that is not there yet."""
    fresh = replace(template, name=f"test_{os.getpid()}_nothing")
    yield fresh
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(fresh.name)))


def left_in(db: Database) -> dict[str, list[Any]]:
    """What stands in a database beside PostgreSQL's own and PostGIS."""
    ours = "not exists (select from pg_depend d where d.objid = x.oid and d.deptype = 'e')"
    with db.connect("admin") as admin:
        return {
            "schemas": admin.execute(
                f"select nspname from pg_namespace x where nspname !~ '^pg_|^information_schema$|^public$' and {ours}"
            ).fetchall(),
            "tables": admin.execute(
                "select relname from pg_class x where relnamespace = 'public'::regnamespace and relkind = 'r'"
                f" and relname <> 'alembic_version' and {ours}"
            ).fetchall(),
            "functions": admin.execute(
                f"select proname from pg_proc x where pronamespace = 'public'::regnamespace and {ours}"
            ).fetchall(),
            "default rights": admin.execute("select defaclacl::text from pg_default_acl").fetchall(),
        }


def test_up_from_nothing_down_to_nothing_and_up_again(nothing: Database) -> None:
    migrate(nothing)
    assert differences(nothing) == []
    migrate(nothing)  # a second time is no change
    downgrade(nothing)
    assert left_in(nothing) == {"schemas": [], "tables": [], "functions": [], "default rights": []}
    assert any("add_table ops.event" in sentence for sentence in differences(nothing))
    migrate(nothing)
    assert differences(nothing) == []
    with nothing.connect("web") as web:
        assert web.execute("select count(*) from pub.grid").fetchone() == (0,)


UPGRADE = """import json, sys
from layers.database import Database, migrate
migrate(Database(**json.loads(sys.argv[1])))"""


def test_two_upgrades_at_the_same_moment_wait_for_each_other(nothing: Database) -> None:
    told = {"name": nothing.name, "admin_url": nothing.admin_url, "passwords": dict(nothing.passwords)}
    with ExitStack() as stack:
        command_line = [sys.executable, "-c", UPGRADE, json.dumps(told)]
        both = [stack.enter_context(Popen(command_line, stderr=PIPE, text=True)) for _ in range(2)]
        said = [one.communicate()[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert differences(nothing) == []


def test_each_revision_goes_up_and_down_by_itself(db: Database) -> None:
    script = ScriptDirectory.from_config(_config())
    revisions = [one.revision for one in script.walk_revisions()]
    assert len(script.get_heads()) == 1, "two revisions follow the same one"
    before = _shape(db)
    for revision in revisions[1:]:
        downgrade(db, revision)
    for revision in reversed(revisions):
        migrate(db, revision)
    assert _shape(db) == before


def test_revisions_are_numbered_and_named_in_a_row() -> None:
    script = ScriptDirectory.from_config(_config())
    revisions = list(script.walk_revisions())[::-1]
    first = int(revisions[0].revision)  # those of before the first release are one
    assert [one.revision for one in revisions] == [f"{n:04d}" for n in range(first, first + len(revisions))]
    assert all(one.doc and one.doc.endswith(".") for one in revisions)


def test_functions_are_as_their_files_say(db: Database) -> None:
    """One that is gone, changed or left over in an older database is put right, and who may call it too."""
    before = _shape(db)
    with db.connect("admin") as admin:
        admin.execute("drop function pub.scope")
        admin.execute("drop function ops.works_on(ops.event, text, text, text)")
        admin.execute("create function ops.works_on(a text) returns text language sql as 'select a'")
        admin.execute("create function pub.left_over() returns int language sql as 'select 1'")
        admin.execute("grant execute on function auth.actor to atlas_web")
        admin.execute("comment on schema pub is 'of an older program'")
    assert differences(db) == ["functions are not those of layers/functions"]
    migrate(db)
    assert differences(db) == [] and _shape(db) == before


def test_each_file_makes_the_function_it_is_called_by() -> None:
    for (schema, name), path in function_files().items():
        made = re.findall(r"^create or replace function (\S+?)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert made == [f"{schema}.{name}"], path


def test_a_revision_nobody_knows_is_a_sentence(db: Database) -> None:
    with db.connect("admin") as admin:
        admin.execute("update public.alembic_version set version_num = '0007'")
    with pytest.raises(ServerError, match=r"cannot be brought up to date: .*'0007'") as caught:
        migrate(db)
    assert "load it anew" in caught.value.hint


def test_a_failing_revision_leaves_everything_as_it_was(nothing: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    real = psycopg.Connection.execute

    def broken(self: Any, query: Any, *args: Any, **kw: Any) -> Any:
        if isinstance(query, bytes) and b"create table pub.people_count" in query:
            raise psycopg.errors.DiskFull("no space left on device")
        return real(self, query, *args, **kw)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, "execute", broken)
        with pytest.raises(psycopg.errors.DiskFull):
            migrate(nothing)
    assert left_in(nothing)["schemas"] == []
    migrate(nothing)
    assert differences(nothing) == []


def test_revisions_run_without_the_admin(db: Database) -> None:
    nobody = replace(db, admin_url=db.admin_url.replace("atlas_admin", "nobody"))
    with pytest.raises(ServerError, match="as admin"):
        nobody.connect("admin")
    downgrade(nobody)
    with _config_of(nobody) as config:
        command.upgrade(config, "head")
    assert differences(nobody) == []
    with nobody.connect("migrate") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select 1 from pub.grid")


def test_passwords_are_set_from_the_secrets_each_time(db: Database) -> None:
    stored = "select rolname, rolpassword from pg_authid where rolname = any(%s)"
    with db.connect("admin") as admin:
        before = dict(admin.execute(stored, [list(LOGINS.values())]).fetchall())
        set_roles(admin, replace(db, passwords=dict.fromkeys(db.passwords, "another one")))
        after = dict(admin.execute(stored, [list(LOGINS.values())]).fetchall())
        admin.rollback()  # roles belong to the server, which other tests use at this moment
    assert set(before) == set(after) == set(LOGINS.values())
    assert all(before[role] != after[role] for role in before)
    assert all(word.startswith("SCRAM-SHA-256$") for word in [*before.values(), *after.values()])


def test_a_wrong_password_does_not_enter(db: Database) -> None:
    with pytest.raises(ServerError, match="as web") as caught:
        replace(db, passwords={"web": "guessed"}).connect("web")
    assert "python -m layers.migrations upgrade" in caught.value.hint


def test_no_revision_holds_a_password() -> None:
    for path in Path(migrations_file).parent.rglob("*.*"):
        if path.suffix in {".py", ".sql", ".mako"} and path.name != "roles.py":
            assert "password" not in path.read_text(encoding="utf-8").lower(), path.name


def test_a_missing_database_says_how_to_make_it(nothing: Database) -> None:
    with pytest.raises(ServerError, match="cannot be opened as web") as caught:
        nothing.connect("web")
    assert "make demo" in caught.value.hint
    with pytest.raises(ServerError, match="cannot be reached"):
        migrate(replace(nothing, admin_url="postgresql://nobody@127.0.0.1:1/postgres"))


@pytest.fixture
def lesser(server: Server, nothing: Database) -> Iterator[tuple[Database, psycopg.Connection[Any], sql.Identifier]]:
    """The database that is not there, as seen by an admin who is no superuser."""
    name = f"lesser_admin_{os.getpid()}"
    role = sql.Identifier(name)
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("create role {} login password 'lesser'").format(role))
        try:
            address = f"postgresql://{name}:lesser@127.0.0.1:{server.port}/postgres"
            yield replace(nothing, admin_url=address), admin, role
        finally:
            admin.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(nothing.name)))
            admin.execute(sql.SQL("drop role {}").format(role))


def test_an_admin_without_rights_is_told_what_it_lacks(lesser: Any) -> None:
    db, admin, role = lesser
    with pytest.raises(ServerError, match="may not create it"):
        migrate(db)
    admin.execute(sql.SQL("alter role {} createdb").format(role))
    with pytest.raises(ServerError, match="PostGIS cannot be had"):
        migrate(db)


def test_an_admin_who_may_make_roles_needs_no_more(lesser: Any, nothing: Database) -> None:
    db, admin, role = lesser
    admin.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(db.name), role))
    with nothing.connect("admin") as superuser:
        superuser.execute("create extension postgis")
    with pytest.raises(ServerError, match="may not set up"):
        migrate(db)
    admin.execute(sql.SQL("alter role {} createrole").format(role))
    migrate(db)
    assert differences(db) == []
    with db.connect("web") as web:
        assert web.execute("select count(*) from pub.grid").fetchone() == (0,)


def test_addresses_of_roles_keep_the_server_and_change_the_door(template: Database) -> None:
    db = Database(
        name="城 市",
        admin_url="postgresql://root:p%40ss@db.example:6543/postgres?sslmode=verify-full&sslkey=k",
        passwords={"web": "a/b@c:d"},
    )
    assert db.url("web") == (
        "postgresql://atlas_web:a%2Fb%40c%3Ad@/%E5%9F%8E%20%E5%B8%82?host=db.example&port=6543&sslmode=verify-full"
    )
    assert "root:p%40ss@" in db.url("admin") and "sslkey=k" in db.url("admin")
    assert "a/b@c:d" not in repr(db) and "p%40ss" not in repr(db)


def test_the_name_comes_from_the_address_unless_it_is_everybodys(settings: Settings, server: Server) -> None:
    assert open_database(settings).name == NAME
    for given, name in (("minqing_test", "minqing_test"), ("postgres", NAME), ("", NAME)):
        url = f"postgresql://someone@127.0.0.1:{server.port}/{given}"
        assert open_database(replace(settings, database_url=url)).name == name


def test_a_pool_is_opened_by_with_and_serves_its_role(db: Database) -> None:
    with db.pool("web", max_size=2) as pool, pool.connection() as connection:
        assert connection.execute("select current_user, current_setting('timezone')").fetchone() == ("atlas_web", "UTC")


def _shape(db: Database) -> list[Any]:
    with db.connect("admin") as admin:
        return admin.execute(
            "select 'table', c.oid::regclass::text, c.relacl::text from pg_class c"
            " where c.relnamespace::regnamespace::text = any(%(ours)s)"
            " union all select 'function', p.oid::regprocedure::text, p.proacl::text from pg_proc p"
            " where p.pronamespace::regnamespace::text = any(%(ours)s) order by 1, 2",
            {"ours": list(SCHEMAS)},
        ).fetchall()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations_file).parent))
    config.set_main_option("path_separator", "os")
    return config
