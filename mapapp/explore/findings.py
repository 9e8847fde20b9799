"""What a question finds: values, comparison and classes of each grid shown, put together from what `layers` answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import psycopg
from numpy.typing import NDArray

from layers.access import Scope
from layers.classes import classes
from layers.codes import level_of, parent_of
from layers.compare import change_breaks, period_before, siblings_mean
from layers.declare.records import Catalog, Category, Indicator
from layers.editions import EditionSpan, read_editions
from layers.gazetteer import Gazetteer, GridName
from layers.indicators import latest, periods, values
from layers.periods import Period, read_period
from layers.tiles import data_version
from mapapp.explore.question import Choices, Question, categories_of, levels_in, narrowed, read_question
from mapapp.view import first_indicator, said_in

Connection = psycopg.Connection[Any]

MONTHS_MOST = 12
"""Months of the series and of the small multiples."""


@dataclass(frozen=True)
class Findings:
    """What one question finds.

    `cells` has a row for each grid shown, by code: name, lon, lat, value, numerator, denominator, before, change,
    class, carried. `before` is what it is compared with, `change` the value less it. `breaks` are the lower ends of
    the second class and of those after it, of the values or, when something is compared, of the changes. `own` is the
    row of the grid asked for itself. `off_by` is how far from the truth published people may be where that is more than
    9, and `is_withheld` whether the release gate keeps them back at this level.
    """

    question: Question
    choices: Choices
    grid: GridName
    path: tuple[GridName, ...]
    indicator: Indicator
    period: Period | None
    before: Period | None
    cells: pd.DataFrame
    own: pd.Series[Any]
    breaks: NDArray[np.float64]
    n_unplaced: int
    n_carried: float
    off_by: int
    is_withheld: bool
    category: Category | None
    editions: tuple[EditionSpan, ...]
    version: int
    loaded_at: datetime | None
    gazetteer: Gazetteer

    @property
    def is_change(self) -> bool:
        """Whether changes are coloured, and not values."""
        return self.question.against != "none"

    def name_of(self, code: str) -> str:
        """Name of a grid that is shown, or of one above it."""
        above = {one.code: one.name for one in self.path}
        return str(self.cells["name"].get(code, above.get(code, self.grid.name)))

    def value_of(self, code: str) -> float | None:
        """Value of a grid that is shown, or of the one asked for; None of any other."""
        own = float(self.own["value"]) if code == self.grid.code else None
        value = self.cells["value"].get(code, own)
        return None if value is None else float(value)

    @property
    def n_none(self) -> int:
        """Grids without data for what is coloured."""
        return int((self.cells["class"] == 0).sum())


def read_choices(connection: Connection, catalog: Catalog, gazetteer: Gazetteer, search: str | None) -> Choices:
    """Work out what an address may ask for, which depends on the indicator it names."""
    known = tuple(catalog.indicators)
    said = said_in(search).get("indicator", "")
    key = said if said in known else first_indicator(catalog)
    indicator = catalog.indicators[key]
    months = periods(connection, catalog, key) if not indicator.is_of_people else []
    if indicator.period == "year":
        months = sorted({month // 100 for month in months})
    last = latest(connection, catalog, key)
    top = min(gazetteer.grids.index, key=len)
    return Choices(
        at=top,
        levels=levels_in(gazetteer, top),
        indicator=key,
        indicators=known,
        periods=tuple(months),
        period=last.number if last else None,
        categories=categories_of(catalog, indicator),
        editions=tuple(one.edition for one in read_editions(connection) if one.closed_on is not None),
    )


def read_findings(
    connection: Connection, catalog: Catalog, scope: Scope, gazetteer: Gazetteer, search: str | None
) -> Findings:
    """Answer the question of an address."""
    choices = read_choices(connection, catalog, gazetteer, search)
    question = read_question(search, choices, gazetteer)
    declared = narrowed(catalog, question)
    indicator = classed(declared.indicators[question.indicator], question)
    period = read_period(question.period) if question.period else None
    before = period_before(period, question.against) if period else None
    asked = _Asked(connection, declared, scope, gazetteer, question)
    found = asked.values(question.level, question.frame, period)
    cells = _cells(asked, found, period, before)
    own = _own(asked, gazetteer.named(question.at), period, before)
    if question.against == "none":
        breaks, cells["class"] = classes(cells["value"], indicator)
    else:
        breaks = change_breaks(cells["change"].to_numpy(), indicator.digits)
        known = cells["change"].notna()
        cells["class"] = np.where(known, 1 + np.searchsorted(breaks, cells["change"], "right"), 0)
    version, loaded_at = data_version(connection)
    return Findings(
        question=question,
        choices=choices,
        grid=gazetteer.named(question.at),
        path=tuple(gazetteer.path(question.at)),
        indicator=indicator,
        period=read_period(found.attrs["period"]) if found.attrs["period"] else None,
        before=before,
        cells=cells,
        own=own,
        breaks=breaks,
        n_unplaced=int(found.attrs["n_unplaced"]),
        n_carried=float(found.attrs["n_carried"]),
        off_by=int(found.attrs["off_by"]),
        is_withheld=bool(found.attrs["withheld"]),
        category=catalog.categories[question.category] if question.category else None,
        editions=tuple(read_editions(connection)),
        version=version,
        loaded_at=loaded_at,
        gazetteer=gazetteer,
    )


def classed(indicator: Indicator, question: Question) -> Indicator:
    """The indicator with the classes asked for instead of those declared."""
    n = question.n or indicator.n_classes
    if question.method == "fixed":
        breaks = question.breaks or indicator.breaks
        if breaks:
            return replace(indicator, classes="fixed", breaks=breaks, n_classes=len(breaks) + 1)
        return replace(indicator, n_classes=n)
    if question.method == "declared":
        return indicator if indicator.classes == "fixed" else replace(indicator, n_classes=n)
    return replace(indicator, classes=question.method, n_classes=n)


def read_months(
    connection: Connection, catalog: Catalog, scope: Scope, findings: Findings
) -> tuple[list[int], pd.DataFrame, Mapping[int, float]]:
    """Read the values of the last periods up to the one shown: a row is a grid, a column a period; and of the grid."""
    question, known = findings.question, findings.choices.periods
    upto = [one for one in known if question.period is None or one <= question.period][-MONTHS_MOST:]
    asked = _Asked(connection, narrowed(catalog, question), scope, findings.gazetteer, question)
    columns: dict[int, pd.Series[float]] = {}
    own: dict[int, float] = {}
    for one in upto:
        found = asked.values(question.level, question.frame, read_period(one))
        columns[one] = found.set_index("grid_code")["value"].astype("float64")
        own[one] = asked.value_of(findings.grid, read_period(one))
    return upto, pd.DataFrame(columns).reindex(findings.cells.index), own


@dataclass(frozen=True)
class _Asked:
    """Where values are read from for one question."""

    connection: Connection
    catalog: Catalog
    scope: Scope
    gazetteer: Gazetteer
    question: Question

    def values(self, level: str, within: str, period: Period | None) -> pd.DataFrame:
        return values(
            self.connection, self.catalog, self.question.indicator, self.scope,
            level=level, within=within, period=period.number if period else None, edition=self.gazetteer.edition,
        )  # fmt: skip

    def value_of(self, grid: GridName, period: Period | None) -> float:
        found = self.values(grid.level, grid.code, period)["value"]
        return float(found.iloc[0]) if len(found) else float("nan")


def _cells(asked: _Asked, found: pd.DataFrame, period: Period | None, before: Period | None) -> pd.DataFrame:
    question = asked.question
    grids = asked.gazetteer.inside(question.frame, question.level)[["name", "lon", "lat"]].copy()
    rows = found.set_index("grid_code").reindex(grids.index)
    grids["value"] = rows["value"].astype("float64")
    grids["numerator"], grids["denominator"] = rows["numerator"], rows["denominator"]
    carried = found.attrs.get("carried", {})
    grids["carried"] = pd.Series(carried, dtype="float64").reindex(grids.index).fillna(0.0)
    grids["before"] = np.nan
    if question.against == "siblings":
        indicator = asked.catalog.indicators[question.indicator]
        above = question.all_siblings_of(question.frame)
        whole = found if above == question.frame else asked.values(question.level, above, period)
        means = pd.Series(siblings_mean(whole, indicator.factor), index=whole["grid_code"])
        grids["before"] = means.reindex(grids.index)
    elif before is not None:
        former = asked.values(question.level, question.frame, before).set_index("grid_code")
        grids["before"] = former["value"].astype("float64").reindex(grids.index)
    grids["change"] = grids["value"] - grids["before"]
    return grids


def _own(asked: _Asked, grid: GridName, period: Period | None, before: Period | None) -> pd.Series[Any]:
    """Value of the grid itself, what it is compared with, and the change."""
    value, other = asked.value_of(grid, period), float("nan")
    if before is not None:
        other = asked.value_of(grid, before)
    elif asked.question.against == "siblings":
        other = _mean_beside(asked, grid, period)
    return pd.Series({"value": value, "before": other, "change": value - other})


def _mean_beside(asked: _Asked, grid: GridName, period: Period | None) -> float:
    above = parent_of(grid.code)
    if above is None or above not in asked.gazetteer:
        return float("nan")
    found = asked.values(level_of(grid.code), above, period)
    means = siblings_mean(found, asked.catalog.indicators[asked.question.indicator].factor)
    return float(means[(found["grid_code"] == grid.code).to_numpy()][0])


def ranked(cells: pd.DataFrame, by: str, better: str = "neither") -> pd.DataFrame:
    """Grids with the highest value first, those without data last, equal ones by code."""
    return cells.sort_values(by, ascending=False, kind="stable", na_position="last")


def in_english(findings: Findings, catalog: Catalog) -> Findings:
    """The same with the English names there are."""
    english = {code: name.en for code, name in catalog.city.names.items()}

    def renamed(grids: Sequence[GridName]) -> tuple[GridName, ...]:
        return tuple(replace(one, name=english.get(one.code, one.name)) for one in grids)

    names = pd.Series(findings.cells.index.map(english), index=findings.cells.index).fillna(findings.cells["name"])
    path = renamed(findings.path)
    return replace(findings, path=path, grid=path[-1], cells=findings.cells.assign(name=names))
