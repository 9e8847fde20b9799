"""How many rows of each layer lie in a grid and in its cells, out of the tallies; how high cells stand; data's age."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import psycopg

from layers.access import Scope
from layers.counts import WITHOUT_TIME, Numbers, numbers, sums
from layers.declare.records import Catalog, Count, Layer
from layers.periods import Step
from mapapp.drawn import Only
from mapapp.overlay import days_of
from mapapp.view import View


@dataclass(frozen=True)
class LayerCounts:
    """Rows of each layer by its key; `by_cell` has a column for each layer that is drawn by grid, a row for each cell.

    Layers of people are in neither: they are published counts. `loaded_at` is when the oldest part came in.
    """

    inside: dict[str, int]
    by_cell: pd.DataFrame
    loaded_at: dict[str, datetime]


def read_layer_counts(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    scope: Scope,
    edition: int,
    view: View,
    cells: Sequence[str],
    frame: str,
    levels: tuple[str, str],
) -> LayerCounts:
    """Count the rows of the layers.

    `cells` are the codes of the cells shown, `frame` is the grid they lie in, and `levels` are the level of the grid
    that is shown and that of its cells.
    """
    known = numbers(connection)
    counted = [one for one in catalog.layers.values() if one.element != "person"]
    on = {one.key for one in view.layers}
    by_grid = [one for one in counted if one.draw == "grid" and one.key in on]
    at, below = levels
    inside = dict[str, int]()
    if view.is_open:
        for group in _by_time(counted):
            found = _sums(connection, catalog, known, scope.within(view.at), edition, at, group, view)
            inside |= {one.key: round(found[f"n{i}"].sum()) for i, one in enumerate(group)}
    table = pd.DataFrame(index=pd.Index(list(cells), dtype="str"))
    for group in _by_time(by_grid):
        found = _sums(connection, catalog, known, scope.within(frame), edition, below, group, view)
        for i, one in enumerate(group):
            table[one.key] = found[f"n{i}"].reindex(table.index).fillna(0).round().astype("int64")
    loaded = {
        one.key: min(known.loaded[name] for name in one.datasets if name in known.loaded)
        for one in catalog.layers.values()
        if any(name in known.loaded for name in one.datasets)
    }
    return LayerCounts(inside, table, loaded)


def _days(only: Only) -> range:
    """Numbers of the days from the first to the last, as periods are numbered; those between months are of no day."""
    assert only.since is not None and only.until is not None
    return range(int(f"{only.since:%Y%m%d}"), int(f"{only.until:%Y%m%d}") + 1)


def _by_time(layers: Iterable[Layer]) -> list[list[Layer]]:
    """Layers of events, then those of all else, which has no time; groups that are empty are left out."""
    groups = [[one for one in layers if (one.element == "event") is is_event] for is_event in (True, False)]
    return [group for group in groups if group]


def _sums(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    known: Numbers,
    inside: Scope,
    edition: int,
    level: str,
    layers: Sequence[Layer],
    view: View,
) -> pd.DataFrame:
    is_event = layers[0].element == "event"
    only = view.only
    counts = []
    for layer in layers:
        datasets = tuple(name for name in layer.datasets if not catalog.datasets[name].sensitive)
        categories = tuple(c for c in only.categories if catalog.categories[c].table == layer.element)
        counts.append(known.of(Count(datasets, categories, only.states if is_event else ())))
    periods: Sequence[int] = [(view.period or WITHOUT_TIME) if is_event else WITHOUT_TIME]
    step: Step = "month"
    if is_event and view.period and (only.since or only.until) and level != "small":
        periods, step = _days(days_of(view)), "day"
    found = sums(connection, inside, counts, edition=edition, level=level, periods=periods, step=step)
    return found.set_index("grid_code")
