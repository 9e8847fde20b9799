"""Database, roles and passwords: what a migration finds made before its first revision runs.

| role            | logs in | may                                                                              |
|-----------------|---------|----------------------------------------------------------------------------------|
| `atlas_owner`   | no      | owns schemas, tables and functions                                               |
| `atlas_migrate` | yes     | act as the owner, and nothing by itself; nobody else may                         |
| `atlas_loader`  | yes     | read and write rows in `raw`, `vault`, `ops`, `pub`                              |
| `atlas_web`     | yes     | read `pub`, call the functions granted to it                                     |
| `atlas_analyst` | yes     | read `pub`, call the functions granted to it                                     |
| analysts' own   | yes     | what `atlas_analyst` may, inside the range of their row in `auth.analyst`        |
| `atlas_door`    | yes     | keep accounts and sessions in `auth`, write and read `audit`; no data of the map   |

Roles belong to the whole server, so they are made here and not in a revision, and none is ever dropped: another
database may use it. Passwords come from the secrets of the installation and are sent to the server as SCRAM digests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from layers.database import LOGINS, Database
from layers.errors import ServerError
from layers.secrets import Role

OWNER = "atlas_owner"
"""Role that owns everything and cannot log in."""

TIMEOUTS: Mapping[Role, str] = {"web": "15s", "analyst": "10min", "door": "15s"}
"""Longest a statement of a login may run; loads take as long as they take."""

QUIET: tuple[Role, ...] = ("web", "analyst", "door")
"""Logins whose refusals say what somebody typed: whoever asked is told them, and the log of the server is not."""

_LOCK = 4_490_001
"""Advisory lock that lets one process at a time make databases and roles."""

_SAFE_ALONE = sql.SQL("nosuperuser nocreatedb nocreaterole noreplication nobypassrls")
_SAFE = sql.SQL("{} noinherit").format(_SAFE_ALONE)


def make_database(db: Database) -> None:
    """Create the database where it is missing.

    Raises
    ------
    ServerError
        The server cannot be reached, or the admin may not create databases.
    """
    try:
        with _alone(db) as connection:
            known = connection.execute("select 1 from pg_database where datname = %s", [db.name]).fetchone()
            if known is None:
                connection.execute(
                    sql.SQL("create database {} template template0 encoding 'UTF8'").format(sql.Identifier(db.name))
                )
    except errors.InsufficientPrivilege as error:
        raise ServerError(
            f"There is no database {db.name!r}, and the role in DATABASE_URL may not create it.",
            f"Have the server's administrator run `CREATE DATABASE {db.name}`, or name a role with CREATEDB.",
        ) from error
    except psycopg.OperationalError as error:
        raise ServerError(
            f"The database server cannot be reached: {str(error).strip().splitlines()[-1]}",
            "Start it by `make demo` or `python -m layers.server start`, or mend DATABASE_URL.",
        ) from error


def prepare(db: Database) -> None:
    """Create PostGIS and the roles where missing, set the passwords, and close the database to everybody else.

    Raises
    ------
    ServerError
        PostGIS cannot be had, or the admin may not make roles.
    """
    with _alone(db), db.connect("admin") as connection:
        try:
            _make_extension(connection)
            set_roles(connection, db)
            close_doors(connection, db)
        except errors.InsufficientPrivilege as error:
            raise ServerError(
                f"The admin role may not set up {db.name!r}: {error.diag.message_primary}",
                "DATABASE_URL has to name a role that may create roles (CREATEROLE) and owns the database.",
            ) from error


@contextmanager
def _alone(db: Database) -> Iterator[psycopg.Connection[Any]]:
    """Connect to a database that is there before ours, and hold the lock that two set-ups on one server share."""
    named = str(conninfo_to_dict(db.admin_url).get("dbname") or "")
    entrance = named if named and named != db.name else "postgres"
    # Locks belong to a database, roles to the server: one database for all, or two would change one role at once.
    with psycopg.connect(make_conninfo(db.admin_url, dbname=entrance), autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [_LOCK])
        yield connection


def _make_extension(connection: psycopg.Connection[Any]) -> None:
    if connection.execute("select 1 from pg_extension where extname = 'postgis'").fetchone():
        return
    try:
        with connection.transaction():
            connection.execute("create extension postgis schema public")
    except (errors.UndefinedFile, errors.FeatureNotSupported, errors.InsufficientPrivilege) as error:
        raise ServerError(
            f"PostGIS cannot be had in this database: {error.diag.message_primary}",
            "Install the postgis package that fits this PostgreSQL (`make setup` does so for the private server), "
            "or have the administrator run `CREATE EXTENSION postgis` in it.",
        ) from error


def set_roles(connection: psycopg.Connection[Any], db: Database) -> None:
    """Create the roles where missing, and set their passwords to those of the secrets."""
    known = {name for (name,) in connection.execute("select rolname from pg_roles where rolname like 'atlas\\_%'")}
    if OWNER not in known:
        connection.execute(sql.SQL("create role {} nologin {}").format(sql.Identifier(OWNER), _SAFE))
    for role, login in LOGINS.items():
        name = sql.Identifier(login)
        if login not in known:
            connection.execute(sql.SQL("create role {} login {}").format(name, _SAFE))
        digest = connection.pgconn.encrypt_password(
            db.passwords[role].encode(), login.encode(), b"scram-sha-256"
        ).decode()
        connection.execute(sql.SQL("alter role {} password {}").format(name, sql.Literal(digest)))
        connection.execute(sql.SQL("alter role {} set timezone to 'UTC'").format(name))
        if role in TIMEOUTS:
            limit = sql.Literal(TIMEOUTS[role])
            connection.execute(sql.SQL("alter role {} set statement_timeout to {}").format(name, limit))
            connection.execute(sql.SQL("alter role {} set idle_in_transaction_session_timeout to '60s'").format(name))
    _keep_quiet(connection, [LOGINS[role] for role in QUIET])
    acting = connection.execute("select pg_has_role(%s, %s, 'member')", [LOGINS["migrate"], OWNER]).fetchone()
    if acting != (True,):
        connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(OWNER), sql.Identifier(LOGINS["migrate"])))


def _keep_quiet(connection: psycopg.Connection[Any], logins: Iterable[str]) -> None:
    """Keep messages about what logins ask for out of the server's log, where the admin may; a superuser may."""
    if connection.execute("select has_parameter_privilege('log_min_messages', 'set')").fetchone() == (True,):
        for login in logins:
            connection.execute(sql.SQL("alter role {} set log_min_messages to 'fatal'").format(sql.Identifier(login)))


def make_reader(connection: psycopg.Connection[Any], login: str, password: str) -> None:
    """Make a login that may what `atlas_analyst` may, or give one that is there another password, as admin.

    Raises
    ------
    ServerError
        The name belongs to somebody else on this server, or the admin may not make roles.
    """
    name, analyst = sql.Identifier(login), sql.Identifier(LOGINS["analyst"])
    row = connection.execute(
        "select exists (select from pg_auth_members as m where m.member = r.oid"
        " and m.roleid::regrole::text = %s) and not r.rolsuper from pg_roles as r where r.rolname = %s",
        [LOGINS["analyst"], login],
    ).fetchone()
    if row == (False,):
        raise ServerError(f"The login {login} belongs to somebody else on this server.", "Choose another name.")
    try:
        if row is None:
            connection.execute(sql.SQL("create role {} {} inherit").format(name, _SAFE_ALONE))
            connection.execute(sql.SQL("grant {} to {}").format(analyst, name))
        digest = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
        connection.execute(sql.SQL("alter role {} login password {}").format(name, sql.Literal(digest)))
        for setting, value in (("timezone", "UTC"), ("statement_timeout", TIMEOUTS["analyst"])):
            connection.execute(sql.SQL("alter role {} set {} to {}").format(name, sql.SQL(setting), sql.Literal(value)))
        _keep_quiet(connection, [login])
    except errors.InsufficientPrivilege as error:
        raise ServerError(
            f"The admin role may not make logins: {error.diag.message_primary}",
            "DATABASE_URL has to name a role that may create roles (CREATEROLE).",
        ) from error


def shut_reader(connection: psycopg.Connection[Any], login: str) -> None:
    """Let nobody enter by a login any more, as admin; the role stays, as all do."""
    connection.execute(sql.SQL("alter role {} nologin password null").format(sql.Identifier(login)))


def close_doors(connection: psycopg.Connection[Any], db: Database) -> None:
    """Let our own logins into a database, each as far as it may, and nobody else."""
    database, owner = sql.Identifier(db.name), sql.Identifier(OWNER)
    everybody = sql.SQL(", ").join([owner, *map(sql.Identifier, LOGINS.values())])
    for statement in (
        sql.SQL("revoke all on database {} from public").format(database),
        sql.SQL("revoke all on schema public from public"),
        sql.SQL("grant usage on schema public to {}").format(everybody),
        sql.SQL("grant create on schema public to {}").format(owner),  # alembic's own table
        sql.SQL("grant create on database {} to {}").format(database, owner),
        sql.SQL("grant connect on database {} to {}").format(database, everybody),
        sql.SQL("grant temporary on database {} to {}").format(database, sql.Identifier(LOGINS["loader"])),
    ):
        connection.execute(statement)
