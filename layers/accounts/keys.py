"""Keys of other systems: a hotline, a village platform, an Open311 client. Of a key only its digest is kept.

A key sends reports into one dataset by one channel, inside a scope, and reads what became of them. At most one key is
open: whoever comes without a key reads as its holder, other people's words and exact places left out, and sends
nothing. There is no open key until somebody adds one.
"""

from __future__ import annotations

import secrets as chance
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from layers.access import Scope
from layers.accounts import audit
from layers.accounts.records import NAME
from layers.accounts.sessions import digest
from layers.cases import DATASET
from layers.declare.records import Catalog
from layers.errors import AtlasError, UnknownNameError

Connection = psycopg.Connection[Any]

OPEN311 = "open311"
"""Channel whose dataset several senders share, so that the sender's name stands before each number."""

_LIST = "select name, channel, dataset, scope, is_open, is_disabled, made_at from auth.key order by name"


@dataclass(frozen=True)
class Key:
    """One key, as lists show it."""

    name: str
    channel: str
    dataset: str
    scope: str
    is_open: bool
    is_disabled: bool
    made_at: datetime


def list_keys(door: Connection) -> list[Key]:
    """List all keys, ordered by name."""
    with door.cursor(row_factory=class_row(Key)) as cursor:
        return cursor.execute(_LIST).fetchall()


def add_key(
    door: Connection,
    catalog: Catalog,
    name: str,
    *,
    channel: str = OPEN311,
    scope: str | None = None,
    is_open: bool = False,
) -> str:
    """Add a key and return it; it is kept nowhere.

    Parameters
    ----------
    door
        As door.
    catalog
        The declarations: a dataset with this `channel` takes what comes by it.
    name
        Whose key it is.
    channel
        open311, or a channel that a dataset of events declares.
    scope
        Grid it may report in and read; the whole city when left out.
    is_open
        Whoever comes without a key reads as its holder.

    Raises
    ------
    AtlasError
        The name makes no sense or is taken, or another key is open.
    UnknownNameError
        No dataset of events takes what comes by this channel.
    """
    if not NAME.fullmatch(name):
        raise AtlasError(
            f"{name!r} cannot be the name of a key.", "It takes 2 to 64 small letters, digits, dots and dashes."
        )
    channels = channels_of(catalog)
    if channel not in channels:
        raise UnknownNameError("channel", channel, channels)
    within = Scope(catalog.city.code).within(scope)
    known = {one.name: one for one in list_keys(door)}
    if name in known:
        raise AtlasError(f"There is a key called {name} already.", "Choose another name; a key lost is made anew.")
    other = next((one.name for one in known.values() if one.is_open and not one.is_disabled), None)
    if is_open and other:
        raise AtlasError(f"The key {other} is open, and one is enough.", f"`python -m mapapp key disable {other}`.")
    secret = chance.token_urlsafe(32)
    door.execute(
        "insert into auth.key (name, key_hash, channel, dataset, scope, is_open, is_disabled, made_at)"
        " values (%s, %s, %s, %s, %s, %s, false, now())",
        [name, digest(secret), channel, channels[channel], within.code, is_open],
    )
    audit.write(door, "account", None, f"key {name}", done="added", scope=within.code, channel=channel, open=is_open)
    return secret


def disable_key(door: Connection, name: str) -> None:
    """Disable a key: from now on it opens nothing. What came by it stays.

    Raises
    ------
    UnknownNameError
        There is none of that name.
    """
    if door.execute("update auth.key set is_disabled = true where name = %s", [name]).rowcount == 0:
        raise UnknownNameError("key", name, [one.name for one in list_keys(door)])
    audit.write(door, "account", None, f"key {name}", done="disabled")


def channels_of(catalog: Catalog) -> dict[str, str]:
    """Dataset that takes what comes by each channel."""
    return {OPEN311: DATASET} | {one.channel: one.key for one in catalog.datasets.values() if one.channel}
