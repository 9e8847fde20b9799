"""A file read in a child process: the loader's side of it."""

from __future__ import annotations

import atexit
import fcntl
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

import pyarrow as pa

from etl.sources.batch import RawBatch
from etl.sources.jail import GDAL_SWITCHES
from etl.sources.request import Request
from etl.sources.wire import receive_batches
from layers.errors import DeliveryError

T = TypeVar("T")

_PIPE_BYTES = 1 << 20
_HEADING_BYTES = 16 << 20
_BOOT = "import sys; sys.path[:] = sys.argv[2:]; from etl.sources.nursery import main; main(int(sys.argv[1]))"


class Nursery:
    """The process whose children read files for this one; it is started when first needed, and again if it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: Request, pipes: tuple[int, int, int]) -> None:
        """Have a file read through three pipes: questions, answers, how it ended."""
        with self._lock:
            self._ensure()
            try:
                self._send(request, pipes)
            except ConnectionError:  # it died after it was looked at
                self._start()
                self._send(request, pipes)

    @property
    def pid(self) -> int | None:
        """Number of the process, None while there is none."""
        return self._process.pid if self._process else None

    def warm(self) -> None:
        """Start it, so that it is ready when the first file is."""
        with self._lock:
            self._ensure()

    def close(self) -> None:
        """End it, and with it whatever it still reads."""
        with self._lock:
            if self._line is not None and self._process is not None:
                self._line.close()
                self._process.wait()
            self._line = self._process = None

    def _ensure(self) -> None:
        if self._process is None or self._process.poll() is not None:
            self._start()

    def _send(self, request: Request, pipes: tuple[int, int, int]) -> None:
        assert self._line is not None
        socket.send_fds(self._line, [request.to_json()], list(pipes))

    def _start(self) -> None:
        if self._line is not None and self._process is not None:
            self._line.close()
            self._process.kill()
            self._process.wait()
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, str(theirs.fileno()), *sys.path],
                env=_clean_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )


def _clean_environment() -> dict[str, str]:
    """Nothing of ours: no address of a database, no key; one thread for each library, so that forking is safe."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "TMPDIR": tempfile.gettempdir(),
        "ARROW_DEFAULT_MEMORY_POOL": "system",  # the others reserve far more than they use, and memory is limited
        # blocks are used again, not given back and faulted in anew
        "MALLOC_MMAP_THRESHOLD_": "1073741824",
        "MALLOC_TRIM_THRESHOLD_": "1073741824",
        **threads,
        **GDAL_SWITCHES,
    }


@cache
def nursery_of(process: int) -> Nursery:
    """The nursery of this process, told apart by its number since a fork must not share it."""
    made = Nursery()
    atexit.register(made.close)
    return made


class GuardedSource:
    """A delivery opened in a child process; it has the headings, and gives rows as they come."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._pipes = _Pipes(request)
        self._stream = io.BufferedReader(self._pipes, _PIPE_BYTES)
        said = self._tell(self._first_line)
        self.headings = tuple(str(h) for h in said["headings"])
        self.has_geometry = bool(said["has_geometry"])
        self.notes = tuple(str(note) for note in said["notes"])

    def close(self) -> None:
        """Have no more use for the file; a child that still reads is killed for it."""
        self._stream.close()

    def batches(self, wanted: tuple[str, ...]) -> Iterator[RawBatch]:
        """Read the rows, only the `wanted` headings of them; a file is read once.

        Raises
        ------
        DeliveryError
            The file cannot be read to its end, or not within the limits.
        """
        self._pipes.say(json.dumps(wanted).encode() + b"\n")
        asked = [h for h in self.headings if h in wanted]
        with self._stream:
            rows = receive_batches(self._stream, asked, self.has_geometry)
            while (batch := self._tell(lambda: next(rows, None))) is not None:
                yield batch

    def _first_line(self) -> dict[str, Any]:
        text = self._stream.readline(_HEADING_BYTES)
        if not text.endswith(b"\n"):
            raise EOFError
        said = dict(json.loads(text))
        if "problem" in said:
            raise DeliveryError(*said["problem"])
        return said

    def _tell(self, read: Callable[[], T]) -> T:
        """Read, and turn what becomes of it into a sentence; nothing is read any more after that."""
        try:
            return read()
        except DeliveryError:
            self.close()
            raise
        except TimeoutError as error:
            self.close()
            raise self._too_slow() from error
        except (EOFError, OSError, ValueError, KeyError, pa.ArrowException) as error:
            code = self._pipes.ended()
            self.close()
            raise self._broken_down(code) from error

    def _too_slow(self) -> DeliveryError:
        return DeliveryError(
            f"{self._request.path.name} was not read within {self._request.limits.seconds:g} seconds.",
            "Deliver it in several smaller files, or allow more by the setting READ_SECONDS.",
        )

    def _broken_down(self, code: int | None) -> DeliveryError:
        name = self._request.path.name
        if code == -signal.SIGXCPU:
            return self._too_slow()
        if code is None or code == -signal.SIGKILL:
            return DeliveryError(
                f"Reading {name} was stopped from outside.",
                "Run the same command again; if it happens again, the machine has too little memory for this file.",
            )
        how = signal.Signals(-code).name if code < 0 else f"exit {code}"
        return DeliveryError(
            f"{name} made its reader break down ({how}).",
            "It is damaged, needs more memory than the setting READ_MEMORY_MB allows, or was made to do harm: ask the "
            "department to export it again, in several smaller files if it is large.",
        )


class _Pipes(io.RawIOBase):
    """Three pipes to a child, readable as a stream that waits no longer than the request allows."""

    def __init__(self, request: Request) -> None:
        theirs_asked, self._asked = os.pipe()
        self._answers, theirs_answers = os.pipe()
        self._status, theirs_status = os.pipe()
        theirs = (theirs_asked, theirs_answers, theirs_status)
        self._left = float(request.limits.seconds)
        fcntl.fcntl(self._answers, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        try:
            nursery_of(os.getpid()).ask(request, theirs)
        finally:
            for end in theirs:
                os.close(end)

    def readable(self) -> bool:
        """True: it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there, waiting for it as long as may be; only waiting counts, not what the loader does."""
        started = time.monotonic()
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        is_there = poll.poll(max(0.0, self._left) * 1000)
        self._left -= time.monotonic() - started
        if not is_there:
            raise TimeoutError
        return os.readv(self._answers, [buffer])

    def say(self, line: bytes) -> None:
        """Say what is wanted."""
        with suppress(BrokenPipeError):  # it died: reading will tell
            os.write(self._asked, line)

    def ended(self) -> int | None:
        """How the child ended: its exit code, the negative number of its signal, or None when nobody knows."""
        poll = select.poll()
        poll.register(self._status, select.POLLIN)
        text = os.read(self._status, 16) if poll.poll(5000) else b""
        return int(text) if text else None

    def close(self) -> None:
        """Close the pipes; a child that still reads is killed for it."""
        if not self.closed:
            for end in (self._asked, self._answers, self._status):
                os.close(end)
        super().close()
