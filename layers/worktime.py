"""Working time: when a promise falls due, and how much of it was used between two moments. Whole columns at once.

| unit            | runs                                                                                |
|-----------------|-------------------------------------------------------------------------------------|
| `urgent_hours`  | through nights, weekends and holidays                                               |
| `working_hours` | in the slots of working days                                                        |
| `working_days`  | in the same slots: a working day is the sum of its slots, 8 hours unless told otherwise |
| `calendar_days` | from a time of day to the same time of day                                          |

Working days are Monday to Friday without public holidays, and the make-up days. A year whose days were not published
yet counts every Monday to Friday, and what falls due in it is provisional.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from layers.declare.case_records import Calendar, Unit
from layers.errors import AtlasError

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_FIRST, _LAST = 2000, 2060
"""Years that are counted at all."""
_MICRO = 1_000_000
_HOUR, _DAY = 3600 * _MICRO, 86_400 * _MICRO


@dataclass(frozen=True)
class WorkTime:
    """A calendar made ready: working time before each day, in microseconds from the first day counted."""

    zone: str
    slots: tuple[tuple[int, int], ...]
    is_working: Bools
    before: Ints
    day_length: int
    published: frozenset[int]


def work_time(calendar: Calendar, zone: str) -> WorkTime:
    """Make a calendar ready for counting in a zone; takes some milliseconds, so make it once."""
    days = pd.date_range(f"{_FIRST}-01-01", f"{_LAST}-12-31")
    is_working = np.array(days.day_of_week < 5)
    for year in calendar.years.values():
        is_working[_positions(year.holidays)] = False
        is_working[_positions(year.make_up_days)] = True
    slots = tuple((begin * 60 * _MICRO, end * 60 * _MICRO) for begin, end in calendar.slots)
    length = sum(end - begin for begin, end in slots)
    before = np.concatenate([[0], np.cumsum(is_working * np.int64(length))])
    return WorkTime(zone, slots, is_working, before, length, frozenset(calendar.years))


def is_working_day(work: WorkTime, moments: pd.DatetimeIndex) -> Bools:
    """Tell of each moment whether its day, in the zone, is worked."""
    return np.asarray(work.is_working[_local(work, moments) // _DAY])


def due(
    work: WorkTime,
    start: pd.DatetimeIndex,
    amount: Sequence[float] | npt.NDArray[Any],
    unit: Sequence[str] | npt.NDArray[Any],
) -> pd.DataFrame:
    """Find when amounts of time that begin to run at `start` are used up; a row is a start.

    Parameters
    ----------
    work
        The calendar.
    start
        Moments with a zone; NaT gives NaT.
    amount, unit
        How much time, and in what, for each start.

    Returns
    -------
    DataFrame
        due_at (UTC, missing where start or amount is), is_provisional: whether any day from start to due lies in a
        year whose days were not published, for units that ask for working days.

    Raises
    ------
    AtlasError
        There is no such unit, or the time leaves the years that are counted.
    """
    units, many = np.asarray(unit, dtype=object), np.asarray(amount, dtype=np.float64)
    known = ~(start.isna() | np.isnan(many))
    result = np.full(len(start), np.iinfo(np.int64).min, np.int64)
    for name in np.unique(units[known].astype(str)):
        rows = np.flatnonzero(known & (units == name))
        result[rows] = _due(work, start[rows], many[rows], name)
    due_at = pd.DatetimeIndex(result.view("datetime64[us]")).tz_localize("UTC")
    asks = known & np.isin(units, ("working_hours", "working_days"))
    provisional = np.zeros(len(start), bool)
    if asks.any():
        years = np.stack([_years(work, start[asks]), _years(work, due_at[asks])])
        provisional[asks] = [not work.published.issuperset(range(a, b + 1)) for a, b in years.T]
    return pd.DataFrame({"due_at": due_at, "is_provisional": provisional})


def used(work: WorkTime, start: pd.DatetimeIndex, stop: pd.DatetimeIndex, unit: Unit) -> npt.NDArray[np.float64]:
    """Count how much of a unit lies between moments; 0 where the stop is before the start."""
    match unit:
        case "urgent_hours":
            result = (_micro(stop) - _micro(start)) / _HOUR
        case "calendar_days":
            result = (_local(work, stop) - _local(work, start)) / _DAY
        case "working_hours" | "working_days":
            spent = _worked(work, _local(work, stop)) - _worked(work, _local(work, start))
            result = spent / (_HOUR if unit == "working_hours" else work.day_length)
    return np.maximum(np.asarray(result, np.float64), 0.0)


def due_one(work: WorkTime, start: datetime, amount: float, unit: Unit) -> tuple[datetime, bool]:
    """Find when one amount of time is used up, and whether that is provisional."""
    row = due(work, pd.DatetimeIndex([start]), [amount], [unit]).iloc[0]
    return row["due_at"].to_pydatetime(), bool(row["is_provisional"])


def used_one(work: WorkTime, start: datetime, stop: datetime, unit: Unit) -> float:
    """Count how much of a unit lies between two moments."""
    return float(used(work, pd.DatetimeIndex([start]), pd.DatetimeIndex([stop]), unit)[0])


def _due(work: WorkTime, start: pd.DatetimeIndex, amount: npt.NDArray[np.float64], unit: str) -> Ints:
    """Find the moments, as microseconds of UTC, at which amounts of one unit are used up."""
    match unit:
        case "urgent_hours":
            return _micro(start) + np.rint(amount * _HOUR).astype(np.int64)
        case "calendar_days":
            return _utc(work, _local(work, start) + np.rint(amount * _DAY).astype(np.int64))
        case "working_hours" | "working_days":
            each = _HOUR if unit == "working_hours" else work.day_length
            need = _worked(work, _local(work, start)) + np.rint(amount * each).astype(np.int64)
            if len(need) and need.max() > work.before[-1]:
                raise AtlasError(f"A deadline lies after {_LAST}.", "Shorten the time limit.")
            day = np.searchsorted(work.before, need, side="left") - 1
            left = need - work.before[day]
            at = np.zeros(len(need), np.int64)
            for begin, end in work.slots:
                inside = left > 0
                at = np.where(inside, begin + np.minimum(left, end - begin), at)
                left = left - np.where(inside, np.minimum(left, end - begin), 0)
            return _utc(work, day * _DAY + at)
        case _:
            raise AtlasError(f"There is no unit of time {unit!r}.", "It is one of layers.tables.cases.UNITS.")


def _worked(work: WorkTime, local: Ints) -> Ints:
    """Working time from the first day counted to each local moment."""
    day, at = np.divmod(local, _DAY)
    today = np.zeros(len(local), np.int64)
    for begin, end in work.slots:
        today += np.clip(at - begin, 0, end - begin)
    return np.asarray(work.before[day] + np.where(work.is_working[day], today, 0), np.int64)


def _positions(days: Sequence[date]) -> list[int]:
    return [(day - date(_FIRST, 1, 1)).days for day in days]


def _micro(moments: pd.DatetimeIndex) -> Ints:
    return np.asarray(moments.tz_convert("UTC").tz_localize(None).as_unit("us").asi8, np.int64)


def _epoch() -> int:
    return int(np.datetime64(f"{_FIRST}-01-01", "us").astype(np.int64))


def _local(work: WorkTime, moments: pd.DatetimeIndex) -> Ints:
    """Microseconds of the zone's wall clock from the first day counted."""
    wall = moments.tz_convert(work.zone).tz_localize(None).as_unit("us")
    result = np.asarray(wall.asi8 - _epoch(), np.int64)
    if len(result) and (result.min() < 0 or result.max() >= len(work.is_working) * _DAY):
        raise AtlasError(f"A moment lies outside {_FIRST} to {_LAST}.", "Correct it: working time is counted there.")
    return result


def _utc(work: WorkTime, local: Ints) -> Ints:
    """Microseconds of UTC of wall clock times; one that the clock skips is moved on, of two the later is taken."""
    wall = pd.DatetimeIndex((local + _epoch()).view("datetime64[us]"))
    return _micro(wall.tz_localize(work.zone, ambiguous=np.zeros(len(wall), bool), nonexistent="shift_forward"))


def _years(work: WorkTime, moments: pd.DatetimeIndex) -> npt.NDArray[np.int64]:
    return np.asarray(moments.tz_convert(work.zone).year, np.int64)
