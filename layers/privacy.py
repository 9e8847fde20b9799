"""Counts of people rounded so that nobody can be counted out of them.

Every figure is rounded to a multiple of the base, the tree from the top down: a node goes to the multiple below or
above, its children likewise, and as many of them go up as makes them add up to it. So every figure is less than one
base from the truth, at every level, and any sum of shown figures is a sum of shown figures: nothing is won by taking
one from another. Hiding small counts instead lets most of them be worked out.

Which way a node goes is drawn by a keyed number that belongs to the node for ever. The same counts give the same
figures each month; fresh chance would let the truth be averaged out.

Source: controlled rounding as statistical offices practise it (Cox 1987; Willenborg and de Waal 2001, chapter 9).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from layers.errors import AtlasError

BASE = 10
"""Figures of people are multiples of this."""


def cell_noise(codes: Sequence[str], key: bytes, breakdown: str, cells: Sequence[str]) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each node and cell: always the same for a key, breakdown, cell and code.

    Each is the cipher (AES under the key) of one block: the digest of the code, combined with that of the cell.
    """
    rows, columns = _digests(codes), _digests([f"{breakdown}\x1f{cell}" for cell in cells])
    blocks = rows[:, None, :] ^ columns[None, :, :]
    cipher = Cipher(algorithms.AES256(hmac.new(key, b"rounding", hashlib.sha256).digest()), modes.ECB())
    drawn = np.frombuffer(cipher.encryptor().update(blocks.tobytes()), dtype=">u8")[::2]
    # 53 bits are what a float64 holds, so that no draw is rounded up to 1.
    noise = (drawn >> np.uint64(11)).astype(np.float64) / 2.0**53
    return noise.reshape(len(codes), len(cells))


def fixed_noise(codes: Sequence[str], key: bytes, breakdown: str, cell: str) -> NDArray[np.float64]:
    """Return the draws of one cell, a number in [0, 1) for each node."""
    return cell_noise(codes, key, breakdown, [cell])[:, 0]


def _digests(words: Sequence[str]) -> NDArray[np.uint8]:
    told = b"".join(hashlib.sha256(word.encode()).digest()[:16] for word in words)
    return np.frombuffer(told, dtype=np.uint8).reshape(len(words), 16)


def round_tree(
    parents: NDArray[np.integer], counts: NDArray[np.integer], noise: NDArray[np.float64], base: int = BASE
) -> NDArray[np.int64]:
    """Round a tree of counts from the top down; each row is a node.

    Parameters
    ----------
    parents
        Position of each node's parent, -1 for a root, in any order.
    counts
        True counts; those of the children of a node add up to it exactly.
    noise
        Draw of each node in [0, 1), from `fixed_noise`.
    base
        What the figures are multiples of.

    Returns
    -------
    ndarray
        Figures, less than `base` from the truth at every node; children add up to their parent.

    Raises
    ------
    AtlasError
        The counts are no tree: negative, or children that do not add up.
    """
    above_of, true = parents.astype(np.int64), counts.astype(np.int64)
    _check_tree(above_of, true)
    floor = true // base * base
    rest = true - floor
    # A node is the likelier to go up the more it has above the multiple; one that is a multiple never moves.
    eager = rest / base - noise
    figures: NDArray[np.int64] = floor + np.where((above_of < 0) & (rest > 0) & (eager > 0), base, 0)
    for nodes in levels(above_of):
        above, first = np.unique(above_of[nodes], return_index=True)
        n_up = (figures[above] - np.add.reduceat(floor[nodes], first)) // base
        movable = rest[nodes] > 0
        order = np.lexsort((nodes, -eager[nodes], ~movable, above_of[nodes]))
        rank = np.empty(len(nodes), dtype=np.int64)
        rank[order] = np.arange(len(nodes)) - np.repeat(first, np.diff(np.append(first, len(nodes))))
        goes_up = rank < np.repeat(n_up, np.diff(np.append(first, len(nodes))))
        figures[nodes] = floor[nodes] + np.where(goes_up, base, 0)
    return figures


def problems(
    parents: NDArray[np.integer], counts: NDArray[np.integer], figures: NDArray[np.integer], base: int = BASE
) -> Iterator[str]:
    """Yield one sentence for each rule the figures break; the release gate, which lets none through."""
    if (figures % base).any():
        yield f"{int((figures % base > 0).sum())} figures are no multiple of {base}"
    if (figures < 0).any():
        yield f"{int((figures < 0).sum())} figures are negative"
    far = np.abs(figures - counts) >= base
    if far.any():
        yield f"{int(far.sum())} figures are {base} or more from the truth"
    off = sums_of_children(parents, figures) != figures
    off &= np.isin(np.arange(len(parents)), parents)
    if off.any():
        yield f"{int(off.sum())} figures are not the sum of their parts"


def sums_of_children(parents: NDArray[np.integer], values: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return what the children of each node add up to, 0 for a leaf; values may have columns."""
    below = parents >= 0
    sums = np.zeros(values.shape, dtype=np.int64)
    np.add.at(sums, parents[below], values[below])
    return sums


def _check_tree(parents: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    has_children = np.isin(np.arange(len(parents)), parents)
    if (counts < 0).any() or (sums_of_children(parents, counts)[has_children] != counts[has_children]).any():
        raise AtlasError(
            "The counts of people do not add up.", "This is a fault of the program; nothing was published."
        )


def levels(parents: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the nodes of each level below the roots, sorted by parent."""
    depth = np.zeros(len(parents), dtype=np.int64)
    above = parents.copy()
    while (above >= 0).any():
        below = above >= 0
        depth[below] += 1
        above[below] = parents[above[below]]
        if depth.max(initial=0) > len(parents):
            raise AtlasError("A grid is its own parent.", "This is a fault of the program; nothing was published.")
    for level in range(1, int(depth.max(initial=0)) + 1):
        nodes = np.flatnonzero(depth == level)
        yield nodes[np.argsort(parents[nodes], kind="stable")]
