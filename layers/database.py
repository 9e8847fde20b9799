"""The map's database: how each role connects to it, and how it is brought to the schema of this code.

Six logins, each with its own rights (`layers.migrations.roles`): `admin` makes databases, roles and the extension and
does nothing else; `migrate` runs the revisions; `loader` writes; `web` and `analyst` read `pub` and what definer
functions give them; `door` keeps accounts and sessions and sees nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool

from layers.errors import ServerError
from layers.secrets import Role, read_secrets
from layers.server import read_server
from layers.settings import Settings

NAME = "minqing"
"""Name of the database, unless `DATABASE_URL` names one."""

MAINTENANCE = ("postgres", "template1", "")
"""Databases that are there on every server and never ours."""

LOGINS: Mapping[Role, str] = {
    "loader": "atlas_loader",
    "web": "atlas_web",
    "analyst": "atlas_analyst",
    "door": "atlas_door",
    "migrate": "atlas_migrate",
}
"""Name on the server of each role that has one; the admin's stands in the server's address."""


@dataclass(frozen=True)
class Database:
    """One database on one server; makes connections, keeps none."""

    name: str
    admin_url: str = field(repr=False)
    passwords: Mapping[str, str] = field(repr=False)
    is_analysts: bool = False
    """Known by an analyst's own login only: `admin_url` is that one's."""

    def url(self, role: Role) -> str:
        """Return the address for a role as `postgresql://`, which psycopg, ADBC and `psql` take.

        Raises
        ------
        ServerError
            The database is known by an analyst's own login, and another role was asked for.
        """
        if self.is_analysts:
            if role != "analyst":
                raise ServerError(
                    "ANALYST_URL opens the database for an analyst and for nothing else.",
                    "Take it out of the environment to run this command.",
                )
            return self.admin_url
        return self.url_of(*(() if role == "admin" else (LOGINS[role], self.passwords[role])))

    def url_of(self, login: str | None = None, word: str = "") -> str:
        """Return the address for a login and its password; the admin's where none is named."""
        parts = {key: value for key, value in conninfo_to_dict(self.admin_url).items() if value is not None}
        if login is not None:
            parts |= {"user": login, "password": word}
            for key in ("sslcert", "sslkey", "sslpassword", "passfile"):
                parts.pop(key, None)
        user = quote(str(parts.pop("user", "")), safe="")
        password = quote(str(parts.pop("password", "")), safe="")
        parts.pop("dbname", None)
        door = f"{user}:{password}@" if password else f"{user}@" if user else ""
        return f"postgresql://{door}/{quote(self.name, safe='')}?{urlencode(parts, quote_via=quote)}"

    def connect(self, role: Role, **kw: Any) -> psycopg.Connection[Any]:
        """Connect as a role; keywords go to `psycopg.connect`.

        Raises
        ------
        ServerError
            The server cannot be reached, the database is not there yet, or the role may not enter.
        """
        try:
            return psycopg.connect(self.url(role), application_name=f"atlas {role}", connect_timeout=10, **kw)
        except psycopg.OperationalError as error:
            raise ServerError(
                f"The database {self.name!r} cannot be opened as {role}: {_first_line(error)}",
                "`make demo` starts the server and makes the database; `python -m layers.migrations upgrade` makes it "
                "on a server that runs, and sets the roles' passwords again.",
            ) from error

    def pool(self, role: Role, *, min_size: int = 1, max_size: int = 8, **kw: Any) -> ConnectionPool[Any]:
        """Return a closed pool of connections for a role; open it by `with`, or by `.open()` and `.close()`."""
        return ConnectionPool(
            self.url(role), min_size=min_size, max_size=max_size, open=False, name=f"atlas {role}", **kw
        )


def open_database(settings: Settings) -> Database:
    """Find the database on the server that runs; starts and makes nothing, and does not connect yet.

    Raises
    ------
    ServerError
        The private server is not running.
    """
    if settings.analyst_url:
        name = str(conninfo_to_dict(settings.analyst_url).get("dbname") or NAME)
        return Database(name=name, admin_url=settings.analyst_url, passwords={}, is_analysts=True)
    server = read_server(settings)
    named = str(conninfo_to_dict(server.admin_url).get("dbname") or "") if settings.database_url else ""
    name = NAME if named in MAINTENANCE else named
    return Database(name=name, admin_url=server.admin_url, passwords=read_secrets(settings).passwords)


def migrate(db: Database, revision: str = "head") -> None:
    """Bring the database to a revision: makes it and the roles where missing, sets the roles' passwords.

    Raises
    ------
    ServerError
        The server cannot be reached, PostGIS is missing, or the admin may not make databases and roles.
    """
    from layers.migrations import upgrade  # alembic takes a fifth of a second to import

    upgrade(db, revision)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
