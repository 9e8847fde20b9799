"""Rows as GeoDataFrames: typed as declared, inside the scope, without what nobody may read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import psycopg
import pytest
from databases import copy_of
from little_city import DATASETS, column, dataset, deliver, fill_grids, little_catalog, table
from psycopg.types.json import Jsonb

from layers.access import Scope
from layers.codes import town_of
from layers.database import Database
from layers.errors import AccessError, AtlasError, UnknownNameError
from layers.features import ask, read_features
from layers.server import Server
from layers.settings import Settings

CATALOG = little_catalog()
CITY = Scope("4499")

CALLS = """
key | grid            | point   | category       | state    | reported_at          | sensitive | gone
a   | 449901001001001 | 0.1 0.2 | noise          | closed   | 2026-02-28T15:59:59Z | -         | -
b   | 449901001001001 | 0.2 0.2 | noise          | reported | 2026-02-28T16:00:00Z | -         | -
c   | 449901001001002 | 0.7 0.1 | drainage       | closed   | 2026-03-05T01:00:00Z | -         | -
d   | 449901001       | -       | drainage       | handling | 2026-03-31T15:59:59Z | -         | -
e   | 4499            | -       | noise          | reported | 2026-03-31T16:00:00Z | -         | -
f   | 449902001001001 | 4.1 0.1 | noise          | closed   | 2026-03-09T00:00:00Z | -         | -
g   | 449901001001001 | 0.1 0.1 | family_dispute | closed   | 2026-03-09T00:00:00Z | yes       | -
h   | 449901001001001 | 0.1 0.1 | family_dispute | closed   | 2026-03-09T00:00:00Z | -         | -
i   | 449901001001001 | 0.1 0.1 | noise          | closed   | 2026-03-09T00:00:00Z | -         | 2026-04-01
"""
ATTRS: dict[str, dict[str, Any]] = {
    "a": {"source": "app", "n_calls": 3, "words": "张三家", "seen_on": "2026-02-28", "is_new": True, "cost": 1.5},
    "b": {"heard_at": "2026-02-28T16:00:00Z", "of_month": "2026-02-28T16:00:00Z", "n_calls": 12},
}


@pytest.fixture(scope="module")
def city(template: Database, server: Server, settings: Settings) -> Iterator[Database]:
    """The little city with a few calls."""
    with copy_of(template, server, settings) as fresh:
        fill_grids(fresh)
        deliver(fresh, next(one for one in DATASETS if one.key == "call"))
        with fresh.connect("loader") as connection:
            for row in table(CALLS):
                insert_call(connection, row)
            insert_element(connection, "thing", "lamp", "lamp", "POINT (0.1 0.1)", {"height_m": 7.5, "model": "LED-3"})
            insert_element(connection, "place", "park", None, "POLYGON ((0 0, 1 0, 1 1, 0 0))", {})
            of_people = {"n_people": 4}
            insert_element(
                connection, "organisation", "family", "household", "POINT (0.3 0.3)", of_people, is_sensitive=True
            )
            insert_element(connection, "place", "clinic", None, "POINT (0.1 0.1)", {}, is_sensitive=True)
        yield fresh


def insert_call(connection: psycopg.Connection[Any], row: dict[str, str]) -> None:
    connection.execute(
        "insert into ops.event (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at, gone_on,"
        " category, state, reported_at, is_urgent, is_on_spot, is_satisfied, summary, tied_by, is_sensitive, attrs,"
        " geom) values (%(town)s, %(grid)s, 1, 'call', %(key)s, 1, '2026-04-01', %(gone)s, %(category)s, %(state)s,"
        " %(reported_at)s, false, true, null, '电话 13800000000', 'none', %(sensitive)s, %(attrs)s,"
        " st_geomfromtext(%(point)s, 4490))",
        row
        | {
            "town": town_of(row["grid"]),
            "gone": None if row["gone"] == "-" else row["gone"],
            "sensitive": row["sensitive"] == "yes",
            "attrs": Jsonb(ATTRS.get(row["key"], {})),
            "point": None if row["point"] == "-" else f"POINT ({row['point']})",
        },
    )


def insert_element(
    connection: psycopg.Connection[Any], element: str, of: str, category: str | None, wkt: str, attrs: dict[str, Any],
    *, is_sensitive: bool = False,
) -> None:  # fmt: skip
    query = (
        f"insert into ops.{element} (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at,"
        " category, name, tied_by, is_sensitive, attrs, geom) values ('449901001', '449901001001001', 1, %s, 'x', 1,"
        " '2026-04-01', %s, '名', 'point', %s, %s, st_geomfromtext(%s, 4490))"
    )
    connection.execute(query.encode(), [of, category, is_sensitive, Jsonb(attrs), wkt])


def read(city: Database, name: str = "call", scope: Scope = CITY, **more: Any) -> gpd.GeoDataFrame:
    return read_features(city, "analyst", ask(CATALOG, name, scope, **more), "Asia/Shanghai")


def keys(frame: gpd.GeoDataFrame) -> str:
    return "".join(frame["source_key"])


def test_a_row_has_typed_columns_of_core_and_declaration_and_a_place(city: Database) -> None:
    frame = read(city)
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert kinds == {
        "id": "int64", "source_key": "str", "grid_code": "str", "tied_by": "str", "category": "str", "state": "str",
        "outcome": "str", "reported_at": "datetime64[us, Asia/Shanghai]", "due_at": "datetime64[us, Asia/Shanghai]",
        "closed_at": "datetime64[us, Asia/Shanghai]", "department": "str", "channel": "str", "is_urgent": "boolean",
        "is_on_spot": "boolean", "is_satisfied": "boolean", "updated_at": "datetime64[us, Asia/Shanghai]",
        "source": "str", "n_calls": "Int64", "seen_on": "datetime64[ms]", "heard_at": "datetime64[us, Asia/Shanghai]",
        "of_month": "datetime64[us, Asia/Shanghai]", "cost": "float64", "is_new": "boolean", "geom": "geometry",
    }  # fmt: skip
    assert (frame.crs.to_epsg(), frame.active_geometry_name) == (4490, "geom")
    first, second = frame.iloc[0], frame.iloc[1]
    assert (first["source"], first["n_calls"], first["cost"], first["is_new"]) == ("app", 3, 1.5, True)
    assert first["seen_on"] == pd.Timestamp("2026-02-28")
    assert second["of_month"].date() == date(2026, 3, 1)
    assert second["heard_at"].hour == 0
    assert first["geom"].wkt == "POINT (0.1 0.2)"


def test_what_is_sensitive_gone_or_in_free_words_is_never_given(city: Database) -> None:
    frame = read(city)
    assert keys(frame) == "abcdef"  # h was declared sensitive after it was loaded
    assert frame.attrs["left_out"] == ["family_dispute"]
    assert not {"summary", "words", "phone", "attrs"} & set(frame.columns)
    with city.connect("analyst") as connection:
        rows = connection.execute(
            "select attrs::text, r::text from pub.read_event('4499', '449:', 'call', '-infinity', 'infinity', null) r"
        ).fetchall()
    assert len(rows) == 7
    assert not any("张三" in text or "138" in text for row in rows for text in row)


def test_words_are_kept_back_even_when_they_are_no_longer_declared(city: Database) -> None:
    said_otherwise = dataset("call", "event", column("words", "code"), column("source", "code"))
    renamed = little_catalog()
    catalog = type(renamed)(**{**vars(renamed), "datasets": {"call": said_otherwise}})
    frame = read_features(city, "analyst", ask(catalog, "call", CITY), "Asia/Shanghai")
    assert frame["words"].isna().all()
    assert frame["source"].notna().sum() == 1


def test_bounds_of_time_are_days_of_the_city(city: Database) -> None:
    assert keys(read(city, since="2026-03-01", until="2026-04-01")) == "bcdf"
    assert keys(read(city, since="2026-03", until=date(2026, 4, 1))) == "bcdf"
    assert keys(read(city, since="2026-03-05T09:00", until="2026-03-05T09:00:01")) == "c"
    assert keys(read(city, since=datetime.fromisoformat("2026-03-31T16:00:00+00:00"))) == "e"
    with pytest.raises(AtlasError, match="not a period"):
        read(city, since="March")
    with pytest.raises(AtlasError, match="has no time"):
        read(city, "lamp", since="2026-03-01")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"category": "noise"}, "abef"),
        ({"category": ["noise"], "state": ["closed", "handling"]}, "af"),
        ({"n_calls": 12}, "b"),
        ({"n_calls": [3, 12, None]}, "abcdef"),
        ({"n_calls": None}, "cdef"),
        ({"seen_on": date(2026, 2, 28)}, "a"),
        ({"is_on_spot": True, "is_new": True}, "a"),
        ({"category": "'; drop table pub.grid; --"}, ""),
        ({"category": []}, ""),
    ],
)
def test_conditions_hold_values_or_lists_of_them(city: Database, where: dict[str, Any], found: str) -> None:
    assert keys(read(city, where=where)) == found


def test_conditions_are_checked_before_anything_is_read(city: Database) -> None:
    with pytest.raises(UnknownNameError, match="category"):
        read(city, where={"categry": "noise"})
    for kept_back in ("summary", "words", "phone"):
        with pytest.raises(UnknownNameError):
            read(city, where={kept_back: "x"})
    with pytest.raises(AccessError, match="never shown one by one"):
        read(city, where={"category": ["noise", "family_dispute"]})


def test_limits_and_order(city: Database) -> None:
    assert keys(read(city, limit=2)) == "ab"
    assert keys(read(city, limit=2, where={"state": "closed"})) == "ac"
    assert read(city)["id"].is_monotonic_increasing
    with pytest.raises(AtlasError, match="limit"):
        read(city, limit=-1)


def test_a_scope_is_never_left(city: Database) -> None:
    assert keys(read(city, within="449901001")) == "abcd"
    assert keys(read(city, within="449902")) == "f"
    assert keys(read(city, scope=Scope("449901001001002"))) == "c"
    with pytest.raises(AccessError):
        read(city, scope=Scope("449901"), within="449902")


def test_rows_without_a_point_have_an_empty_place(city: Database) -> None:
    frame = read(city).set_index("source_key")
    assert frame["geom"].isna().to_dict() == {"a": False, "b": False, "c": False, "d": True, "e": True, "f": False}


def test_areas_come_as_areas(city: Database) -> None:
    frame = read(city, "park")
    assert frame["geom"].iloc[0].wkt == "POLYGON ((0 0, 1 0, 1 1, 0 0))"
    assert frame.crs.to_epsg() == 4490


def test_things_give_their_free_text(city: Database) -> None:
    lamp = read(city, "lamp", where={"height_m": 7.5}).iloc[0]
    assert (lamp["model"], lamp["height_m"], lamp["category"]) == ("LED-3", 7.5, "lamp")


def test_no_rows_have_the_same_columns_and_types(city: Database) -> None:
    for name, where in (("call", {"state": "checked"}), ("lamp", {"model": "none"}), ("park", {"name": "none"})):
        full, empty = read(city, name), read(city, name, where=where)
        assert len(empty) == 0
        assert empty.dtypes.to_dict() == full.dtypes.to_dict()
        assert empty.crs == full.crs


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("resident", r"atlas\.people"),
        ("quarrel", "sensitive"),
        ("family", "sensitive"),
        ("grid_small", r"atlas\.grids"),
    ],
)
def test_people_and_sensitive_datasets_are_refused_with_a_way_on(city: Database, name: str, sentence: str) -> None:
    with pytest.raises(AtlasError, match=sentence):
        read(city, name)


def test_refusals_stand_in_the_database_too(city: Database) -> None:
    with city.connect("analyst", autocommit=True) as connection:
        assert connection.execute("select * from pub.read_place('4499', '449:', 'clinic', null)").fetchall() == []
        assert (
            connection.execute("select * from pub.read_organisation('4499', '449:', 'family', null)").fetchall() == []
        )
        for query in ("select * from ops.event", "select * from vault.person", "select * from raw.delivery"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(query.encode())


def test_a_column_that_is_not_as_declared_is_a_sentence(city: Database) -> None:
    base = little_catalog()
    wrong = dataset("call", "event", column("source", "integer"))
    catalog = type(base)(**{**vars(base), "datasets": {"call": wrong}})
    with pytest.raises(AtlasError, match="python -m etl run call"):
        read_features(city, "analyst", ask(catalog, "call", CITY), "Asia/Shanghai")


def test_unknown_datasets_get_the_nearest(city: Database) -> None:
    with pytest.raises(UnknownNameError, match="call"):
        read(city, "cal")
