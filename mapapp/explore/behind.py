"""What is behind a number: counts first, then the rows themselves, as far as anybody may see them.

People are never shown one by one, and nothing sensitive is. Whoever calls writes down the look before it is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import psycopg

from layers.access import Scope
from layers.codes import LENGTHS, level_of
from layers.counts import tally
from layers.declare.records import Catalog, Count
from layers.editions import edition_on
from layers.errors import AccessError
from layers.features import CORE, ask, compose
from layers.performance import case_counts, case_facts
from layers.periods import Period
from mapapp.explore.findings import Findings

ROWS_MOST = 200
"""Rows shown; the counts above them are of all."""

SHOWN: Mapping[str, tuple[str, ...]] = {
    "event": ("id", "grid_code", "category", "state", "department", "reported_at", "due_at", "closed_at"),
    "place": ("id", "grid_code", "category", "name", "state", "updated_at"),
    "thing": ("id", "grid_code", "category", "name", "state", "updated_at"),
    "organisation": ("id", "grid_code", "category", "name", "state", "updated_at"),
}
"""Columns shown of the rows of each table: none with words of a resident."""


@dataclass(frozen=True)
class Kind:
    """One line of the counts behind a number: what its rows are; of the cases of a rate those that `column` counts.

    Category and state are None where the counts do not tell them apart.
    """

    dataset: str
    category: str | None
    state: str | None
    column: str

    @classmethod
    def read(cls, written: str) -> Kind | None:
        """Read a kind as an address has it; None where it says none."""
        parts = written.split(",")
        return cls(parts[0], parts[1] or None, parts[2] or None, parts[3]) if len(parts) == 4 else None

    def __str__(self) -> str:
        """Write it as an address has it."""
        return ",".join((self.dataset, self.category or "", self.state or "", self.column))

    def among(self, counts: pd.DataFrame) -> pd.Series[bool]:
        """Tell which lines of counts, or of cases, are of this kind."""
        is_kind = pd.Series(True, counts.index)
        for column in ("dataset", "category", "state"):
            wanted = getattr(self, column)
            if column in counts and wanted is not None:
                is_kind &= counts[column] == wanted
        return is_kind


@dataclass(frozen=True)
class Behind:
    """What is behind the number of one grid.

    `counts` has a row for each dataset, category and state with its n (and `of` where there is a denominator); `rows`
    the first rows of the table `table`, none where `why` says why not: `people`, `past` or `refused`. With a `kind`
    both are of this one only.
    """

    code: str
    counts: pd.DataFrame
    rows: pd.DataFrame
    n_rows: int
    why: str = ""
    kind: Kind | None = None


def read_behind(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    scope: Scope,
    findings: Findings,
    code: str,
    kind: Kind | None = None,
) -> Behind:
    """Read what is behind the number of a grid, or one kind of it; `catalog` counts what the question counts.

    Raises
    ------
    AccessError
        The grid is outside the scope.
    """
    inside, indicator = scope.within(code), catalog.indicators[findings.indicator.key]
    if indicator.is_of_people:
        return Behind(code, pd.DataFrame(), pd.DataFrame(), 0, "people")
    if indicator.count.cases is not None:
        return _cases(connection, catalog, inside, findings, code, kind)
    counts = _counts(connection, catalog, inside, findings, indicator.count, level_of(inside.code))
    return _with_rows(connection, catalog, inside, findings, Behind(code, counts, pd.DataFrame(), 0, kind=kind))


def read_unplaced(
    connection: psycopg.Connection[Any], catalog: Catalog, scope: Scope, findings: Findings, kind: Kind | None = None
) -> Behind:
    """Read what a number counts inside the grid shown that is known to no grid of the level, but to one above it."""
    q, indicator = findings.question, catalog.indicators[findings.indicator.key]
    inside = scope.within(q.frame)
    if indicator.is_of_people:
        return Behind(q.frame, pd.DataFrame(), pd.DataFrame(), 0, "people")
    if indicator.count.cases is not None:
        return _cases(connection, catalog, inside, findings, q.frame, kind, above=q.level)
    key = ["dataset", "category", "state"]
    both = [
        _counts(connection, catalog, inside, findings, indicator.count, one) for one in (level_of(q.frame), q.level)
    ]
    all_of, placed = (one.groupby(key, dropna=False)["n"].sum() for one in both)
    left = all_of.sub(placed, fill_value=0).round(6)
    counts = left[left > 0].sort_values(ascending=False, kind="stable").reset_index()
    codes = findings.gazetteer.grids.index
    coarse = codes[(codes.str.len() < LENGTHS[q.level]) & codes.str.startswith(q.frame)].tolist()
    return _with_rows(
        connection, catalog, inside, findings, Behind(q.frame, counts, pd.DataFrame(), 0, kind=kind), coarse
    )


def _with_rows(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    inside: Scope,
    findings: Findings,
    behind: Behind,
    grids: Sequence[str] = (),
) -> Behind:
    """Add the first rows behind counts: of some grids, or all inside."""
    indicator, counts, kind = catalog.indicators[findings.indicator.key], behind.counts, behind.kind
    if kind is not None:
        counts = counts[kind.among(counts)]
    if findings.gazetteer.edition != edition_on(connection, catalog.city):
        return replace(behind, counts=counts, why="past")
    pieces: list[pd.DataFrame] = []
    why = ""
    for name in indicator.count.datasets:
        if kind is not None and kind.dataset != name:
            continue
        left = ROWS_MOST - sum(map(len, pieces))
        try:
            found = _rows(
                connection, catalog, inside, name, _where(indicator.count, kind, grids), findings.period, left
            )
        except AccessError:
            why = "refused"
            continue
        pieces.append(found.assign(dataset=name))
    rows = (
        pd.concat([one for one in pieces if len(one)], ignore_index=True) if any(map(len, pieces)) else pd.DataFrame()
    )
    n_rows = round(counts["n"].sum()) if len(counts) else 0
    return replace(behind, counts=counts, rows=rows, n_rows=n_rows, why="" if len(rows) else why)


def _where(count: Count, kind: Kind | None, grids: Sequence[str]) -> dict[str, Sequence[str]]:
    """Conditions on rows; none where everything is meant."""
    categories = (kind.category,) if kind and kind.category else count.categories
    states = (kind.state,) if kind and kind.state else count.states
    asked = {"category": categories, "state": states, "grid_code": grids}
    return {column: list(wanted) for column, wanted in asked.items() if wanted}


def _counts(
    connection: psycopg.Connection[Any], catalog: Catalog, inside: Scope, findings: Findings, count: Count, level: str
) -> pd.DataFrame:
    """Count by dataset, category and state, from the tallies, what lies in grids of a level; a row is of one grid."""
    period, pieces = findings.period, []
    for name in count.datasets:
        is_timed = catalog.datasets[name].table == "event"
        bounds: dict[str, Any] = {"since": period.first_on, "until": period.past_on} if period and is_timed else {}
        found = tally(
            connection, catalog, name, inside,
            level=level, period=None, edition=findings.gazetteer.edition, **bounds,
        )  # fmt: skip
        pieces.append(found.assign(dataset=name))
    counts = (
        pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame(columns=["dataset", "category", "state", "n"])
    )
    for column, wanted in (("category", count.categories), ("state", count.states)):
        if wanted:
            counts = counts[counts[column].isin(wanted)]
    counts = counts[counts["n"] != 0].sort_values("n", ascending=False, kind="stable")
    return counts[["dataset", "category", "state", "n"]].reset_index(drop=True)


def _rows(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    inside: Scope,
    name: str,
    where: Mapping[str, Sequence[str]],
    period: Period | None,
    limit: int,
) -> pd.DataFrame:
    table = catalog.datasets[name].table
    bounds = {"since": period.first_on, "until": period.past_on} if period and table == "event" else {}
    asked = ask(catalog, name, inside, within=inside.code, where=where, limit=max(limit, 0), **bounds)
    cursor = connection.execute(compose(asked))
    assert cursor.description is not None
    found = pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
    return found[[column for column in SHOWN[table] if column in CORE[table]]]


def _cases(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    inside: Scope,
    findings: Findings,
    code: str,
    kind: Kind | None,
    above: str = "",
) -> Behind:
    """Cases a rate is made of: those in its denominator and numerator; of the latter those known `above` a level."""
    indicator, period, city = catalog.indicators[findings.indicator.key], findings.period, catalog.city
    if period is None:
        return Behind(code, pd.DataFrame(), pd.DataFrame(), 0)
    facts = case_facts(connection, inside, list(indicator.count.datasets), period, city.zone)
    counts = case_counts(facts, period, city.zone, catalog.limits.due_on(period.first_on))
    digits = facts["grid_code"].str.len()
    is_inside = digits < LENGTHS[above] if above else digits >= LENGTHS[level_of(code)]
    parts = {"n": indicator.count} | ({"of": indicator.of} if indicator.of and not above else {})
    for column, part in parts.items():
        kinds = facts["category"].isin(part.categories or facts["category"]) & is_inside
        facts[column] = counts[part.cases].where(kinds, 0)
    columns = list(parts)
    cases = facts[(facts[columns] > 0).any(axis=1)]
    if kind is not None:
        cases = cases[kind.among(cases) & (cases[kind.column] > 0 if kind.column in columns else True)]
    by = cases.groupby(["category", "state"], sort=True)[columns].sum().reset_index()
    shown = [*SHOWN["event"], *columns]
    first = cases.sort_values("id", kind="stable").head(ROWS_MOST)
    return Behind(code, by, first[shown].reset_index(drop=True), len(cases), kind=kind)
