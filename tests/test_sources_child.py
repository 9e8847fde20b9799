"""The child process that reads a file: what it may not do, and what becomes of a delivery when it dies."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.sources import headings_of, open_delivery
from etl.sources.guarded import Nursery, nursery_of
from etl.sources.nursery import sweep
from etl.sources.request import DEFAULT_LIMITS, Limits, request_for
from layers.errors import DeliveryError
from tests.source_files import HEADINGS, csv_text, school


def children_of(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def wait_for_end(pid: int) -> None:
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([watch], [], [], 30)[0], f"process {pid} lives on"
    os.close(watch)


def long_file(folder: Path, n_rows: int = 1_000_000) -> Path:
    path = folder / "school.csv"
    path.write_text(csv_text() + "7,白塘小学,5\n" * n_rows, encoding="utf-8")
    return path


def n_rows(path: Path, limits: Limits = DEFAULT_LIMITS) -> int:
    return sum(batch.n for batch in open_delivery(path, school(), limits).batches(HEADINGS))


def test_a_child_knows_no_secret_and_has_no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://loader:secret@localhost/city")
    own = Nursery()
    own.ask(request_for(long_file(tmp_path), school(), DEFAULT_LIMITS), (pipes := _pipes())[0])
    assert os.read(pipes[1], 1) == b"{"
    pids = [own.pid, *children_of(own.pid)]
    assert len(pids) == 2
    may_leave = subprocess.run(["unshare", "--net", "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0
    for pid in pids:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"secret" not in environment
        assert b"TMPDIR" in environment
        has_network = Path(f"/proc/{pid}/ns/net").readlink() == Path("/proc/self/ns/net").readlink()
        assert not (has_network and may_leave)
    own.close()
    for end in (*pipes[0], *pipes[1:]):
        os.close(end)


def _pipes() -> tuple[tuple[int, int, int], int, int, int]:
    questions, asked = os.pipe()
    answers, given = os.pipe()
    ended, status = os.pipe()
    return (questions, given, status), answers, asked, ended


def test_a_file_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "school.parquet"
    bomb = pa.table({"编号": ["x" * 150_000_000], "名称": ["x"], "座位数": ["x"]})
    pq.write_table(bomb, path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(DeliveryError, match=r"school\.parquet needs more than the 256 MB of memory"):
        rows = open_delivery(path, school(format="parquet"), Limits(memory_mb=256, seconds=60)).batches(HEADINGS)
        assert not list(rows)
    assert n_rows(long_file(tmp_path, 10)) == 13


def test_a_file_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match=r"school\.csv was not read within 0\.001 seconds"):
        n_rows(long_file(tmp_path), replace(DEFAULT_LIMITS, seconds=0.001))


def test_a_child_that_is_killed_ends_the_delivery_and_nothing_else(tmp_path: Path) -> None:
    path = long_file(tmp_path)
    opened = open_delivery(path, school())
    child = children_of(nursery_of(os.getpid()).pid)[-1]
    os.kill(child, signal.SIGKILL)
    with pytest.raises(DeliveryError, match=r"Reading school\.csv was stopped from outside"):
        list(opened.batches(headings_of(school())))
    assert n_rows(path) == 1_000_003


def test_the_nursery_starts_again_when_it_was_killed(tmp_path: Path) -> None:
    path = long_file(tmp_path, 100_000)
    opened = open_delivery(path, school())
    pid = nursery_of(os.getpid()).pid
    child = children_of(pid)[-1]
    os.kill(pid, signal.SIGKILL)
    wait_for_end(child)
    with pytest.raises(DeliveryError, match=r"Reading school\.csv was stopped from outside"):
        list(opened.batches(headings_of(school())))
    assert n_rows(path) == 100_003


def test_a_nursery_that_hears_nothing_any_more_is_replaced(tmp_path: Path) -> None:
    nursery = nursery_of(os.getpid())
    nursery.warm()
    pid = nursery.pid
    assert pid is not None and nursery._line is not None
    os.kill(pid, signal.SIGSTOP)  # so that it looks alive, as one does that is just dying
    nursery._line.shutdown(socket.SHUT_RDWR)
    assert n_rows(long_file(tmp_path, 1000)) == 1003
    assert nursery.pid != pid


def test_a_file_nobody_reads_on_ends_its_child(tmp_path: Path) -> None:
    rows = open_delivery(long_file(tmp_path, 3_000_000), school()).batches(HEADINGS)
    next(rows)
    child = children_of(nursery_of(os.getpid()).pid)[-1]
    rows.close()  # type: ignore[attr-defined]
    wait_for_end(child)


def test_nothing_is_left_when_the_loader_is_killed(tmp_path: Path) -> None:
    path = long_file(tmp_path)
    code = f"""
import os, pathlib
from etl.sources import open_delivery
from etl.sources.guarded import nursery_of
from tests.source_files import school
opened = open_delivery(pathlib.Path({str(path)!r}), school())
print(nursery_of(os.getpid()).pid, flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as loader:
        assert loader.stdout is not None
        pid = int(loader.stdout.readline())
        child = children_of(pid)[-1]
        assert list(tmp_path.glob("minqing-reading-*/*"))
        loader.kill()
        wait_for_end(child)
        wait_for_end(pid)
    assert not list(tmp_path.glob("minqing-reading-*"))


def test_what_a_killed_nursery_left_is_swept_up(tmp_path: Path) -> None:
    left = tmp_path / "minqing-reading-left" / "child"
    left.mkdir(parents=True)
    (left / "unpacked").write_bytes(b"x")
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert Path(tempfile.gettempdir()).is_dir()


def test_a_confined_process_reaches_its_file_and_nothing_else(tmp_path: Path) -> None:
    path, secret, own = long_file(tmp_path, 1), tmp_path / "secret", tmp_path / "own"
    secret.write_text("secret")
    own.mkdir()
    code = f"""
import ctypes, json, pathlib, socket
from etl.sources.fence import fence_in
from etl.sources.jail import confine
from etl.sources.request import request_for, DEFAULT_LIMITS
from tests.source_files import school
confine(request_for(pathlib.Path({str(path)!r}), school(), DEFAULT_LIMITS), pathlib.Path({str(own)!r}))

def fails(attempt):
    try:
        attempt()
    except PermissionError:
        return True
    return False

secret = pathlib.Path({str(secret)!r})
print(json.dumps({{
    "has_fence": ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1) > 0,
    "reads": pathlib.Path({str(path)!r}).read_text()[:2],
    "writes": pathlib.Path("x").write_text("x"),
    "refused": [fails(secret.read_text), fails(lambda: secret.write_text("x")), fails(lambda: secret.unlink()),
                fails(lambda: (secret.parent / "new").write_text("x")), fails(lambda: list(secret.parent.iterdir())),
                fails(pathlib.Path("/etc/passwd").read_text)],
}}))
"""
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent.parent, check=True, stdout=subprocess.PIPE
    ).stdout
    found = json.loads(said)
    assert (found["reads"], found["writes"]) == ("编号", 1)
    assert set(found["refused"]) == {found["has_fence"]}
    assert secret.read_text() == "secret" or not found["has_fence"]
