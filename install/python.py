"""Python: a virtual environment with exactly the locked packages, or the active conda environment made for this."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from install.errors import SetupError
from install.progress import run_step, say
from install.stamp import is_done, mark_of, set_done

FITTING = ((3, 11), (3, 12), (3, 13))
_UNSWAYED = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}  # a user's own pip.conf may say otherwise
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--progress-bar", "off")


@dataclass(frozen=True)
class Home:
    """Where Python's packages go: the folder of an environment, and whether it is conda's."""

    folder: Path
    is_conda: bool

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"


def find_home(checkout: Path, environ: Mapping[str, str]) -> Home:
    """Return the environment to use: an active conda environment with PostgreSQL and PostGIS in it, else `.venv`."""
    prefix = environ.get("CONDA_PREFIX")
    if prefix and is_ours(Path(prefix)):
        return Home(Path(prefix), True)
    return Home(checkout / ".venv", False)


def is_ours(prefix: Path) -> bool:
    """Return whether a conda environment was made from `environment.yml`: it has PostgreSQL, PostGIS and Python."""
    extensions = (prefix / "share" / "extension", prefix / "share" / "postgresql" / "extension")
    return (
        (prefix / "conda-meta").is_dir()
        and (prefix / "bin" / "postgres").exists()
        and (prefix / "bin" / "python").exists()
        and any((folder / "postgis.control").exists() for folder in extensions)
    )


def ensure_python(checkout: Path, home: Home) -> None:
    """Install the locked packages and the project itself, unless that was done for this very lock.

    Raises
    ------
    SetupError
        The environment cannot be made, or pip could not get the packages.
    """
    lock = checkout / "requirements.lock"
    mark = mark_of([lock, checkout / "pyproject.toml"], str(home.folder), str(checkout), _version(home))
    stamp = checkout / ".local" / "stamps" / ("conda" if home.is_conda else "venv")
    if is_done(stamp, mark) and home.python.exists():
        return
    stamp.unlink(missing_ok=True)
    if not home.is_conda and not _works(home):
        shutil.rmtree(home.folder, ignore_errors=True)
        run_step(
            f"Making {home.folder.name} with Python {sys.version_info.major}.{sys.version_info.minor}",
            [sys.executable, "-m", "venv", str(home.folder)],
            remedy="Python's venv has to work: on Debian, install python3-venv.",
        )
    if home.is_conda:
        say(f"Using the active conda environment {home.folder}.")
    remedy = "Check the network and the disk space and run the command again; what was fetched is kept."
    python = str(home.python)
    locked = [python, *_PIP, "--require-hashes", "-r", str(lock)]
    run_step("Installing the locked Python packages (about 500 MB)", locked, remedy=remedy, environ=_UNSWAYED)
    own = [python, *_PIP, "--no-deps", "--no-build-isolation", "--editable", str(checkout)]
    run_step("Installing the project itself", own, remedy=remedy, environ=_UNSWAYED)
    set_done(stamp, mark_of([lock, checkout / "pyproject.toml"], str(home.folder), str(checkout), _version(home)))


def check_version(version: tuple[int, int] = sys.version_info[:2]) -> None:
    """Refuse a Python the packages are not made for.

    Raises
    ------
    SetupError
        This is not Python 3.11, 3.12 or 3.13.
    """
    if version not in FITTING:
        raise SetupError(
            f"This is Python {version[0]}.{version[1]}; 3.11, 3.12 or 3.13 is needed.",
            "Install one of them and name it: `make demo PYTHON=python3.12`.",
        )


def _works(home: Home) -> bool:
    """Whether the environment has a Python that runs, is fit, and has pip."""
    if not home.python.exists():
        return False
    asked = "import sys, pip; print(sys.version_info[:2] in ((3, 11), (3, 12), (3, 13)), sys.prefix)"
    done = subprocess.run([str(home.python), "-c", asked], capture_output=True, text=True, check=False)
    return done.stdout.strip() == f"True {home.folder}"


def _version(home: Home) -> str:
    """What the interpreter of an environment really is; a changed one makes the stamp void."""
    config = home.folder / "pyvenv.cfg"
    if config.exists():
        return config.read_text(encoding="utf-8", errors="replace")
    return str((home.folder / "bin" / "python").resolve()) if home.is_conda else "none"
