"""The private cluster's life: made by initdb, configured, started, stopped, removed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import tempfile
import time
from pathlib import Path

from layers.errors import ServerError
from layers.server.binaries import Binaries
from layers.server.place import Place

ADMIN = "atlas_admin"
CONFIG = "atlas.conf"
_GB = 1024**3
_MB = 1024**2
_BIG_LOG = 10 * _MB
_PASSING = re.compile(r"lock file|shared memory|create any TCP/IP sockets|could not bind|already in use")
"""Complaints that go away by themselves, or on another port."""


def make_cluster(place: Place, binaries: Binaries, password: str) -> None:
    """Make a fresh cluster. It is made aside and renamed, so that a killed initdb leaves nothing that looks whole."""
    for left_over in place.home.glob("making-*"):
        shutil.rmtree(left_over)
    if place.data.exists():
        if (place.data / "global" / "pg_control").exists() or any((place.data / "base").glob("*/*")):
            raise ServerError(
                f"The cluster in {place.data} is damaged: it has no PG_VERSION.",
                "Put it back from a backup, or `make clean` and load the deliveries anew.",
            )
        shutil.rmtree(place.data)  # never was a cluster, holds no data
    aside = Path(tempfile.mkdtemp(prefix="making-", dir=place.home))
    secret = aside / "password"
    secret.write_text(password + "\n", encoding="utf-8")
    secret.chmod(0o600)
    place.own(secret)
    place.own(aside)
    data = aside / "data"
    words: list[str | Path] = [binaries.program("initdb"), "--pgdata", data, "--username", ADMIN, "--pwfile", secret]
    words += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-instructions"]
    try:
        done = place.run(words)
    except PermissionError as error:
        raise ServerError(
            f"The user {place.user} may not enter {binaries.folder}.",
            "Run this as an ordinary user, or install PostgreSQL where that user can reach it.",
        ) from error
    if done.returncode != 0:
        raise ServerError(
            f"PostgreSQL could not make its cluster in {place.home}: {_last_line(done.stderr)}",
            "Mend what it says (often: disk full, or a folder of another user) and run the command again.",
        )
    (data / "pg_hba.conf").write_text(
        "local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n", encoding="utf-8"
    )
    with (data / "postgresql.conf").open("a", encoding="utf-8") as out:
        out.write(f"include '{CONFIG}'\n")
    data.rename(place.data)
    shutil.rmtree(aside)


def start_cluster(place: Place, binaries: Binaries, socket_dir: Path, port: int | None) -> int:
    """Start the cluster on its earlier port where that is free; returns the port.

    A start right after a kill finds stale locks and children that are still leaving; it is tried again.
    """
    message = ""
    for attempt in range(5):
        _clear_stale(place, socket_dir)
        use = port if port and attempt == 0 and _is_free(port) else _free_port()
        _write_config(place, socket_dir, use)
        if place.log.exists() and place.log.stat().st_size > _BIG_LOG:
            place.log.unlink()
        begin = place.log.stat().st_size if place.log.exists() else 0
        done = place.run(
            [binaries.program("pg_ctl"), "-D", place.data, "-l", place.log, "-w", "-t", "300", "-s", "start"]
        )
        if done.returncode == 0:
            return use
        message = _reason(place.log, begin) or _last_line(done.stderr)
        if not _PASSING.search(message):
            break
        time.sleep(0.3 * 2**attempt)
    raise ServerError(
        f"PostgreSQL does not start: {message}", f"Its log is {place.log}; `make clean` removes the cluster."
    )


def stop_cluster(place: Place, binaries: Binaries) -> bool:
    """Stop the cluster; returns whether it was running."""
    if running_port(place) is None:
        return False
    done = place.run([binaries.program("pg_ctl"), "-D", place.data, "-m", "fast", "-w", "-t", "120", "-s", "stop"])
    if done.returncode != 0 and running_port(place) is not None:
        raise ServerError(
            f"PostgreSQL does not stop: {_last_line(done.stderr)}", f"Its log is {place.log}; try once more."
        )
    return True


def remove_cluster(place: Place, socket_dir: Path | None) -> None:
    """Remove a stopped cluster and its socket's folder."""
    if socket_dir is not None and socket_dir.is_dir() and socket_dir.name.startswith("minqing-"):
        shutil.rmtree(socket_dir)
    if place.home.exists():
        shutil.rmtree(place.home)


def running_port(place: Place) -> int | None:
    """Return the port the cluster is running on, or None when it is not running."""
    try:
        lines = (place.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        pid, port = int(lines[0]), int(lines[3])
    except (OSError, ValueError, IndexError):
        return None
    return port if pid in _inhabitants(place.data) else None


def kill_orphans(place: Place) -> None:
    """End what still runs in a cluster's folder whose server is gone, so that the folder can be removed."""
    for pid in _inhabitants(place.data):
        os.kill(pid, signal.SIGKILL)


def _inhabitants(data: Path) -> frozenset[int]:
    """Processes at home in a data directory: a server and its children never leave it.

    A pid alone proves nothing: after a restart of the machine it may be anybody's.
    """
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            home = (process / "cwd").readlink()
            state = (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
        except OSError:
            continue  # gone meanwhile, or another user's
        if home == data and state != "Z":
            found.add(int(process.name))
    return frozenset(found)


def _clear_stale(place: Place, socket_dir: Path) -> None:
    pid_file = place.data / "postmaster.pid"
    patience = time.monotonic() + 20
    while (alive := _inhabitants(place.data)) and time.monotonic() < patience:
        time.sleep(0.05)
    if alive:
        raise ServerError(
            f"Processes of an earlier server still work in {place.data}: {', '.join(map(str, sorted(alive)))}.",
            "Wait until they have ended, or end them, and run the command again.",
        )
    pid_file.unlink(missing_ok=True)
    for left_over in socket_dir.glob(".s.PGSQL.*"):
        left_over.unlink(missing_ok=True)


def _write_config(place: Place, socket_dir: Path, port: int) -> None:
    path = place.data / CONFIG
    lines = [f"{key} = '{value}'" for key, value in _config(place, socket_dir, port).items()]
    path.write_text("# Written at every start.\n" + "\n".join(lines) + "\n", encoding="utf-8")
    place.own(path)


def _config(place: Place, socket_dir: Path, port: int) -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free = shutil.disk_usage(place.home).free
    config = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(socket_dir),
        "unix_socket_permissions": "0700",
        "password_encryption": "scram-sha-256",
        "shared_buffers": _size(memory // 8, 128 * _MB, 4 * _GB),
        "effective_cache_size": _size(memory // 2, 256 * _MB, 64 * _GB),
        "maintenance_work_mem": _size(memory // 32, 64 * _MB, _GB),
        "work_mem": _size(memory // 512, 8 * _MB, 64 * _MB),
        "max_wal_size": _size(free // 8, _GB, 8 * _GB),
        "checkpoint_timeout": "15min",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "fsync": "on",
        "synchronous_commit": "on",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "lc_messages": "C",
        # A failed statement or the detail of an error can hold a resident's name; neither goes into the log.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length_on_error": "0",
    }
    shared = Path("/dev/shm")
    if not shared.is_dir() or shutil.disk_usage(shared).total < 512 * _MB:  # small in many containers
        config["dynamic_shared_memory_type"] = "mmap"
    return config


def _size(wanted: int, least: int, most: int) -> str:
    return f"{max(least, min(most, wanted)) // _MB}MB"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it gave no reason."


def _reason(log: Path, begin: int) -> str:
    try:
        with log.open("rb") as source:
            source.seek(begin)
            said = source.read().decode(errors="replace")
    except OSError:
        return ""
    complaints = re.findall(r"(?:FATAL|PANIC):\s+(.*)", said)
    return complaints[-1] if complaints else ""
