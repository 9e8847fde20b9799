"""What a batch asked the memory of its file, and what it was told: so that batches can be done apart from each other.

A worker knows its own batch only. It writes down what it asked and what its own small memory said; whoever knows the
whole file asks again, in the order of the batches, and sees whether the answers hold.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from etl.keys import Ordinals, SeenKeys
from etl.transform import FileMemory
from etl.uniques import Held, UniqueMemory

Note = tuple[str, int, np.ndarray, np.ndarray]
"""Part of the memory (`keys`, `ordinals`, `unique`), which of several, the hashes asked about, the answer."""


class _NotingKeys(SeenKeys):
    def __init__(self, notes: list[Note], part: str, at: int = 0) -> None:
        super().__init__()
        self._notes, self._part, self._at = notes, part, at

    def repeated(self, hashes: np.ndarray) -> np.ndarray:
        """Answer as `SeenKeys` does, and write it down."""
        answer = super().repeated(hashes)
        self._notes.append((self._part, self._at, hashes, answer))
        return answer


class _NotingOrdinals(Ordinals):
    def __init__(self, notes: list[Note]) -> None:
        super().__init__()
        self._notes = notes

    def take(self, hashes: np.ndarray) -> np.ndarray:
        """Answer as `Ordinals` does, and write it down."""
        answer = super().take(hashes)
        self._notes.append(("ordinals", 0, hashes, answer))
        return answer


def noting_memory(known: np.ndarray, held: tuple[Held, ...], notes: list[Note]) -> FileMemory:
    """Make the memory of a single batch, which writes down what it is asked."""
    seen: list[SeenKeys] = [_NotingKeys(notes, "unique", at) for at in range(len(held))]
    return FileMemory(known, _NotingKeys(notes, "keys"), _NotingOrdinals(notes), UniqueMemory(held, seen))


def hold_true(notes: list[Note], memory: FileMemory) -> FileMemory | None:
    """Put the questions of a batch to the memory of the whole file.

    Returns
    -------
    FileMemory or None
        The memory with this batch in it; None when some answer is another, so that the batch has to be done again.
    """
    ahead = replace(
        memory,
        seen=memory.seen.copy(),
        ordinals=memory.ordinals.copy(),
        uniques=replace(memory.uniques, seen=[seen.copy() for seen in memory.uniques.seen]),
    )
    for part, at, hashes, told in notes:
        while part == "unique" and len(ahead.uniques.seen) <= at:
            ahead.uniques.seen.append(SeenKeys())
        if part == "ordinals":
            answer = ahead.ordinals.take(hashes)
        else:
            answer = (ahead.seen if part == "keys" else ahead.uniques.seen[at]).repeated(hashes)
        if not np.array_equal(answer, told):
            return None
    return ahead
