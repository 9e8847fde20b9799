"""Secrets: made once at random, closed to others, never half written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from layers.errors import SettingError
from layers.secrets import read_secrets, secrets_file
from layers.settings import CHECKOUT, Settings, read_settings


@pytest.fixture
def place(tmp_path: Path) -> Settings:
    """Settings of an installation without secrets."""
    return read_settings({"LOCAL_DIR": str(tmp_path / "local")})


def test_they_are_made_on_first_use_and_stay(place: Settings, tmp_path: Path) -> None:
    made = read_secrets(place)
    assert read_secrets(place) == made
    assert read_secrets(read_settings({"LOCAL_DIR": str(tmp_path / "other")})) != made
    keys = {made.identity_key, made.token_key, made.rounding_key}
    assert len(keys) == 3
    assert {len(key) for key in keys} == {32}
    assert set(made.passwords) == {"admin", "loader", "web", "analyst", "door", "migrate"}
    assert len(set(made.passwords.values())) == 6


def test_a_file_of_an_earlier_version_gets_what_is_new(place: Settings) -> None:
    made = read_secrets(place)
    path = secrets_file(place)
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("door")))
    again = read_secrets(place)
    assert again.token_key == made.token_key and again.passwords["web"] == made.passwords["web"]
    assert again.passwords["door"] != made.passwords["door"]
    assert read_secrets(place) == again
    assert path.stat().st_mode & 0o777 == 0o600


def test_only_their_owner_can_read_them(place: Settings) -> None:
    read_secrets(place)
    path = secrets_file(place)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(SettingError, match="read by others") as caught:
        read_secrets(place)
    assert "chmod 600" in caught.value.hint


def test_they_do_not_show_when_printed(place: Settings) -> None:
    made = read_secrets(place)
    shown = repr(made)
    assert made.passwords["web"] not in shown
    assert repr(made.token_key) not in shown


@pytest.mark.parametrize("damage", ["", "identity_key = 3", "not toml at all ["])
def test_a_damaged_file_is_named_and_not_replaced(place: Settings, damage: str) -> None:
    read_secrets(place)
    secrets_file(place).write_text(damage)
    with pytest.raises(SettingError, match="damaged") as caught:
        read_secrets(place)
    assert "make clean" in caught.value.hint
    assert secrets_file(place).read_text() == damage


def test_of_several_processes_at_once_one_makes_them(place: Settings) -> None:
    ask = (
        "from layers.secrets import read_secrets; from layers.settings import read_settings; import sys;"
        "print(read_secrets(read_settings({'LOCAL_DIR': sys.argv[1]})).identity_key_id)"
    )
    command = [sys.executable, "-c", ask, str(place.local_dir)]
    several = [subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert len({process.communicate()[0] for process in several}) == 1
    assert [file.name for file in place.local_dir.iterdir()] == ["secrets.toml"]
