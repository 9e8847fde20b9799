"""A city of a few square grids, with rows and counts given as small tables of text: for tests of what is read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from layers.codes import level_of, parent_of, town_of
from layers.database import Database
from layers.declare.records import Catalog, Category, City, Column, Count, Dataset, Indicator, Source, Text
from layers.tables import STATES

GRIDS = """
code            | west | south | size | name
4499            | 0    | 0     | 8    | 海晏市
449901          | 0    | 0     | 4    | 临海区
449902          | 4    | 0     | 4    | 山前区
449901001       | 0    | 0     | 2    | 东门街道
449901002       | 2    | 0     | 2    | 西门街道
449902001       | 4    | 0     | 2    | 河口镇
449901001001    | 0    | 0     | 1    | 一社区
449901001002    | 1    | 0     | 1    | 二社区
449901002001    | 2    | 0     | 1    | 三社区
449902001001    | 4    | 0     | 1    | 四社区
449901001001001 | 0    | 0     | 0.5  | 一组
449901001001002 | 0.5  | 0     | 0.5  | 二组
449901001002001 | 1    | 0     | 0.5  | 三组
449901002001001 | 2    | 0     | 0.5  | 四组
449902001001001 | 4    | 0     | 0.5  | 五组
"""

KM2 = 12_000.0
"""Square kilometres of a square of one degree in this city."""


def table(text: str) -> list[dict[str, str]]:
    """Read a table of text: a row of headings, then rows; `-` stands for nothing."""
    head, *rows = ([cell.strip() for cell in line.split("|")] for line in text.strip().splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


def said(words: str) -> Text:
    """A text that is the same in both languages."""
    return Text(words, words)


def column(key: str, kind: str) -> Column:
    """A declared column whose heading is its key."""
    return Column(key, key, kind)


def dataset(key: str, of_table: Any, *columns: Column, **more: Any) -> Dataset:
    """A dataset of which only what reading needs is declared."""
    source = Source(f"{key}.csv", "csv")
    return Dataset(key, said(key), "command_centre", of_table, said(f"row of {key}"), ("key",), source, columns, **more)


def indicator(key: str, formula: Any = "count", *, of: Count | None = None, **more: Any) -> Indicator:
    """An indicator of calls, unless told otherwise."""
    settings: dict[str, Any] = {
        "count": Count(("call",)), "period": "month", "factor": 1, "digits": 0, "better": "less",
        "classes": "quantile", "n_classes": 5,
    } | more  # fmt: skip
    return Indicator(key, said(key), said("件"), formula, of=of, **settings)


CATEGORIES = [
    Category("noise", said("噪音"), "event"),
    Category("drainage", said("排水"), "event"),
    Category("family_dispute", said("家庭纠纷"), "event", sensitive=True),
    Category("lamp", said("路灯"), "thing"),
    Category("household", said("住户"), "organisation", sensitive=True),
]

DATASETS = [
    dataset(
        "call", "event", column("source", "code"), column("n_calls", "integer"), column("words", "text"),
        column("phone", "phone"), column("seen_on", "date"), column("heard_at", "moment"), column("of_month", "month"),
        column("cost", "number"), column("is_new", "boolean"), column("category", "category"),
    ),
    dataset("quarrel", "event", sensitive=True),
    dataset("lamp", "thing", column("height_m", "number"), column("model", "text"), category="lamp"),
    dataset("park", "place"),
    dataset("family", "organisation", category="household"),
    dataset("resident", "person"),
    dataset("step", "event_step", of_dataset="call"),
    dataset("grid_small", "grid", level="small"),
]  # fmt: skip

INDICATORS = [
    indicator("calls"),
    indicator("calls_of_year", period="year"),
    indicator("noise", count=Count(("call",), ("noise",))),
    indicator("closed_share", "share", factor=100, count=Count(("call",), (), ("closed",)), of=Count(("call",))),
    indicator("open_calls", period="now", count=Count(("call",), (), ("reported", "handling"))),
    indicator("calls_per_km2", "per_area"),
    indicator("calls_per_1000", "per_people", factor=1000),
    indicator("lamps", period="now", count=Count(("lamp",))),
    indicator("parks", period="now", count=Count(("park",))),
    indicator("population", "people", period="now", count=Count(())),
    indicator("residents_by_count", count=Count(("resident",))),
    indicator("quarrels", count=Count(("quarrel",))),
    indicator("family_disputes", count=Count(("call",), ("family_dispute",))),
]


def little_catalog() -> Catalog:
    """Declarations of the little city."""
    return Catalog(
        folder="",
        city=City("4499", said("海晏市"), {}, "Asia/Shanghai", 1, "2023", date(2023, 1, 1)),
        departments={},
        categories={one.key: one for one in CATEGORIES},
        datasets={one.key: one for one in DATASETS},
        layers={},
        indicators={one.key: one for one in INDICATORS},
        scenarios={},
    )


def fill_grids(db: Database) -> None:
    """Write the grids, and numbers for datasets and categories."""
    with db.connect("loader") as connection:
        connection.execute("insert into pub.edition values (1, '2023', '2023-01-01', null, 1)")
        for number, row in enumerate(table(GRIDS), start=1):
            west, south, size = (float(row[key]) for key in ("west", "south", "size"))
            connection.execute(
                "insert into pub.grid (edition, code, grid_no, level, parent_code, name, aliases, geom, centre,"
                " area_m2, west, south, east, north, is_derived) values (1, %(code)s, %(number)s, %(level)s,"
                " %(parent)s, %(name)s, '{}',"
                " st_multi(st_makeenvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4490)),"
                " st_setsrid(st_makepoint(%(west)s, %(south)s), 4490), %(area)s,"
                " %(west)s, %(south)s, %(east)s, %(north)s, false)",
                {
                    "code": row["code"], "number": number, "level": level_of(row["code"]), "name": row["name"],
                    "parent": parent_of(row["code"]), "west": west, "south": south, "east": west + size,
                    "north": south + size, "area": size * size * KM2 * 1e6,
                },
            )  # fmt: skip
        for number, one in enumerate(DATASETS, start=1):
            connection.execute(
                "insert into pub.dataset values (%s, %s, %s, %s, '2026-04-01')",
                [number, one.key, one.table, one.sensitive],
            )
        for number, kind in enumerate(CATEGORIES, start=1):
            connection.execute("insert into pub.category values (%s, %s, %s)", [number, kind.key, kind.sensitive])


def count(db: Database, text: str, of: str = "call", delta: int = 0) -> None:
    """Write tallies of a dataset as the loader does: grid (finest known), day, category, state, n."""
    numbers = {row["code"]: number for number, row in enumerate(table(GRIDS), start=1)}
    kinds = {kind.key: number for number, kind in enumerate(CATEGORIES, start=1)}
    rows = table(text)
    with db.connect("loader") as connection:
        for name, digits in (("small_month", 15), ("medium_day", 12), ("large_month", 9)):
            for row in rows:
                code = row["grid"][:digits]
                day = int(row["day"].replace("-", "") or 0)
                connection.execute(
                    sql.SQL(
                        "insert into {} as old values (%s, %s, %s, %s, %s, %s, %s, %s)"
                        " on conflict (town_code, grid_no, period, dataset_no, category_no, state_no, delta_id)"
                        " do update set n = old.n + excluded.n"
                    ).format(sql.Identifier("pub", f"tally_{name}")),
                    [
                        town_of(code), numbers[code], day if name == "medium_day" else day // 100,
                        [one.key for one in DATASETS].index(of) + 1, kinds.get(row.get("category", ""), 0),
                        STATES.index(row["state"]) + 1 if row.get("state", "-") != "-" else 0, delta, int(row["n"]),
                    ],
                )  # fmt: skip


def publish(db: Database, people: Mapping[str, int], month: int = 202603) -> None:
    """Write published counts of people."""
    with db.connect("loader") as connection:
        for code, n in people.items():
            connection.execute(
                "insert into pub.people_count values (%s, 1, %s, 'all', 'all', %s, %s, now())",
                [town_of(code), month, code, n],
            )


def deliver(db: Database, one: Dataset) -> int:
    """Write a delivery of a dataset, with the declaration as the loader keeps it; give its number."""
    declared = {"columns": [{"key": column.key, "type": column.type} for column in one.columns]}
    with db.connect("loader") as connection:
        row = connection.execute(
            "insert into raw.delivery (dataset, file_name, content_hash, n_bytes, edition, loaded_at, loaded_by,"
            " declaration, n_read, n_inserted, n_updated, n_unchanged, n_quarantined, n_forgotten, n_unplaced, report,"
            " declaration_hash, grids_version)"
            " values (%s, 'f.csv', %s, 1, 1, now(), 'test', %s, 0, 0, 0, 0, 0, 0, 0, '{}', '', 1) returning id",
            [one.key, one.key.encode(), Jsonb(declared)],
        ).fetchone()
    assert row is not None
    return int(row[0])
