"""Vector tiles: what is in them, from which zoom on, and what never is."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import psycopg
import pytest
from signing import carry_on, sign_in

from layers import tiles
from layers.access import Scope
from layers.codes import level_of
from layers.database import Database
from layers.tiles import data_version, element_tile, event_tile, grid_tile, is_tile, level_tile, tile_form

CITY = Scope("4499")
SINCE, UNTIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)

# Two large grids side by side, each with one medium and one small grid of the same shape.
TREE = [
    ("4499", "city", None, 115.0, 115.2),
    ("449901", "county", "4499", 115.0, 115.2),
    *((f"44990100{i}{tail}", level, parent and f"44990100{i}{parent}", 114.9 + i / 10, 115.0 + i / 10)
      for i in (1, 2)
      for tail, level, parent in (("", "large", ""), ("001", "medium", ""), ("001001", "small", "001"))),
]  # fmt: skip

EVENTS = [
    # key, grid, lon, lat, month, sensitive, dataset
    ("a", "449901001001001", 115.02, 22.05, "2026-03-05", False, "grid_event"),
    ("b", "449901001001001", 115.0201, 22.0501, "2026-03-06", False, "grid_event"),
    ("c", "449901002001001", 115.15, 22.05, "2026-03-07", False, "grid_event"),
    ("earlier", "449901001001001", 115.02, 22.05, "2026-02-07", False, "grid_event"),
    ("sensitive", "449901001001001", 115.02, 22.05, "2026-03-07", True, "grid_event"),
    ("other", "449901001001001", 115.02, 22.05, "2026-03-07", False, "dispute"),
]


@pytest.fixture(scope="module")
def web(file_db: Database) -> Iterator[psycopg.Connection[Any]]:
    with file_db.connect("loader") as loader:
        loader.execute("insert into pub.edition values (1, '2023', '2023-01-01', null, 1)")
        for number, (code, level, parent, west, east) in enumerate(TREE, start=1):
            box = f"ST_Multi(ST_MakeEnvelope({west}, 22.0, {east}, 22.1, 4490))"
            loader.execute(
                "insert into pub.grid (edition, code, grid_no, level, parent_code, name, aliases, geom, centre,"
                " area_m2, west, south, east, north)"
                f" select 1, %s, %s, %s, %s, %s, '{{}}', {box}, ST_PointOnSurface({box}), 1, 0, 0, 0, 0",
                [code, number, level, parent or (code[:6] if level == "large" else None), f"name of {code}"],
            )
            for zoom in (9, 14):
                loader.execute(
                    "insert into pub.grid_shape (edition, code, zoom, level, geom)"
                    f" select 1, %s, %s, %s, ST_Transform(ST_SetSRID({box}, 4326), 3857)",
                    [code, zoom, level],
                )
        for key, grid, lon, lat, day, sensitive, dataset in EVENTS:
            loader.execute(
                "insert into ops.event (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at,"
                " tied_by, is_sensitive, attrs, geom, category, state, reported_at, is_urgent, is_on_spot, summary)"
                " values (%s, %s, 1, %s, %s, 1, now(), 'point', %s, '{}', ST_SetSRID(ST_MakePoint(%s, %s), 4490),"
                " 'noise', 'closed', %s::timestamptz, false, false, 'somebody''s words')",
                [grid[:9], grid, dataset, key, sensitive, lon, lat, f"{day}T12:00:00Z"],
            )
        for table, dataset, sensitive in (
            ("place", "school", False), ("place", "refuge", True), ("thing", "hydrant", False),
            ("organisation", "company", False),
        ):  # fmt: skip
            loader.execute(
                f"insert into ops.{table} (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at,"
                " tied_by, is_sensitive, attrs, geom, category, name) values ('449901001', '449901001001001', 1, %s,"
                " '1', 1, now(), 'point', %s, '{\"secret\": 1}', ST_SetSRID(ST_MakePoint(115.02, 22.05), 4490),"
                " %s, %s)",
                [dataset, sensitive, dataset, f"the {dataset}"],
            )
    with file_db.connect("web", autocommit=True) as connection:
        carry_on(connection, sign_in(file_db))
        yield connection


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    n = 2**z
    x = int((lon + 180) / 360 * n)
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)
    return z, x, y


def grids(tile: bytes) -> dict[str, list[dict[str, Any]]]:
    """Grids of a tile by the layer they lie in, which is their level."""
    return {level: layer["features"] for level, layer in mapbox_vector_tile.decode(tile).items()} if tile else {}


def codes(tile: bytes) -> set[str]:
    return {one["properties"]["code"] for layer in grids(tile).values() for one in layer}


def features(tile: bytes, layer: str) -> list[dict[str, Any]]:
    found: dict[str, Any] = mapbox_vector_tile.decode(tile) if tile else {}
    assert set(found) <= {layer}
    return list(found.get(layer, {}).get("features", []))


@pytest.mark.parametrize(
    ("z", "levels"),
    [
        (8, {"city", "county", "large"}),
        (10, {"city", "county", "large", "medium"}),
        (12, {"city", "county", "large", "medium", "small"}),
    ],
)
def test_finer_grids_come_with_the_zoom(web: psycopg.Connection[Any], z: int, levels: set[str]) -> None:
    found = grids(grid_tile(web, CITY, 1, *tile_at(115.05, 22.05, z)))
    assert set(found) == levels
    for level, one in ((level, one) for level, layer in found.items() for one in layer):
        code = one["properties"]["code"]
        assert one["properties"] == {"code": code} and level == level_of(code)
        row = web.execute("select grid_no from pub.grid where code = %s", [code]).fetchone()
        assert row and one["id"] == row[0]


@pytest.mark.parametrize(
    ("level", "levels"),
    [
        ("county", {"city", "county"}),
        ("large", {"city", "county", "large"}),
        ("small", {"city", "county", "large", "medium", "small"}),
    ],
)
def test_a_tile_down_to_a_level_has_it_at_every_zoom(
    web: psycopg.Connection[Any], level: str, levels: set[str]
) -> None:
    for z in (8, 12):
        assert set(grids(level_tile(web, CITY, 1, level, *tile_at(115.05, 22.05, z)))) == levels
    found = codes(level_tile(web, Scope("449901002"), 1, level, *tile_at(115.05, 22.05, 8)))
    assert all(code.startswith("449901002") for code in found)


def test_a_tile_of_grids_keeps_to_its_scope(web: psycopg.Connection[Any]) -> None:
    assert codes(grid_tile(web, Scope("449901002"), 1, *tile_at(115.05, 22.05, 8))) == {"449901002"}


def test_a_place_or_edition_without_grids_gives_an_empty_tile(web: psycopg.Connection[Any]) -> None:
    assert grid_tile(web, CITY, 1, *tile_at(10, 50, 8)) == b""
    assert grid_tile(web, CITY, 9, *tile_at(115.05, 22.05, 8)) == b""


def test_how_tiles_are_cut_is_part_of_where_browsers_keep_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "functions" / "pub"
    shutil.copytree(Path(tiles.__file__).parent / "functions" / "pub", folder)
    before = tile_form()
    monkeypatch.setattr(tiles, "__file__", str(tmp_path / "tiles.py"))
    assert tile_form() == before
    with (folder / "level_tile.sql").open("a", encoding="utf-8") as file:
        file.write("-- otherwise\n")
    assert tile_form() != before


def events(
    web: psycopg.Connection[Any], z: int, scope: Scope = CITY, lon: float = 115.02, **chosen: Any
) -> list[dict[str, Any]]:
    asked = {"since": SINCE, "until": UNTIL, "one_by_one": z >= 14} | chosen
    return features(event_tile(web, scope, ["grid_event"], *tile_at(lon, 22.05, z), **asked), "event")


def test_events_are_counted_by_mesh_until_zoom_14(web: psycopg.Connection[Any]) -> None:
    found = events(web, 8)
    assert sum(one["properties"]["n"] for one in found) == 3
    assert all(set(one["properties"]) == {"n"} for one in found)
    assert len(events(web, 13)) == 1


def test_from_zoom_14_on_events_are_single_and_say_no_more_than_they_may(web: psycopg.Connection[Any]) -> None:
    found = events(web, 14)
    assert len(found) == 2
    for one in found:
        assert set(one["properties"]) == {"n", "category", "state", "reported_at"}
        assert one["properties"]["reported_at"] >= SINCE.timestamp()


@pytest.mark.parametrize("z", [8, 14])
def test_events_are_chosen_by_category_state_and_days(web: psycopg.Connection[Any], z: int) -> None:
    def n(**chosen: Any) -> int:
        return sum(one["properties"]["n"] for one in events(web, z, Scope("449901001"), **chosen))

    assert n() == n(categories=["noise", "flood"]) == n(states=["closed"]) == 2
    assert n(categories=["flood"]) == n(states=["reported"]) == 0
    assert n(since=datetime(2026, 3, 6, tzinfo=UTC)) == 1


@pytest.mark.parametrize("z", [8, 11, 13, 14, 16])
def test_sensitive_events_and_other_datasets_are_in_no_tile(web: psycopg.Connection[Any], z: int) -> None:
    assert sum(one["properties"]["n"] for one in events(web, z)) <= 3
    with web.transaction():
        place = tile_at(115.02, 22.05, z)
        tile = event_tile(web, CITY, ["dispute"], *place, since=SINCE, until=UNTIL, one_by_one=z >= 14)
    assert sum(one["properties"]["n"] for one in features(tile, "event")) == 1


@pytest.mark.parametrize("z", [8, 14])
def test_a_tile_of_events_keeps_to_its_scope(web: psycopg.Connection[Any], z: int) -> None:
    assert events(web, z, Scope("449901002")) == ([] if z == 14 else events(web, z, Scope("449901002")))
    assert sum(one["properties"]["n"] for one in events(web, z, Scope("449901002"), lon=115.15)) == 1
    assert sum(one["properties"]["n"] for one in events(web, z, Scope("449901001"), lon=115.15)) in (0, 2)


def test_each_event_is_in_exactly_one_tile_of_a_zoom(web: psycopg.Connection[Any]) -> None:
    z, x, y = tile_at(115.02, 22.05, 12)
    n = 0
    for dx in range(-3, 10):
        for dy in range(-3, 4):
            tile = event_tile(web, CITY, ["grid_event"], z, x + dx, y + dy, since=SINCE, until=UNTIL, one_by_one=False)
            n += sum(one["properties"]["n"] for one in features(tile, "event"))
    assert n == 3


@pytest.mark.parametrize(
    ("element", "dataset"), [("place", "school"), ("thing", "hydrant"), ("organisation", "company")]
)
def test_elements_are_counted_or_named_one_by_one(web: psycopg.Connection[Any], element: Any, dataset: str) -> None:
    place = tile_at(115.02, 22.05, 12)
    far = features(element_tile(web, CITY, element, [dataset, "refuge"], *place, one_by_one=False), element)
    assert [one["properties"] for one in far] == [{"n": 1}]
    near = features(element_tile(web, CITY, element, [dataset, "refuge"], *place, one_by_one=True), element)
    assert [one["properties"] for one in near] == [{"n": 1, "category": dataset, "name": f"the {dataset}"}]


def test_what_is_known_by_its_grid_alone_stands_in_the_middle_of_it(
    file_db: Database, web: psycopg.Connection[Any]
) -> None:
    with file_db.connect("loader") as loader:
        for key, code in (("first", "449901001001001"), ("second", "449901001001001"), ("third", "449901002001001")):
            loader.execute(
                "insert into ops.organisation (town_code, grid_code, edition, dataset, source_key, delivery_id,"
                " updated_at, tied_by, is_sensitive, attrs, category, name)"
                " values (%s, %s, 1, 'association', %s, 1, now(), 'code', false, '{}', 'association', %s)",
                [code[:9], code, key, key],
            )
        centres = loader.execute("select code, ST_X(centre), ST_Y(centre) from pub.grid where code in"
                                 " ('449901001001001', '449901002001001') order by code").fetchall()  # fmt: skip

    def seen(z: int, lon: float, lat: float, **how: Any) -> list[dict[str, Any]]:
        tile = element_tile(web, CITY, "organisation", ["association"], *tile_at(lon, lat, z), **how)
        return [one["properties"] for one in features(tile, "organisation")]

    kind = {"category": "association"}
    (_, *first), (_, *third) = centres
    assert seen(14, *first, one_by_one=True) == [{"n": 2, **kind}]
    assert seen(14, *third, one_by_one=True) == [{"n": 1, **kind, "name": "third"}]
    assert sum(one["n"] for one in seen(6, *first, one_by_one=False)) == 3


def test_a_tile_of_elements_keeps_to_its_scope_datasets_and_categories(web: psycopg.Connection[Any]) -> None:
    z, x, y = tile_at(115.02, 22.05, 12)
    assert element_tile(web, Scope("449901002"), "place", ["school"], z, x, y, one_by_one=True) == b""
    assert element_tile(web, CITY, "place", ["clinic"], z, x, y, one_by_one=True) == b""
    assert element_tile(web, CITY, "place", ["school"], z, x, y, one_by_one=False, categories=["clinic"]) == b""


def test_analysts_get_no_tiles(file_db: Database, web: psycopg.Connection[Any]) -> None:
    with file_db.connect("analyst") as analyst, pytest.raises(psycopg.errors.InsufficientPrivilege):
        grid_tile(analyst, CITY, 1, 8, 1, 1)


def test_the_data_version_rises_with_a_load(db: Database) -> None:
    with db.connect("web", autocommit=True) as web:
        carry_on(web, sign_in(db))
        assert data_version(web) == (0, None)
        with db.connect("loader") as loader:
            loader.execute("insert into pub.dataset values (1, 'school', 'place', false, '2026-03-01T00:00:00Z')")
        before, loaded_at = data_version(web)
        assert loaded_at == datetime(2026, 3, 1, tzinfo=UTC)
        with db.connect("loader") as loader:
            loader.execute("update pub.dataset set loaded_at = '2026-03-01T00:00:01Z'")
        assert data_version(web)[0] > before


@pytest.mark.parametrize(
    ("z", "x", "y", "there"), [(0, 0, 0, True), (3, 7, 7, True), (3, 8, 0, False), (-1, 0, 0, False), (40, 1, 1, False)]
)
def test_numbers_of_tiles(z: int, x: int, y: int, there: bool) -> None:
    assert is_tile(z, x, y) is there
