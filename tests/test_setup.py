"""Set-up: what it finds missing, what it says, and that it leaves the system as it found it.

apt, sudo and pip are stood in for by small scripts here; that they do their work on a bare machine is seen on one.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import databases
import pytest

import install.system as system
from install import clean, demo
from install.__main__ import main
from install.debian import no_main_cluster
from install.errors import SetupError
from install.node import ensure_node
from install.progress import run_step
from install.python import Home, check_version, ensure_python, find_home
from install.stamp import is_done, mark_of, set_done
from install.system import ensure_packages, missing_packages
from layers.server import binaries, place
from layers.settings import CHECKOUT, read_settings

ORIGINAL = "# Default values\n#create_main_cluster = true\nstart_conf = 'manual'\n"
SWITCHED = "create_main_cluster = false\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on it: empty folders, and a PATH that holds only what a test puts into `bin`."""
    for name in ("bin", "postgresql", "share", "fonts"):
        (tmp_path / name).mkdir()
    for name in ("sh", "env", "cat", "cp", "mv", "rm", "tee", "mkdir", "touch", "chmod"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(system, "POSTGRESQL", tmp_path / "postgresql")
    monkeypatch.setattr(system, "EXTENSIONS", tmp_path / "share")
    monkeypatch.setattr(system, "FONT_FOLDERS", (tmp_path / "fonts",))
    monkeypatch.setattr(system, "_can_make_venv", lambda: True)
    monkeypatch.setattr(system, "_door", lambda: ())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def _postgresql(machine: Path, version: str, *, postgis: bool) -> None:
    major = version.partition(".")[0]
    _program(machine / "postgresql" / major / "bin", "postgres", f"echo 'postgres (PostgreSQL) {version}'")
    extensions = machine / "share" / major / "extension"
    extensions.mkdir(parents=True)
    if postgis:
        (extensions / "postgis.control").touch()


def test_a_bare_machine_misses_postgis_and_for_the_tests_a_browser_and_a_font(machine: Path) -> None:
    assert missing_packages("demo", {}) == ["postgresql", "postgresql-postgis"]
    assert missing_packages("test", {}) == ["postgresql", "postgresql-postgis", "chromium", "fonts-noto-cjk"]
    assert missing_packages("test", {}, is_conda=True) == ["chromium", "fonts-noto-cjk"]
    assert missing_packages("check", {}) == []
    assert missing_packages("bench", {}) == [*missing_packages("demo", {}), "gdal-bin", "chromium", "fonts-noto-cjk"]


def test_what_is_there_already_is_not_asked_for(machine: Path) -> None:
    _postgresql(machine, "15.18", postgis=True)
    _program(machine / "bin", "chromium", "")
    (machine / "fonts" / "NotoSansCJK-Regular.ttc").touch()
    assert missing_packages("test", {}) == []


@pytest.mark.parametrize(
    ("version", "postgis", "missing"),
    [
        ("16.10", False, ["postgresql-16-postgis-3"]),
        ("15.10", True, ["postgresql-15", "postgresql-15-postgis-3"]),
        ("14.19", True, ["postgresql", "postgresql-postgis"]),
    ],
)
def test_half_of_it_is_completed(machine: Path, version: str, postgis: bool, missing: list[str]) -> None:
    _postgresql(machine, version, postgis=postgis)
    assert missing_packages("demo", {}) == missing


def test_a_server_elsewhere_needs_none_here_for_the_demo(machine: Path) -> None:
    environ = {"DATABASE_URL": "postgresql://db.example/postgres"}
    assert missing_packages("demo", environ) == []
    assert missing_packages("test", environ)[0] == "postgresql"  # the tests have a cluster of their own


def test_a_browser_named_by_the_variable_is_used(machine: Path) -> None:
    _postgresql(machine, "15.18", postgis=True)
    browser = _program(machine / "opt", "my-chromium", "")
    assert missing_packages("test", {"BROWSER_PATH": str(browser)}) == []
    with pytest.raises(SetupError, match="not a program"):
        ensure_packages("test", {"BROWSER_PATH": "/nowhere/chromium"})


def test_without_root_and_sudo_it_says_exactly_what_to_install(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(machine / "bin", "apt-get", "touch called")
    monkeypatch.setattr(system, "_door", lambda: None)
    with pytest.raises(SetupError) as caught:
        ensure_packages("test", {})
    command = "apt-get install --no-install-recommends postgresql postgresql-postgis chromium fonts-noto-cjk"
    assert command in caught.value.remedy
    assert not (machine / "called").exists()


def test_a_system_without_apt_is_told_so(machine: Path) -> None:
    with pytest.raises(SetupError, match="no apt-get") as caught:
        ensure_packages("demo", {})
    assert "environment.yml" in caught.value.remedy


def _apt(machine: Path, monkeypatch: pytest.MonkeyPatch, *, on_server: str) -> Path:
    """An apt that logs what it is asked, brings createcluster.conf, and does something when the server comes."""
    config = machine / "createcluster.conf"
    server = machine / "postgresql" / "15" / "bin" / "postgres"
    extension = machine / "share" / "15" / "extension"
    script = f"""
    echo "$@" >> {machine}/asked
    case "$*" in
    *"install --no-install-recommends postgresql-common") printf '%s' "$ORIGINAL" > {config} ;;
    *postgresql-postgis*) cat {config} > {machine}/seen
      mkdir -p {server.parent} {extension}; touch {extension}/postgis.control
      echo '#!/bin/sh' > {server}; echo 'echo postgres 15.18' >> {server}; chmod 755 {server}
      {on_server} ;;
    esac
    """
    _program(machine / "bin", "apt-get", script)
    monkeypatch.setenv("ORIGINAL", ORIGINAL)
    monkeypatch.setattr(system, "no_main_cluster", lambda door: no_main_cluster(door, config))
    return config


def test_debian_is_kept_from_making_a_cluster_and_gets_its_setting_back(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = _apt(machine, monkeypatch, on_server=":")
    ensure_packages("demo", {})
    assert SWITCHED in (machine / "seen").read_text()
    assert "start_conf = 'manual'" in (machine / "seen").read_text()
    assert config.read_text() == ORIGINAL
    assert [file.name for file in machine.glob("createcluster*")] == ["createcluster.conf"]
    asked = (machine / "asked").read_text().splitlines()
    assert [line.partition("Retries=3 ")[2] for line in asked] == [
        "update",
        "install --no-install-recommends postgresql-common",
        "install --no-install-recommends postgresql postgresql-postgis",
    ]
    said = capsys.readouterr().out
    assert "Installing postgresql postgresql-postgis .." in said
    assert "done in" in said


def test_the_setting_comes_back_also_when_apt_fails(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = _apt(machine, monkeypatch, on_server="echo 'E: No space left on device'; exit 100")
    with pytest.raises(SetupError, match="No space left on device") as caught:
        ensure_packages("demo", {})
    assert "setup.log" in caught.value.remedy
    assert SWITCHED in (machine / "seen").read_text()
    assert config.read_text() == ORIGINAL


def test_a_setting_left_by_a_killed_run_is_put_back_by_the_next(tmp_path: Path) -> None:
    config = tmp_path / "createcluster.conf"
    config.write_text(SWITCHED)
    config.with_name("createcluster.conf.minqing-map-kept").write_text(ORIGINAL)
    config.with_name("createcluster.conf.minqing-map-kept").chmod(0o640)
    with no_main_cluster((), config):
        assert config.read_text() == SWITCHED + ORIGINAL
    assert config.read_text() == ORIGINAL
    assert config.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [config]


def test_where_there_was_no_setting_none_is_left(tmp_path: Path) -> None:
    config = tmp_path / "etc" / "createcluster.conf"
    with no_main_cluster((), config):
        assert config.read_text() == SWITCHED
    assert not config.exists()


def test_both_tables_of_versions_and_places_agree() -> None:
    assert system.FLOORS == binaries.FLOORS
    assert clean.OUTSIDE == place.OUTSIDE and clean.MEMORY == databases.MEMORY
    assert system.POSTGRESQL == binaries.DEBIAN


def test_a_stamp_holds_for_the_same_contents_only(tmp_path: Path) -> None:
    lock, stamp = tmp_path / "lock", tmp_path / "stamps" / "venv"
    lock.write_text("a==1")
    assert not is_done(stamp, mark_of([lock], "3.11"))
    set_done(stamp, mark_of([lock], "3.11"))
    assert is_done(stamp, mark_of([lock], "3.11"))
    assert not is_done(stamp, mark_of([lock], "3.12"))
    lock.write_text("a==2")
    assert not is_done(stamp, mark_of([lock], "3.11"))


def test_a_set_up_checkout_is_left_alone_at_no_cost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path / ".venv", False)
    _program(home.folder / "bin", "python", "touch called")
    (tmp_path / "requirements.lock").write_text("")
    (tmp_path / "pyproject.toml").write_text("")
    mark = mark_of(
        [tmp_path / "requirements.lock", tmp_path / "pyproject.toml"], str(home.folder), str(tmp_path), "none"
    )
    set_done(tmp_path / ".local" / "stamps" / "venv", mark)
    ensure_python(tmp_path, home)
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "called").exists()


def test_a_venv_that_was_half_made_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path / ".venv", False)
    (home.folder / "lib").mkdir(parents=True)
    (home.folder / "lib" / "half").touch()
    ran: list[list[str]] = []

    def pretend(title: str, command: list[str], **options: object) -> None:
        ran.append(command)
        if command[1:3] == ["-m", "venv"]:
            _program(home.folder / "bin", "python", "")

    monkeypatch.setattr("install.python.run_step", pretend)
    (tmp_path / "requirements.lock").write_text("")
    (tmp_path / "pyproject.toml").write_text("")
    ensure_python(tmp_path, home)
    assert not (home.folder / "lib").exists()
    assert ran[0] == [sys.executable, "-m", "venv", str(home.folder)]
    assert "--require-hashes" in ran[1]
    assert {"--no-deps", "--no-build-isolation", "--editable"} <= set(ran[2])
    assert len(ran) == 3
    ensure_python(tmp_path, home)
    assert len(ran) == 3


def _conda(folder: Path, *, postgis: bool) -> Path:
    (folder / "conda-meta").mkdir(parents=True)
    (folder / "bin").mkdir()
    for name in ("postgres", "initdb", "pg_ctl"):
        (folder / "bin" / name).symlink_to(binaries.find_binaries().program(name))
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / "share" / "extension").mkdir(parents=True)
    if postgis:
        (folder / "share" / "extension" / "postgis.control").touch()
    return folder


def test_the_active_conda_environment_is_used_when_it_was_made_for_this(tmp_path: Path) -> None:
    ours = _conda(tmp_path / "ours", postgis=True)
    base = _conda(tmp_path / "base", postgis=False)
    assert find_home(tmp_path, {"CONDA_PREFIX": str(ours)}) == Home(ours, True)
    assert find_home(tmp_path, {"CONDA_PREFIX": str(base)}) == Home(tmp_path / ".venv", False)
    assert find_home(tmp_path, {}) == Home(tmp_path / ".venv", False)


@pytest.mark.parametrize("postgis", [True, False])
def test_make_and_set_up_choose_the_same_python(tmp_path: Path, postgis: bool) -> None:
    conda = _conda(tmp_path / "env", postgis=postgis)
    environ = {**os.environ, "CONDA_PREFIX": str(conda)}
    command = ["make", "--no-print-directory", "-f", "Makefile", "-p", "-n", "help"]
    printed = subprocess.run(command, cwd=CHECKOUT, env=environ, capture_output=True, text=True, check=True).stdout
    home = find_home(Path(), {"CONDA_PREFIX": str(conda)})
    assert (f"CONDA := {conda}\n" in printed) is home.is_conda


def test_in_conda_no_venv_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conda = _conda(tmp_path / "env", postgis=True)
    ran: list[list[str]] = []
    monkeypatch.setattr("install.python.run_step", lambda title, command, **options: ran.append(command))
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_text("")
    ensure_python(tmp_path, Home(conda, True))
    assert [command[0] for command in ran] == [str(conda / "bin" / "python")] * 2
    assert not (tmp_path / ".venv").exists()


def test_a_step_that_fails_shows_its_last_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "setup.log"
    with pytest.raises(SetupError) as caught:
        run_step("Counting", ["sh", "-c", "echo one; echo two; exit 3"], remedy="Count again.", log=log)
    assert "two" in caught.value.message
    assert "Count again." in caught.value.remedy
    assert "Counting .." in capsys.readouterr().out
    assert "one\ntwo\n" in log.read_text()
    with pytest.raises(SetupError, match="cannot be run"):
        run_step("Flying", [str(tmp_path / "no-such-program")], remedy="Walk.", log=log)


@pytest.mark.parametrize("version", [(3, 9), (3, 10), (3, 14)])
def test_an_unfit_python_is_named(version: tuple[int, int]) -> None:
    with pytest.raises(SetupError, match=rf"Python 3\.{version[1]}; 3\.11, 3\.12 or 3\.13 is needed"):
        check_version(version)


def test_node_that_is_not_there_is_named(tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(SetupError, match="Node is not in") as caught:
        ensure_node(tmp_path, Home(tmp_path / ".venv", False))
    assert "make clean" in caught.value.remedy


def test_a_port_in_use_is_found_before_anything_is_done() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SetupError, match=f"Port {port} is in use") as caught:
            demo.check_port({"PORT": str(port)})
    assert "make demo PORT=" in caught.value.remedy
    demo.check_port({"PORT": str(port)})
    with pytest.raises(SetupError, match="PORT is 'http'"):
        demo.check_port({"PORT": "http"})


def test_deliveries_are_built_once_and_anew_for_other_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, ...]] = []

    def pretend(title: str, module: str, *words: str) -> None:
        ran.append(words)
        folder = Path(words[-1])
        folder.mkdir(exist_ok=True)
        (folder / demo.WHOLE).touch()

    monkeypatch.setattr(demo, "run", pretend)
    environ = {"LOCAL_DIR": str(tmp_path)}
    demo.build_deliveries(environ, [])
    demo.build_deliveries(environ, [])
    assert ran == [("demo", "build", "--size", "full", "--out", str(tmp_path / "deliveries"))]
    demo.build_deliveries(environ, ["--size", "small"])
    demo.build_deliveries(environ, ["--size", "small"])
    demo.build_deliveries(environ, [])
    assert len(ran) == 2
    demo.build_deliveries({**environ, "DELIVERY_DIR": "/somewhere"}, [])
    assert len(ran) == 2


def test_clean_removes_what_was_made_and_stops_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "var"
    monkeypatch.setattr(clean, "OUTSIDE", outside)
    monkeypatch.setattr(databases, "MEMORY", tmp_path)
    monkeypatch.setattr(databases, "ENOUGH", 0)
    monkeypatch.setattr(clean, "MEMORY", tmp_path)
    assert databases.room_of(read_settings({"LOCAL_DIR": str(tmp_path / ".local" / "test")}))
    data = tmp_path / ".local" / "server" / "data"
    for folder in (data, tmp_path / ".venv", tmp_path / "node_modules", tmp_path / "layers"):
        folder.mkdir(parents=True)
    with subprocess.Popen(["sleep", "60"], cwd=data) as server:
        (data / "postmaster.pid").write_text(f"{server.pid}\n")
        clean.clean(tmp_path, {})
    assert server.returncode == -signal.SIGINT
    assert [path.name for path in tmp_path.iterdir()] == ["layers"]
    assert "Removed" in capsys.readouterr().out
    clean.clean(tmp_path, {})
    clean.stop(tmp_path, {})
    assert "not running" in capsys.readouterr().out


def test_unknown_words_get_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dance"]) == 2
    assert "setup" in capsys.readouterr().out


def test_make_lists_what_it_can_do() -> None:
    done = subprocess.run(["make", "--no-print-directory"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert "make demo" in done.stdout
    text = (CHECKOUT / "Makefile").read_text()
    for target in ("setup", "demo", "test", "check", "bench", "soak", "down", "clean", "lock"):
        assert f"\n{target}:" in text
