"""Counts of rows out of the tallies: by grid, period, category and state, without a look at the rows themselves.

Rates and heatmaps come from here, so it answers in milliseconds over ten million events. People and sensitive rows are
not in these tallies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, get_args

import pandas as pd
import psycopg
from psycopg import sql

from layers.access import Scope
from layers.carried import carried_by, has_carried, with_carried
from layers.codes import LENGTHS, level_of, range_of, town_of
from layers.declare.records import Catalog, Count
from layers.editions import edition_on
from layers.errors import AccessError, AtlasError, UnknownNameError
from layers.periods import Period, Step, moment
from layers.tables import STATES

Part = Literal["category", "state"]

WITHOUT_TIME = 0
"""Period of what has none: places, things and organisations are counted as they are now."""


_TALLY = sql.SQL(
    "select left(g.code, {digits}) as grid_code, {parts} sum(t.n)::{kind} as n from {table} as t"
    " join pub.grid as g using (grid_no)"
    " where t.dataset_no = {dataset} and {towns} and {days}"
    " and g.edition = {edition} and g.code >= {low} and g.code < {high}"
    " group by {all} having sum(t.n) <> 0 order by {all}"
)


@dataclass(frozen=True)
class Numbers:
    """Integer keys that tallies use, and when each dataset was last loaded, if ever; read by `numbers`."""

    datasets: dict[str, int]
    categories: dict[str, int]
    loaded: dict[str, datetime]

    def of(self, count: Count) -> tuple[list[int], list[int], list[int]]:
        """Give the keys of the datasets, categories and states counted; a name that holds nothing is left out."""
        return (
            [self.datasets[name] for name in count.datasets if name in self.datasets],
            [self.categories.get(name, -1) for name in count.categories],
            [STATES.index(name) + 1 for name in count.states],
        )


def numbers(connection: psycopg.Connection[Any]) -> Numbers:
    """Read the integer keys of datasets and categories."""
    rows = connection.execute(
        "select 'dataset', dataset, dataset_no::int, loaded_at from pub.dataset"
        " union all select 'category', category, category_no::int, null from pub.category"
    ).fetchall()
    return Numbers(
        {name: number for kind, name, number, _ in rows if kind == "dataset"},
        {name: number for kind, name, number, _ in rows if kind == "category"},
        {name: loaded_at for _, name, _, loaded_at in rows if loaded_at is not None},
    )


def check_count(catalog: Catalog, datasets: Iterable[str], categories: Iterable[str] = ()) -> None:
    """Raise where something may not be counted by grid.

    Raises
    ------
    UnknownNameError
        Nobody declared the dataset or category.
    AccessError
        The dataset holds people, or dataset or category are sensitive.
    """
    for name in datasets:
        if name not in catalog.datasets:
            raise UnknownNameError("dataset", name, catalog.datasets)
        if catalog.datasets[name].table == "person":
            raise AccessError(
                f"{name} holds people, who are not counted row by row.",
                "Counts of people are published, rounded: ask for atlas.people(level=..).",
            )
        _refuse_sensitive(name, catalog.datasets[name].sensitive)
    for name in categories:
        if name not in catalog.categories:
            raise UnknownNameError("category", name, catalog.categories)
        _refuse_sensitive(name, catalog.categories[name].sensitive)


def _refuse_sensitive(name: str, is_sensitive: bool) -> None:
    if is_sensitive:
        raise AccessError(
            f"{name} is sensitive: it is not counted by grid.",
            "Below the medium grid it never is; above, only by a published breakdown, and none is declared yet.",
        )


def digits_of(level: str, scope: Scope) -> int:
    """Give the length of a level's codes.

    Raises
    ------
    UnknownNameError
        There is no such level.
    AtlasError
        The level lies above the grid asked for.
    """
    if level not in LENGTHS:
        raise UnknownNameError("level", level, LENGTHS)
    if LENGTHS[level] < len(scope.code):
        raise AtlasError(f"{scope.code} holds no {level} grid: it lies below that level.", "Ask for a lower level.")
    return LENGTHS[level]


def table_of(level: str, step: Step | None) -> sql.Identifier:
    """Choose the smallest tally that answers exactly: by day the medium grids', above them the large grids'.

    Raises
    ------
    AtlasError
        Small grids are counted by month, not by day.
    """
    if step == "day":
        if level == "small":
            raise AtlasError("Small grids are counted by month, not by day.", "Ask for the medium level, or a month.")
        return sql.Identifier("pub", "tally_medium_day")
    # By month medium grids are answered from the small ones: fewer rows than a month of days has.
    return sql.Identifier("pub", "tally_small_month" if level in ("medium", "small") else "tally_large_month")


def sums(
    connection: psycopg.Connection[Any],
    scope: Scope,
    counted: Sequence[tuple[list[int], list[int], list[int]]],
    *,
    edition: int,
    level: str,
    periods: Sequence[int] | None,
    step: Step | None,
) -> pd.DataFrame:
    """Add up what several counts count, by grid; a row is a grid of the level that has any.

    Parameters
    ----------
    connection
        Any role; only `pub` is read.
    scope
        Grid to stay inside of.
    counted
        Keys of each count as `Numbers.of` gives them; no categories or states means all.
    edition
        Edition of the grids.
    level
        Level of the grids.
    periods
        Keys of the periods, or a range of them; None for all time.
    step
        How long each period is; days are counted for medium grids and above.

    Returns
    -------
    DataFrame
        grid_code and one column n0, n1 .. for each count. Rows tied above the level stand under the shorter code of
        the grid they are tied to. Where a reform split a grid that rows are known by, its parts have counts carried by
        share, which need not be whole numbers; `attrs["carried"]` has how much of n0 that is by grid.
    """
    asked: dict[str, Any] = {"edition": edition, "level": level, "periods": periods}
    exact = _sums(connection, scope, counted, table_of(level, step), "bigint", **asked)
    if not has_carried(connection):
        exact.attrs = {"carried": {}}
        return exact
    shared = _sums(connection, scope, counted, carried_by(step), "double precision", **asked)
    return with_carried(exact, shared, ["grid_code"], [f"n{i}" for i in range(len(counted))], LENGTHS[level])


def _sums(
    connection: psycopg.Connection[Any],
    scope: Scope,
    counted: Sequence[tuple[list[int], list[int], list[int]]],
    table: sql.Composable,
    kind: str,
    *,
    edition: int,
    level: str,
    periods: Sequence[int] | None,
) -> pd.DataFrame:
    picks = [_pick(*keys) for keys in counted]
    query = sql.SQL(
        "with picked as ("
        " select t.grid_no, {picks} from {table} as t where ({any_pick}) and {bounds} group by t.grid_no)"
        " select left(g.code, {digits}) as grid_code, {totals}"
        " from picked join pub.grid as g using (grid_no)"
        " where g.edition = {edition} and g.code >= {low} and g.code < {high} group by 1 order by 1"
    ).format(
        picks=sql.SQL(", ").join(
            sql.SQL("sum(t.n) filter (where {}) as {}").format(pick, _n(i)) for i, pick in enumerate(picks)
        ),
        any_pick=sql.SQL(" or ").join(picks),
        totals=sql.SQL(", ").join(
            sql.SQL("coalesce(sum({}), 0)::{}").format(_n(i), sql.SQL(kind)) for i in range(len(picks))
        ),
        table=table,
        bounds=_bounds(scope, periods),
        digits=LENGTHS[level],
        edition=edition,
        low=scope.low,
        high=scope.high,
    )
    rows = connection.execute(query).fetchall()
    columns = ["grid_code", *(f"n{i}" for i in range(len(picks)))]
    number = "int64" if kind == "bigint" else "float64"
    return pd.DataFrame(rows, columns=columns).astype({"grid_code": "str"} | dict.fromkeys(columns[1:], number))


def tally(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    dataset: str,
    scope: Scope,
    *,
    level: str,
    by: Sequence[Part] = ("category", "state"),
    period: Step | None = "month",
    since: str | date | None = None,
    until: str | date | None = None,
    edition: int | None = None,
) -> pd.DataFrame:
    """Count the rows of one dataset; a row is a grid, a period, a category and a state that have any.

    See `layers.atlas.Atlas.tally`, which hands everything on to here; `connection` may be of any role.
    """
    check_count(catalog, [dataset])
    digits = digits_of(level, scope)
    _check_parts(by, period)
    is_timed = catalog.datasets[dataset].table == "event"
    if not is_timed and (since is not None or until is not None):
        raise AtlasError(f"{dataset} has no time: it is counted as it is now.", "Leave out since and until.")
    zone = catalog.city.zone
    first_on, past_on = (None if at is None else at.date() for at in (moment(since, zone), moment(until, zone)))
    step: Step = "day" if period == "day" or any(d is not None and d.day != 1 for d in (first_on, past_on)) else "month"
    shown = period if is_timed else None
    keys = numbers(connection)
    parts: list[str] = [*(["period"] if shown else []), *by]
    edition = edition_on(connection, catalog.city) if edition is None else edition
    pieces: dict[str, Any] = {
        "digits": digits,
        "parts": sql.SQL("").join(sql.SQL("{}, ").format(_column(part, shown, step)) for part in parts),
        "dataset": keys.datasets.get(dataset, -1),
        "towns": _bounds(scope, None),
        "days": _days(first_on, past_on, step),
        "edition": edition,
        "low": scope.low,
        "high": scope.high,
        "all": sql.SQL(", ").join(sql.SQL(str(1 + at)) for at in range(1 + len(parts))),
    }

    def ask(table: sql.Composable, kind: str) -> pd.DataFrame:
        rows = connection.execute(_TALLY.format(table=table, kind=sql.SQL(kind), **pieces)).fetchall()
        frame = pd.DataFrame(rows, columns=["grid_code", *parts, "n"])
        return frame.astype({"grid_code": "str", "n": "int64" if kind == "bigint" else "float64"})

    frame = ask(table_of(level, step), "bigint")
    if has_carried(connection):
        frame = with_carried(frame, ask(carried_by(step), "double precision"), ["grid_code", *parts], ["n"], digits)
    carried = frame.attrs.get("carried", {})
    frame = _named(frame, keys, shown)
    is_tied = frame["grid_code"].str.len() == digits
    result = frame[is_tied].reset_index(drop=True)
    n_unplaced = round(frame.loc[~is_tied, "n"].sum())
    result.attrs = {"n_unplaced": n_unplaced, "n_carried": sum(carried.values()), "carried": carried}
    return result


def rows_of_datasets(
    connection: psycopg.Connection[Any], scope: Scope, keys: Numbers, *, edition: int
) -> dict[str, int]:
    """Count the rows of each dataset inside a grid, those known no finer than it included."""
    level = level_of(scope.code)
    query = sql.SQL(
        "select t.dataset_no, sum(t.n)::bigint from {table} as t join pub.grid as g using (grid_no)"
        " where {towns} and g.edition = {edition} and g.code >= {low} and g.code < {high} group by 1 order by 1"
    ).format(
        table=table_of(level, "month"), towns=_bounds(scope, None), edition=edition, low=scope.low, high=scope.high
    )
    found = dict(connection.execute(query).fetchall())
    return {name: found[number] for name, number in keys.datasets.items() if number in found}


def span(connection: psycopg.Connection[Any], datasets: Sequence[int]) -> tuple[Period, Period] | None:
    """Find the first and last day that datasets have rows of; None when they have none, or no time."""
    row = connection.execute(
        "select min(period), max(period) from pub.tally_medium_day"
        " where dataset_no = any(%s::smallint[]) and period > %s",
        [list(datasets), WITHOUT_TIME],
    ).fetchone()
    return None if row is None or row[0] is None else (Period(row[0]), Period(row[1]))


def _check_parts(by: Sequence[str], period: str | None) -> None:
    for part in by:
        if part not in get_args(Part):
            raise UnknownNameError("part to count by", part, get_args(Part))
    if period is not None and period not in get_args(Step):
        raise UnknownNameError("period", str(period), get_args(Step))


def _column(part: str, period: Step | None, step: Step) -> sql.Composable:
    """Compose what is counted by; a day is cut to its month or year, a month to its year."""
    if part == "period":
        digits = {"year": 4, "month": 6, "day": 8}
        return sql.SQL("t.period / {}").format(10 ** (digits[step] - digits[period or step]))
    return sql.Identifier("t", f"{part}_no")


def _days(first_on: date | None, past_on: date | None, step: Step) -> sql.Composable:
    """Compose the bounds of time; what has no time has no bounds either."""
    form = "%Y%m%d" if step == "day" else "%Y%m"
    parts: list[sql.Composable] = [sql.SQL("true")]
    if first_on is not None:
        parts.append(sql.SQL("t.period >= {}").format(int(first_on.strftime(form))))
    if past_on is not None:
        parts.append(sql.SQL("t.period < {}").format(int(past_on.strftime(form))))
    return sql.SQL(" and ").join(parts)


def _named(frame: pd.DataFrame, keys: Numbers, period: Step | None) -> pd.DataFrame:
    """Put names and days where the tallies have numbers."""
    if "category" in frame:
        names = {number: name for name, number in keys.categories.items()}
        frame["category"] = frame["category"].map(names).astype("str")
    if "state" in frame:
        frame["state"] = frame["state"].map(dict(enumerate(STATES, start=1))).astype("str")
    if period is not None:
        number = frame["period"].astype("int64") * {"year": 10_000, "month": 100, "day": 1}[period]
        parts = {"year": number // 10_000, "month": (number // 100 % 100).clip(1), "day": (number % 100).clip(1)}
        frame["period"] = pd.to_datetime(pd.DataFrame(parts))
    return frame


def _n(position: int) -> sql.Identifier:
    return sql.Identifier(f"n{position}")


def _pick(datasets: list[int], categories: list[int], states: list[int]) -> sql.Composed:
    parts = [sql.SQL("t.dataset_no = any({}::smallint[])").format(sql.Literal(datasets))]
    if categories:
        parts.append(sql.SQL("t.category_no = any({}::smallint[])").format(sql.Literal(categories)))
    if states:
        parts.append(sql.SQL("t.state_no = any({}::smallint[])").format(sql.Literal(states)))
    return sql.SQL("({})").format(sql.SQL(" and ").join(parts))


def _bounds(scope: Scope, periods: Sequence[int] | None) -> sql.Composed:
    """Compose the range of towns, which the key begins with, and the periods."""
    low, high = range_of(town_of(scope.code)) if len(scope.code) > 9 else (scope.low, scope.high)
    towns = sql.SQL("t.town_code >= {} and t.town_code < {}").format(low, high)
    if periods is None:
        return towns
    if isinstance(periods, range):
        within = sql.SQL("{} and t.period >= {} and t.period < {}")
        return within.format(towns, sql.Literal(periods.start), sql.Literal(periods.stop))
    return sql.SQL("{} and t.period = any({}::int[])").format(towns, sql.Literal(list(periods)))
