"""The cube of people, worked out in the vault: true counts by grid and by the cells of every declared breakdown.

Nothing of it leaves the transaction; what is published is what `layers.release` makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from layers.codes import LENGTHS
from layers.declare.records import Breakdown
from layers.errors import AtlasError

Ints = NDArray[np.int64]
REST, FORMER = "+", "~"
"""What the name of a rest ends with, and that of a grid which was split by a reform."""

# A subject known to several datasets counts once, where the finest and then the latest of them has it. Who is still
# tied to the grids of another edition is in the city, and in no grid of this one.
_COUNT = """
with home as (
    select dataset, household, count(*) as size from vault.person
    where gone_on is null and household is not null group by dataset, household
),
lives as (
    select distinct on (subject) subject, dataset, household from vault.person
    where gone_on is null and household is not null
    order by subject, updated_at desc, dataset, id
),
found as (
    select distinct on (subject) subject, id, sex, born_on, residence, geom,
        case when edition = {edition} then grid_code else left(grid_code, 4) end as grid_code
    from vault.person
    where gone_on is null
    order by subject, edition = {edition} desc, length(grid_code) desc, updated_at desc, dataset, id
),
one as (select * from found left join lives using (subject)),
told as materialized (
    select grid_code{cells} from {one} left join home using (dataset, household)
)
select grid_code, null::int, null::text, count(*) from told group by grid_code
{parts}
"""

# One person of each household, where the finest grid is known of any, stands for it.
_WITH_FIRST = """
(
    select *, row_number() over (partition by dataset, household order by length(grid_code) desc, id) = 1 as is_first
    from one
) as one
"""

_DIMENSIONS = {
    "sex": "coalesce(one.sex, 'unknown')",
    "residence": "coalesce(one.residence, 'unknown')",
    "household": "case when one.household is not null and one.is_first then 'first' else 'other' end",
    "age": (
        "coalesce(({ages}::int[])[width_bucket(extract(year from age({day}, one.born_on))::int, {ages}::int[])]::text,"
        " 'unknown')"
    ),
    "household_size": "coalesce(({sizes}::int[])[width_bucket(home.size::int, {sizes}::int[])]::text, 'unknown')",
    "register": (
        "case when one.subject in (select subject from vault.person where dataset = {register} and gone_on is null)"
        " then 'on' else 'off' end"
    ),
    # the box is generous up to 60 degrees of latitude; the distance itself is geodesic
    "near": (
        "case when one.geom is null then 'unknown' when exists (select from ops.place as p where p.dataset = {near}"
        " and p.gone_on is null and p.geom && st_expand(one.geom, {within_m} / 55000.0)"
        " and st_dwithin(p.geom::geography, one.geom::geography, {within_m})) then 'near' else 'far' end"
    ),
}


@dataclass(frozen=True)
class Cube:
    """True counts of the nodes of a tree of grids.

    A node is a grid, or the rest of a grid: the part of it that no grid below holds. A rest is rounded like a grid, so
    that children never add up to more than their parent, and left out of what is published. A grid that was split by
    the last reform is a node too, between its parts and the grid above them.
    """

    codes: list[str]
    """Codes of the grids, which are the first nodes."""
    names: list[str]
    """What each node is called: a code, or the code of the grid and a plus for its rest."""
    parents: Ints
    totals: Ints
    parts: Mapping[str, Ints]
    """Nodes by cells, for each breakdown."""


def work_out(
    connection: psycopg.Connection[Any],
    edition: int,
    month: int,
    codes: list[str],
    breakdowns: Sequence[Breakdown],
    former: Mapping[str, str] | None = None,
) -> Cube:
    """Count all people of an edition by grid and by every breakdown, in one pass over the vault.

    Parameters
    ----------
    connection
        The loader's.
    edition, month
        Edition of the grids; month as yyyymm, on whose first day ages are reckoned.
    codes
        Grids of the edition.
    breakdowns
        What people are told apart by.
    former
        Of parts of grids that were split, the name of the old grid, see `layers.reformed`.

    Raises
    ------
    AtlasError
        Somebody is tied to a code that no grid begins.
    """
    rows = connection.execute(_query(edition, month, breakdowns)).fetchall()
    position = {code: at for at, code in enumerate(codes)}
    at_of = {code: _nearest(code, position) for code in {row[0] for row in rows}}
    lost = sorted(code for code, at in at_of.items() if at < 0)
    if lost:
        raise AtlasError(f"People are tied to {lost[0]}, which is in no grid.", "Load the grids before the people.")
    own = np.zeros(len(codes), dtype=np.int64)
    parts = {one.key: np.zeros((len(codes), len(one.cells)), dtype=np.int64) for one in breakdowns}
    columns = [{cell: at for at, cell in enumerate(one.cells)} for one in breakdowns]
    for code, number, cell, n in rows:
        if number is None:
            own[at_of[code]] += n
        else:
            parts[breakdowns[number].key][at_of[code], columns[number][cell]] += n
    return _summed(codes, position, own, parts, former or {})


def _query(edition: int, month: int, breakdowns: Sequence[Breakdown]) -> sql.Composed:
    day = date(month // 100, month % 100, 1)
    names = [sql.Identifier(f"b{at}") for at in range(len(breakdowns))]
    cells = [
        sql.SQL(", concat_ws('.', {}) as {}").format(
            sql.SQL(", ").join(_dimension(one, dimension, day) for dimension in one.by), name
        )
        for one, name in zip(breakdowns, names, strict=True)
    ]
    part = sql.SQL("union all select grid_code, {number}, {name}, count(*) from told group by grid_code, {name}\n")
    parts = [part.format(number=sql.Literal(at), name=name) for at, name in enumerate(names)]
    has_homes = any("household" in one.by for one in breakdowns)
    return sql.SQL(_COUNT).format(
        one=sql.SQL(_WITH_FIRST if has_homes else "one"),
        edition=sql.Literal(edition),
        cells=sql.Composed(cells),
        parts=sql.Composed(parts),
    )


def _dimension(one: Breakdown, dimension: str, day: date) -> sql.Composed:
    return sql.SQL(_DIMENSIONS[dimension]).format(
        ages=sql.Literal(list(one.ages)),
        sizes=sql.Literal(list(one.sizes)),
        register=sql.Literal(one.register),
        near=sql.Literal(one.near),
        within_m=sql.Literal(one.within_m),
        day=sql.Literal(day),
    )


def _summed(
    codes: list[str], position: dict[str, int], own: Ints, parts: Mapping[str, Ints], former: Mapping[str, str]
) -> Cube:
    above = np.array([_nearest(code[:-1], position) for code in codes], dtype=np.int64)
    inner = np.isin(np.arange(len(codes)), above)
    with_rest = np.flatnonzero(inner & (own > 0))
    split = sorted(set(former.values()))
    first = {name: position[code] for code, name in sorted(former.items(), reverse=True)}
    parents = np.concatenate([above, with_rest, above[[first[name] for name in split]]]).astype(np.int64)
    for code, name in former.items():
        parents[position[code]] = len(codes) + len(with_rest) + split.index(name)
    # an old grid lies deeper than what is above its parts, and less deep than they
    lies = [2 * len(codes[first[name]]) - 1 for name in split]
    depth = np.array([2 * len(code) for code in codes] + [99] * len(with_rest) + lies)

    def summed(values: Ints) -> Ints:
        counts = np.where((inner if values.ndim == 1 else inner[:, None]), 0, values)
        counts = np.concatenate([counts, values[with_rest], np.zeros((len(split), *values.shape[1:]), dtype=np.int64)])
        for digits in sorted(set(depth.tolist()), reverse=True):
            level = np.flatnonzero((depth == digits) & (parents >= 0))
            np.add.at(counts, parents[level], counts[level])
        return counts

    names = codes + [f"{codes[at]}{REST}" for at in with_rest] + split
    return Cube(codes, names, parents, summed(own), {key: summed(values) for key, values in parts.items()})


def _nearest(code: str, position: Mapping[str, int]) -> int:
    """Return the position of the longest code of the tree that `code` begins with, or -1."""
    for digits in sorted(LENGTHS.values(), reverse=True):
        if digits <= len(code) and code[:digits] in position:
            return position[code[:digits]]
    return -1
