"""Working time: the vectors of the field, the published calendar against a second source, laws against an oracle."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.declare import read_catalog
from layers.declare.case_records import Calendar, Year
from layers.errors import AtlasError
from layers.worktime import WorkTime, due, due_one, is_working_day, used, used_one, work_time

ZONE = ZoneInfo("Asia/Shanghai")
CITY = read_catalog(Path(__file__).parent.parent / "data").calendar
WORK = work_time(CITY, "Asia/Shanghai")
MADE_UP = work_time(Calendar(years={2025: Year((), (date(2025, 3, 8),))}), "Asia/Shanghai")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("work", "start", "amount", "unit", "falls"),
    [
        (WORK, "2025-03-07 17:30", 4, "working_hours", "2025-03-10 11:30"),  # Friday to Monday
        (WORK, "2025-03-07 17:30", 1, "working_days", "2025-03-10 17:30"),
        (WORK, "2025-03-07 17:30", 2, "urgent_hours", "2025-03-07 19:30"),
        (MADE_UP, "2025-03-07 17:30", 4, "working_hours", "2025-03-08 11:30"),  # that Saturday is made up
        (WORK, "2025-03-07 17:30", 3, "calendar_days", "2025-03-10 17:30"),
        (WORK, "2025-03-07 12:30", 4, "working_hours", "2025-03-07 18:00"),  # filed at noon, due at the end of the day
        (WORK, "2025-03-08 10:00", 1, "working_hours", "2025-03-10 09:00"),  # filed on a Saturday
        (WORK, "2025-01-27 17:00", 2, "working_hours", "2025-02-05 09:00"),  # over the Spring Festival
        (WORK, "2026-10-09 17:00", 2, "working_hours", "2026-10-10 09:00"),  # a Saturday that is made up
        (WORK, "2025-03-03 08:00", 2.5, "working_days", "2025-03-05 12:00"),
    ],
)
def test_known_deadlines(work: WorkTime, start: str, amount: float, unit: str, falls: str) -> None:
    found, _ = due_one(work, at(start), amount, unit)  # type: ignore[arg-type]
    assert found == at(falls)


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_the_calendar_agrees_with_a_second_source(year: int) -> None:
    """`data/calendar.toml` was filled from one library; another that keeps its own lists says the same of every day."""
    china = holidays.country_holidays("CN", years=year)
    days = pd.date_range(f"{year}-01-01", f"{year}-12-31", tz=ZONE)
    ours = dict(zip(days.date, is_working_day(WORK, days), strict=True))
    theirs = {day: china.is_working_day(day) for day in ours}
    assert {day for day in ours if ours[day] != theirs[day]} == set()


def test_a_year_not_yet_published_makes_deadlines_provisional() -> None:
    start = pd.DatetimeIndex([at("2026-12-30 10:00")] * 4)
    found = due(WORK, start, [1, 3, 72, 3], ["working_days", "working_days", "urgent_hours", "calendar_days"])
    assert found["is_provisional"].tolist() == [False, True, False, False]


def test_missing_starts_stay_missing_and_wrong_units_are_said() -> None:
    found = due(WORK, pd.DatetimeIndex([pd.NaT, at("2025-03-07 10:00")]), [1, 1], ["working_days", "working_hours"])
    assert found["due_at"].isna().tolist() == [True, False]
    with pytest.raises(AtlasError, match="no unit"):
        due(WORK, pd.DatetimeIndex([at("2025-03-07 10:00")]), [1], ["fortnights"])
    with pytest.raises(AtlasError, match="outside 2000"):
        used_one(WORK, datetime(1999, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC), "working_hours")


def hour_by_hour(start: datetime, amount: int) -> datetime:
    """Oracle: walk the clock hour by hour and count the hours in which work is done."""
    china = holidays.country_holidays("CN", years=[2024, 2025, 2026])
    moment, left = start, amount
    while True:
        if china.is_working_day(moment.date()) and moment.hour in (8, 9, 10, 11, 14, 15, 16, 17):
            left -= 1
        moment += timedelta(hours=1)
        if left == 0:
            return moment


HOURS = st.datetimes(datetime(2024, 1, 1), datetime(2026, 10, 1)).map(
    lambda moment: moment.replace(minute=0, second=0, microsecond=0, tzinfo=ZONE)
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2026, 10, 1), timezones=st.just(ZONE))
UNITS = st.sampled_from(["urgent_hours", "working_hours", "working_days", "calendar_days"])


@settings(deadline=None)
@given(HOURS, st.integers(1, 60))
def test_working_hours_against_the_hour_by_hour_oracle(start: datetime, amount: int) -> None:
    assert due_one(WORK, start, amount, "working_hours")[0] == hour_by_hour(start, amount)


@settings(deadline=None)
@given(MOMENTS, st.integers(1, 50), UNITS)
def test_what_is_used_until_due_is_the_amount(start: datetime, amount: int, unit: str) -> None:
    falls, _ = due_one(WORK, start, amount, unit)  # type: ignore[arg-type]
    assert used_one(WORK, start, falls, unit) == pytest.approx(amount)  # type: ignore[arg-type]


@settings(deadline=None)
@given(MOMENTS, MOMENTS, MOMENTS, UNITS)
def test_time_used_adds_up_and_never_runs_backwards(a: datetime, b: datetime, c: datetime, unit: str) -> None:
    a, b, c = sorted((a, b, c))
    whole = used_one(WORK, a, c, unit)  # type: ignore[arg-type]
    assert used_one(WORK, a, b, unit) + used_one(WORK, b, c, unit) == pytest.approx(whole)  # type: ignore[arg-type]
    assert used_one(WORK, c, a, unit) == 0  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.lists(st.tuples(MOMENTS, st.integers(1, 40), UNITS), min_size=1, max_size=20))
def test_a_column_is_the_same_as_one_by_one(rows: list[tuple[datetime, int, str]]) -> None:
    start = pd.DatetimeIndex([row[0].astimezone(UTC) for row in rows])
    found = due(WORK, start, [row[1] for row in rows], [row[2] for row in rows])
    assert found["due_at"].tolist() == [due_one(WORK, *row)[0] for row in rows]  # type: ignore[arg-type]


def test_a_zone_that_changes_its_clock_keeps_wall_time_and_real_hours() -> None:
    berlin = work_time(Calendar(), "Europe/Berlin")
    friday = datetime(2025, 3, 28, 17, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    assert due_one(berlin, friday, 1, "working_days")[0] == datetime(2025, 3, 31, 17, tzinfo=ZoneInfo("Europe/Berlin"))
    assert due_one(berlin, friday, 72, "urgent_hours")[0] - friday == timedelta(hours=72)
    spring = pd.DatetimeIndex([friday])
    assert np.isclose(used(berlin, spring, spring + pd.Timedelta(hours=72), "calendar_days")[0], 73 / 24)
