"""Recompute the deadlines of 100,000 open cases after the calendar was corrected."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layers.declare import read_catalog
from layers.promises import recompute
from layers.settings import CHECKOUT
from layers.tables import UNITS
from layers.worktime import work_time
from tests.benchmarks import Report, medians_s

N = 100_000


def run(report: Report) -> None:
    """Measure the calendar made ready and all deadlines worked out, in all four units."""
    catalog = read_catalog(CHECKOUT / "data")
    random = np.random.default_rng(4499)
    begin = pd.Timestamp("2026-01-01", tz="Asia/Shanghai")
    promises = pd.DataFrame(
        {
            "amount": random.integers(1, 40, N).astype(float),
            "used": random.random(N),
            "unit": random.choice(np.array(UNITS, dtype=object), N),
            "clock_at": begin + pd.to_timedelta(random.integers(0, 180 * 86_400, N), unit="s"),
        }
    )
    (taken,) = medians_s(lambda: recompute(work_time(catalog.calendar, catalog.city.zone), promises))
    report("recompute 100,000 deadlines", f"{taken:.3f} s", "< 2 s", taken < 2)
