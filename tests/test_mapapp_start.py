"""`python -m mapapp`: what goes wrong at the start is a sentence, never a traceback."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from layers.errors import SettingError
from layers.settings import CHECKOUT, read_settings
from mapapp.api.engine import engine_version
from mapapp.serve import listen


def start(**environ: str) -> subprocess.CompletedProcess[str]:
    command, env = [sys.executable, "-m", "mapapp"], os.environ | environ
    return subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=60)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_port_in_use_is_a_sentence(taken: int) -> None:
    with pytest.raises(SettingError, match=f"Port {taken}") as caught:
        listen(read_settings({"PORT": str(taken)}))
    assert f"PORT={taken + 1}" in caught.value.hint


def test_small_answers_are_sent_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def go() -> int:
        met: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            met.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        server = await asyncio.start_server(answer, sock=listen(read_settings({"PORT": str(port)})))
        async with server:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return await met

    assert asyncio.run(go()), "each answer waits 40 ms for the receiver"


def test_a_database_that_does_not_run_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = start(LOCAL_DIR=str(tmp_path), PORT=str(port), DATABASE_URL="")
    assert done.returncode == 5
    assert "not running" in done.stderr and "Traceback" not in done.stderr


def test_an_address_others_can_reach_is_refused() -> None:
    done = start(HOST="0.0.0.0")
    assert done.returncode == 2
    assert "TLS" in done.stderr and "Traceback" not in done.stderr


def test_a_missing_engine_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="map engine is missing"):
        engine_version(tmp_path)
