"""Wall screens: a screen shows a code, the security admin types it, and that screen alone is let in.

The screen keeps a secret in a cookie from the moment it shows the code, so that who reads the code over a shoulder
gets nothing by it. A code is worth something for ten minutes, and once.
"""

from __future__ import annotations

import secrets as chance
from typing import Any

import psycopg

from layers.access import Actor
from layers.accounts import audit
from layers.accounts.records import find_account
from layers.accounts.sessions import digest, open_session
from layers.errors import AtlasError

Connection = psycopg.Connection[Any]

WAITS = "10 minutes"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def ask_in(connection: Connection) -> tuple[str, str]:
    """Let a screen ask to be let in; return the code it shows and the secret it keeps."""
    code, secret = "".join(chance.choice(_LETTERS) for _ in range(8)), chance.token_urlsafe(32)
    connection.execute("delete from auth.pairing where ends_at < now()")
    connection.execute(
        "insert into auth.pairing (code_hash, secret_hash, ends_at) values (%s, %s, now() + %s::interval)",
        [digest(code), digest(secret), WAITS],
    )
    return code, secret


def let_in(connection: Connection, code: str, account: str, label: str, *, by: Actor | None = None) -> None:
    """Let the screen that shows a code in as an account of the role `wall`.

    Raises
    ------
    AtlasError
        No screen shows that code, or the account is not a wall's.
    """
    if find_account(connection, account).role != "wall":
        raise AtlasError(
            f"{account} is not the account of a wall.", "Add one of the role wall, and name that.",
            why="screen_account", account=account,
        )  # fmt: skip
    row = connection.execute(
        "update auth.pairing set account = %s, label = %s"
        " where code_hash = %s and account is null and ends_at > now() returning 1",
        [account, label[:80], digest(code.strip().upper())],
    ).fetchone()
    if row is None:
        raise AtlasError(
            "No screen shows this code.", "Codes hold for ten minutes: read the one it shows now.", why="screen_code"
        )
    audit.write(connection, "session", by, account, done="screen let in", label=label[:80])


def come_in(connection: Connection, secret: str) -> str | None:
    """Open the session of a screen that was let in, by its secret; None while it has not been. Works once."""
    row = connection.execute(
        "delete from auth.pairing where secret_hash = %s and account is not null and ends_at > now()"
        " returning account, label",
        [digest(secret)],
    ).fetchone()
    return None if row is None else open_session(connection, row[0], "screen", row[1] or "")


def is_waiting(connection: Connection, secret: str) -> bool:
    """Tell whether a screen's code still holds."""
    row = connection.execute(
        "select 1 from auth.pairing where secret_hash = %s and ends_at > now()", [digest(secret)]
    ).fetchone()
    return row is not None
