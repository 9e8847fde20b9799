"""Workers of a Dask cluster, by the address of its scheduler."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

from distributed import Client, KilledWorker
from distributed.client import FutureCancelledError

from etl.executors import Call
from layers.errors import ServerError


class Scheduler:
    """Hands items to a Dask scheduler; an item whose worker is lost is given to another by the scheduler itself."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._client: Any = None

    def __enter__(self) -> Scheduler:
        client: Any = Client
        try:
            self._client = client(self._address, set_as_default=False)
        except OSError as error:
            raise ServerError(
                f"The Dask scheduler at {self._address} cannot be reached.",
                "Start it by `dask scheduler` and its workers by `dask worker`, or load by `--executor local`.",
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def each(self, call: Call, errand: bytes, items: Iterable[tuple[int, bytes]]) -> Iterator[int]:
        """Yield the number of each item once it is done, in the order of the items.

        Raises
        ------
        ServerError
            The scheduler went away, or one item killed worker after worker.
        """
        n_threads = sum(self._client.nthreads().values())
        if not n_threads:
            raise ServerError(f"The Dask scheduler at {self._address} has no workers.", "Start some by `dask worker`.")
        waiting = iter(items)
        under_way: deque[Any] = deque()
        try:
            while True:
                while len(under_way) <= n_threads and (item := next(waiting, None)):
                    under_way.append(self._client.submit(call, errand, *item, pure=False))
                if not under_way:
                    return
                number = int(under_way[0].result())
                under_way.popleft()
                yield number
        except KilledWorker as error:
            raise ServerError(
                "Workers of the Dask cluster died again and again over the same rows.",
                "Too little memory is the usual reason: see the workers' own logs.",
            ) from error
        except (FutureCancelledError, OSError) as error:
            raise ServerError(
                f"The Dask scheduler at {self._address} went away.", "Nothing was loaded. Run the same command again."
            ) from error
