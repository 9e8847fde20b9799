"""What an address leaves open is kept with the row, told in the report and listed for a steward."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from etl.__main__ import main
from etl.unplaced import read_unplaced
from layers.database import Database
from layers.declare.records import Catalog
from layers.seal import Sealer
from layers.secrets import read_secrets
from layers.settings import Settings


def rows(db: Database, query: str) -> list[tuple[Any, ...]]:
    with db.connect("loader") as connection:
        return connection.execute(query.encode()).fetchall()


def test_a_tie_by_address_keeps_how_sure_it_is(small_city: Database) -> None:
    kept = rows(
        small_city,
        "select tied_by, (attrs ->> '_confidence')::float8, attrs ? '_candidates', attrs ? '_address', count(*)"
        " from ops.event where dataset = 'hotline' group by 1, 2, 3, 4 order by 1, 2, 3",
    )
    assert [row[:4] for row in kept] == [
        ("address", 1.0, False, False),
        ("none", 0.0, False, True),  # names nothing
        ("none", 0.0, True, True),  # names two
    ]
    assert rows(small_city, "select count(*) from ops.place where attrs ? '_confidence' and tied_by = 'point'") == [
        (0,)
    ]


def test_the_worklist_names_both_places(small_city: Database, catalog: Catalog, settings: Settings) -> None:
    sealer = Sealer(read_secrets(settings))
    worklist = read_unplaced(small_city, catalog, sealer, ["hotline"])
    wanted = rows(small_city, "select n_unplaced, report from raw.delivery where dataset = 'hotline'")[0]
    assert len(worklist) == wanted[0] > 0
    alike = worklist[worklist["candidates"] != ""]
    assert 0 < len(alike) == sum(wanted[1]["alike"].values())
    for address, names, codes in alike[["address", "candidates", "codes"]].itertuples(index=False):
        both = names.split("、")
        assert len(both) == len(codes.split("、")) > 1
        assert all(name.endswith(address.split("村")[0] + "村") for name in both)
        assert len({name.partition("镇")[0].partition("街道")[0] for name in both}) > 1, "the towns tell them apart"
    stored = rows(small_city, "select attrs ->> '_address' from ops.event where attrs ? '_address'")
    assert not any(address in kept for (kept,) in stored for address in set(worklist["address"]))


def test_the_worklist_is_a_workbook(
    small_city: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    monkeypatch.setenv("LOCAL_DIR", str(settings.local_dir))
    monkeypatch.setenv("DATABASE_URL", small_city.url("admin"))

    def called(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["etl", "unplaced", *words])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out + printed.err

    code, said = called("hotline")
    assert code == 0 and "未落格与存疑" in said
    file = tmp_path / "out" / "unplaced.xlsx"
    assert called("hotline", "company", "--out", str(file))[0] == 0
    written = "select kind, role, account <> '', detail ->> 'datasets' from audit.entry where subject = 'unplaced'"
    with small_city.connect("admin") as admin:
        found = admin.execute(f"{written} order by id desc limit 2".encode()).fetchall()
    assert found == [
        ("export", "loader", True, '["hotline", "company"]'),
        ("quarantine_view", "loader", True, '["hotline"]'),
    ]
    sheet = pd.read_excel(file, engine="calamine", dtype=str)
    assert sheet.columns[2] == "地址 address" and set(sheet.iloc[:, 0]) == {"hotline", "company"}
    assert called("hotline", "--out", str(tmp_path / "x.txt"))[0] == 2
    assert called("hotlin")[0] == 4
