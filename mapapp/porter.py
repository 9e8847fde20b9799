"""The porter: keeps accounts and sessions by the database's login `door`, which sees no data of the map."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from layers.access import AccountRole
from layers.accounts import audit
from layers.accounts.provider import Provider, account_of
from layers.accounts.records import add_first_account, find_account, keep_demo_accounts
from layers.accounts.sessions import Session, end_session, open_among, open_session, read_session
from layers.accounts.sign_in import check_password
from layers.atlas import Atlas
from layers.seal import Sealer
from layers.secrets import read_secrets
from layers.settings import Settings

SAMPLE_CITY = "4499"
"""Code that no real city has: only with it is there a sign-in without a password, and on loopback only."""

REFUSED_MOST, REFUSED_FOR_S = 30, 900.0
"""Wrong attempts one address has in a quarter of an hour, whatever accounts they are for."""


class Porter:
    """Knows who is signed in, lets in, shows out."""

    def __init__(
        self,
        pool: ConnectionPool[Any],
        sealer: Sealer,
        city: str,
        departments: Sequence[str],
        heads: Path,
        *,
        is_demo: bool,
        two_factors: Sequence[str] = (),
        provider: Provider | None = None,
    ) -> None:
        self.city, self.departments, self.sealer = city, tuple(departments), sealer
        self.is_demo = is_demo and city == SAMPLE_CITY
        self._pool, self._heads = pool, heads
        self._two_factors = frozenset(two_factors)
        self._refused = Refused()
        self.provider = provider

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection as role `door`; what is done on it is committed at the end."""
        with self._pool.connection() as connection:
            yield connection

    def open(self) -> None:
        """Open the pool and have the accounts of the demonstration, or have none that can be used."""
        self._pool.open()
        with self.connection() as connection:
            keep_demo_accounts(connection, self.city, self.departments, is_demo=self.is_demo)

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()

    def __enter__(self) -> Porter:
        """Open the pool."""
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the pool."""
        self.close()

    def add_first(self) -> str | None:
        """Add the first account where there is none, and return its password."""
        with self.connection() as connection:
            return add_first_account(connection, self.city)

    def read(self, token: str | None) -> Session | None:
        """Read the session of a cookie; None where there is none."""
        if not token or len(token) > 128 or not token.isascii():
            return None
        with self.connection() as connection:
            session = read_session(connection, token)
        return None if session is not None and session.is_demo and not self.is_demo else session

    def open_among(self, tokens: Collection[str]) -> set[str]:
        """Tell which of the tokens of streams still have a session; all of them at one look."""
        with self.connection() as connection:
            found = open_among(connection, tokens)
        return {token for token, is_demo in found.items() if self.is_demo or not is_demo}

    def lacks_factor(self, session: Session) -> bool:
        """Tell whether somebody has to set a second factor before anything else."""
        needs = session.actor.role in self._two_factors and session.kind == "person" and not session.is_demo
        return needs and not session.has_factor

    def sign_in(self, account: str, password: str, code: str, address: str, former: str | None) -> str | None:
        """Check name and password; return the token of a new session, None where anything is wrong.

        Whatever session the browser had before ends.
        """
        if self._refused.is_full(address):
            return None
        with self.connection() as connection:
            if not check_password(connection, account, password, code, self.sealer, address):
                self._refused.add(address)
                return None
            return self._renew(connection, account, address, former)

    def sign_in_by(self, claims: Mapping[str, Any], address: str, former: str | None) -> str | None:
        """Open a session for who the identity provider vouches for; None where no account is linked to them."""
        if self.provider is None:
            return None
        with self.connection() as connection:
            account = account_of(connection, self.provider.settings, claims, self._two_factors)
            return None if account is None else self._renew(connection, account, address, former)

    def is_linked(self, session: Session) -> bool:
        """Tell whether an account signs in by the identity provider."""
        with self.connection() as connection:
            row = connection.execute(
                "select subject is not null from auth.account where account = %s", [session.actor.account]
            ).fetchone()
        return self.provider is not None and row == (True,)

    def sign_in_demo(self, role: AccountRole, address: str, former: str | None) -> str | None:
        """Open a session of the demonstration's account of a role; None where this is no demonstration."""
        if not self.is_demo:
            return None
        account = f"demo.{role}"
        with self.connection() as connection:
            audit.write(connection, "sign_in", find_account(connection, account).actor, account, label="demo")
            return self._renew(connection, account, address, former)

    def sign_out(self, session: Session) -> None:
        """End a session."""
        with self.connection() as connection:
            end_session(connection, session.token)
            audit.write(connection, "sign_out", session.actor, session.actor.account)

    def seal(self) -> int:
        """Seal the audit's entries that are new; return how many they were."""
        with self.connection() as connection:
            return audit.seal(connection, self._heads)

    def _renew(self, connection: psycopg.Connection[Any], account: str, address: str, former: str | None) -> str:
        if former:
            end_session(connection, former)
        return open_session(connection, account, "person", address)


class Refused:
    """Wrong attempts of late, by address; forgets the oldest addresses when there are too many."""

    def __init__(self, room: int = 10_000) -> None:
        self._at: OrderedDict[str, list[float]] = OrderedDict()
        self._room, self._lock = room, threading.Lock()

    def is_full(self, address: str) -> bool:
        """Tell whether an address has no attempts left."""
        with self._lock:
            return len(self._late(address)) >= REFUSED_MOST

    def add(self, address: str) -> None:
        """Count a wrong attempt."""
        with self._lock:
            self._at[address] = [*self._late(address), time.monotonic()]
            self._at.move_to_end(address)
            while len(self._at) > self._room:
                self._at.popitem(last=False)

    def _late(self, address: str) -> list[float]:
        now = time.monotonic()
        return [at for at in self._at.get(address, []) if now - at < REFUSED_FOR_S]


def make_porter(atlas: Atlas, settings: Settings, *, is_demo: bool) -> Porter:
    """Make the porter of an atlas; `is_demo` offers the one-click roles, if this is the sample city."""
    return Porter(
        atlas.database.pool("door", max_size=4),
        Sealer(read_secrets(settings)),
        atlas.catalog.city.code,
        tuple(atlas.catalog.departments),
        heads_file(settings),
        is_demo=is_demo,
        two_factors=settings.two_factors,
        provider=Provider(settings.openid) if settings.openid else None,
    )


def heads_file(settings: Settings) -> Path:
    """Where the heads of the audit's chain are kept, outside the database."""
    return settings.local_dir / "audit" / "heads"
