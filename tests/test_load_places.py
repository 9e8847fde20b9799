"""Loading what lies somewhere: text in degrees, an unknown zone, an old datum, shapes that cross themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pyproj
import pytest
from deliveries import Town, write_declarations

from layers.database import Database
from layers.settings import Settings

YARD = """
    name = { zh = "院子", en = "Yards" }
    department = "command_centre"
    table = "place"
    category = "yard"
    each_row_is_a = { zh = "一个院子", en = "a yard" }
    row_key = ["no"]
    [source]
    files = "yard*.csv"
    format = "csv"
    crs = "CGCS2000-GK"
    lon = "Y"
    lat = "X"
    [columns]
    no = { from = "no", type = "key", required = true }
"""
CATEGORIES = """
    yard = { zh = "院子", en = "Yard", table = "place" }
    noise = { zh = "噪音扰民", en = "Noise", table = "event" }
    flood = { zh = "汛情", en = "Flood", table = "event" }
    family_dispute = { zh = "家庭纠纷", en = "Family dispute", table = "event", sensitive = true }
"""
DATUMS = """
    [square]
    kind = "four"
    from = "EPSG:2383"
    to = "EPSG:4547"
    accuracy_m = 0.05
    point_from = [640067.9785, 2520736.2135]
    point_to = [640185.1419, 2520733.0685]
    north_m = -2.6
    east_m = 114.7
    rotation_arcsec = 0.2
    scale_ppm = 0.03
"""


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path) -> Town:
    made = Town(db, settings, tmp_path)
    made.load("grid_small")
    return made


def declare(town: Town, yard: str = YARD) -> None:
    more = {"datasets/yard.toml": yard, "categories.toml": CATEGORIES, "datums.toml": DATUMS}
    town.catalog = write_declarations(town.catalog_dir, more)


def eastings(crs: str, lon: float, lat: float) -> tuple[float, float]:
    return pyproj.Transformer.from_crs(4490, crs, always_xy=True).transform(lon, lat)


def yards(*places: tuple[str, float, float]) -> str:
    return "no | Y | X\n" + "".join(f"{no} | {y:.4f} | {x:.4f}\n" for no, y, x in places)


def where(town: Town) -> list[tuple[str, str]]:
    return town.rows("select source_key, grid_code from ops.place order by 1")


def test_the_zone_of_a_file_is_found_and_stands_in_the_ledger(town: Town) -> None:
    declare(town)
    for crs in ("EPSG:4526", "EPSG:4547", "EPSG:4548"):
        a, b = eastings(crs, 115.05, 22.05), eastings(crs, 115.15, 22.15)
        town.deliver("yard.csv", yards(("A", *a), ("B", *b)))
        done = town.load("yard").deliveries[0]
        assert done.problem == ""
        assert where(town) == [("A", "449901001001001"), ("B", "449901002001002")]
        (said,) = town.rows("select report -> 'notes' ->> 'coordinates' from raw.delivery order by id desc limit 1")[0]
        assert said.startswith(f"{crs}: Inverse of ")


def test_a_file_whose_zone_is_not_certain_is_refused(town: Town) -> None:
    declare(town)
    a, b = eastings("EPSG:4526", 115.05, 22.05), eastings("EPSG:4527", 115.15, 22.15)
    town.deliver("yard.csv", yards(("A", *a), ("B", *b)))
    done = town.load("yard").deliveries[0]
    assert (done.status, done.exit_code) == ("refused", 6)
    assert "EPSG:4526 (1 of 2 rows), EPSG:4527 (1 of 2 rows)" in done.problem


def test_an_old_datum_is_converted_by_the_county_s_parameters(town: Town) -> None:
    old = YARD.replace('crs = "CGCS2000-GK"', 'crs = "EPSG:2383"')
    declare(town, old)
    at = eastings("EPSG:4547", 115.05, 22.05)
    town.deliver("yard.csv", yards(("A", at[0] - 117.2, at[1] + 3.1)))
    assert "county's parameters" in town.load("yard").deliveries[0].problem
    declare(town, old.replace('lon = "Y"', 'datum = "square"\n    lon = "Y"'))
    done = town.load("yard").deliveries[0]
    assert done.notes["coordinates"] == "EPSG:2383: square of datums.toml, within 0.05 m"
    ((lon, lat),) = town.rows("select st_x(geom), st_y(geom) from ops.place")
    assert (lon, lat) == pytest.approx((115.05, 22.05), abs=2e-5)


def test_degrees_minutes_and_seconds_are_loaded(town: Town) -> None:
    declare(town, YARD.replace("CGCS2000-GK", "EPSG:4490"))
    town.deliver(
        "yard.csv",
        "no | Y | X\n"
        "A | 东经115度03分00秒 | 北纬22度03分\n"
        "B | 115 09 00 | 22 09 00\n"
        "C | N22°03′00″ | E115°03′00″\n"
        "D | 22.05 | 115.05\n"
        "E | 0 | 0\n",
    )
    done = town.load("yard").deliveries[0]
    assert where(town) == [("A", "449901001001001"), ("B", "449901002001002")]
    assert done.reasons == {"swapped_coordinates": 2, "zero_coordinates": 1}


def test_shapes_that_were_repaired_are_named(town: Town) -> None:
    shapes = YARD.replace("yard*.csv", "yard.geojson").replace('"csv"', '"geojson"').replace("CGCS2000-GK", "EPSG:4490")
    declare(town, "\n".join(line for line in shapes.splitlines() if (" = " in line and " = \"Y\"" not in line
                            and " = \"X\"" not in line) or line.strip().startswith("[")))  # fmt: skip
    square = [[115.01, 22.01], [115.02, 22.01], [115.02, 22.02], [115.01, 22.02], [115.01, 22.01]]
    spike = [*square[:3], [115.02, 22.05], [115.02, 22.02], *square[3:]]
    bow_tie = [square[0], square[2], square[1], square[3], square[0]]
    drawn = {
        "fine": [square],
        "spike": [spike],
        "bow": [bow_tie],
        "two": [square[:2]],
        "far": [[[0, 0], *square[1:4], [0, 0]]],
    }
    features = [
        {"type": "Feature", "properties": {"no": no}, "geometry": {"type": "Polygon", "coordinates": rings}}
        for no, rings in drawn.items()
    ]
    features.append({"type": "Feature", "properties": {"no": "none"}, "geometry": None})
    (town.files / "yard.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    done = town.load("yard").deliveries[0]
    assert done.problem == ""
    assert where(town) == [("fine", "449901001001001"), ("none", "4499"), ("spike", "449901001001001")]
    assert done.reasons == {"self_crossing": 1, "too_few_points": 1, "outside_city": 1}
    assert (done.n_repaired, done.notes["repaired"]) == (1, ["spike"])
