"""Names of grids: search, breadcrumb, children."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from layers.access import Scope
from layers.database import Database
from layers.errors import AtlasError
from layers.gazetteer import Gazetteer, read_gazetteer

ROWS = """
    4499            | city   | 海晏市   |
    449901          | county | 临海区   |
    449901001       | large  | 凤山街道 | 旧凤山镇
    449901002       | large  | 小凤山镇 |
    449901001001    | medium | 凤山社区 |
    449901002001    | medium | 沙湾社区 | 凤山外村
    449901001001001 | small  | 第1网格  |
    449901002001001 | small  | 第1网格  |
"""


@pytest.fixture(scope="module")
def gazetteer(file_db: Database) -> Gazetteer:
    with file_db.connect("loader") as loader:
        loader.execute("insert into pub.edition values (1, '2023', '2023-01-01', null, 3)")
        for number, line in enumerate(ROWS.strip().splitlines(), start=1):
            code, level, name, alias = (part.strip() for part in line.split("|"))
            box = f"ST_Multi(ST_MakeEnvelope(115, 22, 115.1, 22.{number}, 4490))"
            loader.execute(
                "insert into pub.grid (edition, code, grid_no, level, name, aliases, geom, centre, area_m2,"
                " west, south, east, north)"
                f" select 1, %s, %s, %s, %s, %s, {box}, ST_PointOnSurface({box}), 2e6, 115, 22, 115.1, 22.1",
                [code, number, level, name, [alias] if alias else []],
            )
    with file_db.connect("web") as web:
        return read_gazetteer(web, Scope("4499"))


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("凤山街道", ["449901001"]),
        ("凤山", ["449901001", "449901001001", "449901002", "449901002001"]),
        ("旧凤山镇", ["449901001"]),
        ("449901002", ["449901002", "449901002001", "449901002001001"]),
        ("沙湾 第1", ["449901002001001"]),
        ("fengshanjiedao", ["449901001"]),
        ("FSJD", ["449901001"]),
        ("fengshan", ["449901001", "449901001001", "449901002"]),
        ("shawan diyi", []),
        ("shawan di1", ["449901002001001"]),
        ("  ", []),
        ("nowhere", []),
        ("(.*)%_", []),
    ],
)
def test_search(gazetteer: Gazetteer, words: str, codes: list[str]) -> None:
    assert [hit.code for hit in gazetteer.search(words)] == codes


def test_the_breadcrumb_runs_from_the_city_down(gazetteer: Gazetteer) -> None:
    assert [step.name for step in gazetteer.path("449901001001")] == ["海晏市", "临海区", "凤山街道", "凤山社区"]


def test_children_are_those_of_the_level_inside(gazetteer: Gazetteer) -> None:
    assert gazetteer.inside("449901", "large").index.tolist() == ["449901001", "449901002"]
    assert gazetteer.inside("449901001", "small").index.tolist() == ["449901001001001"]
    assert not len(gazetteer.inside("449901001001001", "small").query("level != 'small'"))
    assert gazetteer.area_km2("449901") == 2


def test_a_grid_nobody_knows_is_a_sentence(gazetteer: Gazetteer) -> None:
    with pytest.raises(AtlasError, match="no grid 449909"):
        gazetteer.named("449909")
    assert "449909" not in gazetteer


def test_a_scope_hides_the_rest(file_db: Database, gazetteer: Gazetteer) -> None:
    with file_db.connect("web") as web:
        narrow = read_gazetteer(web, Scope("449901002"))
    assert narrow.grids.index.tolist() == ["449901002", "449901002001", "449901002001001"]
    assert [step.code for step in narrow.path("449901002001")] == ["449901002", "449901002001"]


def test_an_empty_database_is_a_sentence(db: Database) -> None:
    with db.connect("web") as web, pytest.raises(AtlasError, match="No grids"):
        read_gazetteer(web, Scope("4499"))


def test_the_version_is_that_of_the_edition(gazetteer: Gazetteer) -> None:
    told: Any = (gazetteer.edition, gazetteer.version)
    assert told == (1, 3)
    assert isinstance(gazetteer.grids, pd.DataFrame)
