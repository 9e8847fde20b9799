"""Indicators of some of the people, cells on other grids, and who reads people at all."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from layers.access import Scope
from layers.database import Database
from layers.declare.records import Breakdown, Catalog, Count, Part
from layers.indicators import values
from layers.people import people, publish
from layers.people_parts import people_by, people_of
from layers.secrets import Secrets, read_secrets
from tests.little_city import indicator, little_catalog, said
from tests.test_cube import AWAY, HOME, move_in_families
from tests.test_people import TREE, lay_grids

CITY = Scope("4499")
ROOT = Path(__file__).parents[1]
AGE = Breakdown("age", said("年龄"), ("age",), ages=(0, 18, 60))


@pytest.fixture
def loader(db: Database) -> Iterator[psycopg.Connection[Any]]:
    with db.connect("loader", autocommit=True) as connection:
        yield connection


@pytest.fixture
def secrets(settings: Any) -> Secrets:
    return read_secrets(settings)


@pytest.fixture
def families(loader: Any, secrets: Secrets) -> Any:
    """Twenty old people in HOME; thirty of 26 years and ten of no known age in AWAY; published."""
    move_in_families(loader)
    publish(loader, secrets, 202601, [AGE])
    return loader


def catalog_of(*parts: tuple[str, str, Part | None]) -> Catalog:
    made = {
        key: indicator(key, formula, period="now", count=Count(()), people=part, factor=100)
        for key, formula, part in parts
    }
    return replace(little_catalog(), indicators=made, breakdowns={"age": AGE})


OLD = Part("age", ("60",))
GROWN = Part("age", ("18", "60"))


def test_an_indicator_counts_the_people_of_its_cells(db: Database, families: Any) -> None:
    catalog = catalog_of(("old", "people", OLD), ("old_share", "people_share", OLD))
    with db.connect("web") as web:
        old = values(web, catalog, "old", CITY, level="small").set_index("grid_code")
        assert old["numerator"].to_dict() == {HOME: 20, "449901001200002": 0, AWAY: 0}
        share = values(web, catalog, "old_share", CITY, level="county").set_index("grid_code")
        assert share[["numerator", "denominator", "value"]].to_numpy().tolist() == [[20, 20, 100.0], [0, 40, 0.0]]
        city = values(web, catalog, "old_share", CITY, level="city")
        assert city["value"].round(1).tolist() == [33.3]
        assert (city.attrs["withheld"], city.attrs["off_by"], city.attrs["n_unplaced"]) == (False, 0, 0)


def test_a_sum_of_cells_says_how_far_it_may_be_from_the_truth(db: Database, families: Any) -> None:
    catalog = catalog_of(("grown", "people", GROWN))
    with db.connect("web") as web:
        found = values(web, catalog, "grown", CITY, level="small")
    assert found.attrs["off_by"] == 18, "two cells, each within 9"
    assert found["numerator"].tolist() == [20, 0, 30]


def test_a_level_that_is_withheld_has_no_data_and_says_so(db: Database, families: Any) -> None:
    families.execute("insert into pub.people_withheld values (1, 202601, 'age', 15, 'attack')")
    catalog = catalog_of(("old", "people", OLD))
    with db.connect("web") as web:
        small = values(web, catalog, "old", CITY, level="small")
        assert small.attrs["withheld"] is True and small["value"].isna().all() and len(small) == 3
        medium = values(web, catalog, "old", CITY, level="medium")
        assert medium.attrs["withheld"] is False and medium["numerator"].sum() == 20


def merge_grids(loader: Any) -> None:
    """Open a second edition: both counties' small grids stay, but the two in the first are one."""
    lay_grids(loader, [code for code in TREE if code != "449901001200002"], edition=2)
    loader.execute(
        "insert into pub.succession (old_edition, old_code, new_edition, new_code, share)"
        " select 1, code, 2, case when code = '449901001200002' then '449901001200001' else code end, 1"
        " from pub.grid where edition = 1"
    )


def test_cells_are_carried_to_other_grids_as_sums_of_published_ones(db: Database, families: Any) -> None:
    merge_grids(families)
    with db.connect("web") as web:
        then = people_by(web, CITY, AGE, level="small", edition=1)
        now = people_by(web, CITY, AGE, level="small", edition=2)
        assert sorted(set(now["grid_code"])) == [HOME, AWAY]
        told = {(code, cell): n for code, cell, n in now.itertuples(index=False)}
        assert (
            told[HOME, "60"] == then.loc[then["grid_code"].str.startswith("449901") & (then["cell"] == "60"), "n"].sum()
        )
        assert told[AWAY, "18"] == 30 and told[AWAY, "unknown"] == 10
        assert now.attrs["off_by"] == {HOME: 18, AWAY: 9}
        whole = people(web, CITY, level="small", edition=2).set_index("grid_code")["n"]
        assert now.groupby("grid_code")["n"].sum().to_dict() == whole.to_dict(), "cells add up to the carried total"
        grown = people_of(web, catalog_of(), CITY, GROWN, level="small", edition=2)
        assert grown.attrs["off_by"] == 36
        families.execute("insert into pub.people_withheld values (1, 202601, 'age', 15, 'attack')")
        assert people_by(web, CITY, AGE, level="small", edition=2).attrs["withheld"] is True
        assert len(people_by(web, CITY, AGE, level="medium", edition=2)) == 2 * len(AGE.cells)


READERS = {"people.py", "people_stored.py", "people_parts.py", "people_carried.py"}
"""Modules that may name the published counts; all else asks these."""
COUNTERS = {"cube.py", "retention.py", "rotation.py"}
"""Modules of `layers` that may name the table: the cube, the rules of retention, the rotation of keys."""


SHOWN = {
    "pub.linked(text,text,bigint)",
    "pub.case_people(text,text,bigint)",
    "pub.ask_identity(text,text,bigint,text,text,bigint)",
    "pub.read_identity(bigint)",
}
"""Functions that show one person to whom works on the case, masked and logged; they count nobody."""


def sources() -> Iterator[tuple[Path, str]]:
    """Every text of code and notebooks that a reader of figures could be written in, with its strings joined."""
    for folder in ("layers", "mapapp"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts and "tables" not in path.parts:
                tree = ast.parse(path.read_text(encoding="utf-8"))
                docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
                texts = [
                    node.value
                    for node in ast.walk(tree)
                    if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
                ]
                yield path, "\n".join(texts)
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield path, "\n".join("".join(one["source"]) for one in cells if one["cell_type"] == "code")


def test_screens_tiles_exports_and_notebooks_read_people_by_the_published_counts_alone() -> None:
    found = {"people_count": set(), "vault.person": set()}  # type: dict[str, set[str]]
    n_files = 0
    for path, text in sources():
        n_files += 1
        if re.search(r"\bpeople_(count|withheld)\b", text):
            found["people_count"].add(path.name)
        if re.search(r"\bvault\.person\b", text):
            found["vault.person"].add(path.name)
    assert n_files > 100
    assert found == {"people_count": READERS, "vault.person": COUNTERS}


@pytest.mark.parametrize("role", ["atlas_web", "atlas_analyst"])
def test_no_function_a_reader_may_call_counts_people_in_the_vault(template: Database, role: str) -> None:
    with template.connect("migrate") as connection:
        named = connection.execute(
            "select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
            " where n.nspname in ('pub', 'ops', 'vault', 'auth') and p.prosrc ~ 'vault\\.person'"
            " and has_function_privilege(%s, p.oid, 'execute')",
            [role],
        ).fetchall()
    assert {one for (one,) in named} <= SHOWN
