"""What both READMEs show is what happens."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from layers.database import Database
from layers.settings import Settings

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh-CN.md")


def blocks(name: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)


def commands(name: str) -> list[str]:
    text = (ROOT / name).read_text("utf-8")
    return re.findall(r"^\$ (.+)$", text, re.MULTILINE) + re.findall(r"`(make [^`]+)`", text)


def test_both_readmes_show_the_same_commands_and_output() -> None:
    assert blocks(READMES[0], "console") == blocks(READMES[1], "console")


def test_both_readmes_show_the_same_python() -> None:
    bare = [[ast.dump(ast.parse(code)) for code in blocks(name, "python")] for name in READMES]
    assert bare[0] == bare[1]


@pytest.mark.parametrize("name", READMES)
def test_every_make_command_has_its_target(name: str) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shown = {command.split()[1] for command in commands(name) if command.startswith("make ")}
    assert {"demo", "test", "down", "clean"} <= shown <= targets


@pytest.mark.parametrize("name", READMES)
def test_every_file_linked_is_there(name: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text("utf-8"))
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


def test_the_check_prints_what_is_shown() -> None:
    shown = next(block for block in blocks(READMES[0], "console") if "etl check" in block)
    environ = {key: value for key, value in os.environ.items() if key != "CATALOG_DIR"}
    done = subprocess.run(
        [sys.executable, "-m", "etl", "check"], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    assert shown.split("\n", 1)[1] == done.stdout


def test_the_python_shown_runs(small_city: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", small_city.url("admin"))
    monkeypatch.setenv("LOCAL_DIR", str(settings.local_dir))
    names: dict[str, object] = {}
    exec(blocks(READMES[0], "python")[0], names)
    assert "atlas" in names
