"""tipg, a server of PostGIS tables as vector tiles: a peer, installed apart and served by one process as ours is."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from psycopg.conninfo import conninfo_to_dict

from layers.database import Database
from layers.settings import CHECKOUT
from tests.benchmarks import BENCH_DIR

STARTS_IN_S = 60.0


@contextmanager
def served_by_tipg(city: Database, *tables: str) -> Iterator[str]:
    """Serve tables, such as `ops.event`, with all their columns; gives the address.

    It reads as the owner of everything, whom no guard of rows slows down, and puts into a tile all the rows there are
    instead of the first 10,000.
    """
    told = conninfo_to_dict(city.url("admin"))
    settings = {
        **{f"POSTGRES_{key.upper()}": str(told[key]) for key in ("user", "host", "port", "dbname")},
        "POSTGRES_PASS": str(told["password"]),
        "TIPG_DB_SCHEMAS": json.dumps(sorted({table.partition(".")[0] for table in tables})),
        "TIPG_DB_TABLES": json.dumps(tables),
        "TIPG_DB_FUNCTIONS": "[]",
        "TIPG_MAX_FEATURES_PER_TILE": "10000000",
    }
    python, port = _installed(), _free_port()
    words = [str(python), "-m", "uvicorn", "tipg.main:app", "--port", str(port), "--log-level", "error"]
    with subprocess.Popen(words, env=os.environ | settings, cwd=BENCH_DIR) as process:
        try:
            yield _answering(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()


def _installed() -> Path:
    """Interpreter of an environment of its own, made when missing: what tipg needs is none of what the map needs."""
    text = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    wanted: list[str] = tomllib.loads(text)["project"]["optional-dependencies"]["bench"]
    folder = BENCH_DIR / "peers"
    python, done = folder / "bin" / "python", folder / "done"
    if not done.exists() or done.read_text(encoding="utf-8").split("\n") != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *wanted], check=True)
        done.write_text("\n".join(wanted), encoding="utf-8")
    return python


def _answering(address: str, process: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + STARTS_IN_S
    while process.poll() is None and time.monotonic() < until:
        try:
            with urlopen(f"{address}/healthz"):
                return address
        except URLError:
            time.sleep(0.2)
    raise RuntimeError("tipg does not answer; what it said stands above")


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
