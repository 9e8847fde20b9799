"""A PostGIS server: a private cluster that is made and started as needed, or the one DATABASE_URL names."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import conninfo

from layers.errors import ServerError
from layers.secrets import read_secrets
from layers.server import cluster
from layers.server.binaries import find_binaries, postgis_problem, version_problem
from layers.server.place import (
    Place,
    Record,
    find_place,
    make_home,
    make_socket_dir,
    read_record,
    record_file,
    write_record,
)
from layers.settings import Settings

__all__ = ["Server", "ensure_server", "read_server", "remove_server", "server_is_running", "stop_server"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Server:
    """A server that can be connected to; `admin_url` is that of a role that may make databases and roles."""

    host: str
    port: int
    socket_dir: Path | None
    admin_url: str = field(repr=False)


def ensure_server(settings: Settings, say: Say = print) -> Server:
    """Return the running server, making and starting the private cluster where that is needed.

    Raises
    ------
    ServerError
        PostgreSQL or PostGIS is missing or unfit, or does not start; says how to mend it.
    """
    if settings.database_url:
        server = _named(settings.database_url)
        _check(server, is_ours=False)
        return server
    with _lock(settings):
        place = find_place(settings)
        started = _start(settings, place, say)
    server = read_server(settings)
    if started:
        _check(server, is_ours=True)
    return server


def read_server(settings: Settings) -> Server:
    """Return the server that runs, or is named, without starting anything.

    Raises
    ------
    ServerError
        The private cluster is not running.
    """
    if settings.database_url:
        return _named(settings.database_url)
    record = read_record(settings)
    port = cluster.running_port(Place(Path(record.home), None)) if record else None
    if record is None or port is None:
        raise ServerError("The database server is not running.", "Start it: `python -m layers.server start`.")
    return Server("127.0.0.1", port, Path(record.socket_dir), _own_url(settings, port))


def server_is_running(settings: Settings) -> bool:
    """Return whether the private cluster runs."""
    record = read_record(settings)
    return record is not None and cluster.running_port(Place(Path(record.home), None)) is not None


def stop_server(settings: Settings, say: Say = print) -> None:
    """Stop the private cluster; a server named by DATABASE_URL is left alone."""
    if settings.database_url:
        say("The server named by DATABASE_URL is not ours to stop.")
        return
    with _lock(settings):
        place = find_place(settings)
        if cluster.running_port(place) is None:
            say("The database server is not running.")
            return
        cluster.stop_cluster(place, find_binaries(_major(place)))
        say("Stopped the database server.")


def remove_server(settings: Settings, say: Say = print) -> None:
    """Stop and remove the private cluster with everything in it."""
    if settings.database_url:
        say("The server named by DATABASE_URL is not ours to remove.")
        return
    with _lock(settings):
        place = find_place(settings)
        record = read_record(settings)
        with contextlib.suppress(ServerError):  # its programs may be gone already
            if cluster.running_port(place) is not None:
                cluster.stop_cluster(place, find_binaries(_major(place)))
        cluster.kill_orphans(place)
        cluster.remove_cluster(place, Path(record.socket_dir) if record else None)
        record_file(settings).unlink(missing_ok=True)
        say("Removed the private database cluster.")


def _start(settings: Settings, place: Place, say: Say) -> bool:
    earlier = read_record(settings)
    port = cluster.running_port(place)
    if port is not None and not _answers(settings, port):
        port = None  # just killed, and not quite gone
    if port is not None and earlier is not None and earlier.home == str(place.home) and earlier.port == port:
        return False
    begin = time.monotonic()
    binaries = find_binaries(_major(place))
    make_home(place)
    if _major(place) is None:
        say(f"Making a private database cluster in {place.home} (PostgreSQL {binaries.major}.{binaries.minor}) ..")
        cluster.make_cluster(place, binaries, read_secrets(settings).passwords["admin"])
    socket_dir = make_socket_dir(place, earlier.socket_dir if earlier else None)
    if port is None:
        port = cluster.start_cluster(place, binaries, socket_dir, earlier.port if earlier else None)
    write_record(settings, Record(str(place.home), str(socket_dir), port))
    say(f"Database server is up on 127.0.0.1:{port} ({time.monotonic() - begin:.1f} s).")
    return True


def _answers(settings: Settings, port: int) -> bool:
    """Whether a server is there, also one that refuses our password or has no place left; waits while it recovers."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        try:
            psycopg.connect(_own_url(settings, port), connect_timeout=10).close()
        except psycopg.OperationalError as error:
            said = str(error)
            if not ("starting up" in said or "recovery mode" in said):
                return "FATAL" in said and "shutting down" not in said and "terminating" not in said
            time.sleep(0.1)
        else:
            return True
    return False


def _own_url(settings: Settings, port: int) -> str:
    password = quote(read_secrets(settings).passwords["admin"], safe="")
    return f"postgresql://{cluster.ADMIN}:{password}@127.0.0.1:{port}/postgres"


def _major(place: Place) -> int | None:
    """Major version the cluster was made with; None where there is no whole cluster yet."""
    try:
        return int((place.data / "PG_VERSION").read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None


def _named(url: str) -> Server:
    try:
        parts = conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ServerError(
            "DATABASE_URL is not the address of a PostgreSQL server.",
            "It looks like postgresql://user:password@host:5432/postgres.",
        ) from error
    host = str(parts.get("host") or parts.get("hostaddr") or "127.0.0.1")
    return Server(host, int(parts.get("port") or 5432), Path(host) if host.startswith("/") else None, url)


def _check(server: Server, *, is_ours: bool) -> None:
    """Look at the server by the database every server has: ours may have to be made yet."""
    question = """
        SELECT current_setting('server_version_num')::int,
               (SELECT default_version FROM pg_available_extensions WHERE name = 'postgis'),
               (SELECT rolsuper OR (rolcreaterole AND rolcreatedb) FROM pg_roles WHERE rolname = current_user)
    """
    try:
        with psycopg.connect(server.admin_url, dbname="postgres", connect_timeout=10) as conn:
            row = conn.execute(question).fetchone()
    except psycopg.OperationalError as error:
        if is_ours:
            raise ServerError(
                "The private cluster does not take our password: it was made with other secrets than .local now holds.",
                "Put the old .local/secrets.toml back, or `make clean` and load the deliveries anew.",
            ) from error
        raise ServerError(
            f"The server at {server.host}:{server.port} that DATABASE_URL names cannot be reached or refuses us.",
            "Check that it runs, and the user and password in DATABASE_URL.",
        ) from error
    version, postgis, may = row if row else (0, None, False)
    problem = version_problem(version // 10000, version % 10000) or postgis_problem(postgis)
    if problem is None and not may:
        problem = "The role in DATABASE_URL may not create roles and databases."
    if problem:
        raise ServerError(problem, "Use a PostGIS 3.3 or later on PostgreSQL 15 to 18, as a role that may do so.")


@contextlib.contextmanager
def _lock(settings: Settings) -> Iterator[None]:
    """One process at a time makes, starts or stops the cluster."""
    try:
        settings.local_dir.mkdir(parents=True, exist_ok=True)
        file = (settings.local_dir / "server.lock").open("w", encoding="utf-8")
    except OSError as error:
        raise ServerError(
            f"{settings.local_dir} cannot be written: {error.strerror}.",
            "Run the command as the user who owns that folder, or set LOCAL_DIR to a folder of your own.",
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
