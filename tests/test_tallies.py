"""Tallies: at every grain they say what counting the rows says, before and after changes, folded or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from layers.database import Database
from layers.declare.records import Catalog
from layers.tables import STATES
from layers.tallies import GRAINS, SCHEMAS, Rows, TallyChanges, fold, number_catalog

# Grids of each grain: the grid of that level, or the one the row is known in when that lies above it.
GRAIN_COLUMNS = {
    "small_month": ("e.grid_code", "YYYYMM"),
    "medium_day": ("left(e.grid_code, 12)", "YYYYMMDD"),
    "large_month": ("left(e.grid_code, 9)", "YYYYMM"),
}


def counted(db: Database, schema: str, grain: str) -> set[tuple[Any, ...]]:
    """Counts of rows by a raw GROUP BY."""
    code, period = GRAIN_COLUMNS[grain]
    sealed = schema == "vault"
    sources = [
        f"select dataset, category, grid_code, edition, array_position(array{list(STATES)}, state) as state,"
        f" to_char(reported_at at time zone 'Asia/Shanghai', '{period}')::int as period, is_sensitive as sealed"
        " from ops.event",
        *(
            f"select dataset, category, grid_code, edition, 0, 0, is_sensitive from ops.{table}"
            for table in ("place", "thing", "organisation")
        ),
        "select dataset, null, grid_code, edition, 0, 0, true from vault.person",
    ]
    query = (
        "select g.code, g.level, d.dataset, coalesce(e.category, ''), e.period, e.state, count(*)"
        f" from ({' union all '.join(sources)}) e join pub.dataset d using (dataset)"
        f" join pub.grid g on g.edition = e.edition and g.code = {code} where e.sealed = {sealed}"
        " group by 1, 2, 3, 4, 5, 6"
    )
    with db.connect("loader") as connection:
        return set(connection.execute(query.encode()).fetchall())


def tallied(db: Database, schema: str, grain: str) -> set[tuple[Any, ...]]:
    """The same from the tally: sums and changes added up."""
    query = (
        "select g.code, g.level, d.dataset, coalesce(c.category, ''), t.period, t.state_no, sum(t.n)"
        f" from {schema}.tally_{grain} t join pub.grid g using (grid_no) join pub.dataset d using (dataset_no)"
        " left join pub.category c using (category_no) where left(rpad(g.code, 9, '0'), 9) = t.town_code"
        " group by 1, 2, 3, 4, 5, 6 having sum(t.n) <> 0"
    )
    with db.connect("loader") as connection:
        return set(connection.execute(query.encode()).fetchall())


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("grain", GRAINS)
def test_tallies_say_what_counting_says(small_city: Database, schema: str, grain: str) -> None:
    assert counted(small_city, schema, grain)
    assert tallied(small_city, schema, grain) == counted(small_city, schema, grain)


def test_nothing_sealed_stands_in_pub(small_city: Database) -> None:
    query = (
        "select count(*) from pub.tally_{grain} t join pub.dataset d using (dataset_no)"
        " left join pub.category c using (category_no)"
        " where d.table_name = 'person' or d.is_sensitive or c.is_sensitive"
    )
    with small_city.connect("web") as connection:
        for grain in GRAINS:
            assert connection.execute(query.format(grain=grain).encode()).fetchone() == (0,)


def changes(*signs: int) -> TallyChanges:
    found = TallyChanges()
    for sign in signs:
        one = np.array([7], np.int64)
        day, category = np.array([20260305], np.int64), np.array([3], np.int64)
        found.add(Rows(one, one, one, day, category, one - 6, np.array([False]), one * 0 + sign))
    return found


def test_changes_add_up_and_fold_away(db: Database) -> None:
    def total() -> list[tuple[Any, ...]]:
        query = "select period, sum(n), count(*) from pub.tally_medium_day group by 1"
        return connection.execute(query).fetchall()

    with db.connect("loader") as connection:
        assert changes(5).write(connection, 1, {7: "449901001"}, 0) == 3
        changes(2).write(connection, 1, {7: "449901001"}, 101)
        changes(-1).write(connection, 1, {7: "449901001"}, 102)
        assert changes(1, -1).write(connection, 1, {7: "449901001"}, 103) == 0
        assert total() == [(20260305, 6, 3)]
        assert fold(connection) == 6
        assert total() == [(20260305, 6, 1)]
        changes(-6).write(connection, 1, {7: "449901001"}, 104)
        fold(connection)
        assert total() == []
        assert fold(connection) == 0


def test_counts_of_times_never_counted_before_are_sums_at_once(db: Database) -> None:
    def changes(*days: int) -> TallyChanges:
        made, n = TallyChanges(), len(days)
        same = np.full(n, 7)
        made.add(Rows(same, same, same, np.array(days), np.ones(n, int), np.ones(n, int), np.zeros(n, bool)))
        return made

    unfolded = "select distinct period from pub.tally_medium_day where delta_id <> 0 order by 1"
    with db.connect("loader") as connection:
        changes(20260601, 20260630).write(connection, 1, {7: "449901001"}, 101)
        assert connection.execute(unfolded).fetchall() == []
        changes(20260531, 20260601, 20260615, 20260701).write(connection, 1, {7: "449901001"}, 102)
        assert connection.execute(unfolded).fetchall() == [(20260601,), (20260615,)]
        changes(20260601).write(connection, 2, {7: "449901001"}, 103)
        assert connection.execute(unfolded).fetchall() == [(20260601,), (20260615,)]
        assert fold(connection) == 2 + 2  # two days, and twice the month of June: small and large grids
        total = "select sum(n), count(*) from pub.tally_medium_day"
        assert connection.execute(total).fetchone() == (7, 6)


def test_numbers_are_kept_and_new_ones_appended(db: Database, catalog: Catalog) -> None:
    keys = list(catalog.datasets)
    first = replace(catalog, datasets={k: catalog.datasets[k] for k in keys[3:]})
    with db.connect("loader") as connection:
        before = number_catalog(connection, first)
        after = number_catalog(connection, catalog)
    assert sorted(before.datasets.values()) == list(range(1, len(keys) - 2))
    assert {k: after.datasets[k] for k in before.datasets} == dict(before.datasets)
    assert sorted(after.datasets[k] for k in keys[:3]) == list(range(len(keys) - 2, len(keys) + 1))
    assert after.categories == before.categories
