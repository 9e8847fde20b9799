"""The start-up check: what must not be when the map is served, each in a sentence with its remedy."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg

from layers.database import LOGINS, Database
from layers.errors import AtlasError
from layers.secrets import read_secrets, secrets_file
from layers.settings import Settings

NOT_HERE = ("DASH_DEBUG", "DASH_HOT_RELOAD", "DASH_UI", "DASH_MCP_ENABLED", "DASH_BACKGROUND", "FLASK_DEBUG")
"""Switches of the screen's library that open doors: debugging, reloading, tools."""

SHORTEST = 16
"""Characters of a password of the database, at least."""

NIGHTS = timedelta(days=2)
"""How long ago what is too old was deleted last, at most."""

_UNGUARDED = """
select c.relnamespace::regnamespace || '.' || c.relname from pg_class as c
where c.relkind in ('r', 'p') and c.relnamespace::regnamespace::text in ('vault', 'ops')
    and not (c.relrowsecurity and c.relforcerowsecurity)
order by 1
"""

_MIGHTY = """
select a.login from auth.analyst as a join pg_roles as r on r.rolname = a.login
where r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or pg_has_role(r.oid, 'atlas_owner', 'member')
    or pg_has_role(r.oid, 'atlas_loader', 'member')
order by 1
"""


def switches(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each switch in the environment that must not be on."""
    for name in NOT_HERE:
        if environ.get(name, "").lower() not in ("", "0", "false", "no"):
            yield f"{name} is set in the environment. Take it out: it is for developing, and opens what is shut."


def secrets(settings: Settings) -> Iterator[str]:
    """Yield a sentence for secrets that are missing, damaged, short or alike."""
    path = secrets_file(settings)
    if not path.exists():
        yield f"There are no secrets: {path} is missing. Put back its copy; `make demo` makes fresh ones."
        return
    if path.stat().st_mode & 0o077:
        yield f"Others on this machine may read {path}. Take that from them: chmod 600."
    try:
        kept = read_secrets(settings)
    except AtlasError as error:
        yield f"{error.message} {error.hint}"
        return
    words = {role: word for role, word in kept.passwords.items() if role != "admin"}
    for role, word in words.items():
        if len(word) < SHORTEST or role in word.lower() or "password" in word.lower():
            yield f"The database password of {role} is easily guessed. Put a random one into {path}."
    for one, other in itertools.combinations(words, 2):
        if words[one] == words[other]:
            yield f"{one} and {other} have one database password. Put a random one for each into {path}."
    if any(len(set(key)) < 8 for key in (kept.identity_key, kept.token_key, kept.rounding_key)):
        yield f"A key in {path} is not random. Put back its copy."


def logins(database: Database) -> Iterator[str]:
    """Yield a sentence for each login that cannot enter or may more than it must."""
    for role, login in LOGINS.items():
        try:
            with database.connect(role) as connection:
                row = connection.execute(
                    "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,"
                    " %s and pg_has_role(oid, 'atlas_owner', 'member') from pg_roles where rolname = session_user",
                    [role != "migrate"],
                ).fetchone()
        except AtlasError as error:
            yield f"{error.message} {error.hint}"
            continue
        for may, what in zip(row or (), ("is a superuser", "goes past row-level security", "may make roles",
                                         "may make databases", "may act as the owner"), strict=True):  # fmt: skip
            if may:
                yield f"The login {login} {what}. Have the server's administrator take that from it."


def analysts(database: Database) -> Iterator[str]:
    """Yield a sentence for each analyst's own login that may more than it must."""
    with database.connect("door") as connection:
        for (login,) in connection.execute(_MIGHTY).fetchall():
            yield f"The analyst's login {login} goes past its scope. Have the server's administrator take its rights."


def server(connection: psycopg.Connection[Any]) -> Iterator[str]:
    """Yield a sentence for settings of the server that lose data, and tables whose rows are not guarded."""
    for name in ("fsync", "full_page_writes"):
        row = connection.execute("select current_setting(%s)", [name]).fetchone()
        if row == ("off",):
            yield f"The database server runs with {name} = off and loses data when it crashes. Set it to on."
    for (table,) in connection.execute(_UNGUARDED).fetchall():
        yield f"{table} is not under row-level security. Name it to `guard_rows` in a revision."


def overdue(database: Database, now: datetime) -> Iterator[str]:
    """Yield a sentence for work of each night that was not done; the map is served all the same."""
    with database.connect("door") as connection:
        row = connection.execute(
            "select exists (select from audit.entry"
            " where at > %s and kind = 'person_change' and subject = 'retention')",
            [now - NIGHTS],
        ).fetchone()
        if row == (False,):
            yield (
                "What is kept longer than its days was not deleted in the last two nights."
                " Have the machine run `python -m etl retention` each night, see docs/security.md."
            )


def findings(settings: Settings, environ: Mapping[str, str], database: Database) -> Iterator[str]:
    """Yield a sentence for everything that must not be; nothing when the map may be served."""
    yield from switches(environ)
    yield from secrets(settings)
    found = list(logins(database))
    yield from found
    if not found:
        yield from analysts(database)
        with database.connect("web") as connection:
            yield from server(connection)
