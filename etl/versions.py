"""Versions of a row: which of two copies stands, and what became of the one that was replaced.

A row's version is its own time of update; of two copies of the same moment the one with the greater hash stands, so
that files agree whatever their order. Copies read under another declaration or tied to other grids give way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from psycopg import sql

from etl.copying import Connection, fetch, table_name
from etl.rows import GoodRows

PAST = {"vault": "vault.past", "ops": "ops.past"}
"""Where the older versions of rows of each schema are kept."""

_READ_ALIKE = """
select string_agg(int8send(t.id), '')
from unnest({ids}::bigint[], {towns}::text[]) as tied (id, town_code)
join {table} t on t.town_code = tied.town_code and t.id = tied.id
join raw.delivery d on d.id = t.delivery_id
join raw.delivery mine on mine.id = {delivery}
where (d.declaration_hash, d.edition, d.grids_version)
    = (mine.declaration_hash, mine.edition, mine.grids_version) and t.edition = mine.edition
"""

_KEEP = """
insert into {past} (town_code, grid_code, edition, dataset, source_key, of_id, delivery_id, valid_from, valid_to,
    content{identity})
select t.town_code, t.grid_code, t.edition, t.dataset, t.source_key, t.id, t.delivery_id, d.loaded_at, mine.loaded_at,
    {content}{sealed}
from {table} t
join incoming n on t.town_code = n.old_town and t.id = n.id
join raw.delivery d on d.id = t.delivery_id
join raw.delivery mine on mine.id = n.delivery_id
{join}
order by t.id
"""

_CARRY_LINKS = """
with moved as (select id, old_town, town_code from incoming where town_code <> old_town),
    taken as (
        delete from ops.link l using moved m where l.town_code = m.old_town and l.from_id = m.id
        returning m.town_code as new_town, l.id, l.from_id, l.kind, l.to_id, l.to_town_code, l.delivery_id
    )
insert into ops.link (town_code, id, from_id, kind, to_id, to_town_code, delivery_id)
select new_town, id, from_id, kind, to_id, to_town_code, delivery_id from taken order by id
"""


def worked_on(connection: Connection, found: Any) -> np.ndarray:
    """Which of the events found move by steps taken here: they go on by those, and give way to no delivery."""
    ids = found["id"].astype(np.int64)
    towns = [town.decode() for town in found["town"].tolist()]
    rows = connection.execute(
        "select n - 1 from unnest(%s::bigint[], %s::text[]) with ordinality as e (id, town_code, n)"
        " where exists (select from ops.event_step as s"
        " where s.town_code = e.town_code and s.event_id = e.id and s.step is not null)",
        [ids.tolist(), towns],
    ).fetchall()
    held = np.zeros(len(found), bool)
    held[[n for (n,) in rows]] = True
    return held


def outdated(
    connection: Connection, table: str, rows: GoodRows, found: Any, delivery_id: int, *, is_whole: bool
) -> np.ndarray:
    """Which of the rows found give way to the stored copy; `found` is what `look_up` gives for the keys of `rows`.

    By a delivery that `is_whole` a row that was gone comes back, whatever its version.
    """
    mine = rows.updated_at.cast(pa.int64()).to_numpy(zero_copy_only=False)[found["at"]]
    my_hash = rows.row_hash[found["at"]]
    stored, stored_hash = found["updated_us"].astype(np.int64), found["hash"].astype(np.int64).view(np.uint64)
    old: np.ndarray = (mine < stored) | ((mine == stored) & (my_hash == stored_hash))
    tied = (mine == stored) & (my_hash < stored_hash)
    if tied.any():
        tied[tied] = np.isin(found["id"][tied], _read_alike(connection, table, found[tied], delivery_id))
        old |= tied
    if is_whole:
        old &= found["gone"] == 0
    return old


def _read_alike(connection: Connection, table: str, found: Any, delivery_id: int) -> np.ndarray:
    """Ids of the rows that were read under the same declaration and tied to the same grids as this delivery."""
    query = sql.SQL(_READ_ALIKE).format(
        ids=sql.Literal(found["id"].tolist()),
        towns=sql.Literal([town.decode() for town in found["town"].tolist()]),
        table=table_name(table),
        delivery=sql.Literal(delivery_id),
    )
    ids: np.ndarray = fetch(connection, query, {"id": "i8"})["id"]
    return ids


def keep_past(connection: Connection, table: str, *, has_identities: bool) -> None:
    """Keep the rows that `incoming` is about to replace; names and numbers stay sealed, and in the vault."""
    is_vault = table.startswith("vault.")
    kept = [("vault" if is_vault else "ops", "to_jsonb(t)", "left join" if is_vault else "")]
    if has_identities and not is_vault:
        kept.append(("vault", "'{}'::jsonb", "join"))
    for schema, content, join in kept:
        connection.execute(
            sql.SQL(_KEEP).format(
                past=table_name(PAST[schema]),
                table=table_name(table),
                content=sql.SQL(content),
                identity=sql.SQL(", identity" if join else ""),
                sealed=sql.SQL(", to_jsonb(i)" if join else ""),
                join=sql.SQL(f"{join} vault.identity i on i.town_code = t.town_code and i.id = t.id" if join else ""),
            )
        )


def carry_links(connection: Connection) -> None:
    """Let the links of rows of `incoming` that change their town go with them; visits name a row by its id alone."""
    connection.execute(_CARRY_LINKS)
    connection.execute(
        "update ops.link l set to_town_code = m.town_code from incoming m"
        " where l.to_id = m.id and m.town_code <> m.old_town"
    )
