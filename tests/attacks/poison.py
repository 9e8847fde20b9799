"""Writes hostile texts where texts are kept: into declarations, and into every column of text of a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from layers.database import Database
from layers.declare.records import Text

_COLUMNS = """
select c.oid::regclass::text, a.attname::text, format_type(a.atttypid, null)
from pg_class as c
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
where c.relkind in ('r', 'p') and not c.relispartition and a.atttypid in ('text'::regtype, 'jsonb'::regtype)
    and c.relnamespace::regnamespace::text in ('raw', 'ops', 'pub', 'auth')
    and not exists (select from pg_index as i where i.indrelid = c.oid and i.indisunique and a.attnum = any(i.indkey))
    and not exists (select from pg_constraint as f where f.conrelid = c.oid and f.contype = 'f'
        and a.attnum = any(f.conkey))
order by 1, 2
"""
"""Tables and their columns of texts that name no row."""

_IS_TEXT = "select exists (select from {} where {} ~ '[^a-z0-9_.:,-]'), exists (select from {} where {} is not null)"
_WRITE = "update {} set {} = (%s::text[])[1 + abs(hashtext(ctid::text)) %% %s] || coalesce({}, '')"
_WRITE_PARTS = """
update {} set {} = (select jsonb_object_agg(key, case
    when jsonb_typeof(value) = 'string' and value #>> '{{}}' ~ '[^a-z0-9_.:,-]'
    then to_jsonb((%s::text[])[1 + abs(hashtext(ctid::text)) %% %s] || (value #>> '{{}}')) else value end)
    from jsonb_each({}))
where jsonb_typeof({}) = 'object' and {} <> '{{}}'
"""


def poison(db: Database, texts: Sequence[str], only: Sequence[str] = ()) -> list[str]:
    """Put a text before what each column of texts has, row by row another; columns whose rules refuse it stay.

    Keys, codes and numbers written as texts stay too: they lead to what is shown and are not shown themselves. Returned
    are the columns that hold it now.
    """
    done = []
    with db.connect("admin") as admin:
        admin.execute("set session_replication_role = replica")
        for table, column, kind in admin.execute(_COLUMNS).fetchall():
            if only and table not in only:
                continue
            name, at = sql.SQL(table), sql.Identifier(column)
            try:
                with admin.transaction():
                    if kind == "jsonb":
                        statement = sql.SQL(_WRITE_PARTS).format(name, at, at, at, at)
                    else:
                        row = admin.execute(sql.SQL(_IS_TEXT).format(name, at, name, at)).fetchone()
                        if row is None or (row[1] and not row[0]):
                            continue
                        statement = sql.SQL(_WRITE).format(name, at, at)
                    if admin.execute(statement, [list(texts), len(texts)]).rowcount:
                        done.append(f"{table}.{column}")
            except (psycopg.IntegrityError, psycopg.DataError):
                continue
    return done


def poisoned(declared: Any, text: str) -> Any:
    """Give declarations in which every text of the screen begins with a text."""
    if isinstance(declared, Text):
        return Text(text + declared.zh, text + declared.en)
    if isinstance(declared, Mapping):
        return {key: poisoned(one, text) for key, one in declared.items()}
    if isinstance(declared, tuple) and not hasattr(declared, "_fields"):
        return tuple(poisoned(one, text) for one in declared)
    if is_dataclass(declared) and not isinstance(declared, type):
        return replace(declared, **{one.name: poisoned(getattr(declared, one.name), text) for one in fields(declared)})
    return declared
