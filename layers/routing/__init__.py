"""Routing: which department a case goes to. The first declared route that matches wins; whole columns at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg

from layers.access import Scope
from layers.declare.case_records import Route
from layers.declare.records import Catalog
from layers.periods import read_period
from layers.worktime import is_working_day, work_time

Bools = npt.NDArray[np.bool_]

_READ = (
    "select grid_code, category, is_urgent, reported_at, department from pub.read_event(%s, %s, %s, %s, %s, null)"
    " order by id"
)
_GRIDS = "select code from pub.grid where code = any(%s) order by code"


def route(catalog: Catalog, cases: pd.DataFrame) -> pd.DataFrame:
    """Find where cases go; a row is a case.

    Parameters
    ----------
    catalog
        The declarations.
    cases
        grid_code, category, is_urgent, reported_at (with a zone).

    Returns
    -------
    DataFrame
        department and route (its number in `routing.toml`, from 1), with the index of `cases`. Both are missing where
        no route matches; the department alone, where a route leaves it to the duty and the category is on nobody's.
    """
    number = np.zeros(len(cases), np.int64)
    moments = _moments(catalog, cases)
    for n, one in enumerate(catalog.routing, start=1):
        number[(number == 0) & _matches(one, cases, moments)] = n
    duty = cases["category"].map({key: c.department for key, c in catalog.categories.items()})
    named = np.array([None, *(one.department for one in catalog.routing)], dtype=object)[number]
    department = pd.Series(named, cases.index, dtype=object)
    department = department.where(department.notna() | (number == 0), duty.astype(object))
    routes = pd.Series(pd.array(number, dtype="Int64"), cases.index).replace(0, pd.NA)
    return pd.DataFrame({"department": department.where(department.notna(), None), "route": routes})


def route_one(catalog: Catalog, grid_code: str, category: str, is_urgent: bool, reported_at: Any) -> str | None:
    """Find where one case goes; None where nobody is named."""
    frame = pd.DataFrame(
        {"grid_code": [grid_code], "category": [category], "is_urgent": [is_urgent],
         "reported_at": pd.DatetimeIndex([reported_at])}
    )  # fmt: skip
    department = route(catalog, frame)["department"].iloc[0]
    return None if department is None else str(department)


def preview(
    connection: psycopg.Connection[Any], catalog: Catalog, scope: Scope, month: str | int | date
) -> pd.DataFrame:
    """Show where the events of a month would go; a row is a route, a department and a category.

    Parameters
    ----------
    connection
        As analyst or web.
    catalog
        The declarations, also ones not in use yet.
    scope
        Part of the tree of grids to look at.
    month
        2026-06, or a year or day as elsewhere.

    Returns
    -------
    DataFrame
        route, department, category, n (events), n_moved: how many of them went to another department then. Ordered
        by route; missing department: nobody. Sensitive events are left out.
    """
    when = read_period(month)
    bounds = [pd.Timestamp(day, tz=catalog.city.zone) for day in (when.first_on, when.past_on)]
    rows: list[tuple[Any, ...]] = []
    for dataset in sorted(d.key for d in catalog.datasets.values() if d.table == "event" and not d.sensitive):
        rows += connection.execute(_READ, [scope.low, scope.high, dataset, *bounds]).fetchall()
    columns = ["grid_code", "category", "is_urgent", "reported_at", "was"]
    cases = pd.DataFrame(rows, columns=columns).astype({"grid_code": "str", "category": "str", "is_urgent": "bool"})
    cases["reported_at"] = pd.to_datetime(cases["reported_at"], utc=True)
    found = cases.join(route(catalog, cases))
    found["n_moved"] = found["was"].notna() & (found["was"] != found["department"])
    by = ["route", "department", "category"]
    result = found.groupby(by, dropna=False, sort=True, observed=True)["n_moved"].agg(n="size", n_moved="sum")
    return result.reset_index()


def unknown_grids(connection: psycopg.Connection[Any], catalog: Catalog) -> list[str]:
    """List grids that routes name and that no edition has: such a route never matches."""
    named = sorted({code for one in catalog.routing for code in one.within})
    known = {code for (code,) in connection.execute(_GRIDS, [named]).fetchall()}
    return [code for code in named if code not in known]


def _moments(catalog: Catalog, cases: pd.DataFrame) -> dict[str, Any]:
    """Tell of each case the minute of its day, its day of the year, and whether that day was worked."""
    reported = pd.DatetimeIndex(cases["reported_at"])
    local = reported.tz_convert(catalog.city.zone)
    return {
        "minute": np.asarray(local.hour * 60 + local.minute),
        "day": np.asarray(local.month * 100 + local.day),
        "is_working": is_working_day(work_time(catalog.calendar, catalog.city.zone), reported),
    }


def _matches(one: Route, cases: pd.DataFrame, moments: dict[str, Any]) -> Bools:
    found = np.ones(len(cases), bool)
    if one.categories:
        found &= cases["category"].isin(one.categories).to_numpy(bool)
    if one.within:
        found &= _within(one.within, cases["grid_code"])
    if one.days != "any":
        found &= moments["is_working"] == (one.days == "working")
    if one.urgent is not None:
        found &= cases["is_urgent"].to_numpy(bool) == one.urgent
    return found & _inside(one.hours, moments["minute"]) & _inside(one.season, moments["day"])


def _within(codes: Sequence[str], grids: pd.Series[Any]) -> Bools:
    found = np.zeros(len(grids), bool)
    for code in codes:
        found |= grids.str.startswith(code).to_numpy(bool)
    return found


def _inside(window: tuple[int, int], values: npt.NDArray[np.int64]) -> Bools:
    begin, end = window
    after, before = values >= begin, values < end
    return np.asarray(after & before if begin < end else after | before)
