"""What the wall shows of one grid, put together from what `layers` answers and said in one language.

Category, grid, state and time; counts of people as published; nobody's words, and of sensitive cases counts alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import psycopg

from layers.access import Scope
from layers.cases import changes, last_change
from layers.codes import LENGTHS
from layers.counts import WITHOUT_TIME, numbers, sums
from layers.declare.records import Count, Scenario
from layers.errors import AccessError
from layers.gazetteer import Gazetteer
from layers.indicators import values
from layers.people import people
from layers.tables import STATES
from layers.tiles import data_version
from layers.watch import (
    FEWEST_SENSITIVE,
    due_cases,
    latest_cases,
    open_cases,
    ranked_by_neglect,
    reported_cases,
    sensitive_counts,
)
from mapapp.desk import Desk
from mapapp.finder import find_grids
from mapapp.pages.map import figure
from mapapp.situation import datasets_of, levels_of
from mapapp.text import Words
from mapapp.view import ELEMENTS

FEED_MOST, DUE_MOST, RANKED_MOST, FOUND_MOST = 30, 12, 20, 9
SOON = timedelta(hours=24)
OF_ALL = ("open_events",)
"""Indicators shown where no scenario is chosen, those of them that are declared."""


def read_watch(desk: Desk, at: str, scenario_key: str, language: str, now: datetime | None = None) -> dict[str, Any]:
    """Read all that the wall shows of a grid; `scenario_key` narrows it to the categories of a declared scenario."""
    now = now or datetime.now(UTC)
    words, scenario = desk.words[language], desk.catalog.scenarios.get(scenario_key)
    categories = scenario.categories if scenario else ()
    with desk.connection() as connection:
        gazetteer = desk.gazetteer(connection)
        top = min(gazetteer.grids.index, key=len)
        grid = gazetteer.named(at if at in gazetteer else top)
        inside = desk.scope.within(grid.code)
        version, loaded_at = data_version(connection)
        head = last_change(connection, desk.scope)
        if head is None:
            raise AccessError("The session has ended.", "Sign in again.")
        return {
            "cursor": head,
            "now": now.isoformat(),
            "version": version,
            "loaded_at": loaded_at.isoformat() if loaded_at else None,
            "edition": f"{gazetteer.edition}-{gazetteer.version}",
            "at": grid.code,
            "level": words(f"level_{grid.level}"),
            "elements": _elements(connection, desk, words, inside, gazetteer, grid.level, grid.code),
            "indicators": _indicators(connection, desk, words, gazetteer, grid.level, grid.code, scenario),
            **_open(connection, words, gazetteer, inside, grid.code, now, categories),
            **_reported(connection, desk, inside, now, categories),
            "sensitive": _sensitive(connection, desk, words, inside, now),
            "due": _due(connection, inside, now, categories),
            "feed": _feed(connection, inside, now, categories, head),
        }


def read_names(desk: Desk, language: str) -> dict[str, Any]:
    """Names and centres of the grids in the scope, and the texts of categories and states.

    The page keeps them until `read_watch` tells another edition.
    """
    words = desk.words[language]
    with desk.connection() as connection:
        gazetteer = desk.gazetteer(connection)
    grids = gazetteer.grids
    events = (one for one in desk.catalog.categories.values() if one.table == "event" and not one.sensitive)
    return {
        "edition": f"{gazetteer.edition}-{gazetteer.version}",
        "code": grids.index.tolist(),
        "name": list(desk.names_in(gazetteer, words).values()),
        "lon": grids["lon"].round(4).tolist(),
        "lat": grids["lat"].round(4).tolist(),
        "categories": {one.key: words.of(one.name) for one in events},
        "states": {state: words(f"state_{state}") for state in STATES},
    }


def search_names(desk: Desk, sought: str, language: str) -> list[dict[str, str]]:
    """Find grids and nothing that lies in them, for a wall is told no name of a row; a hit has a code and a name."""
    with desk.connection() as connection:
        gazetteer = desk.gazetteer(connection)
    return [
        {"code": hit.code, "name": hit.name}
        for hit in find_grids(desk, gazetteer, sought, desk.words[language], FOUND_MOST)
    ]


def _elements(
    connection: psycopg.Connection[Any],
    desk: Desk,
    words: Words,
    inside: Scope,
    gazetteer: Gazetteer,
    level: str,
    at: str,
) -> list[dict[str, str]]:
    """Totals of the five elements; people as published, events those that are open now."""
    known, catalog = numbers(connection), desk.catalog
    counts = {one: Count(datasets_of(catalog.datasets.values(), one)) for one in ("place", "thing", "organisation")}
    found = sums(
        connection, inside, [known.of(count) for count in counts.values()],
        edition=gazetteer.edition, level=level, periods=[WITHOUT_TIME], step="month",
    )  # fmt: skip
    total = {one: words.number(round(found[f"n{i}"].sum())) for i, one in enumerate(counts)}
    counted = people(connection, inside, level=level, within=at, edition=gazetteer.edition)
    total["person"] = words.people(int(counted["n"].iloc[0]) if len(counted) else None)
    colours = {one: desk.colour(one) for one in ELEMENTS}
    return [
        {"key": one, "name": words(f"element_{one}"), "value": total.get(one, ""), "colour": colours[one]}
        for one in ELEMENTS
    ]


def _indicators(
    connection: psycopg.Connection[Any],
    desk: Desk,
    words: Words,
    gazetteer: Gazetteer,
    level: str,
    at: str,
    scenario: Scenario | None,
) -> list[dict[str, str]]:
    """The indicators of the scenario with their value here."""
    told = []
    wanted = scenario.indicators if scenario else OF_ALL
    for key in [one for one in wanted if one in desk.catalog.indicators][:4]:
        one = desk.catalog.indicators[key]
        found = values(
            connection, desk.catalog, key, desk.scope, level=level, within=at, period=None, edition=gazetteer.edition
        )
        value = found["value"].iloc[0] if len(found) else None
        value = None if value is None or pd.isna(value) else float(value)
        told.append(
            {"key": key, "name": words.of(one.name), "value": figure(words, one, value), "unit": words.of(one.unit)}
        )
    return told


def _open(
    connection: psycopg.Connection[Any],
    words: Words,
    gazetteer: Gazetteer,
    inside: Scope,
    at: str,
    now: datetime,
    categories: Sequence[str],
) -> dict[str, Any]:
    """Open cases in all, and the ranking of the grids a click opens."""
    grid = gazetteer.named(at)
    _, shown, _ = levels_of(gazetteer, grid)
    level = shown if LENGTHS[shown] > len(at) else grid.level
    counted = _of(open_cases(connection, inside, LENGTHS[level], now), categories)
    ranked = ranked_by_neglect(counted[counted["grid_code"].isin(gazetteer.grids.index)])
    totals = {key: int(counted[key].sum()) for key in ("n", "n_late", "n_unanswered")}
    rows = [
        {"code": code, "late": late, "unanswered": waiting, "open": n, "share": round(share, 4)}
        for code, n, late, waiting, share in ranked.head(RANKED_MOST).itertuples()
    ]
    return {"open": totals, "ranking": rows, "ranked": words(f"levels_{level}") if level != "city" else ""}


def _reported(
    connection: psycopg.Connection[Any], desk: Desk, inside: Scope, now: datetime, categories: Sequence[str]
) -> dict[str, Any]:
    """Today's cases by category and state, and how many were reported by the hour and by the day."""
    zone = desk.catalog.city.zone
    here = now.astimezone(ZoneInfo(zone))
    day = here.replace(hour=0, minute=0, second=0, microsecond=0)
    hour = here.replace(minute=0, second=0, microsecond=0)
    days = _of(reported_cases(connection, inside, day - timedelta(days=29), "day", zone), categories)
    hours = _of(reported_cases(connection, inside, hour - timedelta(hours=23), "hour", zone), categories)
    today = days[days["at"] == pd.Timestamp(day.replace(tzinfo=None))]
    return {
        "today": _by_category(today),
        "last_24": _by_category(hours),
        "hours": _series(hours, pd.date_range(end=hour.replace(tzinfo=None), periods=24, freq="h"), "%Y-%m-%dT%H:%M"),
        "days": _series(days, pd.date_range(end=day.replace(tzinfo=None), periods=30, freq="D"), "%Y-%m-%d"),
    }


def _by_category(counted: pd.DataFrame) -> list[list[Any]]:
    """Counts by category and state, the most frequent category first."""
    by = counted.pivot_table(index="category", columns="state", values="n", aggfunc="sum", fill_value=0)
    order = by.sum(axis=1).sort_values(ascending=False, kind="stable").index
    return [[key, {state: int(n) for state, n in by.loc[key].items() if n}] for key in order]


def _sensitive(
    connection: psycopg.Connection[Any], desk: Desk, words: Words, inside: Scope, now: datetime
) -> list[list[str]]:
    """Sensitive cases of the last 30 days by category, as counts of medium grids; few are only said to be few."""
    found = sensitive_counts(connection, inside, now - timedelta(days=30))
    told = []
    for category, rows in found.groupby("category", sort=False):
        n = int(rows["n"].sum())
        said = words("fewer", n=FEWEST_SENSITIVE) if n < FEWEST_SENSITIVE else words.number(n)
        name = words.of(desk.catalog.categories[str(category)].name)
        told.append([name, said, words("wall_in_grids", n=len(rows)) if n >= FEWEST_SENSITIVE else ""])
    return told


def _series(counted: pd.DataFrame, ticks: pd.DatetimeIndex, style: str) -> dict[str, list[Any]]:
    n = counted.groupby("at")["n"].sum().reindex(ticks, fill_value=0)
    closed = counted[counted["state"] == "closed"].groupby("at")["n"].sum().reindex(ticks, fill_value=0)
    return {"x": ticks.strftime(style).tolist(), "n": n.astype(int).tolist(), "closed": closed.astype(int).tolist()}


def _due(
    connection: psycopg.Connection[Any], inside: Scope, now: datetime, categories: Sequence[str]
) -> list[dict[str, Any]]:
    found = due_cases(connection, inside, now, DUE_MOST, categories)
    return [
        {"grid_code": grid, "category": category, "state": state, "due_at": due_at.isoformat(), "is_urgent": urgent}
        for grid, category, state, due_at, urgent in found.itertuples(index=False)
    ]


def _feed(
    connection: psycopg.Connection[Any], inside: Scope, now: datetime, categories: Sequence[str], head: int
) -> list[dict[str, Any]]:
    """What the live feed begins with: the last steps up to a number, or where there are none the last reports."""
    steps = _of(changes(connection, inside, max(head - 40 * FEED_MOST, 0), 40 * FEED_MOST), categories)
    steps = steps[steps["change_no"] <= head].tail(FEED_MOST)
    rows = [(at, category, grid, state) for at, category, grid, state in
            steps[["at", "category", "grid_code", "state"]].itertuples(index=False)][::-1]  # fmt: skip
    if len(rows) < FEED_MOST:
        late = _of(latest_cases(connection, inside, now - timedelta(days=3), 4 * FEED_MOST), categories)
        first = rows[-1][0] if rows else now
        rows += [row for row in late.itertuples(index=False, name=None) if row[0] < first][: FEED_MOST - len(rows)]
    return [
        {"at": at.isoformat(), "category": category, "grid_code": grid, "state": state}
        for at, category, grid, state in sorted(rows, key=lambda row: row[0], reverse=True)  # some are sent in late
    ]


def _of(frame: pd.DataFrame, categories: Sequence[str]) -> pd.DataFrame:
    """The rows of these categories; all where none are named."""
    return frame[frame["category"].isin(categories)] if categories else frame
