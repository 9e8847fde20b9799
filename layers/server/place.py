"""Where the private cluster lies and whom it belongs to.

PostgreSQL refuses to run as root. When root starts it, the cluster belongs to the system's user `postgres`; where that
user cannot enter the checkout, the cluster lies in /var/lib instead. Either way `.local/server.json` says where.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from layers.errors import ServerError
from layers.settings import Settings

OUTSIDE = Path("/var/lib/minqing-map")
SOCKET_LIMIT = 107
_LONGEST_SOCKET = ".s.PGSQL.65535.lock"


@dataclass(frozen=True)
class Place:
    """Folder of a cluster, the OS user it belongs to (None = whoever runs this), and its programs' environment."""

    home: Path
    user: str | None

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the server had to say."""
        return self.home / "server.log"

    def run(self, command: Sequence[str | Path], timeout_s: float = 600) -> subprocess.CompletedProcess[str]:
        """Run a program as the cluster's user, apart from our own environment (PG*, PROJ*, GDAL* would mislead it)."""
        who: dict[str, Any] = {}
        if self.user:
            entry = pwd.getpwnam(self.user)
            groups = os.getgrouplist(self.user, entry.pw_gid)
            who = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups}
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        return subprocess.run(
            [str(word) for word in command],
            env=environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout_s,
            **who,
        )

    def own(self, path: Path) -> None:
        """Hand a path over to the cluster's user."""
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)


@dataclass(frozen=True)
class Record:
    """What `.local/server.json` remembers between two commands."""

    home: str
    socket_dir: str
    port: int


def find_place(settings: Settings) -> Place:
    """Return where the cluster of these settings lies or will lie; makes nothing.

    Raises
    ------
    ServerError
        We are root and there is no other user to give it to.
    """
    inside = settings.local_dir / "server"
    me = os.geteuid()
    owner = _owner(inside)
    if me != 0:
        if owner not in (None, me):
            raise ServerError(
                f"The private cluster in {inside} belongs to another user.",
                "Run the command as the user who made it, or set LOCAL_DIR to a folder of your own.",
            )
        return Place(inside, None)
    if owner:  # where it is it stays, also an ordinary user's when root looks after it
        return Place(inside, pwd.getpwuid(owner).pw_name)
    try:
        pwd.getpwnam("postgres")
    except KeyError as error:
        raise ServerError(
            "PostgreSQL refuses to run as root, and there is no user `postgres` to run it as.",
            "Run this as an ordinary user, or make one: `useradd --system postgres`.",
        ) from error
    outside = OUTSIDE / hashlib.sha256(str(settings.local_dir).encode()).hexdigest()[:12]
    enters = not outside.exists() and _can_enter(settings.local_dir, "postgres")
    return Place(inside if enters else outside, "postgres")


def make_home(place: Place) -> None:
    """Make the cluster's folder, belonging to its user and closed to all others."""
    try:
        place.home.parent.mkdir(parents=True, exist_ok=True)
        place.home.mkdir(mode=0o700, exist_ok=True)
        place.own(place.home)
    except OSError as error:
        raise ServerError(
            f"{place.home} cannot be made: {error.strerror}.",
            "Run the command as the user who owns that folder, or set LOCAL_DIR to a folder of your own.",
        ) from error


def make_socket_dir(place: Place, earlier: str | None) -> Path:
    """Return a folder for the socket whose path is short enough; the earlier one where that is still there."""
    inside = place.home / "socket"
    if len(os.fsencode(inside / _LONGEST_SOCKET)) <= SOCKET_LIMIT:
        inside.mkdir(mode=0o700, exist_ok=True)
        place.own(inside)
        return inside
    owner = pwd.getpwnam(place.user).pw_uid if place.user else os.geteuid()
    if earlier and Path(earlier).is_dir() and Path(earlier).stat().st_uid == owner:
        return Path(earlier)
    short = Path(tempfile.mkdtemp(prefix="minqing-", dir="/tmp"))
    place.own(short)
    return short


def record_file(settings: Settings) -> Path:
    """Return the file that remembers where the cluster is."""
    return settings.local_dir / "server.json"


def read_record(settings: Settings) -> Record | None:
    """Return what was remembered, or None where nothing readable was."""
    try:
        found = json.loads(record_file(settings).read_text(encoding="utf-8"))
        return Record(str(found["home"]), str(found["socket_dir"]), int(found["port"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(settings: Settings, record: Record) -> None:
    """Remember where the cluster is, in one step."""
    path = record_file(settings)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
    fresh.replace(path)


def _owner(folder: Path) -> int | None:
    try:
        return folder.stat().st_uid
    except OSError:
        return None


def _can_enter(folder: Path, user: str) -> bool:
    nearest = next(p for p in (folder, *folder.parents) if p.exists())
    test = shutil.which("test") or "/usr/bin/test"
    entry = pwd.getpwnam(user)
    return (
        subprocess.run(
            [test, "-x", str(nearest)], user=entry.pw_uid, group=entry.pw_gid, extra_groups=[], cwd="/", check=False
        ).returncode
        == 0
    )
