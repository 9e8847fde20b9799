"""The map after a reform: the grids of either edition, a chooser of them, old codes found, what is carried said so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from signing import sign_in

from layers.database import Database
from layers.settings import Settings
from mapapp import handlers
from mapapp.desk import Desk
from mapapp.visitor import visiting
from tests.reforms import ReformTown
from tests.test_mapapp_handlers import links, said
from tests.test_reform import LETTERS, REPORTS
from tests.test_reform_laws import MIXED, OUTLINES


@pytest.fixture
def desk(db: Database, settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    town = ReformTown(db, settings, tmp_path)
    town.deliver("letter.csv", LETTERS)
    town.deliver("report.csv", REPORTS)
    town.load()
    town.reform(MIXED, outlines=OUTLINES)
    desk = Desk(town.catalog, db.pool("web", max_size=2))
    desk.open()
    with visiting(sign_in(db)):
        yield desk
    desk.close()


def test_the_address_chooses_the_grids(desk: Desk) -> None:
    now = handlers.show(desk, "?at=449901009001&period=202605", None)
    then = handlers.show(desk, "?at=449901001001&period=202605&edition=1", None)
    assert now.map_view["cells"]["code"] == ["001", "002", "003"]
    assert then.map_view["cells"]["code"] == ["001", "002"]
    tiles = [re.findall(r"/tiles/grid/(\d+)-", str(one.map_style)) for one in (now, then)]
    assert [set(found) for found in tiles] == [{"2"}, {"1"}]
    assert "edition=1" in " ".join(links(now.path)) and "2023" in said(now.path) and "2026" in said(now.path)
    assert not any("edition" in one for one in links(now.ranking))
    assert all("edition=1" in one for one in links(then.ranking))


def test_what_is_carried_is_said(desk: Desk) -> None:
    legend = said(handlers.show(desk, "?at=449901009001&period=202605", None).legend)
    assert "其中约 1" in legend and "按份额折算" in legend
    english = said(handlers.show(desk, "?at=449901009001&period=202605&lang=en", None).legend)
    assert "carried by share" in english
    assert "按份额折算" not in said(handlers.show(desk, "?at=449901001001&period=202605&edition=1", None).legend)


def test_an_old_code_is_found_as_what_it_became(desk: Desk) -> None:
    hits = handlers.find(desk, "?edition=1&at=449901001&sought=449901001")
    assert "东镇" in said(hits) and "原" not in said(hits)
    hits = handlers.find(desk, "?sought=449901001")
    assert "原 449901001 东镇，2026年7月1日 起" in said(hits)
    assert set(links(hits)) == {"?at=449901002", "?at=449901009"}  # a half of it each
