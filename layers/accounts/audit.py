"""The audit: entries written and never changed, and the chain of digests that shows it.

Each minute the entries that are new are sealed: the head of the chain is the digest of the former head and of these
entries. Heads are kept in the database and in a file outside it, so that whoever can change the database and not the
file is found out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from layers.access import Actor, Scope
from layers.identifiers import without_numbers

Connection = psycopg.Connection[Any]

_LOCK = 4_490_007
"""Writers share it; the sealer takes it alone."""

_TEXT = "select id, row_to_json(e)::text from audit.entry as e where id > %s and id <= %s order by id"


@dataclass(frozen=True)
class Entry:
    """One thing that was done."""

    id: int
    at: datetime
    kind: str
    account: str | None
    role: str | None
    scope: str | None
    subject: str | None
    detail: Mapping[str, Any]


def write(connection: Connection, kind: str, actor: Actor | None, subject: str | None, **detail: Any) -> None:
    """Write an entry as the door, in the transaction under way; the actor is None where nobody is known."""
    connection.execute(
        "select audit.write(%s, %s, %s, %s, %s, %s)",
        [
            kind,
            actor and actor.account,
            actor and actor.role,
            actor and actor.scope.code,
            without_numbers(subject),
            Jsonb(without_numbers(detail)),
        ],
    )


def note(connection: Connection, kind: str, subject: str | None, **detail: Any) -> None:
    """Write an entry as the web, in the name of the session whose token the transaction carries.

    Commit it before the read that it is about: an entry in the same transaction goes with it when it is rolled back.
    """
    connection.execute("select pub.note(%s, %s, %s)", [kind, without_numbers(subject), Jsonb(without_numbers(detail))])


def note_load(connection: Connection, kind: str, run_by: str | None, subject: str | None, **detail: Any) -> None:
    """Write an entry as the loader: a release, or what somebody who runs it looks at or takes away.

    Commit it before a read that it is about; a release is written in its own transaction.
    """
    connection.execute("select raw.note(%s, %s, %s, %s)", [kind, run_by, subject, Jsonb(detail)])


def read_entries(
    connection: Connection,
    *,
    kind: str | None = None,
    account: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    within: Scope | None = None,
    before: int | None = None,
    limit: int = 200,
) -> list[Entry]:
    """Read entries as the door, the latest first; with `within` those of who acted inside a scope.

    Those `before` an entry, by its number, come next where there are more than the limit.
    """
    rows = connection.execute(
        "select id, at, kind, account, role, scope, subject, detail from audit.entry"
        " where (%(kind)s::text is null or kind = %(kind)s) and (%(account)s::text is null or account = %(account)s)"
        " and (%(since)s::timestamptz is null or at >= %(since)s)"
        " and (%(until)s::timestamptz is null or at < %(until)s)"
        " and (%(low)s::text is null or scope >= %(low)s and scope < %(high)s)"
        " and (%(before)s::bigint is null or id < %(before)s) order by id desc limit %(most)s",
        {"before": before, "kind": kind, "account": account, "since": since, "until": until, "most": limit}
        | _range(within),
    ).fetchall()
    return [Entry(*row) for row in rows]


def read_looked(connection: Connection, subject: bytes) -> list[Entry]:
    """Read who opened or changed what of a person, as the door, the first first; `subject` is `vault.person`'s.

    Where the ID number was corrected, that under the former one too.
    """
    rows = connection.execute(
        "with recursive known (subject) as (select %s union select 'person ' || (e.detail ->> 'before')"
        " from audit.entry as e join known as k on e.subject = k.subject where e.kind = 'person_change'"
        " and e.detail ? 'before')"
        " select id, at, kind, account, role, scope, subject, detail from audit.entry"
        " where kind in ('person_read', 'person_change') and subject in (select subject from known) order by id",
        [f"person {subject.hex()}"],
    ).fetchall()
    return [Entry(*row) for row in rows]


def read_most(
    connection: Connection,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    kind: str | None = None,
    within: Scope | None = None,
    limit: int = 20,
) -> list[tuple[str, str, int]]:
    """Read who asked most, of one kind or of all: account, kind and how often, the most first."""
    return connection.execute(
        "select coalesce(account, ''), kind, count(*)::integer from audit.entry"
        " where (%(since)s::timestamptz is null or at >= %(since)s)"
        " and (%(until)s::timestamptz is null or at < %(until)s)"
        " and (%(kind)s::text is null or kind = %(kind)s)"
        " and (%(low)s::text is null or scope >= %(low)s and scope < %(high)s)"
        " group by 1, 2 order by 3 desc, 1, 2 limit %(most)s",
        {"since": since, "until": until, "kind": kind, "most": limit} | _range(within),
    ).fetchall()


def _range(within: Scope | None) -> dict[str, str | None]:
    return {"low": within.low, "high": within.high} if within else {"low": None, "high": None}


def seal(connection: Connection, heads: Path) -> int:
    """Seal the entries that are new, write the head beside, and return how many they were; 0 seals nothing."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        number, last, head = connection.execute(
            "select seal_no, last_id, head from audit.seal order by seal_no desc limit 1"
        ).fetchone() or (0, 0, b"")
        newest = connection.execute("select coalesce(max(id), 0) from audit.entry").fetchone()
        until = newest[0] if newest else 0
        rows = connection.execute(_TEXT, [last, until]).fetchall()
        if not rows:
            return 0
        digest = _chained(bytes(head), [text for _, text in rows])
        connection.execute(
            "insert into audit.seal (seal_no, at, last_id, n, head) values (%s, clock_timestamp(), %s, %s, %s)",
            [number + 1, until, len(rows), digest],
        )
        heads.parent.mkdir(parents=True, exist_ok=True)
        # before the commit: a head too many is harmless, one lost is not
        with heads.open("a", encoding="ascii") as out:
            out.write(f"{number + 1} {digest.hex()}\n")
    return len(rows)


def verify(connection: Connection, heads: Path) -> Iterator[str]:
    """Yield a sentence for everything that is not as it was sealed; nothing when all is."""
    kept: dict[int, set[str]] = {}
    for line in heads.read_text("ascii").splitlines() if heads.exists() else []:
        said, _, kept_head = line.partition(" ")
        kept.setdefault(int(said), set()).add(kept_head)
    last, head, known = 0, b"", 0
    for number, at, last_id, n, sealed in connection.execute(
        "select seal_no, at, last_id, n, head from audit.seal order by seal_no"
    ).fetchall():
        known += 1
        rows = connection.execute(_TEXT, [last, last_id]).fetchall()
        digest = _chained(head, [text for _, text in rows])
        if number != known:
            yield f"Seal {known} is missing."
            known = number
        if len(rows) != n:
            yield f"Seal {number} of {at:%Y-%m-%d %H:%M} covers {n} entries, and there are {len(rows)}."
        if digest != bytes(sealed):
            yield f"Entries {last + 1} to {last_id} are not as they were sealed at {at:%Y-%m-%d %H:%M}."
        if bytes(sealed).hex() not in kept.get(number, set()):
            yield f"Seal {number} is not the one kept in {heads.name}."
        last, head = last_id, bytes(sealed)
    if kept and max(kept) > known:
        yield f"{heads.name} has {max(kept)} seals, the database {known}: the later ones were removed."


def _chained(head: bytes, texts: list[str]) -> bytes:
    digest = hashlib.sha256(head)
    for text in texts:
        digest.update(text.encode() + b"\n")
    return digest.digest()
