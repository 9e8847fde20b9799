"""The days between the sample city's last events and now, so that a wall opened later does not begin empty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from etl.demo.calling import call_at_every_level
from etl.demo.live import SAMPLE_CITY, Day, crew_of
from etl.demo.moments import HOURS
from layers.access import Scope
from layers.database import Database
from layers.declare.records import Catalog
from layers.errors import CaseError
from layers.watch import reported_cases

LONGEST = timedelta(days=400)
"""How far back is looked for the last events."""

MOST = 400
"""Cases reported at most: they take their steps one by one, as real ones do."""

DEALT_WITH = 0.8
"""Share of the cases of former days that are dealt with."""


def catch_up_with_now(db: Database, catalog: Catalog, *, now: datetime | None = None, seed: int = 4499) -> int:
    """Report what the time since the last events would have brought, at the hours of such days; return how much.

    Calls of the last hours come with it, some at each level.

    As many a day as the last seven days with events had, the latest first when they would be more than `MOST`. It does
    nothing where the last events are of this hour.

    Raises
    ------
    AtlasError
        This is not the sample city.
    """
    now, chance = now or datetime.now(UTC), np.random.default_rng(seed)
    zone = ZoneInfo(catalog.city.zone)
    with crew_of(db, catalog) as crew:
        with crew.acting("dispatcher"):
            counted = reported_cases(crew.web, Scope(SAMPLE_CITY), now - LONGEST, "hour", catalog.city.zone)
        moments = missing_moments(counted, now.astimezone(zone).replace(tzinfo=None), chance)
        day = Day(crew, catalog, chance, timedelta())
        for moment in moments:
            at = moment.replace(tzinfo=zone)
            is_old = now - at > timedelta(hours=12)
            try:
                day.report_at(at, is_old and bool(chance.random() < DEALT_WITH))
            except CaseError:
                continue  # what a case refuses stays as it stands
        call_at_every_level(crew, catalog, day.grids, chance, now)
    return len(moments)


def missing_moments(counted: pd.DataFrame, now: datetime, chance: np.random.Generator) -> list[datetime]:
    """Moments, earliest first, at which something would have been reported between the last of `counted` and now.

    Parameters
    ----------
    counted
        Cases reported, by hour: `at`, beginning of the hour, and `n`.
    now
        Now, in the city's zone and without it, as `at` is.
    chance
        Where the moments come from.
    """
    if counted.empty:
        return []
    by_day = counted.groupby(counted["at"].dt.floor("D"))["n"].sum().sort_index()
    a_day = float(by_day.tail(7).mean())
    first = counted["at"].max() + pd.Timedelta(hours=1)
    hours = pd.date_range(first, pd.Timestamp(now), freq="h", inclusive="left")
    shares = np.array(HOURS["all_day"], dtype=float)
    expected = a_day * shares[hours.hour.to_numpy()] / shares.sum()
    n = chance.poisson(expected)
    starts = np.repeat(hours.to_numpy(), n)[-MOST:]
    seconds = chance.integers(0, 3600, len(starts)).astype("timedelta64[s]")
    return [one for one in pd.DatetimeIndex(np.sort(starts + seconds)).to_pydatetime() if one < now]
