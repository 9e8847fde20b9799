"""Analysts' own logins in the database: each sees the range of its row in `auth.analyst`, whatever it asks for.

The login of the notebooks beside the server, `atlas_analyst`, is one of them: without a row it sees nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from layers.access import Actor, Scope
from layers.accounts import audit
from layers.accounts.records import NAME, make_password
from layers.database import LOGINS
from layers.errors import AtlasError, UnknownNameError
from layers.migrations.roles import make_reader, shut_reader

Connection = psycopg.Connection[Any]

SHARED = LOGINS["analyst"]
"""The login of notebooks beside the server; its password is among the installation's secrets."""


@dataclass(frozen=True)
class Login:
    """An analyst's login and what it may see."""

    login: str
    scope: str
    is_demo: bool


def list_logins(door: Connection) -> list[Login]:
    """List the logins, ordered by name."""
    rows = door.execute("select login, low, is_demo from auth.analyst order by login").fetchall()
    return [Login(*row) for row in rows]


def let_login(door: Connection, login: str, scope: str, *, is_demo: bool = False) -> None:
    """Let a login that is there see a scope from now on."""
    range_ = Scope(scope)
    door.execute(
        "insert into auth.analyst (login, low, high, is_demo) values (%s, %s, %s, %s) on conflict (login) do update"
        " set low = excluded.low, high = excluded.high, is_demo = excluded.is_demo",
        [login, range_.low, range_.high, is_demo],
    )


def give_login(
    admin: Connection, door: Connection, login: str, scope: str, *, city: str, by: Actor | None = None
) -> str | None:
    """Let an analyst enter the database under a login of that name, and see a scope and no more.

    Returns
    -------
    str or None
        Its password, kept nowhere; None for the shared login, which has one.

    Raises
    ------
    AtlasError
        The name makes no sense or belongs to somebody else on the server, or the scope lies outside the city.
    """
    within = Scope(city).within(scope)
    password = None
    if login != SHARED:
        if not NAME.fullmatch(login) or len(login) > 63 or login.startswith(("atlas", "pg", "postgres")):
            raise AtlasError(
                f"{login!r} cannot be the name of a login.",
                "It takes 2 to 63 small letters, digits, dots and dashes; what begins with atlas or pg is taken.",
            )
        password = make_password()
        make_reader(admin, login, password)
    let_login(door, login, within.code)
    audit.write(door, "account", by, login, done="login", scope=within.code)
    return password


def end_login(admin: Connection, door: Connection, login: str, *, by: Actor | None = None) -> None:
    """Take a login's sight and its password; connections that are open see nothing from now on.

    Raises
    ------
    UnknownNameError
        No analyst has it.
    """
    known = [one.login for one in list_logins(door)]
    if login not in known:
        raise UnknownNameError("login", login, known)
    door.execute("delete from auth.analyst where login = %s", [login])
    if login != SHARED:
        shut_reader(admin, login)
    audit.write(door, "account", by, login, done="login ended")
