"""The atlas: what an analyst types, from opening it to every kind of answer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pandas as pd
import pytest
from databases import copy_of
from little_city import count, fill_grids, little_catalog, publish

import layers
from layers import AccessError, Atlas, AtlasError, Scope, ServerError, UnknownNameError, open_atlas
from layers.database import Database
from layers.server import Server
from layers.settings import Settings, read_settings

CALLS = """
grid            | day        | category | state    | n
449901001001001 | 2026-02-10 | noise    | closed   | 4
449901001001001 | 2026-03-05 | noise    | closed   | 3
449901001001001 | 2026-03-31 | drainage | reported | 1
449901001001002 | 2026-03-05 | noise    | reported | 2
449901002001    | 2026-03-09 | noise    | handling | 7
4499            | 2026-03-20 | drainage | closed   | 9
449902001001001 | 2026-04-02 | noise    | reported | 8
"""


@pytest.fixture(scope="module")
def database(template: Database, server: Server, settings: Settings) -> Iterator[Database]:
    """The little city with its calls, lamps and people."""
    with copy_of(template, server, settings) as fresh:
        fill_grids(fresh)
        count(fresh, CALLS)
        count(fresh, "grid | day | category | n\n449901001001001 | 0 | lamp | 12", of="lamp")
        publish(fresh, {"4499": 5000, "449901": 4000, "449902": 990})
        yield fresh


@pytest.fixture
def atlas(database: Database) -> Atlas:
    """The atlas of the little city."""
    return Atlas(little_catalog(), database, "analyst", Scope("4499"))


def test_the_public_names_are_these_and_sorted() -> None:
    assert layers.__all__ == [
        "AccessError", "Atlas", "AtlasError", "DeclarationError", "DeliveryError", "Scope", "ServerError",
        "SettingError", "UnknownNameError", "open_atlas",
    ]  # fmt: skip
    assert dir(layers) == sorted(layers.__all__, key=str)
    for name in layers.__all__:
        assert getattr(layers, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = layers.nothing_like_it


def test_importing_it_fetches_nothing_heavy() -> None:
    heavy = "{'pandas', 'geopandas', 'pyarrow', 'shapely', 'plotly', 'alembic'}"
    for line in ("import layers", "from layers import open_atlas"):
        found = subprocess.run(
            [sys.executable, "-c", f"import sys; {line}; print(sorted({heavy} & set(sys.modules)))"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert found.stdout.strip() == "[]", line


def test_opening_says_what_is_missing(db: Database, server: Server, settings: Settings) -> None:
    opened = open_atlas(read_settings({"LOCAL_DIR": str(settings.local_dir), "DATABASE_URL": db.url("admin")}))
    assert opened.scope.code == opened.catalog.city.code
    assert "password" not in repr(opened)
    with pytest.raises(AccessError):
        open_atlas(read_settings({"LOCAL_DIR": str(settings.local_dir), "DATABASE_URL": db.url("admin")}), scope="1100")
    with db.connect("admin") as connection:
        connection.execute("drop schema pub cascade")
    with pytest.raises(ServerError, match="no tables yet"):
        open_atlas(read_settings({"LOCAL_DIR": str(settings.local_dir), "DATABASE_URL": db.url("admin")}))


def test_datasets_are_listed_with_what_was_loaded(atlas: Atlas) -> None:
    found = atlas.datasets().set_index("dataset")
    assert found.columns.tolist() == [
        "name", "department", "table", "each_row_is", "rows", "loaded_at", "sensitive",
    ]  # fmt: skip
    assert found["rows"].dropna().to_dict() == {"call": 34, "lamp": 12, "park": 0, "family": 0, "grid_small": 5}
    assert found["rows"].isna()[["resident", "quarrel", "step"]].all()
    assert str(found["loaded_at"].dtype).endswith("Asia/Shanghai]")
    assert found["sensitive"].sum() == 1
    inside = Atlas(atlas.catalog, atlas.database, "analyst", Scope("449901001001")).datasets().set_index("dataset")
    assert inside["rows"].dropna().to_dict() == {"call": 10, "lamp": 12, "park": 0, "family": 0, "grid_small": 2}


def test_a_tally_counts_by_grid_period_category_and_state(atlas: Atlas) -> None:
    found = atlas.tally("call", level="county")
    assert found.columns.tolist() == ["grid_code", "period", "category", "state", "n"]
    assert [(g, f"{p:%Y-%m-%d}", c, s, n) for g, p, c, s, n in found.itertuples(index=False)] == [
        ("449901", "2026-02-01", "noise", "closed", 4),
        ("449901", "2026-03-01", "noise", "reported", 2),
        ("449901", "2026-03-01", "noise", "handling", 7),
        ("449901", "2026-03-01", "noise", "closed", 3),
        ("449901", "2026-03-01", "drainage", "reported", 1),
        ("449902", "2026-04-01", "noise", "reported", 8),
    ]
    assert found.attrs["n_unplaced"] == 9


def test_tallies_can_be_by_day_or_year_and_by_less(atlas: Atlas) -> None:
    by_day = atlas.tally("call", level="medium", by=(), period="day", since="2026-03-05", until="2026-03-09")
    assert [(g, f"{p:%m-%d}", n) for g, p, n in by_day.itertuples(index=False)] == [("449901001001", "03-05", 5)]
    by_year = atlas.tally("call", level="city", by=["category"], period="year")
    assert by_year[["category", "n"]].to_dict("list") == {"category": ["noise", "drainage"], "n": [24, 10]}
    assert by_year["period"].iloc[0] == pd.Timestamp("2026-01-01")
    assert atlas.tally("call", level="city", by=(), period=None)["n"].tolist() == [34]
    halves = [
        atlas.tally("call", level="city", by=(), period="month", since=since, until=until)["n"].sum()
        for since, until in (("2026-03-01", "2026-03-09"), ("2026-03-09", "2026-04"), ("2026-03", "2026-04"))
    ]
    assert halves == [5, 17, 22]
    with pytest.raises(AtlasError, match="by month, not by day"):
        atlas.tally("call", level="small", since="2026-03-09")


def test_what_has_no_time_is_tallied_without_periods(atlas: Atlas) -> None:
    found = atlas.tally("lamp", level="small", within="449901")
    assert found.columns.tolist() == ["grid_code", "category", "state", "n"]
    assert found[["grid_code", "category", "n"]].to_numpy().tolist() == [["449901001001001", "lamp", 12]]
    assert found["state"].isna().all()
    with pytest.raises(AtlasError, match="no time"):
        atlas.tally("lamp", level="small", since="2026-01")


def test_an_empty_tally_has_the_same_columns_and_types(atlas: Atlas) -> None:
    full, empty = atlas.tally("call", level="large"), atlas.tally("call", level="large", since="2030-01")
    assert (len(empty), empty.attrs) == (0, {"n_unplaced": 0, "n_carried": 0, "carried": {}})
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()


def test_an_indicator_comes_with_the_grids_it_is_of(atlas: Atlas) -> None:
    found = atlas.indicator("calls", level="medium", within="449901", period="2026-03")
    assert found.columns.tolist() == ["grid_code", "name", "value", "numerator", "denominator", "geom"]
    assert found["name"].tolist() == ["一社区", "二社区", "三社区"]
    assert found["value"].tolist() == [6, 0, 7]
    assert found.attrs == {
        "period": "2026-03", "n_unplaced": 0, "unit": "件", "n_carried": 0, "carried": {}, "off_by": 0,
        "withheld": False,
    }  # fmt: skip
    assert (found.crs.to_epsg(), found.active_geometry_name) == (4490, "geom")


def test_grids_and_people(atlas: Atlas) -> None:
    grids = atlas.grids("large", within="449901")
    assert grids.columns.tolist() == ["grid_code", "name", "parent_code", "area_m2", "geom"]
    assert grids["grid_code"].tolist() == ["449901001", "449901002"]
    assert atlas.people("county").to_dict("list") == {"grid_code": ["449901", "449902"], "n": [4000, 990]}
    assert atlas.people("county", within="449902")["n"].tolist() == [990]


def test_unknown_names_get_the_nearest_ones(atlas: Atlas) -> None:
    for ask, nearest in (
        (lambda: atlas.features("cal"), "call"),
        (lambda: atlas.tally("calls", level="city"), "call"),
        (lambda: atlas.tally("call", level="mediun"), "medium"),
        (lambda: atlas.tally("call", level="city", by=["states"]), "state"),
        (lambda: atlas.tally("call", level="city", period="moth"), "month"),
        (lambda: atlas.indicator("popullation", level="city"), "population"),
        (lambda: atlas.people("larg"), "large"),
        (lambda: atlas.grids("small", within="449901003"), "449901001"),
    ):  # fmt: skip
        with pytest.raises(UnknownNameError) as caught:
            ask()
        assert nearest in caught.value.hint


def test_people_and_sensitive_datasets_are_refused_everywhere(atlas: Atlas) -> None:
    with pytest.raises(AccessError, match=r"atlas\.people"):
        atlas.features("resident")
    with pytest.raises(AccessError, match=r"atlas\.people"):
        atlas.tally("resident", level="city")
    for ask in (lambda: atlas.features("quarrel"), lambda: atlas.tally("quarrel", level="city")):
        with pytest.raises(AccessError, match="sensitive"):
            ask()


def test_every_read_stays_inside_the_scope(atlas: Atlas) -> None:
    town = Atlas(atlas.catalog, atlas.database, "analyst", Scope("449901001"))
    assert town.tally("call", level="small", by=(), period=None)["grid_code"].tolist() == [
        "449901001001001", "449901001001002",
    ]  # fmt: skip
    assert town.grids("medium")["grid_code"].tolist() == ["449901001001", "449901001002"]
    for ask in (
        lambda: town.features("call", within="449902"),
        lambda: town.tally("call", level="small", within="449902"),
        lambda: town.indicator("calls", level="small", within="449902"),
        lambda: town.people("small", within="449902"),
        lambda: town.grids("small", within="449902"),
    ):
        with pytest.raises(AccessError):
            ask()
