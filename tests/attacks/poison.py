"""Writes hostile texts where texts are kept: into declarations, and into every column of text of a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import psycopg
from knock import SCOPE
from psycopg import sql

from layers.database import Database
from layers.declare.records import Text

SHOWN = "OWNED"
PAYLOAD = (
    f"{SHOWN}'\"></script></title></textarea></style><img data-owned src=x onerror=__owned=1>"
    "<script data-owned>__owned=1</script><svg data-owned onload=__owned=1></svg>"
    "<a data-owned href=javascript:__owned=1>"
)
"""Breaks out of whatever it may stand in: an attribute, a title, a field, a style, a script."""

_COLUMNS = """
select c.oid::regclass::text, a.attname::text, format_type(a.atttypid, null), exists (select from pg_attribute as g
    where g.attrelid = c.oid and g.attname = case c.relname when 'grid' then 'code' else 'grid_code' end)
from pg_class as c
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
where c.relkind in ('r', 'p') and not c.relispartition and a.atttypid in ('text'::regtype, 'jsonb'::regtype)
    and c.relnamespace::regnamespace::text in ('ops', 'pub', 'auth', 'vault')
    and not exists (select from pg_index as i where i.indrelid = c.oid and i.indisunique and a.attnum = any(i.indkey))
    and not exists (select from pg_constraint as f where f.conrelid = c.oid and f.contype = 'f'
        and a.attnum = any(f.conkey))
order by 1, 2
"""
"""Tables and their columns of texts that name no row."""

HIDDEN = ("ops.transition", "auth.account.argon2_hash")
"""Shown nowhere."""

_IS_TEXT = "select exists (select from {} where {} ~ '[^a-z0-9_.:,-]'), exists (select from {} where {} is not null)"
_WRITE = "update {} set {} = (%s::text[])[1 + abs(hashtext(ctid::text)) %% %s] || coalesce({}, '') where {}"
_WRITE_PARTS = """
update {} set {} = (select jsonb_object_agg(key, case
    when jsonb_typeof(value) = 'string' and value #>> '{{}}' ~ '[^a-z0-9_.:,-]'
    then to_jsonb((%s::text[])[1 + abs(hashtext(ctid::text)) %% %s] || (value #>> '{{}}')) else value end)
    from jsonb_each({}))
where jsonb_typeof({}) = 'object' and {} <> '{{}}' and {}
"""


def poison(db: Database, texts: Sequence[str], only: str = "") -> list[str]:
    """Put a text before what each column of texts has, row by row another; columns whose rules refuse it stay.

    Of tables by grid, those rows that the attacker sees; `only` is how the names of tables begin. Keys, codes and
    numbers written as texts stay too: they lead to what is shown and are not shown themselves. Returned are the columns
    that hold it now.
    """
    done = []
    with db.connect("admin") as admin:
        admin.execute("set session_replication_role = replica")
        for table, column, kind, is_by_grid in admin.execute(_COLUMNS).fetchall():
            if table.startswith(only) and not f"{table}.{column}".startswith(HIDDEN):
                try:
                    with admin.transaction():
                        if _write(admin, table, column, kind, _within(table) if is_by_grid else sql.SQL("true"), texts):
                            done.append(f"{table}.{column}")
                except (psycopg.IntegrityError, psycopg.DataError):
                    continue
    return done


def _within(table: str) -> sql.Composed:
    name = sql.Identifier("code" if table == "pub.grid" else "grid_code")
    return sql.SQL("({0} ^@ {1} or {1} ^@ {0})").format(name, sql.Literal(SCOPE))


def _write(
    admin: psycopg.Connection[Any], table: str, column: str, kind: str, within: sql.Composable, texts: Sequence[str]
) -> bool:
    name, at = sql.SQL(table), sql.Identifier(column)
    if kind == "jsonb":
        statement = sql.SQL(_WRITE_PARTS).format(name, at, at, at, at, within)
        return admin.execute(statement, [list(texts), len(texts)]).rowcount > 0
    row = admin.execute(sql.SQL(_IS_TEXT).format(name, at, name, at)).fetchone()
    if row is None or (row[1] and not row[0] and column not in ("name", "label")):
        return False
    return admin.execute(sql.SQL(_WRITE).format(name, at, at, within), [list(texts), len(texts)]).rowcount > 0


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
