"""The guide for data stewards does what it says: every command is run against the small city, its output compared.

Each section has a copy of the loaded city and of its deliveries for itself. A `console` block holds commands (`$ ..`)
and what they print; `...` stands for anything. A block of another language whose first line is `# path` is a file,
written there before the commands that follow; `# + path` is added at its end.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest
from commands import call

from layers.database import Database
from layers.settings import CHECKOUT, Settings

GUIDE = (CHECKOUT / "docs" / "loading.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", GUIDE, re.MULTILINE | re.DOTALL))
TESTED = [name for name, text in SECTIONS.items() if "```console\n" in text]
LIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks(section: str) -> list[tuple[str, str]]:
    """Language and text of each block of code."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[tuple[str, str]]:
    """Each command of a console block with the output shown below it."""
    parts = re.split(r"^\$ (.+)\n", block, flags=re.MULTILINE)
    assert not parts[0].strip(), "a console block begins with `$ `"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def write(block: str, checkout: Path) -> None:
    """Write the file that the first line names, or add to it."""
    first, _, text = block.partition("\n")
    if not first.startswith("# "):
        return
    path = checkout / first.removeprefix("# ").removeprefix("+ ")
    path.parent.mkdir(parents=True, exist_ok=True)
    if first.startswith("# + "):
        text = path.read_text(encoding="utf-8") + text
    path.unlink(missing_ok=True)  # a link to the city's own file, which stays as it is
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def checkout(tmp_path: Path, settings: Settings, city_folder: Path) -> Path:
    """A checkout's `data/` and `.local/`, with the deliveries of the small city."""
    shutil.copytree(CHECKOUT / "data", tmp_path / "data")
    deliveries = tmp_path / ".local" / "deliveries"
    deliveries.mkdir(parents=True)
    for path in city_folder.iterdir():
        shutil.copy2(path, deliveries)  # links are not followed
    (deliveries.parent / "secrets.toml").symlink_to(settings.local_dir / "secrets.toml")
    (deliveries.parent / "cache").symlink_to(settings.local_dir / "cache")
    return tmp_path


@pytest.mark.parametrize("name", TESTED)
def test_a_section_shows_what_its_commands_print(name: str, writable_city: Database, checkout: Path) -> None:
    environ = {key: value for key, value in os.environ.items() if key not in ("DELIVERY_DIR", "COLUMNS")}
    environ |= {
        "DATABASE_URL": writable_city.url("admin"),
        "LOCAL_DIR": str(checkout / ".local"),
        "CATALOG_DIR": str(checkout / "data"),
        "PYTHONPATH": str(CHECKOUT),
    }
    for language, text in blocks(SECTIONS[name]):
        if language != "console":
            write(text, checkout)
            continue
        for command, shown in commands(text):
            _, said = call(shlex.split(command), checkout, environ, checkout / "said")
            assert doctest.OutputChecker().check_output(shown, said, LIKE), f"$ {command}\n{said}"


def test_the_guide_has_its_sections() -> None:
    assert {"The quarantine", "The same file again, late and overlapping files"} <= set(SECTIONS)
    assert TESTED
