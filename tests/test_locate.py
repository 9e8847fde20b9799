"""The raster index answers what ST_Covers answers, the lowest code winning, for every point there is."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.database import Database
from layers.errors import AtlasError
from layers.locate import GridIndex, index
from layers.locate.build import MOST_CANDIDATES

WEST, SOUTH, EAST, NORTH = 115.0, 22.5, 115.8, 23.1


def codes_for(polygons) -> np.ndarray:
    return np.array([f"4499{i:011d}" for i in range(len(polygons))])


def covered_by(polygons, lon, lat) -> np.ndarray:
    """The answer by brute force: the first polygon that covers each point, -1 for none."""
    tree = shapely.STRtree(polygons)
    fine = np.isfinite(lon) & np.isfinite(lat)
    point, polygon = tree.query(
        shapely.points(np.where(fine, lon, 999), np.where(fine, lat, 999)), predicate="intersects"
    )
    first = np.full(len(lon), len(polygons))
    np.minimum.at(first, point, polygon)
    return np.where(fine & (first < len(polygons)), first, -1)


def assert_exact(polygons, lon, lat) -> None:
    polygons = np.asarray(polygons, dtype=object)
    built = GridIndex.build(codes_for(polygons), polygons)
    found, wanted = built.locate(lon, lat), covered_by(polygons, lon, lat)
    wrong = np.flatnonzero(found != wanted)
    assert not len(wrong), [(lon[i], lat[i], found[i], wanted[i]) for i in wrong[:5]]


def awkward_points(polygons, seed: int = 0, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Random points, all vertices, all middles of edges, and both moved by the last bit and by about a centimetre."""
    random = np.random.default_rng(seed)
    west, south, east, north = shapely.total_bounds(polygons)
    vertices, of = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(polygons)), return_index=True)
    middles = ((vertices[1:] + vertices[:-1]) / 2)[of[1:] == of[:-1]]
    borders = np.concatenate([vertices, middles])
    near = [
        np.nextafter(borders, np.inf),
        np.nextafter(borders, -np.inf),
        np.column_stack([np.nextafter(borders[:, 0], np.inf), borders[:, 1]]),
        borders + random.normal(0, 1e-7, borders.shape),
    ]
    margin = 0.1 * max(east - west, north - south)
    spread = random.uniform([west - margin, south - margin], [east + margin, north + margin], (n, 2))
    return tuple(np.concatenate([spread, borders, *near]).T)


def wiggly_coverage(side: int = 12, per_edge: int = 9, seed: int = 3) -> np.ndarray:
    """Squares of a displaced lattice whose wiggly edges are shared vertex by vertex."""
    random = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(WEST, EAST, side + 1), np.linspace(SOUTH, NORTH, side + 1), indexing="ij")
    knots = np.dstack([x, y]) + random.normal(0, 0.05 / side, (side + 1, side + 1, 2))
    lines: dict[tuple[tuple[int, int], tuple[int, int]], np.ndarray] = {}

    def line(a: tuple[int, int], b: tuple[int, int]) -> np.ndarray:
        if (b, a) in lines:
            return lines[b, a][::-1]
        if (a, b) not in lines:
            along = np.linspace(0, 1, per_edge)[:, None]
            path = knots[a] + along * (knots[b] - knots[a])
            path[1:-1] += random.normal(0, 0.02 / side, path[1:-1].shape)
            lines[a, b] = path
        return lines[a, b]

    cells = []
    for i in range(side):
        for j in range(side):
            ring = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1), (i, j)]
            cells.append(shapely.Polygon(np.concatenate([line(a, b)[:-1] for a, b in itertools.pairwise(ring)])))
    return np.array([cell if cell.is_valid else shapely.make_valid(cell).convex_hull for cell in cells])


def test_every_point_of_a_wiggly_coverage_is_tied_as_geos_ties_it() -> None:
    polygons = wiggly_coverage()
    assert_exact(polygons, *awkward_points(polygons))


def test_holes_islands_and_parts_far_apart() -> None:
    polygons = wiggly_coverage(5)
    lake = polygons[7].buffer(-0.02)
    ring = polygons[7] - lake
    islands = shapely.union_all([shapely.box(115.9 + k / 10, 22.6, 115.95 + k / 10, 22.7) for k in range(5)])
    awkward = np.array([ring, lake, islands, *polygons[8:20]])
    assert_exact(awkward, *awkward_points(awkward))


def test_overlaps_go_to_the_lowest_code_and_gaps_to_none() -> None:
    random = np.random.default_rng(5)
    centres = random.uniform([WEST, SOUTH], [EAST, NORTH], (150, 2))
    polygons = shapely.buffer(shapely.points(centres), random.uniform(0.005, 0.08, 150), quad_segs=5)
    polygons[40:50] = polygons[30:40]
    assert_exact(polygons, *awkward_points(polygons))


def test_a_cell_with_more_polygons_than_bits_is_still_exact() -> None:
    turns = np.linspace(0, 2 * np.pi, 2 * MOST_CANDIDATES + 1)
    fan = np.array(
        [
            shapely.Polygon([(0, 0), (np.cos(a), np.sin(a)), (np.cos(b), np.sin(b))])
            for a, b in itertools.pairwise(turns)
        ]
    )
    lon, lat = awkward_points(fan)
    assert_exact(fan, np.append(lon, lon * 1e-3), np.append(lat, lat * 1e-3))


def test_an_edge_through_the_reference_point_of_a_cell_is_still_exact() -> None:
    frame = GridIndex.build(["1"], np.array([shapely.box(0, 0, 8, 8)])).frame
    x, y = frame.middle_x[20], frame.middle_y[20]
    halves = np.array(
        [shapely.Polygon([(0, 0), (x, 0), (x, y), (x, 8), (0, 8)]), shapely.Polygon([(x, 0), (8, 0), (8, 8), (x, 8)])]
    )
    lon, lat = awkward_points(halves)
    assert GridIndex.build(["1", "2"], halves).cells.is_hard.any()
    on_the_line = np.column_stack([np.full(500, x), np.linspace(y - 0.1, y + 0.1, 500)])
    assert_exact(halves, np.append(lon, on_the_line[:, 0]), np.append(lat, on_the_line[:, 1]))


def test_coordinates_of_very_different_size_are_still_exact() -> None:
    polygons = np.array(
        [
            shapely.Polygon([(1e-19, 3e-18), (1.0, 1e-17), (0.7, 1.1), (-1e-12, 0.3)]),
            shapely.Polygon([(1e-19, 3e-18), (1.0, 1e-17), (0.3, -1.0)]),
        ]
    )
    assert_exact(polygons, *awkward_points(polygons))


@given(
    st.lists(st.tuples(*[st.integers(0, 4)] * 2, *[st.integers(1, 3)] * 2), min_size=1, max_size=8),
    st.sampled_from([1.0, 0.1, 1 / 3]),
)
@settings(deadline=None, max_examples=80)
def test_rectangles_that_share_overlap_and_miss_each_other(boxes, scale) -> None:
    west, south, width, height = np.array(boxes).T
    polygons = shapely.box(*(np.array([west, south, west + width, south + height]) * scale))
    lon, lat = np.meshgrid(np.arange(-1, 14) * scale / 2, np.arange(-1, 14) * scale / 2)
    assert_exact(polygons, lon.ravel(), lat.ravel())
    assert_exact(polygons, *awkward_points(polygons, n=200))


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 2), min_size=4, max_size=12, unique=True), st.integers(0, 10**6))
@settings(deadline=None, max_examples=80)
def test_triangles_that_share_corners(corners, seed) -> None:
    polygons = shapely.get_parts(shapely.delaunay_triangles(shapely.MultiPoint(corners)))
    if not len(polygons):
        return
    polygons = np.random.default_rng(seed).permutation(polygons)
    lon, lat = np.meshgrid(np.arange(0, 10, 0.5), np.arange(0, 10, 0.5))
    assert_exact(polygons, lon.ravel(), lat.ravel())
    assert_exact(polygons, *awkward_points(polygons, seed, n=200))


def test_what_is_no_place_lies_in_no_grid() -> None:
    built = GridIndex.build(["4499"], np.array([shapely.box(WEST, SOUTH, EAST, NORTH)]))
    lon = [np.nan, 115.4, np.inf, -np.inf, 1e308, 115.4, -999.0, 115.4]
    lat = [22.8, np.nan, 22.8, 22.8, -1e308, 22.8, 22.8, 90.0]
    assert built.locate(lon, lat).tolist() == [-1, -1, -1, -1, -1, 0, -1, -1]


def test_no_points_and_no_polygons() -> None:
    built = GridIndex.build(["4499"], np.array([shapely.box(WEST, SOUTH, EAST, NORTH)]))
    assert built.locate([], []).shape == (0,)
    nothing = GridIndex.build([], np.array([], dtype=object))
    assert nothing.locate([115.4, np.nan], [22.8, 1.0]).tolist() == [-1, -1]
    empty = GridIndex.build(["1", "2"], np.array([None, shapely.Polygon()]))
    assert empty.locate([0.0], [0.0]).tolist() == [-1]


def test_codes_are_put_in_order_whatever_the_order_of_delivery() -> None:
    built = GridIndex.build(["b", "a"], np.array([shapely.box(1, 0, 2, 1), shapely.box(0, 0, 1, 1)]))
    assert built.codes.tolist() == ["a", "b"]
    assert built.codes[built.locate([0.5, 1.0, 1.5], [0.5, 0.5, 0.5])].tolist() == ["a", "a", "b"]


def test_a_line_or_a_code_given_twice_is_refused() -> None:
    with pytest.raises(AtlasError, match="not an area"):
        GridIndex.build(["1"], np.array([shapely.LineString([(0, 0), (1, 1)])]))
    with pytest.raises(AtlasError, match="twice"):
        GridIndex.build(["1", "1"], np.array([shapely.box(0, 0, 1, 1)] * 2))


def test_memory_stays_bounded_when_all_points_fall_into_one_full_cell(monkeypatch) -> None:
    polygons = wiggly_coverage(4)
    lon, lat = awkward_points(polygons)
    monkeypatch.setattr(index, "_MOST_PAIRS", 64)
    assert_exact(polygons, lon, lat)


def test_a_kept_index_answers_as_the_one_that_was_built(tmp_path: Path) -> None:
    polygons = wiggly_coverage(6)
    lon, lat = awkward_points(polygons)
    built = GridIndex.build(codes_for(polygons), polygons)
    built.save(tmp_path / "deep" / "index.npz")
    kept = GridIndex.load(tmp_path / "deep" / "index.npz")
    assert kept.codes.tolist() == built.codes.tolist()
    assert (kept.locate(lon, lat) == built.locate(lon, lat)).all()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["index.npz"]


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_spoilt_index_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "index.npz").write_bytes(content)
    with pytest.raises(AtlasError, match="not an index") as caught:
        GridIndex.load(tmp_path / "index.npz")
    assert "Delete it" in caught.value.hint


def test_the_database_answers_the_same_with_st_covers(db: Database) -> None:
    polygons = wiggly_coverage(8)
    codes = codes_for(polygons)
    lon, lat = awkward_points(polygons, n=5_000)
    with db.connect("admin") as conn, conn.cursor() as cur:
        cur.execute("CREATE TEMP TABLE area (code text, geom geometry(Polygon, 4490))")
        with cur.copy("COPY area FROM STDIN") as copy:
            for code, shape in zip(
                codes, shapely.to_wkb(shapely.set_srid(polygons, 4490), hex=True, include_srid=True), strict=True
            ):
                copy.write_row((code, shape))
        cur.execute("CREATE INDEX ON area USING gist (geom)")
        answers = cur.execute(
            "SELECT (SELECT min(code) FROM area WHERE ST_Covers(geom, ST_SetSRID(ST_MakePoint(x, y), 4490)))"
            " FROM unnest(%s::float8[], %s::float8[]) WITH ORDINALITY AS p (x, y, n) ORDER BY n",
            [lon.tolist(), lat.tolist()],
        ).fetchall()
    found = GridIndex.build(codes, polygons).locate(lon, lat)
    ours = [codes[at] if at >= 0 else None for at in found]
    assert [i for i, (row, code) in enumerate(zip(answers, ours, strict=True)) if row[0] != code] == []
