"""A row of square groups in two towns, and reforms of it written as small tables: for tests of grids in time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from etl.reform.record import Order, ReformReport
from etl.reform.run import reform
from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.settings import Settings
from tests.deliveries import NOW, Town, write_table

ON = date(2026, 7, 1)
"""First day of the new grids."""

NAMES = {
    "449901001": "东镇",
    "449901002": "西镇",
    "449901001001": "一村",
    "449901001002": "二村",
    "449901002001": "三村",
    "449901002002": "四村",
    "449901001001001": "甲组",
    "449901001001002": "乙组",
    "449901001002001": "丙组",
    "449901001002002": "丁组",
    "449901002001001": "戊组",
    "449901002001002": "己组",
    "449901002002001": "庚组",
    "449901002002002": "辛组",
}
"""Names of the grids; the groups lie side by side from west to east, in the order of their codes."""

SMALL = [code for code in NAMES if len(code) == 15]
SIDE = 0.1

_GRIDS = """
    name = {{ zh = "{level}", en = "{level}" }}
    department = "command_centre"
    table = "grid"
    level = "{level}"
    each_row_is_a = {{ zh = "一个网格", en = "a grid" }}
    row_key = ["code"]
    [source]
    files = "grids_{level}.geojson"
    format = "geojson"
    crs = "EPSG:4490"
    [columns]
    code = {{ from = "code", type = "grid_code", required = true }}
    name = {{ from = "name", type = "text", required = true }}
"""

_BY_CODE = """
    name = { zh = "来信", en = "Letters" }
    department = "command_centre"
    table = "event"
    each_row_is_a = { zh = "一封来信", en = "a letter" }
    row_key = ["no"]
    [source]
    files = "letter*.csv"
    format = "csv"
    grid_code = "code"
    [columns]
    no = { from = "no", type = "key", required = true }
    category = { from = "category", type = "category", required = true }
    reported_at = { from = "reported", type = "moment", required = true }
"""

_SHOPS = """
    name = { zh = "店铺", en = "Shops" }
    department = "command_centre"
    table = "place"
    category = "shop"
    each_row_is_a = { zh = "一家店", en = "a shop" }
    row_key = ["no"]
    [source]
    files = "shop*.csv"
    format = "csv"
    crs = "EPSG:4490"
    lon = "lon"
    lat = "lat"
    [columns]
    no = { from = "no", type = "key", required = true }
"""

_INDICATOR = """
    name = { zh = "来信数", en = "Letters" }
    unit = { zh = "封", en = "letters" }
    formula = "count"
    period = "month"
    digits = 1
    better = "less"
    source = "联勤指挥中心"
    [count]
    datasets = ["letter"]
    [classes]
    method = "quantile"
    n = 3
"""

_CATEGORIES = """
    noise = { zh = "噪音扰民", en = "Noise", table = "event" }
    flood = { zh = "汛情", en = "Flood", table = "event" }
    family_dispute = { zh = "家庭纠纷", en = "Family dispute", table = "event", sensitive = true }
    shop = { zh = "店铺", en = "Shop", table = "place" }
"""

MORE = {
    "categories.toml": _CATEGORIES,
    "datasets/letter.toml": _BY_CODE,
    "datasets/shop.toml": _SHOPS,
    "indicators/letters.toml": _INDICATOR,
    **{f"datasets/grid_{level}.toml": _GRIDS.format(level=level) for level in ("large", "medium", "small")},
}


def strip_of(code: str) -> tuple[float, float]:
    """West and east of a grid in the row of groups."""
    at = [i for i, small in enumerate(SMALL) if small.startswith(code)]
    return round(115 + SIDE * at[0], 6), round(115 + SIDE * (at[-1] + 1), 6)


def write_outlines(path: Path, strips: Mapping[str, tuple[float, float]], names: Mapping[str, str] = NAMES) -> Path:
    """Write grids as rectangles from their west to their east."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": code, "name": names.get(code, code)},
            "geometry": {"type": "Polygon", "coordinates": [[[w, 22], [e, 22], [e, 22.1], [w, 22.1], [w, 22]]]},
        }
        for code, (w, e) in strips.items()
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    return path


class ReformTown(Town):
    """The row of groups, loaded, and what is asked of it."""

    def __init__(self, db: Database, settings: Settings, folder: Path) -> None:
        super().__init__(db, settings, folder, MORE)
        self.folder = folder
        (self.files / "grids.geojson").unlink(missing_ok=True)
        for level, digits in (("large", 9), ("medium", 12), ("small", 15)):
            strips = {code: strip_of(code) for code in NAMES if len(code) == digits}
            write_outlines(self.files / f"grids_{level}.geojson", strips)

    def plan(self, text: str, name: str = "plan.csv") -> Path:
        """Write a plan given as a table of text."""
        return write_table(self.folder / name, text)

    def reform(
        self, text: str, *, outlines: Mapping[str, tuple[float, float]] | None = None, **more: Any
    ) -> ReformReport:
        """Carry out a plan."""
        grids = write_outlines(self.folder / "new.geojson", outlines) if outlines else None
        given = {key: more.pop(key) for key in ("tolerance_m2", "is_dry", "name", "within") if key in more}
        order = Order(self.plan(text), more.pop("on", ON), grids, **given)
        more.setdefault("say", lambda line: None)
        return reform(self.db, self.catalog, order, cache_dir=self.cache, now=more.pop("now", NOW), **more)

    def atlas(self, role: Any = "analyst") -> Atlas:
        """Open the atlas of the town."""
        return Atlas(self.catalog, self.db, role, Scope("4499"))

    def counts(self, dataset: str, level: str = "small", **more: Any) -> dict[str, float]:
        """Rows of a dataset by grid, all time."""
        found = self.atlas().tally(dataset, level=level, by=(), period=None, **more)
        return dict(zip(found["grid_code"].str[6:], found["n"], strict=True))
