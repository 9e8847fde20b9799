"""Two hands at once: reading ahead and writing behind, each in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")

_DEPTH = 2
"""Batches that may wait on either side: enough to overlap, few enough to keep memory flat."""


def read_ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the items of an iterator that runs in a thread of its own, a few items ahead."""
    waiting: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(_DEPTH)
    stop = threading.Event()

    def read() -> None:
        last: BaseException | None = None
        try:
            for item in items:
                while not stop.is_set():
                    try:
                        waiting.put((item, None), timeout=0.1)
                        break
                    except queue.Full:
                        continue
                if stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits, and raised there
            last = error
        while not stop.is_set():
            try:
                waiting.put((None, last or StopIteration()), timeout=0.1)
                return
            except queue.Full:
                continue

    thread = threading.Thread(target=read, name="read ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, end = waiting.get()
            if isinstance(end, StopIteration):
                return
            if end is not None:
                raise end
            yield item  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()


class WriteBehind:
    """Runs calls in order in one thread; the caller waits only when too many are pending, and gets their errors."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "write behind")
        self._pending: list[Future[Any]] = []

    def __enter__(self) -> WriteBehind:
        return self

    def submit(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Have a call made after those before it."""
        while len(self._pending) >= _DEPTH:
            self._pending.pop(0).result()
        self._pending.append(self._executor.submit(call, *arguments))

    def wait(self) -> None:
        """Wait for all calls and raise what went wrong in any."""
        while self._pending:
            self._pending.pop(0).result()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)
