"""`pyproject.toml`, both lock files and `environment.yml` say the same."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from install.python import FITTING

CHECKOUT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")


def _declared() -> list[Requirement]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(line) for line in (*project["dependencies"], *project["optional-dependencies"]["dev"])]


def _locked() -> list[tuple[Requirement, list[str]]]:
    """Each entry of the lock with its hashes."""
    text = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    entries = []
    for line in text.splitlines():
        requirement, *hashes = re.split(r"\s+--hash=", line.strip())
        entries.append((Requirement(requirement), hashes))
    return entries


def _named(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _environment(python: str) -> dict[str, str]:
    return {"python_version": python, "python_full_version": f"{python}.5", "sys_platform": "linux",
            "platform_system": "Linux", "implementation_name": "cpython", "platform_python_implementation": "CPython",
            "platform_machine": "x86_64", "os_name": "posix", "extra": ""}  # fmt: skip


@pytest.mark.parametrize("python", PYTHONS)
def test_every_declared_dependency_is_locked_once_for_each_python(python: str) -> None:
    chosen: dict[str, list[Requirement]] = {}
    for entry, _ in _locked():
        if entry.marker is None or entry.marker.evaluate(_environment(python)):
            chosen.setdefault(_named(entry.name), []).append(entry)
    assert {name: found for name, found in chosen.items() if len(found) > 1} == {}
    for wanted in _declared():
        (entry,) = chosen[_named(wanted.name)]
        (pin,) = entry.specifier
        assert pin.operator == "=="
        assert wanted.specifier.contains(pin.version, prereleases=True), f"{wanted} is locked at {pin.version}"


def test_every_entry_of_the_lock_carries_hashes() -> None:
    entries = _locked()
    assert len(entries) > 80
    for entry, hashes in entries:
        assert hashes, entry
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), entry


def test_the_lock_names_no_index_no_link_and_no_path() -> None:
    text = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
    for line in text.splitlines():
        assert not line.lstrip().startswith(("-", "#")) or line.lstrip().startswith("--hash=sha256:"), line
    assert "://" not in text
    assert " @ " not in text


def test_the_pythons_are_the_same_everywhere() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert "- python >=3.11,<3.14\n" in (CHECKOUT / "environment.yml").read_text(encoding="utf-8")
    assert [f"{major}.{minor}" for major, minor in FITTING] == list(PYTHONS)


def test_the_conda_environment_takes_everything_of_python_from_the_lock() -> None:
    text = (CHECKOUT / "environment.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^\s*- (.+?)\s*$", text, flags=re.MULTILINE)
    assert listed == ["conda-forge", "python >=3.11,<3.14", "postgis >=3.3", "pip", "pip:", "-r requirements.lock"]


def test_the_npm_lock_names_no_address_and_holds_what_is_declared() -> None:
    package = json.loads((CHECKOUT / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((CHECKOUT / "package-lock.json").read_text(encoding="utf-8"))
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
    assert set(package["dependencies"]) == {"maplibre-gl"}
    assert Version(lock["packages"]["node_modules/maplibre-gl"]["version"]) >= Version("6.17")
    for name, entry in lock["packages"].items():
        assert "resolved" not in entry, name
        assert not name or entry["integrity"].startswith("sha512-"), name


def test_the_build_server_runs_the_same_verb_as_a_person() -> None:
    script = (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8")
    commands = [line for line in script.splitlines() if line and not line.startswith("#")]
    assert commands == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "make test"]
