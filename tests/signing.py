"""Sessions for tests: an account of a role and a scope, signed in."""

from __future__ import annotations

from typing import Any

import psycopg

from layers.access import AccountRole
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


def signed(db: Database, **kw: Any) -> psycopg.Connection[Any]:
    """Connect as role `web` with the session of somebody who may see the whole city, opened once for each database."""
    if db.name not in _TOKENS:
        _TOKENS[db.name] = sign_in(db).token
    return db.connect("web", options=f"-c atlas.session={_TOKENS[db.name]}", **kw)
