"""The process that reading happens in: it loads the libraries once and forks a child for each file.

It is started with a clean environment and without a network, and holds neither secrets nor a connection. It ends when
the loader does, however that ends, and takes its children and their folders along.
"""

from __future__ import annotations

import fcntl
import gc
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from etl.sources.jail import confine, leave_network
from etl.sources.request import Request, read_request

REQUEST_BYTES = 1 << 20
Serve = Callable[[Request, int, int], None]
_PREFIX = "minqing-reading-"


@dataclass(frozen=True)
class _Child:
    pid: int
    watch: int
    status: int
    folder: Path


def main(control: int) -> None:
    """Serve requests that come through a socket, three pipes with each: questions, answers, how it ended."""
    leave_network()
    # only now: the libraries start threads, and a process that has some cannot leave the network
    from etl.sources.readers import serve

    for interrupt in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(interrupt, signal.SIG_IGN)  # the loader decides when to stop, and we stop with it
    gc.freeze()
    sweep(Path(tempfile.gettempdir()))
    home = Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = os.open(home, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    nursery = _Nursery(control, home, serve)
    nursery.run()
    shutil.rmtree(home, ignore_errors=True)


class _Nursery:
    def __init__(self, control: int, home: Path, serve: Serve) -> None:
        self._line, self._home, self._serve = socket.socket(fileno=control), home, serve
        self._children: dict[int, _Child] = {}
        self._poll = select.poll()
        self._poll.register(self._line, select.POLLIN)

    def run(self) -> None:
        """Bear children and tend them until the loader has gone."""
        while True:
            ready = [fd for fd, _ in self._poll.poll()]
            for fd in ready:
                if fd in self._children:
                    self._tend(self._children[fd], fd)
            if self._line.fileno() in ready:
                text, pipes, _, _ = socket.recv_fds(self._line, REQUEST_BYTES, 3)
                if not text:
                    break
                self._bear(read_request(text), pipes)
        for child in set(self._children.values()):
            self._tend(child, child.status)

    def _bear(self, request: Request, pipes: list[int]) -> None:
        questions, answers, status = pipes
        folder = Path(tempfile.mkdtemp(dir=self._home))
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                self._line.close()
                for other in (status, *self._children):
                    os.close(other)
                confine(request, folder)
                self._serve(request, questions, answers)
                code = 0
            finally:
                os._exit(code)
        os.close(questions)
        os.close(answers)
        child = _Child(pid, os.pidfd_open(pid), status, folder)
        self._children[child.watch] = self._children[child.status] = child
        self._poll.register(child.watch, select.POLLIN)
        self._poll.register(child.status, 0)  # an error there: the loader has no more use for it

    def _tend(self, child: _Child, fd: int) -> None:
        if fd == child.status:
            signal.pidfd_send_signal(child.watch, signal.SIGKILL)
        _, code = os.waitpid(child.pid, 0)
        with suppress(BrokenPipeError):
            os.write(child.status, b"%d\n" % os.waitstatus_to_exitcode(code))
        for end in (child.watch, child.status):
            self._poll.unregister(end)
            os.close(end)
            del self._children[end]
        shutil.rmtree(child.folder, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what nurseries that were killed left behind: folders that nobody holds locked."""
    for left in folder.glob(f"{_PREFIX}*"):
        try:
            held = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # somebody else's, or gone already
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(held)


if __name__ == "__main__":
    main(int(sys.argv[1]))
