"""Sessions: who is signed in, in which browser. Of a token only its digest is kept.

A person's session ends after half an hour without a request and after twelve hours at the latest; a wall screen's goes
on while the screen asks at least once in thirty days. Signing out, disabling, a new password or another scope end it
at once: the row is gone, and with it every right in the database.
"""

from __future__ import annotations

import hashlib
import secrets as chance
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import psycopg

from layers.access import Actor, Scope

Connection = psycopg.Connection[Any]
Kind = Literal["person", "screen"]

IDLE_S = {"person": 30 * 60, "screen": 30 * 86_400}
LONGEST_S = {"person": 12 * 3600, "screen": 400 * 86_400}


@dataclass(frozen=True)
class Session:
    """A browser that is signed in."""

    token: str = field(repr=False)
    actor: Actor
    kind: Kind
    name: str
    is_demo: bool
    has_factor: bool = False
    """The account has a second factor, or signs in by a provider that asks for one."""

    @property
    def form_token(self) -> str:
        """What forms and callbacks carry beside the cookie; it says nothing of the session's token."""
        return hashlib.sha256(b"form " + self.token.encode()).hexdigest()


@dataclass(frozen=True)
class OpenSession:
    """A session as the security admin sees it: no token."""

    handle: str
    account: str
    kind: Kind
    label: str
    began_at: datetime
    seen_at: datetime


def digest(token: str) -> bytes:
    """Digest of a token, as the database keeps it."""
    return hashlib.sha256(token.encode()).digest()


def open_session(connection: Connection, account: str, kind: Kind = "person", label: str = "") -> str:
    """Open a session of an account and return its token, which is new and kept nowhere."""
    token = chance.token_urlsafe(32)
    connection.execute(
        "delete from auth.session where ends_at < now() or seen_at + make_interval(secs => idle_s) < now()"
    )
    connection.execute(
        "insert into auth.session (token_hash, account, kind, label, began_at, seen_at, ends_at, idle_s)"
        " values (%s, %s, %s, %s, now(), now(), now() + make_interval(secs => %s), %s)",
        [digest(token), account, kind, label[:80], LONGEST_S[kind], IDLE_S[kind]],
    )
    return token


def read_session(connection: Connection, token: str) -> Session | None:
    """Read the session of a token and note that it was used; None where it has ended or never was."""
    row = connection.execute(
        "select a.account, a.role, a.scope, a.department, s.kind, a.name, a.is_demo,"
        " a.totp_sealed is not null or a.subject is not null, s.seen_at < now() - interval '1 min'"
        " from auth.session as s join auth.account as a on a.account = s.account"
        " where s.token_hash = %s and s.ends_at > now() and s.seen_at + make_interval(secs => s.idle_s) > now()"
        " and not a.is_disabled",
        [digest(token)],
    ).fetchone()
    if row is None:
        return None
    account, role, scope, department, kind, name, is_demo, has_factor, is_old = row
    if is_old:
        connection.execute("update auth.session set seen_at = now() where token_hash = %s", [digest(token)])
    return Session(token, Actor(account, role, Scope(scope), department), kind, name, is_demo, has_factor)


def open_among(connection: Connection, tokens: Iterable[str]) -> dict[str, bool]:
    """Tell which of some tokens still have a session, and of each whether it is the demonstration's; for streams.

    Screens' sessions count as used as long as they are looked at; a person's are not used by a look.
    """
    by_digest = {digest(token): token for token in tokens}
    rows = connection.execute(
        "select s.token_hash, a.is_demo, s.kind = 'screen' and s.seen_at < now() - interval '1 min'"
        " from auth.session as s join auth.account as a on a.account = s.account"
        " where s.token_hash = any(%s) and s.ends_at > now() and s.seen_at + make_interval(secs => s.idle_s) > now()"
        " and not a.is_disabled",
        [list(by_digest)],
    ).fetchall()
    old = [hashed for hashed, _, is_old in rows if is_old]
    if old:
        connection.execute("update auth.session set seen_at = now() where token_hash = any(%s)", [old])
    return {by_digest[bytes(hashed)]: is_demo for hashed, is_demo, _ in rows}


def end_session(connection: Connection, token: str) -> None:
    """End one session."""
    connection.execute("delete from auth.session where token_hash = %s", [digest(token)])


def list_sessions(connection: Connection) -> list[OpenSession]:
    """List all sessions, the latest used first."""
    rows = connection.execute(
        "select encode(token_hash, 'hex'), account, kind, label, began_at, seen_at from auth.session"
        " order by seen_at desc, account"
    ).fetchall()
    return [OpenSession(*row) for row in rows]


def end_by_handle(connection: Connection, handle: str, accounts: Sequence[str]) -> str | None:
    """End a session of some accounts by its handle in the list; return whose it was, None where there is none."""
    row = connection.execute(
        "delete from auth.session where encode(token_hash, 'hex') = %s and account = any(%s) returning account",
        [handle, list(accounts)],
    ).fetchone()
    return row[0] if row else None


def carry(connection: Connection, token: str) -> None:
    """Let the transaction under way carry a token; the database then shows what its session may see."""
    connection.execute("select set_config('atlas.session', %s, true)", [token])
