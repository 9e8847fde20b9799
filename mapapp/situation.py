"""The situation in one grid: every figure one view of the map shows, put together from what `layers` answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import psycopg
from numpy.typing import NDArray

from layers.access import Scope
from layers.cases import last_change
from layers.classes import classes
from layers.codes import child_level, parent_of
from layers.counts import WITHOUT_TIME, Numbers, numbers, sums, tally
from layers.declare.records import Catalog, Count, Indicator
from layers.editions import EditionSpan, read_editions
from layers.gazetteer import Gazetteer, GridName
from layers.indicators import values
from layers.people import people
from layers.tables import STATES
from layers.tiles import data_version
from mapapp.view import View

OPEN_STATES = tuple(state for state in STATES if state not in ("closed", "refused"))
"""States of an event that still has to be dealt with."""


@dataclass(frozen=True)
class Figures:
    """Headline figures of a grid; None where nothing is known."""

    value: float | None
    events: int
    events_before: int | None
    closed: int
    open: int
    people: int | None
    area_km2: float
    elements: Mapping[str, int]


@dataclass(frozen=True)
class Situation:
    """What one view shows.

    `cells` has a row for each grid coloured on the map, by code: name, lon, lat, value, class, people, events;
    `ranked` a row for each grid of the ranking, highest first: name, value, class. `breaks` are the lower ends of the
    second class and of those after it. `above` are the grids a click opens where the cells are finer than those.
    `months` counts the events of the grid by month. `n_carried` are rows that a reform has these grids count by
    share; `off_by` is how far published people may be from the truth where that is more than 9, else 0, and
    `is_withheld` whether the release gate keeps those of the indicator back at this level.
    """

    view: View
    grid: GridName
    path: tuple[GridName, ...]
    frame: str
    shown: str
    pick: str
    indicator: Indicator
    period: str
    cells: pd.DataFrame
    ranked: pd.DataFrame
    above: pd.DataFrame | None
    breaks: NDArray[np.float64]
    figures: Figures
    months: Mapping[int, int]
    n_unplaced: int
    n_carried: float
    off_by: int
    is_withheld: bool
    editions: tuple[EditionSpan, ...]
    version: int
    last_change: int
    loaded_at: datetime | None
    gazetteer: Gazetteer


def read_situation(
    connection: psycopg.Connection[Any], catalog: Catalog, scope: Scope, gazetteer: Gazetteer, view: View
) -> Situation:
    """Put together what a view shows."""
    grid = gazetteer.named(view.at)
    frame, shown, pick = levels_of(gazetteer, grid)
    indicator = catalog.indicators[view.indicator]
    asked = period_asked(indicator, view.period)

    def read_values(level: str, within: str) -> pd.DataFrame:
        return values(
            connection, catalog, view.indicator, scope,
            level=level, within=within, period=asked, edition=gazetteer.edition,
        )  # fmt: skip

    cells = _cells(connection, catalog, scope, gazetteer, view, frame, shown, read_values(shown, frame))
    breaks, cells["class"] = classes(cells["value"], indicator)
    picked = cells
    if pick != shown:
        found = read_values(pick, frame)
        picked = _valued(gazetteer, frame, pick, found)
        picked["class"] = np.where(picked["value"].notna(), 1 + np.searchsorted(breaks, picked["value"], "right"), 0)
    own = _one(read_values(grid.level, view.at))
    version, loaded_at = data_version(connection)
    return Situation(
        view=view,
        grid=grid,
        path=tuple(gazetteer.path(view.at)),
        frame=frame,
        shown=shown,
        pick=pick,
        indicator=indicator,
        period=cells.attrs["period"],
        cells=cells,
        ranked=ranked(picked),
        above=picked if pick != shown else None,
        breaks=breaks,
        figures=_figures(connection, catalog, scope, gazetteer, view, own),
        months=_months(connection, catalog, scope, grid, gazetteer.edition),
        n_unplaced=cells.attrs["n_unplaced"],
        n_carried=cells.attrs["n_carried"],
        off_by=cells.attrs["off_by"],
        is_withheld=cells.attrs["withheld"],
        editions=tuple(read_editions(connection)),
        version=version,
        last_change=last_change(connection, scope) or 0,
        loaded_at=loaded_at,
        gazetteer=gazetteer,
    )


def in_english(situation: Situation, catalog: Catalog) -> Situation:
    """The same with the English names of city and counties, the only grids whose names are declared in both."""
    english = {code: name.en for code, name in catalog.city.names.items()}

    def renamed(one: GridName) -> GridName:
        return replace(one, name=english.get(one.code, one.name))

    def renamed_all(grids: pd.DataFrame) -> pd.DataFrame:
        names = pd.Series(grids.index.map(english), index=grids.index).fillna(grids["name"])
        return grids.assign(name=names)

    return replace(
        situation,
        grid=renamed(situation.grid),
        path=tuple(renamed(one) for one in situation.path),
        cells=renamed_all(situation.cells),
        ranked=renamed_all(situation.ranked),
        above=None if situation.above is None else renamed_all(situation.above),
    )


def ranked(grids: pd.DataFrame) -> pd.DataFrame:
    """Grids with the highest value first, those without data last, equal ones by code."""
    return grids.sort_values("value", ascending=False, kind="stable", na_position="last")


def levels_of(gazetteer: Gazetteer, grid: GridName) -> tuple[str, str, str]:
    """Tell for a grid: the grid its cells lie in, their level, and the level a click opens.

    A city shows its large grids, since its few counties say little; a click opens the county all the same, unless
    there is only one. A small grid, which has nothing below it, shows itself among its siblings.
    """
    below = child_level(grid.level)
    if below is None or not len(gazetteer.inside(grid.code, below)):
        above = parent_of(grid.code)
        return (above if above in gazetteer else grid.code) or grid.code, grid.level, grid.level
    if grid.level == "city" and len(gazetteer.inside(grid.code, "large")):
        return grid.code, "large", "county" if len(gazetteer.inside(grid.code, "county")) > 1 else "large"
    return grid.code, below, below


def period_asked(indicator: Indicator, month: int | None) -> int | None:
    """Period to ask an indicator for when the screen shows a month."""
    if month is None or indicator.period == "now" or indicator.is_of_people:
        return None
    return month // 100 if indicator.period == "year" else month


def _cells(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    scope: Scope,
    gazetteer: Gazetteer,
    view: View,
    frame: str,
    shown: str,
    found: pd.DataFrame,
) -> pd.DataFrame:
    cells = _valued(gazetteer, frame, shown, found)
    published = people(connection, scope, level=shown, within=frame, edition=gazetteer.edition)
    rounded = published.set_index("grid_code")
    cells["people"] = rounded["n"].reindex(cells.index).astype("Int64")
    known = numbers(connection)
    inside, edition = scope.within(frame), gazetteer.edition
    events = _sum_by_grid(connection, edition, known, inside, shown, [_events(catalog)], [view.period])
    cells["events"] = events["n0"].reindex(cells.index).fillna(0).round().astype("int64")
    cells.attrs = {
        "period": found.attrs.get("period", ""),
        "n_unplaced": int(found.attrs.get("n_unplaced", 0)),
        "n_carried": float(found.attrs.get("n_carried", 0)),
        "off_by": max(found.attrs.get("off_by", 0), *published.attrs.get("off_by", {}).values(), 0),
        "withheld": bool(found.attrs.get("withheld", False)),
    }
    return cells


def _valued(gazetteer: Gazetteer, frame: str, level: str, found: pd.DataFrame) -> pd.DataFrame:
    """Grids of a level in a grid, by code, each with its value."""
    grids = gazetteer.inside(frame, level)[["name", "lon", "lat"]].copy()
    grids["value"] = found.set_index("grid_code")["value"].astype("float64").reindex(grids.index)
    return grids


def _months(
    connection: psycopg.Connection[Any], catalog: Catalog, scope: Scope, grid: GridName, edition: int
) -> dict[int, int]:
    """Count the events in a grid by month (yyyymm)."""
    counted: dict[int, int] = {}
    for name in _events(catalog).datasets:
        inside = scope.within(grid.code)
        frame = tally(connection, catalog, name, inside, level=grid.level, by=(), period="month", edition=edition)
        for day, n in zip(frame["period"], frame["n"], strict=True):
            month = day.year * 100 + day.month
            counted[month] = counted.get(month, 0) + round(n)
    return dict(sorted(counted.items()))


def _figures(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    scope: Scope,
    gazetteer: Gazetteer,
    view: View,
    own: float | None,
) -> Figures:
    grid = gazetteer.named(view.at)
    inside = scope.within(view.at)
    known = numbers(connection)
    events = _events(catalog)

    def total(counts: Sequence[Count], periods: Sequence[int | None] | None) -> list[int]:
        frame = _sum_by_grid(connection, gazetteer.edition, known, inside, grid.level, counts, periods)
        return [round(frame[f"n{i}"].sum()) for i in range(len(counts))]

    month, closed = total([events, Count(events.datasets, states=("closed",))], [view.period])
    before = total([events], [_month_before(view.period)])[0] if view.period else None
    is_open = total([Count(events.datasets, states=OPEN_STATES)], None)[0]
    elements = ("place", "thing", "organisation")
    now = total([_datasets(catalog, element) for element in elements], [WITHOUT_TIME])
    counted = people(connection, scope, level=grid.level, within=view.at, edition=gazetteer.edition)
    return Figures(
        value=own,
        events=month,
        events_before=before,
        closed=closed,
        open=is_open,
        people=int(counted["n"].iloc[0]) if len(counted) else None,
        area_km2=gazetteer.area_km2(view.at),
        elements=dict(zip(elements, now, strict=True)) | {"event": month},
    )


def _sum_by_grid(
    connection: psycopg.Connection[Any],
    edition: int,
    known: Numbers,
    inside: Scope,
    level: str,
    counts: Sequence[Count],
    periods: Sequence[int | None] | None,
) -> pd.DataFrame:
    frame = sums(
        connection,
        inside,
        [known.of(count) for count in counts],
        edition=edition,
        level=level,
        periods=None if periods is None else [period or WITHOUT_TIME for period in periods],
        step=None if periods is None else "month",
    )
    return frame.set_index("grid_code")


def _events(catalog: Catalog) -> Count:
    return _datasets(catalog, "event")


def _datasets(catalog: Catalog, table: str) -> Count:
    return Count(datasets_of(catalog.datasets.values(), table))


def datasets_of(datasets: Iterable[Any], table: str) -> tuple[str, ...]:
    """Keys of the datasets of a table that are not sensitive."""
    return tuple(one.key for one in datasets if one.table == table and not one.sensitive)


def _month_before(month: int) -> int:
    return month - 1 if month % 100 > 1 else month - 89


def _one(frame: pd.DataFrame) -> float | None:
    value = frame["value"].iloc[0] if len(frame) else None
    return None if value is None or pd.isna(value) else float(value)
