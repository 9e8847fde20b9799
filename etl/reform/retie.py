"""Rows and the grids of another edition: which grid each lies in there, and how rows are moved to it.

A row with a point is told by that edition's own index. The rest follow the succession of the grid they are known in;
where that was split, to the grid above all parts, and each part gets its share of the counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from psycopg import sql

from etl import binary
from etl.copying import Connection, copy_in, table_name
from etl.tree import GridTree
from layers.tables import metadata

ELEMENTS = ("ops.event", "ops.place", "ops.thing", "ops.organisation", "vault.person")
"""Tables of rows that may have a place of their own."""

OTHERS = ("ops.measure", "ops.visit", "ops.grid_worker")
"""Tables of rows that are known by a grid only."""

_TEMPORARY = """
create temp table if not exists tie
    (id bigint, grid_no int, is_point boolean, unsure text collate "C") on commit drop;
create temp table if not exists became
    (old_code text collate "C", grid_no int, is_sure boolean) on commit drop;
create temp table if not exists shares
    (old_code text collate "C", grid_no int, weight double precision) on commit drop;
create temp table if not exists since
    (old_code text collate "C", new_code text collate "C") on commit drop;
truncate tie, became, shares, since;
"""

_POINTS = """
copy (
    select id, st_x(p), st_y(p)
    from (
        select id, case when geometrytype(geom) = 'POINT' then geom else st_pointonsurface(geom) end as p
        from {table} where geom is not null and {rows}
    ) as one
    where not st_isempty(p)
) to stdout (format binary)
"""
_POINT = np.dtype(
    [("n", ">i2"), ("wi", ">i4"), ("id", ">i8"), ("wx", ">i4"), ("x", ">f8"), ("wy", ">i4"), ("y", ">f8")]
)
_HEADER, _BLOCK = 19, 1 << 24

_FORMER = """
insert into tie
select f.id, g.grid_no, false, null
from ops.former_grid f
join {table} t on t.id = f.id
join since s on s.old_code = f.grid_code and s.new_code = t.grid_code
join pub.grid g on g.edition = f.edition and g.code = f.grid_code
where f.edition = {edition} and {rows} and not exists (select from tie i where i.id = f.id)
"""

_UNSURE = """
insert into tie
select t.id, b.grid_no, false, b.old_code
from ops.former_grid f
join became b on b.old_code = f.grid_code and not b.is_sure
join {table} t on t.id = f.id
join pub.grid g on g.grid_no = b.grid_no and g.edition = t.edition and g.code = t.grid_code
where f.edition = {edition} and {rows}
"""

_REST = """
insert into tie
select t.id, b.grid_no, false, case when not b.is_sure then b.old_code end
from {table} t join became b on b.old_code = t.grid_code
where {rows} and not exists (select from tie i where i.id = t.id)
"""

_REMEMBER = """
insert into ops.former_grid (town_code, id, edition, grid_code)
select t.town_code, t.id, t.edition, t.grid_code
from {table} t join tie i on i.id = t.id
where not i.is_point and length(t.grid_code) > 4
"""

_IN_PLACE = """
update {table} t set grid_code = g.code, edition = g.edition {tied_by}
from tie i join pub.grid g using (grid_no)
where t.id = i.id and t.town_code = left(rpad(g.code, 9, '0'), 9)
"""

_MOVED = """
insert into {table} ({columns}) select {values}
from {table} t join tie i on i.id = t.id join pub.grid g using (grid_no) where t.edition <> g.edition
"""

_MOVED_WITH = """
insert into {child} ({columns}) select {values}
from {child} c join tie i on i.id = c.{key} join pub.grid g using (grid_no)
where c.town_code <> left(rpad(g.code, 9, '0'), 9)
"""

_LEFT_BEHIND = """
delete from {child} c using tie i join pub.grid g using (grid_no)
where i.id = c.{key} and c.town_code <> left(rpad(g.code, 9, '0'), 9)
"""

_CASES = """
select ops.carry_events(
    array_agg(t.id order by t.id), array_agg(t.town_code order by t.id),
    array_agg(left(rpad(g.code, 9, '0'), 9) order by t.id)
)
from ops.event t join tie i on i.id = t.id join pub.grid g using (grid_no) where t.edition <> g.edition
"""

_LEFT = """
delete from {table} t using tie i join pub.grid g using (grid_no) where t.id = i.id and t.edition <> g.edition
"""

_READINGS = """
insert into ops.reading (town_code, id, dataset, thing_key, measure, read_at, value, delivery_id)
select left(rpad(g.code, 9, '0'), 9), r.id, r.dataset, r.thing_key, r.measure, r.read_at, r.value, r.delivery_id
from ops.reading r
join ops.thing t on t.dataset = r.dataset and t.source_key = r.thing_key and t.town_code = r.town_code
join tie i on i.id = t.id join pub.grid g using (grid_no)
where t.edition <> g.edition
"""

_READINGS_LEFT = """
delete from ops.reading r using ops.thing t join tie i on i.id = t.id join pub.grid g using (grid_no)
where t.dataset = r.dataset and t.source_key = r.thing_key and t.town_code = r.town_code and t.edition <> g.edition
"""

_REGISTERED = """
update raw.source_registry r set town_code = left(rpad(g.code, 9, '0'), 9)
from {table} t join tie i on i.id = t.id join pub.grid g using (grid_no)
where r.dataset = t.dataset and r.source_key = t.source_key and r.town_code <> left(rpad(g.code, 9, '0'), 9)
"""

_LINKED = """
update ops.link l set to_town_code = left(rpad(g.code, 9, '0'), 9) from tie i join pub.grid g using (grid_no)
where l.to_id = i.id and l.to_town_code <> left(rpad(g.code, 9, '0'), 9)
"""


WALKS = """
update ops.grid_worker w set walks = (
    select array_agg(distinct coalesce(g.code, one.code) order by coalesce(g.code, one.code))
    from unnest(w.walks) as one (code)
    left join became b on b.old_code = one.code and b.is_sure
    left join pub.grid g on g.grid_no = b.grid_no
)
where w.walks <> '{}'
"""
"""Has the grid workers walk what their grids became, as far as that is certain."""


def stage_succession(connection: Connection, numbers: dict[str, int], sure: pd.DataFrame, shares: pd.DataFrame) -> None:
    """Lay down, for the transaction under way, what becomes of each old code; `numbers` are those of the new grids."""
    connection.execute(_TEMPORARY.encode())
    unsure = shares[shares["old_code"].isin(sure.loc[~sure["is_sure"], "old_code"])]
    for table, frame in (("became", sure), ("shares", unsure)):
        fields: dict[str, binary.Field] = {
            "old_code": binary.text(pa.array(frame["old_code"].tolist(), pa.string())),
            "grid_no": binary.integer(np.array([numbers[code] for code in frame["new_code"]], np.int64), 4),
        }
        if table == "became":
            fields["is_sure"] = binary.boolean(frame["is_sure"].to_numpy(bool))
        else:
            fields["weight"] = binary.double(frame["weight"].to_numpy(float))
        copy_in(connection, table, fields, len(frame))
        connection.execute(sql.SQL("analyze {}").format(sql.Identifier(table)))


def stage_since(connection: Connection, sure: pd.DataFrame) -> None:
    """Lay down what the codes of the edition staged for have become since: who is still there has not moved."""
    fields: dict[str, binary.Field] = {
        "old_code": binary.text(pa.array(sure["old_code"].tolist(), pa.string())),
        "new_code": binary.text(pa.array(sure["new_code"].tolist(), pa.string())),
    }
    copy_in(connection, "since", fields, len(sure))
    connection.execute("analyze since")


def stage_unsure(connection: Connection, table: str, edition: int, dataset: str) -> int:
    """Find the rows of a dataset that stand above the parts of the grid they were known in, in an earlier edition."""
    connection.execute("truncate tie")
    rows = sql.SQL("t.dataset = {}").format(sql.Literal(dataset))
    parts = {"table": table_name(table), "rows": rows, "edition": sql.Literal(edition)}
    return connection.execute(sql.SQL(_UNSURE).format(**parts)).rowcount


def stage_ties(connection: Connection, table: str, tree: GridTree, dataset: str | None = None) -> tuple[int, int]:
    """Find the grid of an edition for every row of a table, or of one dataset in it; those of a point, and the rest."""
    connection.execute("truncate tie")
    rows = sql.SQL("true") if dataset is None else sql.SQL("dataset = {}").format(sql.Literal(dataset))
    parts = {"table": table_name(table), "rows": rows, "edition": sql.Literal(tree.edition)}
    n_points = 0
    if table in ELEMENTS:
        located = [_located(tree, block) for block in _points(connection, sql.SQL(_POINTS).format(**parts))]
        for ids, grids in located:
            n = len(ids)
            fields: dict[str, binary.Field] = {
                "id": binary.integer(ids, 8),
                "grid_no": binary.integer(grids, 4),
                "is_point": binary.boolean(np.ones(n, bool)),
            }
            n_points += copy_in(connection, "tie", fields, n)
        connection.execute("analyze tie")
        connection.execute(sql.SQL(_FORMER).format(**parts))
    n_rest = connection.execute(sql.SQL(_REST).format(**parts)).rowcount
    connection.execute("analyze tie")
    return n_points, n_rest


def retie(connection: Connection, table: str) -> int:
    """Move the rows of a table to the grids staged for them, with all that hangs on them; return how many changed town.

    What a row was tied to is remembered where no point would tell it again.
    """
    name, columns = table_name(table), [column.name for column in metadata.tables[table].columns]
    run = connection.execute
    if table in ELEMENTS and table.startswith("ops."):
        run(sql.SQL(_REMEMBER).format(table=name))
    by_point = sql.SQL(", tied_by = case when i.is_point then 'point' else t.tied_by end")
    tied_by = by_point if "tied_by" in columns else sql.SQL("")
    if "source_key" in columns:
        run(sql.SQL(_REGISTERED).format(table=name))
    run(sql.SQL(_IN_PLACE).format(table=name, tied_by=tied_by))
    told = {
        "town_code": sql.SQL("left(rpad(g.code, 9, '0'), 9)"),
        "grid_code": sql.SQL("g.code"),
        "edition": sql.SQL("g.edition"),
    }
    if "tied_by" in columns:
        told["tied_by"] = sql.SQL("case when i.is_point then 'point' else t.tied_by end")
    moved = run(
        sql.SQL(_MOVED).format(
            table=name,
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            values=sql.SQL(", ").join(told.get(column, sql.Identifier("t", column)) for column in columns),
        )
    ).rowcount
    if moved:
        if table == "ops.event":
            run(_CASES)
        for child, key in (("vault.identity", "id"), ("ops.link", "from_id")):
            _move_child(connection, child, key)
        if table == "ops.thing":
            run(_READINGS)
            run(_READINGS_LEFT)
        run(_LINKED)
    run(sql.SQL(_LEFT).format(table=name))
    return int(moved)


def _move_child(connection: Connection, child: str, key: str) -> None:
    columns = [column.name for column in metadata.tables[child].columns]
    town = sql.SQL("left(rpad(g.code, 9, '0'), 9)")
    connection.execute(
        sql.SQL(_MOVED_WITH).format(
            child=table_name(child),
            key=sql.Identifier(key),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            values=sql.SQL(", ").join(
                town if column == "town_code" else sql.Identifier("c", column) for column in columns
            ),
        )
    )
    connection.execute(sql.SQL(_LEFT_BEHIND).format(child=table_name(child), key=sql.Identifier(key)))


def _points(connection: Connection, statement: sql.Composed) -> Iterator[np.ndarray]:
    """Rows of id, x and y, block by block, as binary COPY sends them."""
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        held, skip = bytearray(), _HEADER
        for block in copy:
            held += bytes(block)
            if len(held) > _BLOCK:
                n = (len(held) - skip) // _POINT.itemsize
                yield np.frombuffer(bytes(held[skip : skip + n * _POINT.itemsize]), _POINT)
                del held[: skip + n * _POINT.itemsize]
                skip = 0
        n = max(0, (len(held) - skip) // _POINT.itemsize)
        yield np.frombuffer(bytes(held[skip : skip + n * _POINT.itemsize]), _POINT)


def _located(tree: GridTree, points: np.ndarray) -> tuple[Any, Any]:
    """Ids of the points that lie in a grid, and the numbers of those grids."""
    found = tree.index.locate(points["x"].astype(float), points["y"].astype(float))
    inside = found >= 0
    return points["id"][inside].astype(np.int64), tree.numbers[tree.of_index[found[inside]]]
