"""More processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType

from etl.executors import Call
from layers.errors import ServerError

_TRIES = 3
"""How often in a row the processes may die before the item is given up."""


class Processes:
    """A pool of processes; when one dies the pool is made anew and what was under way is done again."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def each(self, call: Call, errand: bytes, items: Iterable[tuple[int, bytes]]) -> Iterator[int]:
        """Yield the number of each item once it is done, in the order of the items.

        Raises
        ------
        ServerError
            The processes die again and again.
        """
        waiting = iter(items)
        under_way: deque[tuple[int, bytes]] = deque()
        futures: deque[Future[int]] = deque()
        deaths = 0
        while True:
            while len(under_way) <= self._n and (item := next(waiting, None)):
                under_way.append(item)
            if not under_way:
                return
            try:
                while len(futures) < len(under_way):
                    futures.append(self._submit(call, errand, *under_way[len(futures)]))
                number = futures[0].result()
            except BrokenProcessPool as error:
                deaths += 1
                if deaths == _TRIES:
                    raise ServerError(
                        f"The processes that check the rows died {deaths} times in a row.",
                        "Too little memory is the usual reason: name fewer of them, such as `--executor processes:2`.",
                    ) from error
                self._close()
                futures.clear()  # all are done again by the next pool
                continue
            under_way.popleft()
            futures.popleft()
            deaths = 0
            yield number

    def _submit(self, call: Call, errand: bytes, number: int, item: bytes) -> Future[int]:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")  # a fork of a process with threads can hang
            self._pool = ProcessPoolExecutor(self._n, context, _die_with_parent)
        return self._pool.submit(call, errand, number, item)

    def _close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def _die_with_parent() -> None:
    """Leave no process behind when the loader is killed."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, name="watch the loader", daemon=True).start()
