"""Sealing anew what is kept sealed, after the key was renewed: batch by batch, each a transaction of its own.

It may be interrupted at any moment and run again; what has been sealed anew is passed over. Nothing is unsealed in the
database: values come here sealed, and go back sealed.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from layers.database import Database
from layers.identifiers import masks
from layers.seal import Sealer
from layers.secrets import Role

Connection = psycopg.Connection[Any]
Rows = Sequence[tuple[Any, ...]]

SEALED = ("name_sealed", "number_sealed", "phone_sealed")
"""Columns of an identity that hold one value each; the mask is made of them."""

ELEMENTS = ("vault.person", "ops.event", "ops.place", "ops.thing", "ops.organisation")
"""Tables whose `attrs` may hold an address, sealed."""

_ADDRESS_LEFT = (
    "select town_code, id, attrs ->> '_address' from {table} where attrs ? '_address' and"
    " substring(decode(attrs ->> '_address', 'base64') from 1 for length(%(head)s)) <> %(head)s"
    " order by id, town_code limit %(n)s"
)
_ADDRESS_SET = (
    "update {table} as t set attrs = t.attrs || jsonb_build_object('_address', n.sealed)"
    " from unnest(%s::text[], %s::bigint[], %s::text[]) as n (town_code, id, sealed)"
    " where t.town_code = n.town_code and t.id = n.id"
)


@dataclass(frozen=True)
class Store:
    """A place where sealed values are kept: how those left are found, sealed anew, and put back."""

    name: str
    role: Role
    left: str
    """Rows not sealed with the key whose head and id are given; at most n."""
    seal: Callable[[Sealer, Rows], list[Sequence[Any]]]
    """Columns for `put`."""
    put: str


def stores() -> list[Store]:
    """Every place where values are kept sealed with the identity key."""
    return [
        Store(
            "vault.identity",
            "loader",
            "select town_code, id, name_sealed, number_sealed, phone_sealed from vault.identity"
            " where key_id <> %(key_id)s order by town_code, id limit %(n)s",
            _identities,
            "update vault.identity as t set name_sealed = n.name_sealed, number_sealed = n.number_sealed,"
            " phone_sealed = n.phone_sealed, mask_sealed = n.mask_sealed, key_id = n.key_id"
            " from unnest(%s::text[], %s::bigint[], %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[], %s::text[])"
            " as n (town_code, id, name_sealed, number_sealed, phone_sealed, mask_sealed, key_id)"
            " where t.town_code = n.town_code and t.id = n.id",
        ),
        Store(
            "vault.past",
            "loader",
            "select town_code, id, identity from vault.past"
            " where identity is not null and identity ->> 'key_id' <> %(key_id)s order by town_code, id"
            " limit %(n)s",
            _past,
            "update vault.past as t set identity = n.identity"
            " from unnest(%s::text[], %s::bigint[], %s::jsonb[]) as n (town_code, id, identity)"
            " where t.town_code = n.town_code and t.id = n.id",
        ),
        Store(
            "raw.quarantine",
            "loader",
            "select id, row_sealed from raw.quarantine"
            " where substring(row_sealed from 1 for length(%(head)s)) <> %(head)s order by id limit %(n)s",
            _single,
            "update raw.quarantine as t set row_sealed = n.sealed from unnest(%s::bigint[], %s::bytea[])"
            " as n (id, sealed) where t.id = n.id",
        ),
        Store(
            "raw.amendment",
            "loader",
            "select dataset, source_key, field, value_sealed from raw.amendment"
            " where substring(value_sealed from 1 for length(%(head)s)) <> %(head)s"
            " order by dataset, source_key, field limit %(n)s",
            _amendments,
            "update raw.amendment as t set value_sealed = n.sealed"
            " from unnest(%s::text[], %s::text[], %s::text[], %s::bytea[]) as n (dataset, source_key, field, sealed)"
            " where t.dataset = n.dataset and t.source_key = n.source_key and t.field = n.field",
        ),
        Store(
            "auth.account",
            "door",
            "select account, totp_sealed from auth.account"
            " where substring(totp_sealed from 1 for length(%(head)s)) <> %(head)s order by account limit %(n)s",
            _single,
            "update auth.account as t set totp_sealed = n.sealed from unnest(%s::text[], %s::bytea[])"
            " as n (account, sealed) where t.account = n.account",
        ),
        *(
            Store(table, "loader", _ADDRESS_LEFT.format(table=table), _addresses, _ADDRESS_SET.format(table=table))
            for table in ELEMENTS
        ),
    ]


def reseal(
    database: Database, sealer: Sealer, say: Callable[[str], None] = print, *, batch: int = 5000
) -> dict[str, int]:
    """Seal everything anew that is not sealed with the present key; return how many rows of each store it was."""
    done: dict[str, int] = {}
    for store in stores():
        with database.connect(store.role) as connection:
            while n := _batch(connection, sealer, store, batch):
                done[store.name] = done.get(store.name, 0) + n
                say(f"{store.name}: {done[store.name]:,} rows sealed anew")
    return done


def left(database: Database, sealer: Sealer) -> list[str]:
    """Name the stores that hold something sealed with a key of before."""
    found = []
    for store in stores():
        with database.connect(store.role) as connection:
            if connection.execute(store.left.encode(), _asked(sealer, 1)).fetchone():
                found.append(store.name)
    return found


def _batch(connection: Connection, sealer: Sealer, store: Store, batch: int) -> int:
    with connection.transaction():
        rows = connection.execute(f"{store.left} for update".encode(), _asked(sealer, batch)).fetchall()
        if rows:
            connection.execute(store.put.encode(), store.seal(sealer, rows))
    return len(rows)


def _asked(sealer: Sealer, n: int) -> dict[str, Any]:
    return {"key_id": sealer.key_id, "head": sealer.head, "n": n}


def _opened(sealer: Sealer, sealed: Sequence[bytes | None]) -> list[str | None]:
    return [None if one is None else sealer.open(bytes(one)) for one in sealed]


def _identities(sealer: Sealer, rows: Rows) -> list[Sequence[Any]]:
    town, row_id, *sealed = (list(column) for column in zip(*rows, strict=True))
    opened = [_opened(sealer, column) for column in sealed]
    shown = masks(dict(zip(("name", "number", "phone"), opened, strict=True)), len(rows))
    columns = [sealer.seal_column(column) for column in opened]
    return [town, row_id, *columns, sealer.seal_column(shown), [sealer.key_id] * len(rows)]


def _past(sealer: Sealer, rows: Rows) -> list[Sequence[Any]]:
    """Versions of before: the same columns, as hexadecimal text inside JSON."""
    kept = [dict(row[2]) for row in rows]
    for name in (*SEALED, "mask_sealed"):
        opened = _opened(sealer, [bytes.fromhex(one[name][2:]) if one.get(name) else None for one in kept])
        for one, sealed in zip(kept, sealer.seal_column(opened), strict=True):
            one[name] = None if sealed is None else "\\x" + sealed.hex()
    for one in kept:
        one["key_id"] = sealer.key_id
    return [[row[0] for row in rows], [row[1] for row in rows], [Jsonb(one) for one in kept]]


def _single(sealer: Sealer, rows: Rows) -> list[Sequence[Any]]:
    return [[row[0] for row in rows], sealer.seal_column(_opened(sealer, [row[1] for row in rows]))]


def _amendments(sealer: Sealer, rows: Rows) -> list[Sequence[Any]]:
    *key, sealed = (list(column) for column in zip(*rows, strict=True))
    return [*key, sealer.seal_column(_opened(sealer, sealed))]


def _addresses(sealer: Sealer, rows: Rows) -> list[Sequence[Any]]:
    sealed = sealer.seal_column(_opened(sealer, [b64decode(row[2]) for row in rows]))
    return [[row[0] for row in rows], [row[1] for row in rows], [b64encode(one or b"").decode() for one in sealed]]
