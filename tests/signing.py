"""Sessions for tests: an account of a role and a scope, signed in."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import psycopg

from layers.access import AccountRole, Actor
from layers.accounts.sessions import Session, open_session, read_session
from layers.database import Database


def sign_in(db: Database, role: AccountRole = "leader", scope: str = "4499", department: str | None = None) -> Session:
    """Open a session of an account of that role and scope, made where it is missing."""
    account = f"test.{role}.{scope}"
    with db.connect("door") as door:
        door.execute(
            "insert into auth.account (account, name, role, scope, department, is_disabled, is_demo, n_failed,"
            " created_at) values (%s, %s, %s, %s, %s, false, false, 0, now()) on conflict (account) do nothing",
            [account, account, role, scope, department],
        )
        session = read_session(door, open_session(door, account))
    assert session is not None
    return session


def carry_on(connection: psycopg.Connection[Any], session: Session) -> None:
    """Let a connection of role `web` carry a session's token in every transaction to come."""
    connection.execute("select set_config('atlas.session', %s, false)", [session.token])
    if not connection.autocommit:
        connection.commit()


def cookies(session: Session) -> dict[str, str]:
    """Headers of a browser that has the session's cookie, as plain http on loopback has it."""
    return {"cookie": f"session={session.token}; _csrf_token={session.form_token}"}


_TOKENS: dict[str, str] = {}
_KNOWN: dict[str, Database] = {}
_OPEN: dict[tuple[str, Actor], str] = {}


def signed(db: Database, **kw: Any) -> psycopg.Connection[Any]:
    """Connect as role `web` with the session of somebody who may see the whole city, opened once for each database."""
    if db.name not in _TOKENS:
        _TOKENS[db.name] = sign_in(db).token
        _KNOWN[db.name] = db
    return db.connect("web", options=f"-c atlas.session={_TOKENS[db.name]}", **kw)


def become(connection: psycopg.Connection[Any], who: Actor | None) -> None:
    """Let a connection of `signed` carry a session of somebody; none for a resident, the leader's for None."""
    name = connection.info.dbname
    if who is not None and who.role == "resident":
        token = ""
    elif who is None:
        token = _TOKENS[name]
    elif (name, who) in _OPEN:
        token = _OPEN[name, who]
    else:
        with _KNOWN[name].connect("door") as door:
            door.execute(
                "insert into auth.account (account, name, role, scope, department, is_disabled, is_demo, n_failed,"
                " created_at) values (%(a)s, %(a)s, %(role)s, %(scope)s, %(of)s, false, false, 0, now())"
                " on conflict (account) do update set role = %(role)s, scope = %(scope)s, department = %(of)s",
                {"a": who.account, "role": who.role, "scope": who.scope.code, "of": who.department},
            )
            # one account of these tests has several scopes and departments by turns, so nothing is kept of the others
            for other in [one for one in list(_OPEN) if one[0] == name and one[1].account == who.account]:
                del _OPEN[other]
            token = open_session(door, who.account)
        _OPEN[name, who] = token  # committed
    connection.execute("select set_config('atlas.session', %s, false)", [token])


class InSession:
    """A module of layers, each of whose functions runs in a session of the actor it is given; the leader's without."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        return _in_session(found) if inspect.isfunction(found) else found


def _in_session(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(connection: Any, *args: Any, **kw: Any) -> Any:
        if isinstance(connection, psycopg.Connection) and connection.info.dbname in _KNOWN:
            become(connection, next((one for one in (*args, *kw.values()) if isinstance(one, Actor)), None))
        return function(connection, *args, **kw)

    return run
