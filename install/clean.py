"""Stop the private clusters, and take away everything the set-up and the demonstration have made.

It does without `.venv` and without PostgreSQL's programs, so that it also works when those are what is broken.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from install.errors import SetupError
from install.progress import say

OUTSIDE = Path("/var/lib/minqing-map")
"""Where a cluster lies whose user cannot enter the checkout; as in layers/server/place.py, which a test holds."""

MEMORY = Path("/dev/shm")
"""Where the tests' copies of databases lie; as in tests/databases.py, which a test holds."""

MADE = (".local", ".venv", "node_modules", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")
_PATIENCE_S = 60.0


def local_dirs(checkout: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return the folders that may have a cluster: the demonstration's and the tests'."""
    named = environ.get("LOCAL_DIR")
    local = Path(named).expanduser().resolve() if named else checkout / ".local"
    return list(dict.fromkeys([local, local / "test", checkout / ".local" / "test"]))


def stop(checkout: Path, environ: Mapping[str, str]) -> None:
    """Stop the clusters, keeping their data."""
    stopped = [home for local in local_dirs(checkout, environ) for home in _homes(local) if _stop(home)]
    say(f"Stopped the database server{'s' * (len(stopped) > 1)}." if stopped else "The database server is not running.")


def clean(checkout: Path, environ: Mapping[str, str]) -> None:
    """Stop and remove the clusters, then `.local`, `.venv` and `node_modules`.

    Raises
    ------
    SetupError
        Something belongs to another user.
    """
    folders: list[Path] = []
    for local in local_dirs(checkout, environ):
        for home in _homes(local):
            _stop(home)
            folders.append(home)
        folders += [*_socket_dirs(local), MEMORY / f"minqing-test-{_key(local)}"]
    folders += [local_dirs(checkout, environ)[0], *(checkout / name for name in MADE)]
    try:
        for folder in folders:
            if folder.exists():
                shutil.rmtree(folder)
                say(f"Removed {folder}.")
    except OSError as error:
        raise SetupError(
            f"{error.filename} cannot be removed: {error.strerror}.", "Run `make clean` as the user whom it belongs to."
        ) from error


def _homes(local: Path) -> list[Path]:
    return [home for home in (local / "server", OUTSIDE / _key(local)) if home.exists()]


def _key(local: Path) -> str:
    return hashlib.sha256(str(local).encode()).hexdigest()[:12]


def _socket_dirs(local: Path) -> list[Path]:
    """Short folders for sockets that lie in /tmp since the cluster's own path is too long."""
    try:
        named = Path(json.loads((local / "server.json").read_text(encoding="utf-8"))["socket_dir"])
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [named] if named.parent == Path("/tmp") and named.name.startswith("minqing-") else []


def _stop(home: Path) -> bool:
    """End the server at home in a folder; returns whether there was one. SIGINT is PostgreSQL's fast shutdown."""
    data = home / "data"
    if not _inhabitants(data):
        return False
    try:
        server = int((data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    except (OSError, ValueError, IndexError):
        server = 0
    if server in _inhabitants(data):
        os.kill(server, signal.SIGINT)
    end = time.monotonic() + (_PATIENCE_S if server else 0)
    while _inhabitants(data) and time.monotonic() < end:
        time.sleep(0.05)
    for pid in _inhabitants(data):
        os.kill(pid, signal.SIGKILL)
    return True


def _inhabitants(data: Path) -> set[int]:
    """Processes whose working directory is the data directory, as it is for a server and all its children."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == data:
                found.add(int(process.name))
        except OSError:
            continue
    return found
