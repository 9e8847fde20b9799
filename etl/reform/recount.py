"""Tallies of an edition worked out from the rows themselves, as they are staged in `etl.reform.retie`."""

from __future__ import annotations

from psycopg import sql

from etl.copying import Connection, table_name
from etl.reform.retie import ELEMENTS
from layers.tables import STATES
from layers.tallies import GRAINS, SCHEMAS, Grain

DIGITS: dict[Grain, tuple[int, str]] = {
    "small_month": (15, "YYYYMM"),
    "medium_day": (12, "YYYYMMDD"),
    "large_month": (9, "YYYYMM"),
}
"""Digits of the grids of each tally, and how its period is written."""

_COUNT = """
insert into {tally} (town_code, grid_no, period, dataset_no, category_no, state_no, delta_id, n)
select left(rpad(g.code, 9, '0'), 9), g.grid_no, {period}, d.dataset_no, {category}, {state}, 0, count(*)
from {table} t
join tie i on i.id = t.id
join pub.grid k on k.grid_no = i.grid_no
join pub.grid g on g.edition = k.edition and g.code = left(k.code, {digits})
join pub.dataset d on d.dataset = t.dataset
{categories}
where {sealed} and t.gone_on is null
group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
"""

_CARRY = """
insert into pub.tally_carried (town_code, grid_no, period, dataset_no, category_no, state_no, n)
select left(rpad(g.code, 9, '0'), 9), g.grid_no, {period}, d.dataset_no, {category}, {state}, sum(x.n)
from (
    select i.id, s.grid_no, s.weight as n from tie i join shares s on s.old_code = i.unsure
    union all
    select i.id, i.grid_no, -1 from tie i where i.unsure is not null
) as x
join {table} t on t.id = x.id
join pub.grid g on g.grid_no = x.grid_no
join pub.dataset d on d.dataset = t.dataset
{categories}
where not t.is_sensitive and t.gone_on is null
group by 1, 2, 3, 4, 5, 6 having abs(sum(x.n)) > 1e-9 order by 1, 2, 3, 4, 5, 6
"""

_FORGET = """
delete from {tally} t using pub.grid g, pub.dataset d
where t.grid_no = g.grid_no and g.edition = %s and t.dataset_no = d.dataset_no and d.dataset = %s
"""


def count_staged(connection: Connection, table: str, zone: str) -> int:
    """Count the rows staged for a table into the tallies of the edition they are staged for; return tally rows."""
    if table not in ELEMENTS:
        return 0
    written = 0
    for grain in GRAINS:
        digits, form = DIGITS[grain]
        for schema in SCHEMAS:
            if schema == "pub" and table == "vault.person":
                continue
            is_sealed = "true" if table == "vault.person" else "t.is_sensitive"
            query = sql.SQL(_COUNT).format(
                tally=sql.Identifier(schema, f"tally_{grain}"),
                digits=sql.Literal(digits),
                sealed=sql.SQL(is_sealed if schema == "vault" else f"not {is_sealed}"),
                **_parts(table, zone, form),
            )
            written += connection.execute(query).rowcount
    return written + carry_staged(connection, table, zone)


def carry_staged(connection: Connection, table: str, zone: str) -> int:
    """Give each part of a split grid its share of the rows staged that are known no finer; return tally rows."""
    if table not in ELEMENTS or table == "vault.person":
        return 0
    return connection.execute(sql.SQL(_CARRY).format(**_parts(table, zone, "YYYYMMDD"))).rowcount


def forget(connection: Connection, edition: int, dataset: str, *, only_carried: bool = False) -> None:
    """Take the counts of a dataset out of an edition, to count them again; or only those carried by share."""
    tallies = [sql.Identifier("pub", "tally_carried")]
    if not only_carried:
        tallies += [sql.Identifier(schema, f"tally_{grain}") for schema in SCHEMAS for grain in GRAINS]
    for tally in tallies:
        connection.execute(sql.SQL(_FORGET).format(tally=tally), [edition, dataset])


def _parts(table: str, zone: str, form: str) -> dict[str, sql.Composable]:
    is_event, is_person = table == "ops.event", table == "vault.person"
    day = sql.SQL("to_char(t.reported_at at time zone {}, {})::int").format(sql.Literal(zone), sql.Literal(form))
    state = sql.SQL("coalesce(array_position({}, t.state), 0)::smallint").format(sql.Literal(list(STATES)))
    by_category = sql.SQL("left join pub.category c on c.category = t.category")
    return {
        "table": table_name(table),
        "period": day if is_event else sql.SQL("0"),
        "state": state if is_event else sql.SQL("0::smallint"),
        "category": sql.SQL("0::smallint" if is_person else "coalesce(c.category_no, 0::smallint)"),
        "categories": sql.SQL("") if is_person else by_category,
    }
