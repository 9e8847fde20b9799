"""Days and hours: when things happen in a year, a week and a day, in the city's own time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from etl.demo.ground import Ground
from etl.demo.mesh import Ints
from etl.demo.names import Texts
from etl.demo.terrain import Floats

Moments = NDArray[np.datetime64]

N_DAYS = 3 * 365
"""Events cover the three years before the last day."""

HOURS: dict[str, tuple[float, ...]] = {
    "work": (1, 1, 1, 1, 1, 2, 5, 15, 40, 50, 46, 30, 18, 22, 42, 46, 40, 28, 14, 9, 6, 4, 2, 1),
    "evening": (14, 8, 4, 3, 2, 3, 6, 8, 9, 10, 10, 12, 14, 10, 10, 11, 14, 20, 30, 40, 48, 50, 38, 24),
    "all_day": (6, 5, 4, 4, 5, 8, 14, 24, 32, 34, 34, 30, 26, 28, 32, 34, 34, 34, 30, 26, 22, 18, 12, 8),
    "rush": (2, 1, 1, 1, 2, 6, 18, 46, 42, 26, 22, 26, 24, 20, 22, 26, 38, 50, 40, 26, 18, 12, 7, 4),
}
"""How an event's hour is spread over the day."""

YEARS: dict[str, tuple[float, ...]] = {
    "even": (0.95, 0.85, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
    "flood": (0.05, 0.05, 0.2, 0.6, 1.5, 3, 2.6, 3, 2.4, 0.8, 0.1, 0.05),
    "wet": (0.4, 0.4, 0.7, 1, 1.4, 1.8, 1.6, 1.7, 1.4, 0.8, 0.5, 0.4),
    "new_year": (2.4, 1.8, 0.7, 0.7, 0.7, 0.7, 0.7, 0.8, 0.9, 1, 1.2, 1.8),
    "summer": (0.6, 0.6, 0.8, 0.9, 1.1, 1.4, 1.6, 1.6, 1.2, 1, 0.7, 0.6),
    "dry": (1.6, 1.5, 1.2, 1, 0.7, 0.5, 0.5, 0.5, 0.8, 1.3, 1.5, 1.6),
}
"""How an event's month is spread over the year: typhoons from June to September, wages and fire before the new year."""

WEEKEND: dict[str, float] = {"work": 0.45, "evening": 1.25, "all_day": 0.95, "rush": 0.85}


def day_weights(ground: Ground, year: str, hours: str, rain_rises: float) -> Floats:
    """Weight of each of the `N_DAYS` days before the last: season, day of the week, slow growth, storms."""
    days = ground.end.astype("datetime64[D]") - np.arange(N_DAYS, 0, -1)
    month = days.astype("datetime64[M]").astype(int) % 12
    weekday = (days.astype(int) + 3) % 7
    weights = np.array(YEARS[year])[month] * np.where(weekday >= 5, WEEKEND[hours], 1.0)
    weights = weights * np.linspace(0.85, 1.15, N_DAYS)
    weights *= np.where((month == 1) & (_day_of_month(days) < 10) & (hours == "work"), 0.4, 1.0)
    return np.asarray(weights * (1 + rain_rises * storms(ground)))


def storms(ground: Ground) -> Floats:
    """How hard it storms on each day: a few typhoons a year, felt for some days."""
    rng = ground.rng("storms")
    days = ground.end.astype("datetime64[D]") - np.arange(N_DAYS, 0, -1)
    month = days.astype("datetime64[M]").astype(int) % 12
    season = np.flatnonzero((month >= 5) & (month <= 8))
    rain = np.zeros(N_DAYS)
    for day in rng.choice(season, 12, replace=False):
        rain[day : day + 4] += rng.uniform(0.6, 1.6) * np.array([1, 0.7, 0.3, 0.1])[: N_DAYS - day]
    return rain


def draw_moments(days: Ints, hours: str, ground: Ground, rng: np.random.Generator) -> Moments:
    """Moments on given days (0 = the first of `N_DAYS`), the hour after one of `HOURS`."""
    chance = np.array(HOURS[hours], dtype=float)
    hour = rng.choice(24, len(days), p=chance / chance.sum())
    second = rng.integers(0, 3600, len(days))
    first = ground.end - np.timedelta64(N_DAYS, "D")
    return np.asarray(first + days * np.timedelta64(86_400, "s") + (hour * 3600 + second) * np.timedelta64(1, "s"))


def text_of(moments: Moments, form: str = "%Y-%m-%d %H:%M:%S") -> Texts:
    """Moments as text; empty where there is none."""
    if form == "%Y-%m-%d %H:%M:%S":
        iso = pc.strftime(pa.array(moments.astype("datetime64[s]")), "%Y-%m-%d %H:%M:%S")
        written = iso.to_numpy(zero_copy_only=False)
    else:
        written = pd.Series(moments).dt.strftime(form).to_numpy(dtype=object)
    return np.asarray(np.where(np.isnat(moments), "", written))


def days_before(ground: Ground, n: int, at_most: int, rng: np.random.Generator, with_time: bool = False) -> Texts:
    """Write the days (or working moments) on which `n` rows were last changed."""
    days = N_DAYS - 1 - rng.integers(0, min(at_most, N_DAYS - 1), n)
    moments = draw_moments(days, "work", ground, rng)
    return text_of(moments) if with_time else np.asarray(np.datetime_as_string(moments.astype("datetime64[D]")), object)


def _day_of_month(days: Moments) -> Ints:
    return np.asarray((days - days.astype("datetime64[M]")).astype(int) + 1)
