"""What lies around a place: found and measured as brute force finds it, people never finer than published, in scope."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import pyproj
import pytest
import shapely
from databases import copy_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypinyin import lazy_pinyin
from signing import become, sign_in, signed

from layers.access import AccountRole, Actor, Scope
from layers.areas import Area, around, drawn, of_grids, touched
from layers.database import Database
from layers.declare.records import Catalog
from layers.errors import AccessError, AtlasError
from layers.named import read_named, search_by_name
from layers.nearby import Nearby, nearby
from layers.people import people
from layers.people_parts import people_by

CITY = Scope("4499")
MOMENT = datetime.fromisoformat("2026-07-01T09:00:00+08:00")
GEOD = pyproj.Geod(ellps="GRS80")


@pytest.fixture(scope="module")
def city(settings: Any, server: Any, city_template: Database) -> Iterator[Database]:
    with copy_of(city_template, server, settings) as copy:
        yield copy


@pytest.fixture(scope="module")
def web(city: Database) -> Iterator[psycopg.Connection[Any]]:
    with signed(city, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def rows(city: Database) -> gpd.GeoDataFrame:
    """Every place, thing and organisation of the city, as its owner sees them."""
    with city.connect("admin") as admin:
        found = admin.execute(
            "select 'place', id, category, state, grid_code, st_asbinary(geom) from ops.place union all"
            " select 'thing', id, category, state, grid_code, st_asbinary(geom) from ops.thing union all"
            " select 'organisation', id, category, state, grid_code, st_asbinary(geom) from ops.organisation"
        ).fetchall()
    frame = pd.DataFrame(found, columns=["element", "id", "category", "state", "grid_code", "geom"])
    return gpd.GeoDataFrame(frame.assign(geom=shapely.from_wkb(frame["geom"].to_numpy())), geometry="geom")


@pytest.fixture(scope="module")
def small(city: Database) -> gpd.GeoDataFrame:
    """The small grids."""
    with city.connect("admin") as admin:
        found = admin.execute(
            "select code, st_asbinary(geom) from pub.grid where level = 'small' order by code"
        ).fetchall()
    codes, shapes = zip(*found, strict=True)
    return gpd.GeoDataFrame({"code": codes}, geometry=shapely.from_wkb(np.array(shapes, dtype=object)))


def find(web: Any, catalog: Catalog, area: Area, scope: Scope = CITY) -> Nearby:
    return nearby(web, catalog, scope, 1, area, MOMENT)


def middle(small: gpd.GeoDataFrame, at: int) -> tuple[float, float]:
    point = small.geometry.iloc[at % len(small)].representative_point()
    return point.x, point.y


def counts(sought: Any, one: Any) -> bool:
    return one.state not in sought.without


@pytest.mark.parametrize("at", [0, 77, 150, 299])
def test_targets_are_all_those_inside_and_no_others(web: Any, catalog: Catalog, rows: Any, small: Any, at: int) -> None:
    area = around(*middle(small, at), 3000)
    found = find(web, catalog, area)
    wanted = set()
    codes = {*found.touched.codes, *(code[:12] for code in found.touched.codes)}
    for key, sought in catalog.emergency.protected.items():
        for one in rows[rows["category"] == key].itertuples():
            inside = one.grid_code in codes if one.geom is None else one.geom.intersects(area.shape)
            if inside and counts(sought, one):
                wanted.add((key, one.id))
    assert set(zip(found.protected["category"], found.protected["id"], strict=True)) == wanted
    assert wanted
    assert found.protected["attrs"].map(lambda attrs: set(attrs or {})).explode().dropna().isin(
        [key for one in catalog.emergency.protected.values() for key in one.show]
    ).all()  # fmt: skip


@pytest.mark.parametrize("at", [5, 120, 260])
def test_resources_are_the_nearest_by_metres_of_the_spheroid(
    web: Any, catalog: Catalog, rows: Any, small: Any, at: int
) -> None:
    lon, lat = middle(small, at)
    found = find(web, catalog, around(lon, lat, 500)).resources
    for key, sought in catalog.emergency.resources.items():
        known = [
            one for one in rows[rows["category"] == key].itertuples() if one.geom is not None and counts(sought, one)
        ]
        far = {one.id: metres(one.geom, lon, lat) for one in known}
        wanted = sorted(far.values())[: sought.nearest]
        part = found[found["category"] == key]
        assert part["distance_m"].to_numpy() == pytest.approx(wanted, abs=0.5), key
        assert [far[one] for one in part["id"]] == pytest.approx(wanted, abs=0.5), key


def metres(geom: shapely.Geometry, lon: float, lat: float) -> float:
    """Shortest way from a point to a geometry, its edges walked in small steps."""
    if geom.geom_type == "Point":
        return float(GEOD.inv(lon, lat, geom.x, geom.y)[2])
    if geom.covers(shapely.Point(lon, lat)):
        return 0.0
    edge = shapely.get_coordinates(shapely.segmentize(geom, 1e-5))
    n = len(edge)
    return float(np.min(GEOD.inv(np.full(n, lon), np.full(n, lat), edge[:, 0], edge[:, 1])[2]))


shapes = st.one_of(
    st.tuples(st.integers(0, 299), st.floats(50, 9000)),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=8),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=shapes)
def test_people_are_sums_of_published_cells_of_whole_grids(web: Any, catalog: Catalog, small: Any, said: Any) -> None:
    """So no choice of overlapping areas gives a count finer than the published one: each answer follows from them."""
    if isinstance(said, tuple):
        area = around(*middle(small, said[0]), said[1])
    else:
        west, south, east, north = small.total_bounds
        corners = [(west + x * (east - west), south + y * (north - south)) for x, y in said]
        try:
            area = drawn(corners)
        except AtlasError:
            return
    grids = touched(web, CITY, 1, area)
    expected = small[small.intersects(area.shape)]
    near = small[small.geometry.distance(area.shape.boundary) < 1e-9]
    assert set(grids.codes) ^ set(expected["code"]) <= set(near["code"])
    found = find(web, catalog, area)
    if not grids.codes:
        assert found.people is None
        return
    published = people(web, CITY, level="small", edition=1).set_index("grid_code")["n"]
    assert found.people is not None
    assert found.people.n == published[published.index.isin(grids.codes)].sum()
    assert 0 <= (found.people.n_whole or 0) <= found.people.n
    for told in found.care:
        care = catalog.emergency.care[told.key]
        cells = people_by(web, CITY, catalog.breakdowns[care.breakdown], level=told.level, edition=1)
        length = {"small": 15, "medium": 12, "large": 9}[told.level]
        codes = {code[:length] for code in grids.codes}
        kept = cells[cells["grid_code"].isin(codes) & cells["cell"].isin(care.cells)]
        assert (told.n, told.n_grids) == (kept["n"].sum(), len(codes))


def test_grids_are_taken_whole_with_all_below_them(web: Any, catalog: Catalog, small: Any) -> None:
    code = small["code"].iloc[10]
    area = of_grids(web, CITY, 1, [code[:12], small["code"].iloc[200], code])
    found = find(web, catalog, area)
    wanted = {one for one in small["code"] if one.startswith(code[:12])} | {small["code"].iloc[200]}
    assert set(found.touched.codes) == wanted
    assert found.people is not None and found.people.n == found.people.n_whole
    assert found.touched.share == 1


def test_what_goes_beyond_the_grids_is_said(web: Any, small: Any) -> None:
    lon, lat = middle(small, 100)
    assert touched(web, CITY, 1, around(lon, lat, 200)).share == pytest.approx(1, abs=1e-6)
    west, south, *_ = small.total_bounds
    assert touched(web, CITY, 1, around(west, south, 5000)).share < 0.9
    assert touched(web, CITY, 1, around(0, 0, 5000)).codes == []


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: around(115, 22, 10), "radius"),
        (lambda: around(115, 22, 1e9), "radius"),
        (lambda: around(float("nan"), 22, 100), "nowhere"),
        (lambda: drawn([(115, 22), (115.1, 22)]), "corners"),
        (lambda: drawn([(115, 22)] * 500), "corners"),
        (lambda: drawn([(115, 22), (115.1, 22.1), (115.1, 22), (115, 22.1)]), "crosses"),
        (lambda: drawn([(115, 22), (1115.1, 22.1), (115.1, 22)]), "nowhere"),
    ],
)
def test_an_area_that_cannot_be_is_refused(make: Any, says: str) -> None:
    with pytest.raises(AtlasError, match=says):
        make()


def who(role: AccountRole, scope: str = "4499", department: str | None = None) -> Actor:
    return Actor(f"near.{role}.{scope}", role, Scope(scope), department)


@pytest.mark.parametrize(
    ("role", "sees"),
    [("dispatcher", True), ("case_officer", True), ("leader", True), ("grid_worker", False),
     ("department_handler", False), ("data_steward", False), ("wall", False)],
)  # fmt: skip
def test_names_and_phones_are_for_who_directs_the_work(
    web: Any, catalog: Catalog, small: Any, role: AccountRole, sees: bool
) -> None:
    become(web, who(role, department="water"))
    found = find(web, catalog, around(*middle(small, 40), 1500))
    become(web, None)
    for frame in (found.workers, found.contacts):
        assert len(frame)
        assert frame["name"].notna().all() == frame["work_phone"].notna().any() == sees
    assert set(found.workers["walks"].explode()) <= set(found.touched.codes)
    assert {"county_head", "town_head", "village_head"} == set(found.contacts["kind"])


def test_workers_are_those_whose_grids_are_touched(web: Any, catalog: Catalog, city: Database, small: Any) -> None:
    found = find(web, catalog, around(*middle(small, 40), 1500))
    with city.connect("admin") as admin:
        wanted = admin.execute(
            "select source_key from ops.grid_worker where dataset = 'grid_worker' and exists"
            " (select from unnest(walks) as one where one = any (%s))",
            [found.touched.codes],
        ).fetchall()
    assert set(found.workers["source_key"]) == {key for (key,) in wanted}


def test_an_analyst_counts_posts_and_reads_no_names(catalog: Catalog, city: Database, small: Any) -> None:
    with city.connect("analyst") as analyst:
        found = find(analyst, catalog, around(*middle(small, 40), 1500))
    assert len(found.workers) and found.workers["name"].isna().all() and found.contacts["work_phone"].isna().all()
    assert found.events["id"].isna().all()


def test_open_events_are_counted_late_ones_first(web: Any, catalog: Catalog, city: Database, small: Any) -> None:
    become(web, who("dispatcher"))
    area = around(*middle(small, 150), 6000)
    found = find(web, catalog, area)
    become(web, None)
    with city.connect("admin") as admin:
        told = admin.execute(
            "select e.category, coalesce(e.due_at < %s, false), e.geom is null or"
            " st_intersects(e.geom, st_setsrid(%s::geometry, 4490)), e.grid_code, e.geom is null"
            " from ops.event as e where e.state not in ('closed', 'refused') and not e.is_sensitive",
            [MOMENT, shapely.to_wkb(area.shape)],
        ).fetchall()
    codes = {*found.touched.codes, *(code[:12] for code in found.touched.codes)}
    inside = [(kind, late) for kind, late, isin, code, bare in told if isin and (not bare or code in codes)]
    assert (found.n_open, found.n_late) == (len(inside), sum(late for _, late in inside))
    assert found.n_late > 0
    assert found.events["is_late"].is_monotonic_decreasing
    assert found.events["id"].notna().all()
    assert not any(catalog.categories[one].sensitive for one in found.events["category"])


def test_a_town_sees_its_own_part_only(web: Any, catalog: Catalog, small: Any) -> None:
    town = small["code"].iloc[40][:9]
    area = around(*middle(small, 40), 15_000)
    become(web, who("dispatcher", town))
    with pytest.raises(AccessError):
        of_grids(web, Scope(town), 1, ["449901"])
    found = find(web, catalog, area, Scope(town))
    beyond = find(web, catalog, area)  # a wider scope than the session's, as injected SQL would ask for
    become(web, None)
    for frame in (found.protected, found.resources, found.workers, found.contacts, found.events):
        assert len(frame) and frame["grid_code"].str.startswith(town).all()
    assert found.touched.share < 1
    for frame in (beyond.protected, beyond.resources, beyond.workers, beyond.contacts, beyond.events):
        assert len(frame) == 0


def test_places_are_found_by_name(web: Any, catalog: Catalog) -> None:
    found = search_by_name(web, catalog, CITY, "小学", 5)
    assert len(found) == 5 and found["name"].str.contains("小学").all()
    assert len(search_by_name(web, catalog, Scope("449902"), "小学")) == 0
    for name, element in (("水位站", "thing"), ("公司", "organisation"), ("救援队", "organisation")):
        assert set(search_by_name(web, catalog, CITY, name, 3)["element"]) == {element}, name
    assert len(search_by_name(web, catalog, CITY, "%")) == 0


@pytest.mark.parametrize(
    ("said", "part"), [("小学", "小学"), ("xiaoxue", "小学"), ("XX", "小学"), ("wei sheng", "卫生")]
)
def test_places_are_found_by_name_and_by_pinyin(web: Any, catalog: Catalog, said: str, part: str) -> None:
    names = read_named(web, catalog, CITY)
    one = names.rows.iloc[-1]
    assert names.row(one["element"], one["id"])["name"].tolist() == [one["name"]]
    found = names.search(said, 3)
    assert len(found) == 3 and (found["name"].str.contains(part).any())
    whole = found["name"].iloc[0]
    assert names.search("".join(lazy_pinyin(whole)), 5)["name"].iloc[0] == whole
    assert len(names.search("qqqq", 5)) == len(names.search(" ", 5)) == 0
    assert len(read_named(web, catalog, Scope("449902")).rows) == 0


FILL = (
    "insert into ops.{} (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at, tied_by,"
    " is_sensitive, category, attrs, geom{}) select '449901001', '449901001001' || lpad((i % 500)::text, 3, '0'), 1,"
    " 'd' || i % 40, i::text, 1, now(), 'point', false, 'c' || i % 40, '{{}}',"
    " st_setsrid(st_makepoint(115 + (i % 200) / 200.0, 22 + i / 40000.0), 4490){} from generate_series(1, 40000) as i"
)


def test_indexes_are_used(settings: Any, server: Any, template: Database) -> None:
    """The plans of the queries inside the functions, as they are really run."""
    with copy_of(template, server, settings) as copy, copy.connect("admin", autocommit=True) as admin:
        for table in ("place", "thing", "organisation"):
            admin.execute(FILL.format(table, "", ""))
        admin.execute(
            FILL.format(
                "event", ", state, reported_at, is_urgent, is_on_spot",
                ", (array['closed', 'handling'])[1 + (i % 20 = 0)::int], now(), false, false",
            )
        )  # fmt: skip
        admin.execute(
            "insert into ops.grid_worker (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at,"
            " name, walks, attrs) select '449901001', '449901001001', 1, 'd1', i::text, 1, now(), 'n',"
            " array['449901001001' || lpad((i / 20)::text, 3, '0')], '{}' from generate_series(1, 18000) as i"
        )
        admin.execute("analyze")
        session = sign_in(copy, "dispatcher")
        plans: list[str] = []
        admin.add_notice_handler(lambda said: plans.append(said.message_primary or ""))
        for setting in ("log_min_duration = 0", "log_nested_statements = on", "log_level = notice"):
            admin.execute("load 'auto_explain'")
            admin.execute(f"set auto_explain.{setting}")
        admin.execute("set session authorization atlas_web")
        admin.execute("select set_config('atlas.session', %s, false)", [session.token])
        area = around(115.5, 22.5, 800)
        shape, point = shapely.to_wkb(area.shape), shapely.to_wkb(area.target)
        geom = "st_setsrid(%s::geometry, 4490)"
        codes = [f"449901001001{n:03d}" for n in range(0, 500, 60)]
        kinds, sets = ["c1", "c2"], ["d1", "d2"]
        for query, values in (
            (
                f"pub.found_inside('4499', '449:', {geom}, {geom}, %s, %s, %s, '{{}}', '{{}}', 50)",
                [shape, point, codes, sets, kinds],
            ),
            (
                f"pub.found_near('4499', '449:', {geom}, '{{place,thing}}', %s, '{{5,5}}', %s, '{{}}', '{{}}')",
                [point, kinds, sets],
            ),
            ("pub.roster('4499', '449:', %s, %s)", [sets, codes]),
            (f"pub.open_inside('4499', '449:', {geom}, {geom}, %s, now(), 50)", [shape, point, codes]),
        ):
            before = len(plans)
            admin.execute(f"select * from {query}", values)
            text = "\n".join(plans[before:])
            assert "Index" in text, query
            assert re.findall(r"Seq Scan on (?:place|thing|organisation|event|grid_worker)\b.*", text) == [], text
