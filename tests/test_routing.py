"""Routing: the first route that matches wins; what no route can reach is an error; what would go where is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from little_city import table
from people_at_work import working_catalog

from layers.access import Scope
from layers.database import Database
from layers.declare.case_records import Route
from layers.declare.check_cases import routes_are_reached
from layers.declare.records import Catalog
from layers.routing import preview, route, route_one, unknown_grids
from layers.routing.__main__ import main

ROUTES = (
    Route("water", ("noise",), hours=(1080, 480), urgent=True),
    Route("justice", within=("449902", "449901002"), days="off"),
    Route("water", ("drainage",), season=(601, 1001)),
    Route(categories=("noise",)),
)

CASES = """
reported         | grid            | category | urgent | goes to | by
2025-03-03 19:00 | 449901001001001 | noise    | yes    | water   | 1
2025-03-03 07:59 | 449901001001001 | noise    | yes    | water   | 1
2025-03-03 08:00 | 449901001001001 | noise    | yes    | justice | 4
2025-03-03 19:00 | 449901001001001 | noise    | no     | justice | 4
2025-03-08 10:00 | 449902001001001 | drainage | no     | justice | 2
2025-03-08 10:00 | 449901002       | drainage | no     | justice | 2
2025-03-07 10:00 | 449902001001001 | drainage | no     | -       | -
2025-06-01 00:00 | 449901001001001 | drainage | no     | water   | 3
2025-10-01 00:00 | 449901001001001 | drainage | no     | -       | -
"""


def with_routes(routes: tuple[Route, ...] = ROUTES) -> Catalog:
    made = working_catalog(routing=routes)
    duty = {key: replace(c, department="justice" if key == "noise" else None) for key, c in made.categories.items()}
    return replace(made, categories=duty)


def frame(rows: list[dict[str, str]]) -> pd.DataFrame:
    moments = [datetime.fromisoformat(r["reported"]).replace(tzinfo=ZoneInfo("Asia/Shanghai")) for r in rows]
    return pd.DataFrame(
        {
            "grid_code": [r["grid"] for r in rows], "category": [r["category"] for r in rows],
            "is_urgent": [r["urgent"] == "yes" for r in rows], "reported_at": pd.DatetimeIndex(moments),
        }
    )  # fmt: skip


def test_the_first_route_that_matches_wins() -> None:
    rows = table(CASES)
    found = route(with_routes(), frame(rows))
    assert found["department"].tolist() == [None if r["goes to"] == "-" else r["goes to"] for r in rows]
    assert found["route"].fillna(0).tolist() == [0 if r["by"] == "-" else int(r["by"]) for r in rows]
    one = frame(rows).iloc[0]
    assert route_one(with_routes(), one.grid_code, one.category, True, one.reported_at) == "water"


WINDOWS = st.tuples(st.integers(0, 23), st.integers(0, 24)).filter(lambda w: w[0] != w[1])
SOME = st.builds(
    Route,
    department=st.just("water"),
    categories=st.sampled_from([(), ("noise",), ("noise", "drainage")]),
    within=st.sampled_from([(), ("4499",), ("449901",), ("449901001", "449902")]),
    days=st.sampled_from(["any", "working", "off"]),
    hours=WINDOWS.map(lambda w: (w[0] * 60, w[1] * 60)),
    urgent=st.sampled_from([None, True, False]),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(SOME, min_size=2, max_size=4))
def test_a_route_said_to_be_out_of_reach_gets_no_case_and_the_others_get_some(routes: list[Route]) -> None:
    """Against an oracle: a case of every category, grid, kind of day, hour and urgency there is."""
    made = with_routes(tuple(routes))
    rows = [
        {"reported": f"2025-03-{day} {hour:02}:30", "grid": grid, "category": category, "urgent": urgent}
        for day in ("07", "08")
        for hour in range(24)
        for grid in ("449901001001001", "449901002001001", "449902001001001", "4499")
        for category in made.categories
        for urgent in ("yes", "no")
    ]
    reached = set(route(made, frame(rows))["route"].dropna())
    said = {int(path[1]) + 1 for path, _ in routes_are_reached(routes, made)}
    assert said == {n for n in range(1, len(routes) + 1) if n not in reached}


def test_the_preview_shows_last_months_events(small_city: Database, catalog: Catalog) -> None:
    with small_city.connect("analyst") as connection:
        found = preview(connection, catalog, Scope("4499"), "2026-05")
        assert unknown_grids(connection, catalog) == []
        n = connection.execute(
            "select sum(t.n) from pub.tally_medium_day t join pub.dataset d using (dataset_no)"
            " where d.table_name = 'event' and not d.is_sensitive and period between 20260501 and 20260531"
        ).fetchone()
    assert n is not None and found["n"].sum() == n[0]
    night = found[found["route"] == 1]
    assert set(night["department"]) == {"command_centre"} and (night["n_moved"] > 0).any()
    by_duty = found[found["route"] == len(catalog.routing)]
    duty = by_duty["category"].map({k: c.department for k, c in catalog.categories.items()})
    assert (by_duty["department"] == duty).all()


def test_the_command_prints_the_preview(
    small_city: Database, settings: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_DIR", str(settings.local_dir))
    monkeypatch.setenv("DATABASE_URL", small_city.url("admin"))
    assert main(["2026-05"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("2026-05: ") and "command_centre" in out
    assert main([]) == 0
    assert main(["2026-13"]) != 0
