"""Who does the batches of a delivery: this process, more processes of this machine, or the workers of a Dask cluster.

An executor calls one function on numbered items and says which are done, in their order. A few items are under way at
a time, so that memory stays flat; an item whose worker is lost is done again by another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from layers.errors import SettingError

Call = Callable[[bytes, int, bytes], int]
"""What a worker runs: the errand, the number of an item and the item, both as bytes; gives the number back."""


class Executor(Protocol):
    """Has items done elsewhere."""

    def each(self, call: Call, errand: bytes, items: Iterable[tuple[int, bytes]]) -> Iterator[int]:
        """Yield the number of each item once it is done, in the order of the items."""


def open_executor(name: str) -> AbstractContextManager[Executor] | None:
    """Open the executor of a name: `local` (None, nobody else), `processes:N`, or the address of a Dask scheduler.

    Raises
    ------
    SettingError
        No executor is called so, or Dask is not installed.
    """
    if name == "local":
        return None
    if found := re.fullmatch(r"processes:([1-9]\d?)", name):
        from etl.executors.processes import Processes

        return Processes(int(found[1]))
    if re.fullmatch(r"(tcp|tls)://[^\s/]+:\d+", name):
        try:
            from etl.executors.scheduler import Scheduler
        except ModuleNotFoundError as error:
            raise SettingError(
                f"Work cannot be handed to {name}: Dask is not installed.", "Run `pip install 'minqing-map[dask]'`."
            ) from error
        return Scheduler(name)
    raise SettingError(
        f"There is no executor {name!r}.",
        "Write `local`, `processes:4` for four processes, or a Dask scheduler's address such as tcp://10.0.0.5:8786.",
    )
