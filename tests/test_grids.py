"""The tree of grids: what is delivered is checked, repaired or rejected, completed, drawn, and read back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import pyproj
import pytest
import shapely

from layers.codes import LENGTHS
from layers.database import Database
from layers.declare.records import City, Text
from layers.errors import AtlasError, UnknownNameError
from layers.grids import GridReport, grid_index, grid_names, read_grids, write_grids
from layers.grids.shapes import COARSEST_ZOOM, FINEST_ZOOM, tolerance_m

CITY = City(
    code="4499",
    name=Text("海晏市", "Haiyan"),
    counties={"449901": Text("临海区", "Linhai")},
    zone="Asia/Shanghai",
    edition=1,
    edition_name="2023",
    opened_on=date(2023, 1, 1),
)


def frame(*rows: tuple[str, shapely.Geometry | None], **more) -> gpd.GeoDataFrame:
    codes = [code for code, _ in rows]
    data = {"code": codes, "name": [f"网格{code}" for code in codes], **more}
    return gpd.GeoDataFrame(data, geometry=[shape for _, shape in rows], crs="EPSG:4490").rename_geometry("geom")


def boxes(level: str) -> gpd.GeoDataFrame:
    """Squares within squares: 1 county, 2 large, 4 medium, 16 small grids, west to east; borders shared exactly."""
    n = {"county": 1, "large": 2, "medium": 4, "small": 16}[level]
    edges = np.linspace(115.0, 115.16, 17)
    of_all = range(16)
    rows = []
    for i in range(n):
        cells = [k for k in of_all if k * n // 16 == i]
        code = f"449901{cells[0] // 8 + 1:03d}{cells[0] // 4 % 2 + 1:03d}{cells[0] % 4 + 1:03d}"[: LENGTHS[level]]
        shape = shapely.coverage_union_all([shapely.box(edges[k], 22.7, edges[k + 1], 22.71) for k in cells])
        rows.append((code, shape))
    return frame(*rows)


LEVELS = ("county", "large", "medium", "small")


def write(db: Database, frames: dict[str, gpd.GeoDataFrame], edition: int = 1) -> GridReport:
    with db.connect("loader") as conn:
        return write_grids(conn, CITY, edition, frames)


def read(db: Database, edition: int = 1, **kw) -> gpd.GeoDataFrame:
    with db.connect("web") as conn:
        return read_grids(conn, edition, **kw)


def test_all_levels_are_written_and_read_back(db: Database) -> None:
    report = write(db, {level: boxes(level) for level in LEVELS})
    assert report.written == {"county": 1, "large": 2, "medium": 4, "small": 16}
    assert report.derived == {"city": 1}
    assert (report.version, report.rejected, report.repaired, report.not_nested) == (1, (), (), ())
    assert set(report.n_uneven.values()) == set(report.n_overlaps.values()) == {0}
    grids = read(db)
    assert grids.crs.to_epsg() == 4490
    assert grids["level"].value_counts().to_dict() == {"small": 16, "medium": 4, "large": 2, "county": 1, "city": 1}
    assert grids["code"].is_monotonic_increasing
    assert sorted(grids["grid_no"]) == list(range(1, 25))
    parents = dict(zip(grids["code"], grids["parent_code"], strict=True))
    assert parents["449901002001003"] == "449901002001"
    assert parents["449901"] == "4499"
    assert pd.isna(parents["4499"])
    city = grids.set_index("code").loc["4499"]
    assert (city["name"], city["aliases"], city["is_derived"]) == ("海晏市", ["Haiyan"], True)


def test_area_centre_and_box_are_right(db: Database) -> None:
    write(db, {level: boxes(level) for level in LEVELS})
    grids = read(db, level="small")
    spheroid = pyproj.Geod(ellps="GRS80")
    wanted = [abs(spheroid.geometry_area_perimeter(shape)[0]) for shape in grids.geometry]
    assert grids["area_m2"].to_numpy() == pytest.approx(wanted, rel=1e-9)
    with db.connect("web") as conn:
        wrong = conn.execute(
            "SELECT count(*) FROM pub.grid WHERE NOT ST_Covers(geom, centre) OR west <> ST_XMin(geom)"
            " OR south <> ST_YMin(geom) OR east <> ST_XMax(geom) OR north <> ST_YMax(geom)"
        ).fetchone()
    assert wrong == (0,)


def test_missing_parents_are_united_from_the_grids_below(db: Database) -> None:
    report = write(db, {"small": boxes("small")})
    assert report.derived == {"city": 1, "county": 1, "large": 2, "medium": 4}
    grids = read(db).set_index("code")
    assert grids.loc["449901", "name"] == "临海区"
    assert grids.loc["449901002", "name"] == "449901002"
    for level in ("county", "large", "medium"):
        for code, shape in zip(boxes(level)["code"], boxes(level).geometry, strict=True):
            assert grids.loc[code, "geom"].equals(shape)


def test_levels_may_come_one_after_the_other_and_keep_their_numbers(db: Database) -> None:
    for level in ("small", "large", "county", "medium"):
        report = write(db, {level: boxes(level)})
    assert report.version == 4
    grids = read(db).set_index("code")
    assert grids["is_derived"].sum() == 1
    assert grids.loc["449901001", "name"] == "网格449901001"
    before = grids["grid_no"].to_dict()
    write(db, {"small": boxes("small")})
    assert read(db).set_index("code")["grid_no"].to_dict() == before
    assert write(db, {"large": boxes("large")}).derived == {"city": 1}


def test_a_delivered_parent_is_not_overwritten_but_a_derived_one_follows_its_children(db: Database) -> None:
    write(db, {"large": boxes("large"), "small": boxes("small")})
    grown = boxes("small")
    grown.loc[15, "geom"] = shapely.union(grown.geometry[15], shapely.box(115.16, 22.7, 115.17, 22.71))
    report = write(db, {"small": grown})
    grids = read(db).set_index("code")
    assert grids.loc["449901002", "geom"].bounds[2] == pytest.approx(115.16)
    assert grids.loc["449901002002", "geom"].bounds[2] == pytest.approx(115.17)
    assert report.not_nested == ("449901002002",)


def test_editions_live_side_by_side(db: Database) -> None:
    write(db, {"small": boxes("small")})
    write(db, {"small": boxes("small").head(4)}, edition=2)
    assert len(read(db, edition=1)) == 24
    assert len(read(db, edition=2)) == 8
    with db.connect("web") as conn:
        assert conn.execute("SELECT count(*), count(DISTINCT grid_no) FROM pub.grid").fetchone() == (32, 32)


BOW_TIE = shapely.Polygon([(115, 22.7), (115.01, 22.71), (115.01, 22.7), (115, 22.71)])
NICKED = shapely.Polygon(
    [(115, 22.7), (115.01, 22.7), (115.01, 22.71), (115.00501, 22.71), (115.00499, 22.71001), (115.005, 22.7099),
     (115.00502, 22.71001), (115.0, 22.71)]
)  # fmt: skip


def test_a_shape_that_crosses_itself_a_little_is_repaired_and_named(db: Database) -> None:
    assert not NICKED.is_valid
    report = write(db, {"small": frame(("449901001001001", NICKED))})
    assert report.repaired == ("449901001001001",)
    assert report.rejected == ()
    shape = read(db, level="small").geometry[0]
    assert shape.is_valid
    assert shape.area == pytest.approx(NICKED.area, rel=0.01)


@pytest.mark.parametrize(
    ("code", "name", "shape", "reason"),
    [
        ("449901001001002", "a", BOW_TIE, "bad_geometry"),
        ("449901001001002", "a", None, "bad_geometry"),
        ("449901001001002", "a", shapely.MultiPolygon(), "bad_geometry"),
        ("449901001001002", "a", shapely.LineString([(115, 22), (115.1, 22)]), "bad_geometry"),
        ("449901001001002", "a", shapely.box(500000, 2500000, 500100, 2500100), "bad_geometry"),
        ("449901001001", "a", shapely.box(115, 22.7, 115.1, 22.8), "bad_grid_code"),
        ("330101001001002", "a", shapely.box(115, 22.7, 115.1, 22.8), "bad_grid_code"),
        ("44990100100100x", "a", shapely.box(115, 22.7, 115.1, 22.8), "bad_grid_code"),
        (None, "a", shapely.box(115, 22.7, 115.1, 22.8), "bad_grid_code"),
        ("449901001001002", None, shapely.box(115, 22.7, 115.1, 22.8), "missing_value"),
        ("449901001001002", " ", shapely.box(115, 22.7, 115.1, 22.8), "missing_value"),
        ("449901001001001", "a", shapely.box(115, 22.7, 115.1, 22.8), "duplicate_key"),
    ],
)
def test_a_grid_that_cannot_be_used_is_rejected_with_its_row_and_reason(
    db: Database, code, name, shape, reason
) -> None:
    given = frame(("449901001001001", shapely.box(115, 22.7, 115.01, 22.71)), (code, shape))
    given.loc[1, "name"] = name
    report = write(db, {"small": given})
    assert [(bad.level, bad.row, bad.reason) for bad in report.rejected] == [("small", 1, reason)]
    assert report.written == {"small": 1}


def test_nothing_but_rejected_grids_changes_nothing(db: Database) -> None:
    report = write(db, {"small": frame(("1", BOW_TIE))})
    assert (report.version, report.written) == (0, {})
    assert read(db).empty
    assert list(read(db).columns) == list(read(db, level="small").columns)
    assert write(db, {}).version == 0


def test_the_city_or_an_unknown_level_cannot_be_delivered(db: Database) -> None:
    for level in ("city", "block"):
        with pytest.raises(AtlasError, match="cannot be delivered"):
            write(db, {level: boxes("county")})
    with pytest.raises(UnknownNameError):
        read(db, level="block")


def test_overlaps_gaps_and_uneven_borders_are_counted(db: Database) -> None:
    a, b = shapely.box(115, 22.7, 115.02, 22.72), shapely.box(115.019, 22.7, 115.04, 22.72)
    c = shapely.box(115.040002, 22.7, 115.06, 22.72)
    report = write(db, {"small": frame(("449901001001001", a), ("449901001001002", b), ("449901001001003", c))})
    assert report.n_uneven == {"small": 3}
    assert report.n_overlaps == {"small": 1}
    outline = read(db, level="medium").geometry[0]
    assert outline.area == pytest.approx(shapely.union_all([a, b, c]).area, rel=1e-6)


def test_other_names_come_as_text_or_as_lists(db: Database) -> None:
    given = boxes("small").head(3).assign(aliases=["旧村、老村", None, ["a", " b "]])
    write(db, {"small": given})
    with db.connect("web") as conn:
        names = grid_names(conn, 1)
    assert list(names.columns) == ["code", "level", "name", "aliases"]
    assert names[names["level"] == "small"]["aliases"].tolist() == [["旧村", "老村"], [], ["a", "b"]]


def test_a_part_of_the_tree_is_read(db: Database) -> None:
    write(db, {"small": boxes("small")})
    below = read(db, within="449901001")
    assert below["code"].min() == "449901001"
    assert below["level"].value_counts().to_dict() == {"small": 8, "medium": 2, "large": 1}
    assert len(read(db, level="small", within="449901001002")) == 4


def shapes_at(conn: psycopg.Connection, level: str, zoom: int) -> np.ndarray:
    rows = conn.execute(
        "SELECT ST_AsBinary(geom) FROM pub.grid_shape WHERE level = %s AND zoom = %s ORDER BY code", [level, zoom]
    ).fetchall()
    return shapely.from_wkb([shape for (shape,) in rows])


def wavy(level: str) -> gpd.GeoDataFrame:
    """The same tree with bends in every border."""

    def bend(xy: np.ndarray) -> np.ndarray:
        wave = 0.0003 * np.sin(xy[:, ::-1] * 2000.0)
        return xy + wave

    given = boxes(level)
    given["geom"] = shapely.transform(shapely.segmentize(given.geometry.to_numpy(), 0.0002), bend)
    return given


def test_shapes_for_drawing_share_their_borders_and_lose_no_grid(db: Database) -> None:
    report = write(db, {level: wavy(level) for level in LEVELS})
    assert report.repaired == ()
    with db.connect("web") as conn:
        for level, n in {"city": 1, "county": 1, "large": 2, "medium": 4, "small": 16}.items():
            corners = []
            for zoom in range(COARSEST_ZOOM[level], FINEST_ZOOM + 1):
                shapes = shapes_at(conn, level, zoom)
                assert len(shapes) == n
                assert shapely.is_valid(shapes).all()
                assert (shapely.area(shapes) > 0).all()
                assert shapely.coverage_is_valid(shapes)
                corners.append(shapely.get_num_coordinates(shapes).sum())
            assert corners == sorted(corners)
        coarse = shapely.union_all(shapes_at(conn, "large", 8))
        fine = shapely.union_all(shapes_at(conn, "large", FINEST_ZOOM))
        assert shapely.hausdorff_distance(coarse, fine) < 4 * tolerance_m(8)
        zooms = conn.execute("SELECT DISTINCT level, zoom FROM pub.grid_shape").fetchall()
    assert {zoom for level, zoom in zooms if level == "small"} == {10, 11, 12, 13, 14}


def test_shapes_lie_where_the_database_puts_them_itself(db: Database) -> None:
    write(db, {level: boxes(level) for level in LEVELS})
    with db.connect("web") as conn:
        apart = conn.execute(
            "SELECT max(ST_HausdorffDistance(s.geom, ST_Transform(ST_SetSRID(g.geom, 4326), 3857)))"
            " FROM pub.grid_shape s JOIN pub.grid g USING (edition, code) WHERE s.zoom = 14 AND s.level = 'small'"
        ).fetchone()
    assert apart is not None
    assert apart[0] < tolerance_m(14)


def test_dirty_borders_are_drawn_without_slivers(db: Database) -> None:
    given = boxes("small")
    given["geom"] = [
        shapely.transform(shape, lambda xy, i=i: xy + 1e-9 * np.sin(xy * 1e7 + i))
        for i, shape in given.geometry.items()
    ]
    report = write(db, {"small": given})
    assert report.n_uneven["small"] == 16
    with db.connect("web") as conn:
        for zoom in (12, 13, 14):
            shapes = shapes_at(conn, "small", zoom)
            assert len(shapes) == 16
            assert shapely.coverage_is_valid(shapes)
    assert len(read(db, level="county").geometry[0].geoms[0].interiors) == 0


def test_the_index_is_kept_until_the_grids_change(db: Database, tmp_path: Path) -> None:
    write(db, {level: boxes(level) for level in LEVELS})
    with db.connect("loader") as conn:
        first = grid_index(conn, 1, tmp_path)
        assert first.codes[first.locate([115.005, 115.155], [22.705, 22.705])].tolist() == [
            "449901001001001",
            "449901002002004",
        ]
        (kept,) = tmp_path.iterdir()
        written_at = kept.stat().st_mtime_ns
        assert grid_index(conn, 1, tmp_path).codes.tolist() == first.codes.tolist()
        assert kept.stat().st_mtime_ns == written_at
    write(db, {"small": frame(("449901002002004", shapely.box(115.15, 22.7, 115.2, 22.71)))})
    with db.connect("web") as conn:
        second = grid_index(conn, 1, tmp_path)
    assert second.codes[second.locate([115.19], [22.705])].tolist() == ["449901002002004"]
    assert [path != kept for path in tmp_path.iterdir()] == [True]


def test_changes_taken_back_leave_no_stale_index(db: Database, tmp_path: Path) -> None:
    write(db, {"small": boxes("small")})
    far = frame(("449901002002004", shapely.box(116.0, 22.7, 116.2, 22.71)))
    with db.connect("loader") as conn:
        write_grids(conn, CITY, 1, {"small": far})
        grid_index(conn, 1, tmp_path)
        conn.rollback()
    report = write(db, {"small": boxes("small")})
    assert report.version == 2
    with db.connect("web") as conn:
        index = grid_index(conn, 1, tmp_path)
    assert index.locate([116.1], [22.705]).tolist() == [-1]


def test_a_spoilt_index_is_built_anew(db: Database, tmp_path: Path) -> None:
    write(db, {"small": boxes("small")})
    with db.connect("web") as conn:
        grid_index(conn, 1, tmp_path)
        (kept,) = tmp_path.iterdir()
        kept.write_bytes(kept.read_bytes()[:1000])
        assert len(grid_index(conn, 1, tmp_path).codes) == 16
        assert len(grid_index(conn, 1, tmp_path).codes) == 16


def test_the_index_holds_the_finest_grids_known(db: Database, tmp_path: Path) -> None:
    write(db, {"large": boxes("large"), "small": boxes("small").head(8)})
    with db.connect("web") as conn:
        codes = grid_index(conn, 1, tmp_path).codes.tolist()
        assert codes == [*boxes("small")["code"].head(8), "449901002"]
        with pytest.raises(AtlasError, match="no grids"):
            grid_index(conn, 7, tmp_path)
