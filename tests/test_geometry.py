"""Shapes as they are delivered: which are taken in, which are mended, and why the others are refused."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from etl.coordinates import conversion
from etl.geometry import check_geometry
from etl.refusals import Refusals
from etl.sources.batch import UNBUILT, RawBatch
from etl.sources.wire import receive_batches, send_batches

AS_IT_IS = conversion("EPSG:4490")

SQUARE = "POLYGON ((115 22, 115.1 22, 115.1 22.1, 115 22.1, 115 22))"
SHAPES = {
    "a square": (SQUARE, ""),
    "a square with heights": ("POLYGON Z ((115 22 5, 115.1 22 5, 115.1 22.1 5, 115 22.1 5, 115 22 5))", ""),
    "a line": ("LINESTRING (115 22, 115.1 22)", ""),
    "nothing": (None, ""),
    "an empty area": ("POLYGON EMPTY", "empty_geometry"),
    "an empty point": ("POINT EMPTY", "empty_geometry"),
    "an empty collection": ("GEOMETRYCOLLECTION EMPTY", "empty_geometry"),
    "an area of two points": (shapely.Polygon([(115, 22), (115.1, 22), (115, 22), (115, 22)]), "self_crossing"),
    "a hole of two points": (
        "POLYGON ((115 22, 115.1 22, 115.1 22.1, 115 22.1, 115 22), (115.01 22.01, 115.02 22.01, 115.01 22.01))",
        "too_few_points",
    ),
    "a line of one place": ("LINESTRING (115 22, 115 22)", "too_few_points"),
    "what cannot be built": (UNBUILT, "too_few_points"),
    "a bow tie": ("POLYGON ((115 22, 115.1 22.1, 115.1 22, 115 22.1, 115 22))", "self_crossing"),
    "a spike": ("POLYGON ((115 22, 115.1 22, 115.1 22.1, 115.1 22.3, 115.1 22.1, 115 22.1, 115 22))", "repaired"),
    "a tiny loop": (
        "POLYGON ((115 22, 115.1 22, 115.1 22.1, 115.05 22.1, 115.051 22.1005, 115.051 22.0995, 115 22.1, 115 22))",
        "repaired",
    ),
    "a part drawn twice": (f"MULTIPOLYGON ({SQUARE[8:]}, {SQUARE[8:]})", "self_crossing"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_kind_of_shape_has_its_end(name: str) -> None:
    given_shape, wanted = SHAPES[name]
    shape = shapely.from_wkt(given_shape) if isinstance(given_shape, str) else given_shape
    square = shapely.from_wkt(SQUARE)
    to = Refusals(3)
    geometry = np.empty(3, object)
    geometry[:] = [square, shape, square]
    checked = check_geometry(geometry, AS_IT_IS, to)
    assert to.counts() == ({wanted: 1} if wanted not in ("", "repaired") else {})
    assert checked.repaired.tolist() == [False, wanted == "repaired", False]
    assert to.bad.tolist() == [False, wanted not in ("", "repaired"), False]
    assert checked.shapes[0].equals(square)
    kept = checked.shapes[1]
    assert (kept is not None) == (wanted in ("", "repaired") and shape is not None)
    if kept is not None:
        assert shapely.is_valid(kept)
        assert not shapely.has_z(kept)


def test_points_are_given_as_numbers_those_of_one_in_a_collection_too() -> None:
    geometry = np.array(shapely.from_wkt(["POINT (640185.1419 2520733.0685)", "MULTIPOINT ((640185 2520733))"]))
    to = Refusals(2)
    checked = check_geometry(geometry, conversion("EPSG:4547"), to)
    assert checked.x.tolist() == [640185.1419, 640185.0]
    assert not to.bad.any()
    assert shapely.is_missing(checked.shapes).all()


def test_a_corner_that_lies_nowhere_is_bad_geometry() -> None:
    nowhere = shapely.Polygon([(1e30, 1e30), (1e31, 1e30), (1e31, 1e31)])
    to = Refusals(2)
    fine = shapely.box(640000, 2520000, 641000, 2521000)
    checked = check_geometry(np.array([nowhere, fine]), conversion("EPSG:4547"), to)
    assert to.counts() == {"bad_geometry": 1}
    assert shapely.is_missing(checked.shapes).tolist() == [True, False]


corner = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda p: (115 + p[0] / 100, 22 + p[1] / 100))


STILL_BROKEN = [(11500, 2220), (11500, 2205), (11520, 2209), (11500, 2202), (11510, 2207), (11513, 2200), (11506, 2217)]
STILL_BROKEN += [(11504, 2200), (11514, 2201)]
"""Corners, in hundredths of a degree, of a shape that GEOS mends into one that is broken."""


@example([[(x / 100, y / 100) for x, y in STILL_BROKEN]])
@given(st.lists(st.lists(corner, min_size=3, max_size=9), min_size=1, max_size=12))
@settings(deadline=None, max_examples=80)
def test_whatever_is_drawn_is_valid_with_its_area_or_refused(rings: list[list[tuple[float, float]]]) -> None:
    geometry = np.array([shapely.Polygon(ring) for ring in rings], dtype=object)
    to = Refusals(len(geometry))
    checked = check_geometry(geometry, AS_IT_IS, to)
    kept = ~shapely.is_missing(checked.shapes)
    assert (kept ^ to.bad).all()
    assert shapely.is_valid(checked.shapes[kept]).all()
    before, after = shapely.area(geometry[kept]), shapely.area(checked.shapes[kept])
    assert (np.abs(after - before) <= 0.01 * before).all()
    assert (to.bad | shapely.is_valid(geometry) | checked.repaired).all()


def test_a_shape_that_cannot_be_built_is_still_there_after_the_reading_process() -> None:
    geometry = np.array([UNBUILT, None, shapely.Point(1, 2), shapely.LineString()], dtype=object)
    columns, lines = {"a": pa.array(["1", "2", "3", "4"])}, np.arange(4)
    out = io.BytesIO()
    source = _Given(("a",), RawBatch(columns, lines, geometry))
    send_batches(out, source, ("a",), lambda error: (str(error), ""))
    (batch,) = receive_batches(io.BytesIO(out.getvalue()), ["a"], True)
    assert shapely.get_type_id(batch.geometry).tolist() == [2, -1, 0, 1]


@dataclass(frozen=True)
class _Given:
    """A source of one batch."""

    headings: tuple[str, ...]
    batch: RawBatch
    has_geometry: bool = True
    notes: tuple[str, ...] = ()

    def batches(self, wanted: tuple[str, ...]) -> Iterator[RawBatch]:
        yield self.batch
