"""Databases of the tests: copied from a template, kept under a hash of what they are made from."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from layers.database import Database
from layers.secrets import read_secrets
from layers.server import Server
from layers.server.place import find_place
from layers.settings import CHECKOUT, Settings

MEMORY = Path("/dev/shm")
ENOUGH = 4 * 1024**3
"""Free memory from which on copies lie there: those of two runs at once take less than half of it."""

_ROOM = "room"
_NUMBERS = itertools.count(1)


def room_of(settings: Settings) -> Path | None:
    """Folder in memory for the copies, or None where there is little of it; it is to be there when the server starts.

    A disk takes ten times as long to make and to drop the hundreds of files of a copy.
    """
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ENOUGH:
        return None
    folder = MEMORY / f"minqing-test-{hashlib.sha256(str(settings.local_dir).encode()).hexdigest()[:12]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    find_place(settings).own(folder)
    return folder


def furnish(server: Server, settings: Settings, room: Path | None) -> None:
    """Let copies be made in that folder; where memory was lost since, what lay in it goes."""
    with alone(settings, "room"), _admin(server) as conn:
        known = conn.execute("SELECT oid FROM pg_tablespace WHERE spcname = %s", [_ROOM]).fetchone()
        if room is None or (known and any(room.iterdir())):
            return
        if known:
            for (name,) in conn.execute("SELECT datname FROM pg_database WHERE dattablespace = %s", known).fetchall():
                _drop(server, name)
            conn.execute(sql.SQL("DROP TABLESPACE {}").format(_name(_ROOM)))
        for left_over in room.iterdir():  # of a cluster that was removed
            shutil.rmtree(left_over)
        conn.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(_name(_ROOM), str(room)))


def hasten(server: Server) -> None:
    """Let a server wait for no disk: what is on it can be made again, and is copied and dropped by the hundred."""
    for name in ("fsync", "full_page_writes"):
        with _admin(server) as conn:
            conn.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(_name(name)))
            conn.execute("SELECT pg_reload_conf()")
        is_off = False
        while not is_off:  # the server reads it between two connections
            with _admin(server) as conn:
                is_off = conn.execute("SELECT current_setting(%s)", [name]).fetchone() == ("off",)


@contextlib.contextmanager
def copy_of(source: Database, server: Server, settings: Settings) -> Iterator[Database]:
    """Copy a database that nobody is connected to, and drop the copy afterwards."""
    fresh = database(server, settings, f"test_{os.getpid()}_{next(_NUMBERS)}")
    with alone(settings, "copy"):
        create(server, fresh, source, in_memory=True)
    try:
        yield fresh
    finally:
        _drop(server, fresh.name)


def kept(server: Server, settings: Settings, name: str, make: Callable[[Database], object]) -> Database:
    """The database of that name: made aside and renamed, so that one under its name is always whole."""
    kept = database(server, settings, name)
    with _admin(server) as conn:
        if conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return kept
        kind = name.partition("_")[0]
        for (old,) in conn.execute("SELECT datname FROM pg_database WHERE datname ^@ %s", [f"{kind}_"]).fetchall():
            busy = conn.execute("SELECT 1 FROM pg_stat_activity WHERE datname = %s", [old]).fetchone()
            if not busy:
                _drop(server, old)
    making = database(server, settings, f"test_{os.getpid()}_{name}")
    make(making)
    with _admin(server) as conn:
        conn.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(_name(making.name), _name(name)))
    return kept


def create(server: Server, fresh: Database, source: Database, *, in_memory: bool = False) -> None:
    """Copy a database, rights on the database itself included: PostgreSQL leaves those behind."""
    from layers.migrations.roles import close_doors

    command = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(_name(fresh.name), _name(source.name))
    with _admin(server) as conn:
        if in_memory and conn.execute("SELECT FROM pg_tablespace WHERE spcname = %s", [_ROOM]).fetchone() is not None:
            command += sql.SQL(" TABLESPACE {}").format(_name(_ROOM))
        conn.execute(command)
    with fresh.connect("admin") as conn:
        close_doors(conn, fresh)


def _drop(server: Server, name: str) -> None:
    with _admin(server) as conn:
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(_name(name)))


def drop_left_overs(server: Server) -> None:
    """Drop what a killed run left behind."""
    with _admin(server) as conn:
        names = conn.execute(r"SELECT datname FROM pg_database WHERE datname ~ '^test_\d+_'").fetchall()
    for (name,) in names:
        if not Path("/proc", name.split("_")[1]).exists():
            _drop(server, name)


def database(server: Server, settings: Settings, name: str) -> Database:
    return Database(name=name, admin_url=server.admin_url, passwords=read_secrets(settings).passwords)


def _name(name: str) -> sql.Identifier:
    return sql.Identifier(name)


def _admin(server: Server) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(server.admin_url, autocommit=True)


@contextlib.contextmanager
def alone(settings: Settings, what: str) -> Iterator[None]:
    """One process at a time."""
    settings.local_dir.mkdir(parents=True, exist_ok=True)
    with (settings.local_dir / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def hash_of(*places: str) -> str:
    """Hash of the files something is made from."""
    digest = hashlib.sha256()
    for place in places:
        root = CHECKOUT / place
        files = sorted(root.rglob("*")) if root.is_dir() else [root]
        for path in files:
            if path.is_file() and path.suffix != ".pyc":
                digest.update(str(path.relative_to(CHECKOUT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
