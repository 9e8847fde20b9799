"""Who is asking: the session of the request under way, set by the guard and by nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from layers.accounts.sessions import Session
from layers.errors import AccessError

_VISITOR: ContextVar[Session | None] = ContextVar("visitor", default=None)


def visitor() -> Session:
    """The session of the request under way.

    Raises
    ------
    AccessError
        Nobody is signed in.
    """
    session = _VISITOR.get()
    if session is None:
        raise AccessError("Nobody is signed in.", "Sign in first.")
    return session


@contextmanager
def visiting(session: Session | None) -> Iterator[None]:
    """Let what runs inside, threads included, know who asks."""
    token = _VISITOR.set(session)
    try:
        yield
    finally:
        _VISITOR.reset(token)
