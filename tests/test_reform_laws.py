"""What holds for every reform: nothing is lost or doubled, shares are whole, a kill leaves all or nothing."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from etl.reform.lines import Line
from etl.reform.outlines import Redrawn, new_tree
from etl.reform.plan import make_plan
from etl.reform.succession import all_shares, leaf_shares
from layers.codes import LENGTHS, level_of, parent_of
from layers.database import Database
from layers.grids import write_edition
from layers.secrets import read_secrets
from layers.settings import Settings, read_settings
from tests.reforms import NAMES, ON, SMALL, ReformTown, strip_of
from tests.test_reform import LETTERS, REPORTS, STEPS

DAYS = ("2026-06-30", "2026-07-01")


def tree_of(names: dict[str, str]) -> pd.DataFrame:
    """The row of groups as a tree of grids."""
    codes = sorted({"4499", "449901", *names})
    return pd.DataFrame(
        {
            "code": codes,
            "level": [level_of(code) for code in codes],
            "parent_code": [parent_of(code) for code in codes],
            "name": [names.get(code, code) for code in codes],
            "aliases": [[] for _ in codes],
            "geom": np.array([shapely.box(strip_of(c)[0], 22, strip_of(c)[1], 22.1) for c in codes], dtype=object),
            "is_derived": False,
        }
    )


@with_settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 79), min_size=7, max_size=7, unique=True))
def test_shares_are_whole_at_every_level_wherever_the_new_borders_lie(cuts: list[int]) -> None:
    old = tree_of(NAMES)
    edges = [115.0, *(115 + cut / 100 for cut in sorted(cuts)), 115.8]
    strips = dict(zip(SMALL, itertools.pairwise(edges), strict=True))
    kept = [Line(n, code, "", code, "", "kept") for n, code in enumerate(SMALL, 2)]
    plan, problems = make_plan(kept, old)
    assert problems == []
    shapes = {code: shapely.multipolygons([shapely.box(w, 22, e, 22.1)]) for code, (w, e) in strips.items()}
    new = new_tree(plan, old, Redrawn("new.geojson", shapes))
    leaves = leaf_shares(plan, old, new)
    shares = all_shares(leaves.assign(n_homes=0.0))
    sums = shares.groupby("old_code")["share"].sum()
    assert set(sums.index) == set(old["code"])
    assert np.allclose(sums, 1)
    for digits in LENGTHS.values():
        part = shares[shares["old_code"].str.len() == digits]
        width = part["old_code"].map(lambda code: strip_of(code)[1] - strip_of(code)[0])
        given_to = (part["share"] * width).groupby(part["new_code"]).sum()
        whole = new.set_index("code")["geom"].map(lambda shape: shape.bounds[2] - shape.bounds[0])
        assert np.allclose(given_to, whole[given_to.index], atol=2e-3)


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path) -> ReformTown:
    town = ReformTown(db, settings, tmp_path)
    for name, text in (("letter", LETTERS), ("report", REPORTS), ("step", STEPS)):
        town.deliver(f"{name}.csv", text)
    town.load()
    return town


MIXED = """
    old_code        | new_code        | new_name | change
    449901001       | 449901009       | 东街道   | re-coded
    449901001001002 | 449901009001002 | 乙一组   | split
    449901001001002 | 449901009001003 | 乙二组   | split
    449901001002    | 449901002003    |          | moved
    449901002002001 | 449901002002001 | 庚辛组   | merged
    449901002002002 | 449901002002001 | 庚辛组   | merged
"""
OUTLINES = {"449901009001002": (115.1, 115.14), "449901009001003": (115.14, 115.2)}


def test_totals_are_conserved_on_either_edition_and_children_add_up(town: ReformTown) -> None:
    town.reform(MIXED, outlines=OUTLINES)
    atlas = town.atlas()
    for dataset in ("letter", "report"):
        totals = set()
        for day in DAYS:
            for level in LENGTHS:
                found = atlas.tally(dataset, level=level, by=("category", "state"), on=day)
                totals.add(round(found["n"].sum() + found.attrs["n_unplaced"], 6))
                for above, digits in LENGTHS.items():
                    if digits < LENGTHS[level]:
                        up = atlas.tally(dataset, level=above, by=(), period=None, on=day).set_index("grid_code")["n"]
                        below = found["n"].groupby(found["grid_code"].str[:digits]).sum()
                        assert (below <= up[below.index] + 1e-6).all()
        assert len(totals) == 1
    days = [atlas.indicator("letters", level="small", period="2026-05", on=day) for day in DAYS]
    assert [round(day["value"].sum(), 6) for day in days] == [3, 3]
    assert [round(day.attrs["n_carried"], 6) for day in days] == [0, 1]


def reform_until(address: tuple[str, str, str, str], crash_at: int) -> None:
    """Carry out a reform in a process of its own and kill it at its n-th step."""
    name, admin_url, local_dir, folder = address
    settings = read_settings({"LOCAL_DIR": local_dir})
    town = ReformTown(Database(name, admin_url, read_secrets(settings).passwords), settings, Path(folder))
    left = crash_at

    def step(name: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    town.reform(MIXED, outlines=OUTLINES, at_step=step)


STATE = (
    "select edition::text, opened_on::text, closed_on::text, version::text from pub.edition",
    "select edition::text, code, name, '' from pub.grid",
    "select source_key, grid_code, edition::text, town_code from ops.event",
    "select source_key, town_code, dataset, '' from raw.source_registry",
    "select grid_no::text, period::text, dataset_no::text, sum(n)::text from pub.tally_small_month group by 1, 2, 3",
    "select grid_no::text, n::text, '', '' from pub.tally_carried",
    "select old_code, new_code, share::text, '' from pub.succession",
)


def test_a_kill_leaves_all_or_nothing_and_a_rerun_completes(town: ReformTown) -> None:
    def state() -> list[tuple[object, ...]]:
        return sorted(row for query in STATE for row in town.rows(query))

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.test_reform_laws"])
    address = (town.db.name, town.db.admin_url, str(town.settings.local_dir), str(town.folder))
    before = state()
    for n in (1, 3, 5, 12):
        child = context.Process(target=reform_until, args=(address, n))
        child.start()
        child.join(120)
        assert child.exitcode == -signal.SIGKILL
        assert state() == before
    assert town.reform(MIXED, outlines=OUTLINES).status == "done"
    after = state()
    assert after != before
    assert town.reform(MIXED, outlines=OUTLINES).status == "known"
    assert state() == after


N_TOWNS, N_VILLAGES, N_GROUPS, N_VILLAGES_THEN, N_GROUPS_THEN = 12, 221, 3086, 121, 1460


def county() -> tuple[pd.DataFrame, str]:
    """A county of the size of Guanghan, every village a column of groups, and the plan of its reform."""
    rows, lines, taken = [], ["old_code|old_name|new_code|new_name|change"], 0
    pairs = set(range(0, 2 * (N_VILLAGES - N_VILLAGES_THEN), 2))
    heights = np.diff(np.linspace(0, N_GROUPS, N_VILLAGES + 1).astype(int))
    n_then = np.diff(np.linspace(0, N_GROUPS_THEN, N_VILLAGES_THEN + 1).astype(int))
    at = then = 0
    while at < N_VILLAGES:
        villages = [at, at + 1] if at in pairs else [at]
        groups = []
        for village in villages:
            code = f"4499010{min(then * N_TOWNS // N_VILLAGES_THEN, N_TOWNS - 1) + 1:02d}{village + 1:03d}"
            if village == villages[0]:
                new = code
            lines.append(f"{code}||{new}|新{then}村|{'merged' if len(villages) > 1 else 'renamed'}")
            rows.append((code, f"{village}村"))
            for group in range(heights[village]):
                rows.append((f"{code}{group + 1:03d}", f"{village}村{group}组"))
                groups.append((f"{code}{group + 1:03d}", village, group))
        parts = np.array_split(np.arange(len(groups)), n_then[then])
        for number, part in enumerate(parts, 1):
            for i in part:
                kind = "merged" if len(part) > 1 else "re-coded" if groups[i][0] != f"{new}{number:03d}" else "kept"
                name = f"{then}之{number}组" if kind != "kept" else ""
                lines.append(f"{groups[i][0]}||{new}{number:03d}|{name}|{kind}")
        taken += len(parts)
        at, then = at + len(villages), then + 1
    assert (then, taken) == (N_VILLAGES_THEN, N_GROUPS_THEN)
    names = dict(rows)
    leaf = {c: shapely.box(*_cell(int(c[9:12]), int(c[12:]))) for c in names if len(c) == 15}
    shapes: dict[str, list[shapely.Geometry]] = {}
    for code, shape in leaf.items():
        for digits in LENGTHS.values():
            shapes.setdefault(code[:digits], []).append(shape)
    codes = sorted(shapes)
    frame = {
        "code": codes,
        "level": [level_of(code) for code in codes],
        "parent_code": [parent_of(code) for code in codes],
        "name": [names.get(code, code) for code in codes],
        "aliases": [[] for _ in codes],
        "geom": np.array([shapely.coverage_union_all(shapes[code]) for code in codes], dtype=object),
        "is_derived": [len(code) < 12 for code in codes],
    }
    return gpd.GeoDataFrame(frame, geometry="geom", crs="EPSG:4490"), "\n".join(lines)


def _cell(column: int, row: int) -> tuple[float, float, float, float]:
    west, south = 115 + column / 1024, 22 + row / 1024
    return west, south, west + 1 / 1024, south + 1 / 1024


def test_a_reform_like_guanghans(db: Database, settings: Settings, tmp_path: Path) -> None:
    town = ReformTown(db, settings, tmp_path)
    tree, plan = county()
    with town.db.connect("loader") as connection:
        from layers.tallies import number_catalog

        number_catalog(connection, town.catalog)
        write_edition(connection, 1, "2023", town.catalog.city.opened_on, tree)
        connection.execute(
            "insert into ops.event (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at,"
            " category, state, reported_at, is_urgent, is_on_spot, tied_by, is_sensitive, attrs, geom)"
            " select left(code, 9), code, 1, 'letter', code || k, 1, now(), 'noise', 'reported', '2026-05-05', false,"
            " false, case k when 0 then 'point' else 'code' end, false, '{}', case k when 0 then centre end"
            " from pub.grid, generate_series(0, 1) as k where level = 'small'"
        )
        connection.execute("update pub.dataset set loaded_at = now()")
    report = town.reform(plan)
    assert report.grids["medium"] == (N_VILLAGES, N_VILLAGES_THEN)
    assert report.grids["small"] == (N_GROUPS, N_GROUPS_THEN)
    assert (report.n_by_point, report.n_by_succession, report.n_carried) == (N_GROUPS, N_GROUPS, 0)
    for level in LENGTHS:
        found = town.atlas().tally("letter", level=level, by=(), period=None)
        assert (found["n"].sum(), found.attrs["n_carried"]) == (2 * N_GROUPS, 0)
    raw = town.rows("select grid_code, count(*) from ops.event where edition = 2 group by 1 order by 1")
    small = town.atlas().tally("letter", level="small", by=(), period=None)
    assert list(zip(small["grid_code"], small["n"], strict=True)) == raw
    assert len(raw) == N_GROUPS_THEN
    assert ON.isoformat() in str(town.rows("select closed_on::text from pub.edition where edition = 1"))
