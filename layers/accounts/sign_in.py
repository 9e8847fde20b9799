"""Signing in: passwords (argon2id), the second factor (TOTP), and what stops guessing.

Five wrong attempts lock an account for a quarter of an hour. Whether an account is there, has a wrong password, is
locked or disabled: the answer is the same, and takes as long.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from layers.accounts import audit
from layers.accounts.records import find_account
from layers.seal import Sealer

Connection = psycopg.Connection[Any]

MOST_FAILED = 5
LOCKED_FOR = "15 minutes"
STEP_S = 30
_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)
_AT_ONCE = threading.BoundedSemaphore(2)
"""Each verification takes 64 MB: no more than two at a time."""

_NOBODY = "$argon2id$v=19$m=65536,t=3,p=1$bm9ib2R5LWF0LWFsbA$7rVdj/dcQIxM0MKKHMsSzyZZmw16r0OLW/VaDJwyQpo"
"""Digest that no password has: verified where there is no account, so that it takes as long."""


def hash_password(password: str) -> str:
    """Digest of a password, as it is kept."""
    return _HASHER.hash(password)


def check_password(connection: Connection, account: str, password: str, code: str, sealer: Sealer, label: str) -> bool:
    """Tell whether somebody may sign in; counts wrong attempts and writes every outcome to the audit."""
    row = connection.execute(
        "select argon2_hash, coalesce(locked_until > now(), false), is_disabled, totp_sealed, totp_step"
        " from auth.account where account = %s and not is_demo for update",
        [account],
    ).fetchone()
    kept, is_locked, is_disabled, totp, used = row or (None, False, True, None, None)
    is_right = _matches(kept, password)
    step = _step_of(sealer.open(bytes(totp)), code, used) if totp is not None else None
    why = (
        "locked" if is_locked
        else "disabled" if row and is_disabled
        else "unknown" if row is None
        else "wrong" if not is_right
        else "second factor" if totp is not None and step is None
        else None
    )  # fmt: skip
    if why is None:
        connection.execute(
            "update auth.account set n_failed = 0, locked_until = null, totp_step = coalesce(%s, totp_step)"
            " where account = %s",
            [step, account],
        )
        audit.write(connection, "sign_in", find_account(connection, account).actor, account, label=label)
        return True
    if why in ("wrong", "second factor"):
        connection.execute(
            "update auth.account set n_failed = case when n_failed + 1 >= %(most)s then 0 else n_failed + 1 end,"
            " locked_until = case when n_failed + 1 >= %(most)s then now() + %(wait)s::interval end"
            " where account = %(account)s",
            {"most": MOST_FAILED, "wait": LOCKED_FOR, "account": account},
        )
    audit.write(connection, "sign_in_refused", None, account[:64], why=why, label=label)
    return False


def set_totp(connection: Connection, account: str, secret: str, code: str, sealer: Sealer) -> bool:
    """Give an account a second factor, once a code shows that its owner has it; False where the code is wrong."""
    step = _step_of(secret, code, None)
    if step is None:
        return False
    connection.execute(
        "update auth.account set totp_sealed = %s, totp_step = %s where account = %s",
        [sealer.seal_column([secret])[0], step, account],
    )
    audit.write(connection, "account", find_account(connection, account).actor, account, done="second factor set")
    return True


def _matches(kept: str | None, password: str) -> bool:
    with _AT_ONCE:
        try:
            _HASHER.verify(kept or _NOBODY, password[:1024])
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None


def _step_of(secret: str, code: str, used: int | None) -> int | None:
    """Step of time a code belongs to: this one, the one before or after; None where it is wrong or used already."""
    import hmac

    import pyotp

    totp, now = pyotp.TOTP(secret, interval=STEP_S), int(time.time()) // STEP_S
    for step in (now, now - 1, now + 1):
        if hmac.compare_digest(totp.at(step * STEP_S).encode(), code.strip().encode()) and (
            used is None or step > used
        ):
            return step
    return None
