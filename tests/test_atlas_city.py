"""What the atlas answers on the small city is what a GROUP BY over the rows themselves says."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from layers import Atlas, Scope
from layers.codes import LENGTHS
from layers.database import Database
from layers.declare.records import Catalog

TIMED = ("grid_event", "hotline", "dispute")
OTHERS = ("school", "street_lamp", "company", "manhole")
TABLES = {"event": "ops.event", "place": "ops.place", "thing": "ops.thing", "organisation": "ops.organisation"}


@pytest.fixture
def atlas(small_city: Database, catalog: Catalog) -> Atlas:
    """The atlas of the small city."""
    return Atlas(catalog, small_city, "analyst", Scope(catalog.city.code))


def raw(city: Database, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with city.connect("admin") as connection:
        return connection.execute(query.encode(), values).fetchall()


@pytest.mark.parametrize("level", LENGTHS)
@pytest.mark.parametrize("name", TIMED)
def test_tallies_of_events_agree(atlas: Atlas, small_city: Database, name: str, level: str) -> None:
    expected = raw(
        small_city,
        "select left(grid_code, %s) as code, date_trunc('month', reported_at at time zone 'Asia/Shanghai')::date,"
        " category, state, count(*) from ops.event where dataset = %s and not is_sensitive and gone_on is null"
        " group by 1, 2, 3, 4",
        LENGTHS[level],
        name,
    )
    found = atlas.tally(name, level=level)
    at_level = [row for row in expected if len(row[0]) == LENGTHS[level]]
    assert len(at_level) > 20
    assert sorted((g, p.date(), c, s, n) for g, p, c, s, n in found.itertuples(index=False)) == sorted(at_level)
    assert found.attrs["n_unplaced"] == sum(row[-1] for row in expected) - sum(row[-1] for row in at_level)


@pytest.mark.parametrize("name", OTHERS)
def test_tallies_of_what_has_no_time_agree(atlas: Atlas, catalog: Catalog, small_city: Database, name: str) -> None:
    table = TABLES[catalog.datasets[name].table]
    for level in ("large", "medium", "small"):
        expected = raw(
            small_city,
            f"select left(grid_code, %s), category, count(*) from {table} where dataset = %s group by 1, 2",
            LENGTHS[level],
            name,
        )
        found = atlas.tally(name, level=level, by=["category"])
        at_level = [row for row in expected if len(row[0]) == LENGTHS[level]]
        assert sorted(found.itertuples(index=False, name=None)) == sorted(at_level)


def test_days_agree(atlas: Atlas, small_city: Database) -> None:
    expected = raw(
        small_city,
        "select left(grid_code, 12), (reported_at at time zone 'Asia/Shanghai')::date, count(*) from ops.event"
        " where dataset = 'grid_event' and length(grid_code) >= 12 and not is_sensitive"
        " and reported_at >= '2026-03-05 00:00+08' and reported_at < '2026-03-12 00:00+08' group by 1, 2",
    )
    found = atlas.tally("grid_event", level="medium", by=(), period="day", since="2026-03-05", until="2026-03-12")
    assert sorted((g, p.date(), n) for g, p, n in found.itertuples(index=False)) == sorted(expected)
    assert len(expected) > 5


@pytest.mark.parametrize("level", LENGTHS)
def test_an_indicator_of_events_agrees(atlas: Atlas, small_city: Database, level: str) -> None:
    expected = {
        code: (closed, n)
        for code, closed, n in raw(
            small_city,
            "select left(grid_code, %s), count(*) filter (where state = 'closed'), count(*) from ops.event"
            " where not is_sensitive and reported_at >= '2026-03-01 00:00+08' and reported_at < '2026-04-01 00:00+08'"
            " and dataset in ('grid_event', 'hotline', 'dispute', 'village_post') group by 1",
            LENGTHS[level],
        )
    }
    found = atlas.indicator("closure_share", level=level, period="2026-03")
    assert len(found) == len(atlas.grids(level))
    for row in found.itertuples():
        closed, n = expected.pop(row.grid_code, (0, 0))
        assert (row.numerator, row.denominator) == (closed, n)
        assert pd.isna(row.value) if n == 0 else row.value == pytest.approx(100 * closed / n)
    assert sum(closed for closed, _ in expected.values()) == found.attrs["n_unplaced"]


def test_every_declared_indicator_has_an_answer_at_every_level(atlas: Atlas, catalog: Catalog) -> None:
    for name in catalog.indicators:
        totals = set()
        for level in LENGTHS:
            found = atlas.indicator(name, level=level)
            assert found["value"].notna().any(), (name, level)
            totals.add(int(found["numerator"].sum()) + found.attrs["n_unplaced"])
        assert len(totals) == 1, (name, totals)


def test_every_breakdown_is_published_as_fine_as_declared(atlas: Atlas, catalog: Catalog, small_city: Database) -> None:
    found = raw(small_city, "select breakdown, digits, reason from pub.people_withheld where reason <> %s", "declared")
    assert found == []
    for name, breakdown in catalog.breakdowns.items():
        told = atlas.people(breakdown.finest, breakdown=name)
        whole = atlas.people(breakdown.finest).set_index("grid_code")["n"]
        assert told.groupby("grid_code")["n"].sum().to_dict() == whole.to_dict(), name


def test_features_give_every_row_that_may_be_read(atlas: Atlas, catalog: Catalog, small_city: Database) -> None:
    for name, dataset in catalog.datasets.items():
        if dataset.table not in TABLES or dataset.category == "household":
            continue
        ((n, n_placed),) = raw(
            small_city,
            f"select count(*), count(geom) from {TABLES[dataset.table]}"
            " where dataset = %s and not is_sensitive and gone_on is null",
            name,
        )
        frame = atlas.features(name)
        assert (len(frame), int(frame["geom"].notna().sum())) == (n, n_placed), name
        assert n == atlas.datasets().set_index("dataset")["rows"][name]


def test_places_of_features_are_those_of_the_rows(atlas: Atlas, small_city: Database) -> None:
    for name, table in (("school", "ops.place"), ("shelter", "ops.place"), ("grid_event", "ops.event")):
        expected = raw(
            small_city,
            f"select id, st_astext(geom) from {table} where dataset = %s and geom is not null order by id limit 200",
            name,
        )
        frame = atlas.features(name).set_index("id")
        shapes = frame["geom"].reindex([row for row, _ in expected])
        assert [shape.equals(other) for shape, other in zip(shapes, _shapes(expected), strict=True)] == [True] * len(
            expected
        )


def _shapes(rows: list[tuple[Any, ...]]) -> list[Any]:
    import shapely

    return list(shapely.from_wkt([text for _, text in rows]))


def test_people_are_rounded_and_near_the_truth(atlas: Atlas, small_city: Database) -> None:
    for level, digits in LENGTHS.items():
        truth = dict(
            raw(
                small_city,
                "select left(code, %s), count(*) from (select distinct on (subject) grid_code as code from vault.person"
                " where gone_on is null order by subject, length(grid_code) desc, updated_at desc, dataset, id) as one"
                " where length(code) >= %s group by 1",
                digits,
                digits,
            )
        )
        found = atlas.people(level).set_index("grid_code")["n"]
        assert len(found) == len(atlas.grids(level))
        assert (found % 10 == 0).all()
        assert all(abs(n - truth.get(code, 0)) < 10 for code, n in found.items())
        assert found.sum() > 15_000
