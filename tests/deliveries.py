"""A square town of four grids and small deliveries of it, written as text: for tests of loading over time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from etl.report import RunReport
from etl.run import run
from layers.database import Database
from layers.declare import read_catalog
from layers.declare.records import Catalog
from layers.secrets import read_secrets
from layers.settings import Settings

NOW = datetime(2026, 7, 1, 1, tzinfo=UTC)

DECLARATIONS = {
    "city.toml": """
        code = "4499"
        name = { zh = "方城（虚构）", en = "Square town (fictitious)" }
        zone = "Asia/Shanghai"
        edition = 1
        edition_name = "2023"
        opened_on = 2023-01-01
        [counties]
        449901 = { zh = "方区", en = "Square" }
    """,
    "departments.toml": """
        command_centre = { zh = "联勤指挥中心", en = "Command centre" }
        public_security = { zh = "公安局", en = "Public security" }
    """,
    "categories.toml": """
        noise = { zh = "噪音扰民", en = "Noise", table = "event" }
        flood = { zh = "汛情", en = "Flood", table = "event" }
        family_dispute = { zh = "家庭纠纷", en = "Family dispute", table = "event", sensitive = true }
    """,
    "datasets/grid_small.toml": """
        name = { zh = "小网格", en = "Small grids" }
        department = "command_centre"
        table = "grid"
        level = "small"
        each_row_is_a = { zh = "一个网格", en = "a grid" }
        row_key = ["code"]
        [source]
        files = "grids.geojson"
        format = "geojson"
        crs = "EPSG:4490"
        [columns]
        code = { from = "code", type = "grid_code", required = true }
        name = { from = "name", type = "text", required = true }
    """,
    "datasets/report.toml": """
        name = { zh = "网格上报", en = "Reports" }
        department = "command_centre"
        table = "event"
        each_row_is_a = { zh = "一件上报", en = "a report" }
        row_key = ["no"]
        [source]
        files = "report*.csv"
        format = "csv"
        crs = "EPSG:4490"
        lon = "lon"
        lat = "lat"
        [columns]
        no = { from = "no", type = "key", required = true }
        category = { from = "category", type = "category", required = true }
        state = { from = "state", type = "state" }
        reported_at = { from = "reported", type = "moment", required = true }
        updated_at = { from = "updated", type = "moment" }
        note = { from = "note", type = "text" }
        [expect]
        rows = [1, 1000]
        quarantine_share_max = 0.5
    """,
    "datasets/report_step.toml": """
        name = { zh = "上报步骤", en = "Steps of reports" }
        department = "command_centre"
        table = "event_step"
        of_dataset = "report"
        each_row_is_a = { zh = "一个步骤", en = "a step" }
        row_key = ["event_key", "step_no"]
        [source]
        files = "step*.csv"
        format = "csv"
        [columns]
        event_key = { from = "no", type = "key", required = true }
        step_no = { from = "step", type = "integer", required = true }
        at = { from = "at", type = "moment", required = true }
        state = { from = "state", type = "state", required = true }
    """,
    "datasets/resident.toml": """
        name = { zh = "居民", en = "Residents" }
        department = "public_security"
        table = "person"
        each_row_is_a = { zh = "一名居民", en = "a resident" }
        row_key = ["number"]
        [source]
        files = "resident*.csv"
        format = "csv"
        crs = "EPSG:4490"
        lon = "lon"
        lat = "lat"
        [columns]
        number = { from = "number", type = "id_number", required = true }
        name = { from = "name", type = "person_name" }
        phone = { from = "phone", type = "phone" }
    """,
}

SQUARES = {
    "449901001001001": (115.0, 22.0),
    "449901001001002": (115.1, 22.0),
    "449901002001001": (115.0, 22.1),
    "449901002001002": (115.1, 22.1),
}
"""South-west corners of the grids, a tenth of a degree wide, two in each of two towns."""

REPORTS = """
no | category | state    | reported            | updated             | lon    | lat   | note
A1 | noise    | reported | 2026-05-31 23:30:00 | 2026-05-31 23:30:00 | 115.05 | 22.05 | 第一
A2 | noise    | closed   | 2026-06-01 00:30:00 | 2026-06-01 00:30:00 | 115.15 | 22.05 | 第二
A3 | flood    | handling | 2026-06-02 08:00:00 | 2026-06-02 08:00:00 | 115.05 | 22.15 | 第三
A4 | family_dispute | reported | 2026-06-03 08:00:00 | 2026-06-03 08:00:00 | 115.15 | 22.15 | 第四
A5 | flood    | reported | 2026-06-04 08:00:00 | 2026-06-04 08:00:00 |        |       | 第五
A6 | fire     | reported | 2026-06-05 08:00:00 | 2026-06-05 08:00:00 | 115.05 | 22.05 | 第六
"""
"""Six reports: four in the four grids, one unplaced, one of a category that nobody declared."""

STEPS = """
no | step | at                  | state
A1 | 1    | 2026-05-31 23:30:00 | reported
A2 | 1    | 2026-06-01 00:30:00 | reported
A2 | 2    | 2026-06-01 09:30:00 | closed
A9 | 1    | 2026-06-01 09:30:00 | reported
"""

RESIDENTS = """
number             | name   | phone       | lon    | lat
11010519491231002X | 张三丰 | 13800000001 | 115.05 | 22.05
440524188001010014 | 李四   | 13800000002 | 115.15 | 22.15
340524198001010013 | 王五   | 13800000003 | 115.05 | 22.05
"""


def later(text: str, *numbers: str) -> str:
    """The reports, those with these numbers updated an hour later."""
    lines = text.strip().splitlines()
    for at, line in enumerate(lines):
        cells = line.split("|")
        if cells[0].strip() in numbers:
            moment = datetime.fromisoformat(cells[4].strip()) + timedelta(hours=1)
            lines[at] = "|".join([*cells[:4], f" {moment} ", *cells[5:]])
    return "\n".join(lines) + "\n"


def write_declarations(folder: Path, more: Mapping[str, str] | None = None) -> Catalog:
    """Write the town's declarations and read them."""
    for name, text in {**DECLARATIONS, **(more or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(line.strip() for line in text.strip().splitlines()) + "\n", encoding="utf-8")
    return read_catalog(folder)


def write_grids_file(folder: Path) -> None:
    """Write the delivery of the grids."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": code, "name": f"第{n}网格"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x, y], [x + 0.1, y], [x + 0.1, y + 0.1], [x, y + 0.1], [x, y]]],
            },
        }
        for n, (code, (x, y)) in enumerate(SQUARES.items(), 1)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    (folder / "grids.geojson").write_text(text, encoding="utf-8")


def write_table(path: Path, text: str) -> Path:
    """Write a table of text as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [",".join(cell.strip() for cell in line.split("|")) for line in text.strip().splitlines()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


class Town:
    """A database, the town's declarations and a folder its deliveries are put into."""

    def __init__(self, db: Database, settings: Settings, folder: Path, more: Mapping[str, str] | None = None) -> None:
        self.db, self.settings = db, settings
        self.files, self.cache = folder / "files", folder / "cache"
        self.catalog_dir = folder / "data"
        self.catalog = write_declarations(self.catalog_dir, more)
        write_grids_file(self.files)

    def load(self, *names: str, **more: Any) -> RunReport:
        """Load the named datasets, or all."""
        more.setdefault("say", lambda line: None)
        more.setdefault("now", NOW)
        return run(
            self.db,
            self.catalog,
            read_secrets(self.settings),
            self.files,
            names,
            cache_dir=self.cache,
            **more,
        )

    def declare(self, name: str, text: str) -> None:
        """Declare one thing more, or anew."""
        self.catalog = write_declarations(self.catalog_dir, {name: text})

    def deliver(self, name: str, text: str) -> Path:
        """Put a delivery into the folder."""
        return write_table(self.files / name, text)

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Ask the database as the loader."""
        with self.db.connect("loader") as connection:
            return connection.execute(query.encode(), parameters or None).fetchall()
