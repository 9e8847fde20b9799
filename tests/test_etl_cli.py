"""The loader's commands: what they print, their exit codes, and a sentence for every kind of bad input."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from etl.__main__ import main
from layers.database import Database
from layers.settings import Settings
from tests.deliveries import REPORTS, Town


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    town = Town(db, settings, tmp_path)
    town.deliver("report.csv", REPORTS)
    monkeypatch.setenv("LOCAL_DIR", str(settings.local_dir))
    monkeypatch.setenv("DATABASE_URL", db.url("admin"))
    monkeypatch.setenv("CATALOG_DIR", str(town.catalog_dir))
    monkeypatch.setenv("DELIVERY_DIR", str(town.files))
    return town


def called(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["etl", *words])
    code = 0
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_run_prints_a_table_and_writes_json(
    town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "out" / "report.json"
    code, out, err = called(monkeypatch, capsys, "run", "--json", str(file))
    assert (code, err) == (0, "")
    assert "类别不存在 unknown_category 1" in out
    report = json.loads(file.read_text(encoding="utf-8"))
    assert [(d["dataset"], d["n_inserted"]) for d in report["deliveries"]] == [("grid_small", 4), ("report", 5)]
    assert report["absent"] == ["report_step", "resident"]
    code, out, _ = called(monkeypatch, capsys, "run", "report", "--from", str(town.files))
    assert code == 0
    assert "loaded before" in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["run", "reprot"], 4, "There is no dataset called 'reprot'.\n  The nearest are: report"),
        (["run", "--accept"], 2, "--accept names no dataset"),
        (["run", "--from", "/nowhere"], 6, "There is no folder /nowhere"),
        (["run", "resident"], 6, "no file is called resident*.csv"),
        (["demo", "build", "--until", "gestern"], 2, "--until is 'gestern'"),
        (["demo", "build", "--size", "huge"], 2, "huge"),
        (["walk"], 2, "No such command"),
        (["run", "--fast"], 2, "No such option"),
    ],
)
def test_bad_words_end_in_a_sentence(
    words: list[str],
    code: int,
    said: str,
    town: Town,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found, _, err = called(monkeypatch, capsys, *words)
    assert (found, "Traceback" in err) == (code, False)
    assert said in err.replace("─", "")


def test_a_delivery_that_cannot_be_read_sets_the_exit_code(
    town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (town.files / "step.csv").write_bytes(b"\xff\xff\xff")
    code, out, _ = called(monkeypatch, capsys, "run")
    assert code == 6
    assert "step.csv is not written in UTF-8, UTF-16 or GB18030" in out


def test_a_database_that_is_not_there_is_a_sentence(
    town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    code, _, err = called(monkeypatch, capsys, "run")
    assert code == 5
    assert "cannot be opened" in err
    assert "make demo" in err


def test_check_says_what_is_declared_or_everything_that_is_wrong(
    town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = called(monkeypatch, capsys, "check")
    assert code == 0
    assert "4 datasets" in out
    path = town.catalog_dir / "datasets" / "report.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"moment"', '"momemt"'), encoding="utf-8")
    code, _, err = called(monkeypatch, capsys, "check")
    assert code == 3
    assert "report.toml" in err
