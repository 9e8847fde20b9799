"""Tombstones: who was deleted by request, so that no delivery brings them back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from etl.copying import Connection


def read_tombstones(connection: Connection) -> frozenset[bytes]:
    """Read the subjects whose rows are not taken in."""
    return frozenset(bytes(one) for (one,) in connection.execute("select subject from raw.tombstone order by 1"))


def leave_tombstones(connection: Connection, subjects: Iterable[bytes], why: str, now: datetime) -> None:
    """Leave a tombstone for each subject; one that is there stays as it is."""
    connection.execute(
        "insert into raw.tombstone (subject, made_at, why) select one, %s, %s from unnest(%s::bytea[]) as one"
        " order by one on conflict (subject) do nothing",
        [now, why, list(dict.fromkeys(subjects))],
    )
