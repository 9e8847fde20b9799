"""The sample city's clock: what the days since its last events would have brought, and a process to end with."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from databases import copy_of

from etl.demo.gap import MOST, catch_up_with_now, missing_moments
from etl.demo.live import crew_of, is_there
from layers.calls import open_calls
from layers.codes import level_of
from layers.database import Database
from layers.declare.records import Catalog

DAY = timedelta(days=1)
NOW = datetime(2026, 7, 2, 15, 20)


def hours_until(last: datetime, a_day: int) -> pd.DataFrame:
    """Cases reported evenly by the hour for ten days."""
    at = pd.date_range(end=last, periods=240, freq="h")
    return pd.DataFrame({"at": at, "n": a_day // 24})


def test_the_gap_is_filled_as_densely_as_the_days_before() -> None:
    found = missing_moments(hours_until(datetime(2026, 6, 30, 23), 48), NOW, np.random.default_rng(1))
    assert found == sorted(found)
    assert datetime(2026, 7, 1) <= found[0] and found[-1] < NOW
    of_the_first = [one for one in found if one.day == 1]
    assert 25 < len(of_the_first) < 75
    nights, afternoons = (sum(a <= one.hour < b for one in of_the_first) for a, b in ((0, 5), (12, 17)))
    assert nights < afternoons


@pytest.mark.parametrize(
    ("last", "a_day", "most"), [(datetime(2026, 7, 2, 14), 48, 6), (datetime(2026, 6, 5), 4800, MOST)]
)
def test_a_fresh_city_gets_little_and_a_large_one_not_too_much(last: datetime, a_day: int, most: int) -> None:
    found = missing_moments(hours_until(last, a_day), NOW, np.random.default_rng(1))
    assert len(found) <= most
    assert missing_moments(hours_until(last, a_day).iloc[:0], NOW, np.random.default_rng(1)) == []


def test_cases_of_the_gap_are_reported_and_mostly_dealt_with(
    settings: object, server: object, city_template: Database, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 6, 30, 6, tzinfo=UTC)  # 14:00 there; the last events are of the evening before
    with copy_of(city_template, server, settings) as city:  # type: ignore[arg-type]
        n = catch_up_with_now(city, catalog, now=now)
        with city.connect("admin") as admin:
            rows = admin.execute(
                "select reported_at, state from ops.event where source_key like 'live-%' order by reported_at"
            ).fetchall()
            begun = admin.execute("select count(*) from ops.call").fetchone()
        with crew_of(city, catalog) as crew, crew.acting("dispatcher") as centre:
            found = open_calls(crew.web, centre.scope, catalog.limits.answer, since=now - DAY, now=now)
            together = found["event_id"].notna().sum()
        catch_up_with_now(city, catalog, now=now)
        with city.connect("admin") as admin:
            assert admin.execute("select count(*) from ops.call").fetchone() == begun, "a second start calls nobody"
        monkeypatch.setattr("etl.demo.gap.MOST", 9)
        assert catch_up_with_now(city, catalog, now=now + 100 * DAY) == 9, "after months too there is a past"
    assert n == len(rows) > 3
    waiting = found[found["answered_at"].isna()]
    assert {level_of(code) for code in waiting["held_by"]} == set(catalog.limits.answer)
    assert waiting["is_late"].sum() == 1 and len(found) - len(waiting) - together == 2
    assert [at for at, _ in rows if not now - timedelta(hours=20) < at < now] == []
    assert {state for at, state in rows if now - at < timedelta(hours=12)} == {"reported"}


def test_a_process_is_there_until_it_ends() -> None:
    assert is_there(None) and is_there(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert not is_there(child.pid)
