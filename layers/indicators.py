"""Indicators: one number with a unit, for a grid and a period, out of tallies and published counts of people.

| formula      | value                                                         |
|--------------|---------------------------------------------------------------|
| `count`      | rows x factor                                                 |
| `share`      | rows / rows of `[of]` x factor                                |
| `per_area`   | rows / square kilometres of the grid x factor                 |
| `per_people` | rows / people, as published and so rounded x factor           |
| `people`     | people, as published and so rounded x factor                  |
| `people_share` | people of `[people]` / all people, as published, x factor   |

Numerators and denominators are summed, rates never averaged; nothing divided by nothing is no data, and not 0.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import psycopg

from layers.access import Scope
from layers.classes import classes
from layers.codes import LENGTHS
from layers.counts import WITHOUT_TIME, Numbers, check_count, digits_of, numbers, span, sums
from layers.declare.records import Catalog, Indicator, Part
from layers.editions import edition_on
from layers.errors import UnknownNameError
from layers.people import published_month
from layers.people_parts import people_of
from layers.performance import case_counts, case_facts
from layers.periods import Period, months_between, read_period

__all__ = ["classes", "latest", "periods", "values"]

M2_PER_KM2 = 1_000_000


@dataclass(frozen=True)
class _Question:
    """An indicator asked for: where, at which level and when."""

    connection: psycopg.Connection[Any]
    catalog: Catalog
    indicator: Indicator
    inside: Scope
    level: str
    when: Period | None
    edition: int

    @property
    def datasets(self) -> list[str]:
        """Datasets that any part of the formula counts."""
        return _datasets(self.indicator)


def values(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    indicator: str,
    scope: Scope,
    *,
    level: str,
    within: str | None = None,
    period: str | int | date | None = None,
    edition: int | None = None,
) -> pd.DataFrame:
    """Work out an indicator; a row is a grid of the level, each of them once.

    Parameters
    ----------
    connection
        Any role; only `pub` is read.
    catalog
        The declarations.
    indicator
        Its declared key.
    scope
        Part of the tree the reader may see.
    level
        Level of the grids: city, county, large, medium or small.
    within
        Code of the grid to stay inside of.
    period
        A year, a month, or a day (medium grids and above): 2026, 2026-03, 2026-03-05. Left out: what `latest` gives.
        Datasets without time, such as places, are counted as they are now, whatever the period.
    edition
        Edition of the grids; the one in force when left out.

    Returns
    -------
    DataFrame
        Columns grid_code, value, numerator, denominator, ordered by code. A count of 0 is 0; <NA> and NaN stand where
        there is no data: nothing loaded, a period before or after the data, a denominator of 0. `attrs` has `period`
        as text ("" for all time), `n_unplaced`: rows (or people) inside `within` in no grid of the level,
        `n_carried` and, by grid, `carried`: rows of the numerator that a reform has a grid count by share, and of
        people `off_by` and `withheld`, as `layers.people_parts.people_of` tells.

    Raises
    ------
    UnknownNameError
        Nobody declared the indicator, or there is no such level.
    AccessError
        It counts people or something sensitive, or `within` is outside the scope.
    """
    asked, inside = find(catalog, indicator), scope.within(within)
    digits_of(level, inside)
    if not asked.is_of_people:
        check_count(catalog, _datasets(asked), [*asked.count.categories, *(asked.of.categories if asked.of else ())])
    when = read_period(period) if period is not None else latest(connection, catalog, indicator)
    edition = edition_on(connection, catalog.city) if edition is None else edition
    question = _Question(connection, catalog, asked, inside, level, when, edition)
    frame, told = (_people if asked.is_of_people else _rows)(question, _grids(question))
    frame = frame.assign(value=_value(asked, frame))[["grid_code", "value", "numerator", "denominator"]]
    frame.attrs = told
    return frame


def find(catalog: Catalog, indicator: str) -> Indicator:
    """Find a declared indicator.

    Raises
    ------
    UnknownNameError
        Nobody declared it; the error names the nearest ones.
    """
    if indicator not in catalog.indicators:
        raise UnknownNameError("indicator", indicator, catalog.indicators)
    return catalog.indicators[indicator]


def periods(connection: psycopg.Connection[Any], catalog: Catalog, indicator: str) -> list[int]:
    """List the months, as yyyymm, that an indicator can be asked for: from the first with data to the last.

    Returns
    -------
    Empty for an indicator of the present state, and where nothing is loaded.
    """
    asked = find(catalog, indicator)
    if asked.is_of_people:
        month = published_month(connection)
        return [] if month is None else [month]
    found = _span(connection, catalog, asked, numbers(connection))
    return [] if asked.period == "now" or found is None else months_between(found[0].months[0], found[1].months[0])


def latest(connection: psycopg.Connection[Any], catalog: Catalog, indicator: str) -> Period | None:
    """Give the period an indicator is shown for when nobody asks for another.

    It is the last month with data that was over when the data were loaded, or else the first one with data; the year
    of that month for an indicator by year; None, all time, for one of the present state.
    """
    asked = find(catalog, indicator)
    known = numbers(connection)
    found = None if asked.period == "now" or asked.is_of_people else _span(connection, catalog, asked, known)
    if found is None:
        return None
    first, last = (span.first_on.replace(day=1) for span in found)
    loaded = [known.loaded[name] for name in _timed(catalog, _datasets(asked)) if name in known.loaded]
    loaded_on = max(loaded).astimezone(ZoneInfo(catalog.city.zone)).date() if loaded else found[1].past_on
    over = (loaded_on.replace(day=1) - timedelta(days=1)).replace(day=1)
    month = max(first, min(last, over))
    return read_period(f"{month:%Y}" if asked.period == "year" else f"{month:%Y-%m}")


def _datasets(asked: Indicator) -> list[str]:
    return sorted({*asked.count.datasets, *(asked.of.datasets if asked.of else ())})


def _timed(catalog: Catalog, names: list[str]) -> list[str]:
    return [name for name in names if catalog.datasets[name].table == "event"]


def _span(
    connection: psycopg.Connection[Any], catalog: Catalog, asked: Indicator, known: Numbers
) -> tuple[Period, Period] | None:
    """Find the first and last day of what an indicator counts; None when it has no time, or nothing is loaded."""
    timed = [known.datasets[name] for name in _timed(catalog, _datasets(asked)) if name in known.datasets]
    return span(connection, timed) if timed else None


def _rows(question: _Question, grids: pd.DataFrame) -> tuple[pd.DataFrame, dict[Hashable, Any]]:
    """Count rows of each grid; beside it, how many of the numerator are known no finer than a grid above."""
    known = numbers(question.connection)
    is_of_cases = question.indicator.count.cases is not None
    counted = _cases(question) if is_of_cases else _counted(question, known)
    is_tied = counted["grid_code"].str.len() == LENGTHS[question.level]
    rows = counted[is_tied].set_index("grid_code").reindex(grids["grid_code"], fill_value=0)
    frame = pd.DataFrame({"grid_code": grids["grid_code"], "numerator": _whole(rows["n0"])})
    rough: dict[Hashable, Any] = {"off_by": 0, "withheld": False}
    match question.indicator.formula:
        case "share":
            frame["denominator"] = _whole(rows["n1"])
        case "per_area":
            frame["denominator"] = grids["area_m2"] / M2_PER_KM2
        case "per_people":
            found = _published(question, question.indicator.people)
            frame["denominator"], rough = _by_grid(found, grids), _roughness(found)
        case _:
            frame["denominator"] = pd.Series(pd.NA, frame.index, dtype="Int64")
    if not (_has_data(question, known) or (is_of_cases and len(counted))):
        frame["numerator"] = pd.Series(pd.NA, frame.index, dtype="Int64")
    n_unplaced = round(counted.loc[~is_tied, "n0"].sum())
    carried = counted.attrs["carried"]
    return frame, _told(question, n_unplaced, carried) | rough


def _people(question: _Question, grids: pd.DataFrame) -> tuple[pd.DataFrame, dict[Hashable, Any]]:
    """Read the published people of each grid; beside it, how many are known no finer than a grid above."""
    found = _published(question, question.indicator.people)
    frame = pd.DataFrame({"grid_code": grids["grid_code"], "numerator": _by_grid(found, grids)})
    frame["denominator"] = pd.Series(pd.NA, frame.index, dtype="Int64")
    if question.indicator.formula == "people_share":
        frame["denominator"] = _by_grid(_published(question, None), grids)
    return frame, _told(question, found.attrs["n_unplaced"], {}) | _roughness(found)


def _told(question: _Question, n_unplaced: int, carried: dict[str, float]) -> dict[Hashable, Any]:
    """What is said beside the values."""
    period = str(question.when or "")
    return {"period": period, "n_unplaced": n_unplaced, "n_carried": sum(carried.values()), "carried": carried}


def _published(question: _Question, part: Part | None) -> pd.DataFrame:
    return people_of(
        question.connection,
        question.catalog,
        question.inside,
        part,
        level=question.level,
        month=_month(question) if question.indicator.is_of_people else None,
        edition=question.edition,
    )


def _by_grid(found: pd.DataFrame, grids: pd.DataFrame) -> Any:
    return _whole(found.set_index("grid_code")["n"].astype("Int64").reindex(grids["grid_code"]))


def _roughness(found: pd.DataFrame) -> dict[Hashable, Any]:
    return {key: found.attrs[key] for key in ("off_by", "withheld")}


def _month(question: _Question) -> int | None:
    return None if question.when is None else question.when.months[-1]


def _whole(column: pd.Series[Any]) -> Any:
    return column.astype("Float64" if column.dtype == "float64" else "Int64").array


def _has_data(question: _Question, known: Numbers) -> bool:
    """Tell whether a count of 0 means "none" rather than "not known": loaded, and the period within the data."""
    counted = question.indicator.count.datasets
    if known.loaded.keys().isdisjoint(counted):
        return False
    if question.when is None or not _timed(question.catalog, list(counted)):
        return True
    found = _span(question.connection, question.catalog, question.indicator, known)
    if found is None:
        return False
    return question.when.first_on < found[1].past_on and found[0].first_on < question.when.past_on


def _counted(question: _Question, known: Numbers) -> pd.DataFrame:
    """Count numerator (n0) and the denominator of a share (n1); rows known no finer stand under a shorter code."""
    asked, when = question.indicator, question.when
    is_daily = when is not None and when.step == "day" and bool(_timed(question.catalog, question.datasets))
    spans = None if when is None else [WITHOUT_TIME, *([when.number] if is_daily else when.months)]
    return sums(
        question.connection,
        question.inside,
        [known.of(part) for part in (asked.count, asked.of) if part is not None],
        edition=question.edition,
        level=question.level,
        periods=spans,
        step="day" if is_daily else "month",
    )


def _cases(question: _Question) -> pd.DataFrame:
    """Count cases by what became of them in the period: numerator (n0) and denominator (n1)."""
    asked, when, city = question.indicator, question.when, question.catalog.city
    parts = [part for part in (asked.count, asked.of) if part is not None]
    if when is None:  # there are no events at all
        nothing = pd.DataFrame(columns=["grid_code", *(f"n{i}" for i in range(len(parts)))])
        nothing.attrs["carried"] = {}
        return nothing
    facts = case_facts(question.connection, question.inside, question.datasets, when, city.zone)
    counts = case_counts(facts, when, city.zone, question.catalog.limits.due_on(when.first_on))
    made = {"grid_code": facts["grid_code"].str[: LENGTHS[question.level]]}
    for i, part in enumerate(parts):
        kinds = facts["category"].isin(part.categories or facts["category"])
        made[f"n{i}"] = counts[part.cases].where(kinds, 0)
    found = pd.DataFrame(made).groupby("grid_code", sort=True).sum().reset_index()
    found.attrs["carried"] = {}
    return found


def _grids(question: _Question) -> pd.DataFrame:
    rows = question.connection.execute(
        "select code, area_m2 from pub.grid where edition = %s and level = %s and code >= %s and code < %s"
        " order by code",
        [question.edition, question.level, question.inside.low, question.inside.high],
    ).fetchall()
    return pd.DataFrame(rows, columns=["grid_code", "area_m2"]).astype({"grid_code": "str", "area_m2": "float64"})


def _value(asked: Indicator, frame: pd.DataFrame) -> Any:
    """Work out the values; nothing divided by nothing is no data."""
    numerator = frame["numerator"].to_numpy(dtype=np.float64, na_value=np.nan)
    if asked.formula in ("count", "people"):
        return numerator * asked.factor
    denominator = frame["denominator"].to_numpy(dtype=np.float64, na_value=np.nan)
    result = np.full(len(frame), np.nan)
    np.divide(numerator * asked.factor, denominator, out=result, where=denominator > 0)
    return result
