"""Packages of the system: PostgreSQL with PostGIS, Python's venv; for the tests also Chromium and a CJK font."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from install.debian import no_main_cluster
from install.errors import SetupError
from install.progress import run_step, say

POSTGRESQL = Path("/usr/lib/postgresql")
EXTENSIONS = Path("/usr/share/postgresql")
# Lowest minor version of each major one; the same table as in layers/server/binaries.py, which a test holds.
FLOORS = {15: 14, 16: 10, 17: 6, 18: 0}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_APT = ("apt-get", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3")
_QUIET = ("DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=l")


def missing_packages(target: str, environ: Mapping[str, str], *, is_conda: bool = False) -> list[str]:
    """Return the Debian packages that are still missing for a target such as `demo` or `test`.

    An active conda environment brings PostGIS and Python itself; the checks alone need no database.
    """
    packages = []
    elsewhere = bool(environ.get("DATABASE_URL")) and target == "demo"
    if not is_conda and not elsewhere and target != "check":
        packages += _postgis_packages()
    if not is_conda and not _can_make_venv():
        packages.append("python3-venv")
    if target == "bench" and shutil.which("ogr2ogr") is None:
        packages.append("gdal-bin")  # one of the peers measured against
    if target in ("test", "bench") and not environ.get("BROWSER_PATH"):
        if not any(shutil.which(name) for name in BROWSERS):
            packages.append("chromium")
        if not any(next(folder.rglob("*CJK*"), None) for folder in FONT_FOLDERS):
            packages.append("fonts-noto-cjk")
    return packages


def ensure_packages(target: str, environ: Mapping[str, str], *, is_conda: bool = False) -> None:
    """Install with apt what is missing; asks no question.

    Raises
    ------
    SetupError
        There is no apt, or neither root nor sudo: says exactly what to install. Or apt failed.
    """
    _check_browser(target, environ)
    packages = missing_packages(target, environ, is_conda=is_conda)
    if not packages:
        return
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise SetupError(
            f"Missing on this system, which has no apt-get: {_plainly(packages)}.",
            "Install them with the system's own package manager, or use the conda environment of environment.yml.",
        )
    door = _door()
    if door is None:
        raise SetupError(
            f"These packages are missing, and installing them takes root or sudo: {names}.",
            f"Have somebody run `apt-get install --no-install-recommends {names}`. If Debian's PostgreSQL then starts "
            "a cluster `main`, it is not used and may be stopped.",
        )
    if door and door[-1] != "-n":
        say("sudo may ask for your password.")
    apt = [*door, "env", *_QUIET, *_APT]
    remedy = "Mend what apt complains about (network, sources, disk space) and run the command again."
    run_step("Fetching the lists of packages", [*apt, "update"], remedy=remedy)
    postgresql = [p for p in packages if p.startswith("postgresql")]
    if postgresql:
        # postgresql-common brings createcluster.conf and no server: after it, but before the server, is the moment
        # at which Debian can be kept from making a cluster of its own.
        install = [*apt, "install", "--no-install-recommends"]
        run_step("Installing postgresql-common", [*install, "postgresql-common"], remedy=remedy)
        with no_main_cluster(door):
            run_step(f"Installing {' '.join(postgresql)}", [*install, *postgresql], remedy=remedy)
    others = [p for p in packages if p not in postgresql]
    if others:
        run_step(f"Installing {' '.join(others)}", [*apt, "install", "--no-install-recommends", *others], remedy=remedy)
    still = missing_packages(target, environ, is_conda=is_conda)
    if still:
        raise SetupError(
            f"The packages of this system do not bring what is needed: {_plainly(still)}.",
            "PostgreSQL 15 to 18 with PostGIS 3.3 is needed, as in Debian 12 or later; "
            "or set DATABASE_URL, or use the conda environment of environment.yml.",
        )


def _postgis_packages() -> list[str]:
    unfit = []
    for folder in sorted(POSTGRESQL.glob("*"), key=lambda f: f.name, reverse=True):
        major = int(folder.name) if folder.name.isdigit() else 0
        if major in FLOORS and (folder / "bin" / "postgres").exists():
            if not _is_fit(folder, major):
                unfit = [f"postgresql-{major}", f"postgresql-{major}-postgis-3"]  # apt then brings the newer one
            elif (EXTENSIONS / folder.name / "extension" / "postgis.control").exists():
                return []
            else:
                unfit = [f"postgresql-{major}-postgis-3"]
    on_path = shutil.which("postgres")
    if on_path and not unfit and shutil.which("apt-get") is None:
        return []  # another system's; the server itself is asked for PostGIS when it starts
    return unfit or ["postgresql", "postgresql-postgis"]


def _is_fit(folder: Path, major: int) -> bool:
    asked = [str(folder / "bin" / "postgres"), "--version"]
    found = re.search(r"\d+\.(\d+)", subprocess.run(asked, capture_output=True, text=True, check=False).stdout)
    return found is not None and int(found[1]) >= FLOORS[major]


def _can_make_venv() -> bool:
    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))


def _check_browser(target: str, environ: Mapping[str, str]) -> None:
    named = environ.get("BROWSER_PATH")
    if target in ("test", "bench") and named and not os.access(named, os.X_OK):
        raise SetupError(
            f"BROWSER_PATH is {named}, which is not a program.", "Name a Chromium, or unset it to have one installed."
        )


def _door() -> Sequence[str] | None:
    """Words that let a command run as root: none as root, sudo where it works, None where there is no way."""
    if os.geteuid() == 0:
        return ()
    if shutil.which("sudo") is None:
        return None
    if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ("sudo", "-n")
    return ("sudo",) if sys.stdin.isatty() and subprocess.run(["sudo", "-v"], check=False).returncode == 0 else None


def _plainly(packages: Sequence[str]) -> str:
    plain = {
        "chromium": "Chromium",
        "gdal-bin": "ogr2ogr",
        "fonts-noto-cjk": "a font with Chinese characters",
        "python3-venv": "Python's venv",
    }
    words = dict.fromkeys(plain.get(p, "PostgreSQL with PostGIS") for p in packages)
    return ", ".join(words)
