"""Accounts: what the security admin adds, lists, disables, resets, and gives another scope."""

from __future__ import annotations

import re
import secrets as chance
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from layers.access import ROLES, AccountRole, Actor, Scope
from layers.accounts import audit
from layers.errors import AtlasError, UnknownNameError

Connection = psycopg.Connection[Any]

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
NEEDS_DEPARTMENT: tuple[AccountRole, ...] = ("department_handler", "data_steward")
"""Roles that see what is their department's."""

SHORTEST = 12
"""Characters of a password, at least."""

_LIST = """
select account, name, role, scope, department, is_disabled, is_demo, totp_sealed is not null as has_totp,
    subject is not null as is_linked, case when locked_until > now() then locked_until end as locked_until
from auth.account where %(low)s::text is null or scope >= %(low)s and scope < %(high)s order by account
"""


@dataclass(frozen=True)
class Account:
    """One account, as lists show it."""

    account: str
    name: str
    role: AccountRole
    scope: str
    department: str | None
    is_disabled: bool
    is_demo: bool
    has_totp: bool
    is_linked: bool
    locked_until: datetime | None

    @property
    def actor(self) -> Actor:
        """Who acts when this account does."""
        return Actor(self.account, self.role, Scope(self.scope), self.department)


def list_accounts(connection: Connection, within: Scope | None = None) -> list[Account]:
    """List all accounts, or those whose scope lies in another, ordered by name."""
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(_LIST, {"low": within and within.low, "high": within and within.high}).fetchall()


def find_account(connection: Connection, account: str, within: Scope | None = None) -> Account:
    """Find one account, in a scope where one is given.

    Raises
    ------
    UnknownNameError
        There is none of that name, or none inside the scope.
    """
    found = {one.account: one for one in list_accounts(connection, within)}
    if account not in found:
        raise UnknownNameError("account", account, found)
    return found[account]


def add_account(
    connection: Connection,
    account: str,
    role: str,
    scope: str,
    *,
    name: str = "",
    department: str | None = None,
    departments: Iterable[str] = (),
    is_demo: bool = False,
    subject: str | None = None,
    by: Actor | None = None,
) -> str:
    """Add an account and return its first password, which is kept nowhere.

    Raises
    ------
    AtlasError
        The account is there already, or name, role, scope or department make no sense.
    """
    if not NAME.fullmatch(account):
        raise AtlasError(
            f"{account!r} cannot be the name of an account.",
            "It takes 2 to 64 small letters, digits, dots, dashes and underlines, and begins with a letter or digit.",
            why="account_name", account=account,
        )  # fmt: skip
    if role not in ROLES:
        raise UnknownNameError("role", role, ROLES)
    known = tuple(departments)
    if department is not None and department not in known:
        raise UnknownNameError("department", department, known)
    if department is None and role in NEEDS_DEPARTMENT:
        raise AtlasError(
            f"A {role} belongs to a department.", f"Name one by --department: {', '.join(known)}.",
            why="account_department",
        )  # fmt: skip
    password = make_password()
    row = connection.execute(
        "insert into auth.account (account, name, role, scope, department, argon2_hash, subject, is_disabled, is_demo,"
        " n_failed, created_at) values (%s, %s, %s, %s, %s, %s, %s, false, %s, 0, now())"
        " on conflict (account) do nothing returning account",
        [account, name or account, role, Scope(scope).code, department, _digest(password, is_demo), subject, is_demo],
    ).fetchone()
    if row is None:
        raise AtlasError(
            f"There is an account {account} already.", "Choose another name, or use `reset` or `scope`.",
            why="account_taken", account=account,
        )  # fmt: skip
    audit.write(connection, "account", by, account, done="added", role=role, scope=scope, department=department)
    return password


def _digest(password: str, is_demo: bool) -> str | None:
    from layers.accounts.sign_in import hash_password

    return None if is_demo else hash_password(password)


def disable_account(connection: Connection, account: str, *, by: Actor | None = None) -> None:
    """Disable an account and end its sessions."""
    find_account(connection, account)
    connection.execute("update auth.account set is_disabled = true where account = %s", [account])
    _end_sessions(connection, account)
    audit.write(connection, "account", by, account, done="disabled")


def enable_account(connection: Connection, account: str, *, by: Actor | None = None) -> None:
    """Let a disabled account sign in again."""
    find_account(connection, account)
    connection.execute("update auth.account set is_disabled = false where account = %s", [account])
    audit.write(connection, "account", by, account, done="enabled")


def set_scope(
    connection: Connection, account: str, scope: str, *, role: str | None = None, by: Actor | None = None
) -> None:
    """Give an account another scope, and another role where one is named; its sessions end."""
    before = find_account(connection, account)
    if role is not None and role not in ROLES:
        raise UnknownNameError("role", role, ROLES)
    now = role or before.role
    if now in NEEDS_DEPARTMENT and before.department is None:
        raise AtlasError(
            f"A {now} belongs to a department, and {account} has none.", "Add an account of that role.",
            why="account_department",
        )  # fmt: skip
    connection.execute(
        "update auth.account set scope = %s, role = %s where account = %s", [Scope(scope).code, now, account]
    )
    _end_sessions(connection, account)
    was = {"scope": before.scope, "role": before.role}
    audit.write(connection, "scope", by, account, was=was, now={"scope": scope, "role": now})


def link_account(connection: Connection, account: str, subject: str, *, by: Actor | None = None) -> None:
    """Let an account sign in by the identity provider, as that subject there, and by no password; its sessions end.

    Raises
    ------
    AtlasError
        Another account is linked to that subject, or this one is of the demonstration.
    """
    if find_account(connection, account).is_demo:
        raise AtlasError(
            f"{account} is of the demonstration.", "Add an account of your own, and link that.",
            why="account_demo", account=account,
        )  # fmt: skip
    taken = connection.execute(
        "select account from auth.account where subject = %s and account <> %s", [subject, account]
    ).fetchone()
    if taken:
        raise AtlasError(
            f"{taken[0]} is linked to {subject} already.", f"Reset {taken[0]} first.",
            why="account_linked", account=taken[0],
        )  # fmt: skip
    connection.execute(
        "update auth.account set subject = %s, argon2_hash = null, totp_sealed = null, totp_step = null"
        " where account = %s",
        [subject, account],
    )
    _end_sessions(connection, account)
    audit.write(connection, "account", by, account, done="linked", linked_to=subject)


def reset_account(connection: Connection, account: str, *, by: Actor | None = None) -> str:
    """Give an account a new password, take second factor, link and lock off it, and end its sessions."""
    if find_account(connection, account).is_demo:
        raise AtlasError(
            f"{account} is of the demonstration and has no password.", "It signs in by one click.",
            why="account_demo", account=account,
        )  # fmt: skip
    password = make_password()
    set_password(connection, account, password, by=by)
    connection.execute(
        "update auth.account set totp_sealed = null, totp_step = null, subject = null where account = %s", [account]
    )
    return password


def set_password(connection: Connection, account: str, password: str, *, by: Actor | None = None) -> None:
    """Set a password and end the account's sessions.

    Raises
    ------
    AtlasError
        It is too short or too easily guessed.
    """
    if len(password) < SHORTEST or account in password.lower() or len(set(password)) < 5:
        raise AtlasError(
            "This password is too easily guessed.",
            f"Take {SHORTEST} characters or more, not all alike, and not the name of the account.",
            why="password_weak", least=SHORTEST,
        )  # fmt: skip
    connection.execute(
        "update auth.account set argon2_hash = %s, n_failed = 0, locked_until = null where account = %s",
        [_digest(password, False), account],
    )
    _end_sessions(connection, account)
    audit.write(connection, "account", by, account, done="password set")


def add_first_account(connection: Connection, scope: str) -> str | None:
    """Add the security admin `admin` where there is no account yet, and return the password; None where there is."""
    row = connection.execute("select count(*) from auth.account where not is_demo").fetchone()
    if row is None or row[0]:
        return None
    return add_account(connection, "admin", "security_admin", scope, name="安全管理员 Security admin")


def keep_demo_accounts(connection: Connection, scope: str, departments: Iterable[str], *, is_demo: bool) -> None:
    """Have one account for each role of the demonstration, and let notebooks see the city.

    Where it is no demonstration, disable them, end their sessions, and let notebooks see what they were given.
    """
    if not is_demo:
        connection.execute("delete from auth.session where account in (select account from auth.account where is_demo)")
        connection.execute("update auth.account set is_disabled = true where is_demo")
        connection.execute("delete from auth.analyst where is_demo")
        return
    connection.execute(
        "insert into auth.analyst (login, low, high, is_demo) values ('atlas_analyst', %s, %s, true)"
        " on conflict (login) do nothing",
        [Scope(scope).low, Scope(scope).high],
    )
    first = next(iter(departments), None)
    for role in ROLES:
        connection.execute(
            "insert into auth.account (account, name, role, scope, department, is_disabled, is_demo, n_failed,"
            " created_at) values (%s, %s, %s, %s, %s, false, true, 0, now())"
            " on conflict (account) do update set is_disabled = excluded.is_disabled, scope = excluded.scope",
            [f"demo.{role}", role, role, scope, first if role in NEEDS_DEPARTMENT else None],
        )


def make_password() -> str:
    """Make a password of 20 characters that can be read aloud: no letter looks like another."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(chance.choice(letters) for _ in range(5)) for _ in range(4))


def _end_sessions(connection: Connection, account: str) -> None:
    connection.execute("delete from auth.session where account = %s", [account])
