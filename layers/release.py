"""What of the cube of people is published: rounded under shared totals, attacked, and held back where it gives way.

All breakdowns share one published total at every grid, sought for all of them together by `layers.totals`. A breakdown
that has no solution at its finest level, or that the gate can attack there, is withheld at that level and published
above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from layers.cells import Net, Table
from layers.codes import LENGTHS
from layers.cube import Cube, Ints
from layers.declare.records import Breakdown
from layers.errors import AtlasError
from layers.gate import attack, margins, narrowed
from layers.privacy import BASE, cell_noise, fixed_noise, problems
from layers.totals import share_totals

Last = Callable[[str, Sequence[str]], Ints | None]
"""Figures of a breakdown at some nodes in the month before, -1 where there is none; None when it was not published."""

_TARGETS = 2


@dataclass
class Release:
    """Figures that may go out."""

    totals: Ints
    parts: dict[str, Ints] = field(default_factory=dict)
    """Figures of each breakdown, nodes by cells; only nodes down to its level count."""
    digits: dict[str, int] = field(default_factory=dict)
    """Length of the codes of the finest level each breakdown is published on, 0 for none."""
    withheld: list[tuple[str, int, str]] = field(default_factory=list)
    """Breakdown, length of the codes of the level, and why."""


def release(cube: Cube, breakdowns: Sequence[Breakdown], key: bytes, last: Last) -> Release:
    """Round a cube and let the gate attack it.

    Parameters
    ----------
    cube
        True counts.
    breakdowns
        Those of the cube; where two of them together give a count away, the later is withheld.
    key
        Secret of the fixed noise.
    last
        What was published the month before.

    Returns
    -------
    Release
        Multiples of 10, less than 10 from the truth, that add up through the tree and to one total at every grid.

    Raises
    ------
    AtlasError
        Figures break a rule of `layers.privacy.problems`; nothing is published.
    """
    tables = {one.key: _table(cube, one, key) for one in breakdowns}
    totals, parts = share_totals(cube.parents, cube.totals, fixed_noise(cube.names, key, "all", "all"), tables)
    found = Release(totals)
    for one in breakdowns:
        _settle(found, cube, tables[one.key], one.key, parts[one.key])
    _check(cube, found)
    _part_overlaps(found, cube, breakdowns, last)
    _attack_families(found, cube, breakdowns, last)
    return found


def _table(cube: Cube, one: Breakdown, key: bytes) -> Table:
    return Table(cube.parents, cube.parts[one.key], cell_noise(cube.names, key, one.key, one.cells))


def _settle(found: Release, cube: Cube, table: Table, key: str, figures: Ints | None) -> None:
    """Take the figures of a breakdown, or those of the finest level that has a solution under the totals."""
    for digits in sorted(LENGTHS.values(), reverse=True):
        if figures is not None:
            found.parts[key], found.digits[key] = figures, digits
            return
        found.withheld.append((key, digits, "no_solution"))
        coarser = max((one for one in LENGTHS.values() if one < digits), default=0)
        kept = np.flatnonzero(_levels(cube) <= coarser)
        if len(kept):
            new = np.full(len(cube.names) + 1, -1)
            new[kept] = np.arange(len(kept))
            part = Table(new[cube.parents[kept]], table.counts[kept], table.noise[kept])
            solved, _ = Net(part).round(found.totals[kept])
            if solved is not None:
                figures = np.zeros_like(table.counts)
                figures[kept] = solved
    found.parts[key], found.digits[key] = np.zeros_like(table.counts), 0


def _levels(cube: Cube) -> Ints:
    """Length of the code of each node; a rest is of the level of the grids beside it."""
    length = [len(code) for code in cube.codes]
    below = dict(zip(sorted(LENGTHS.values()), [*sorted(LENGTHS.values())[1:], 99], strict=True))
    rests = [below[length[at]] for at in cube.parents[len(length) :]]
    return np.array(length + rests, dtype=np.int64)


def _check(cube: Cube, found: Release) -> None:
    """Refuse figures that break a rule: of every cell as a tree, and of the cells against the total."""
    wrong = list(problems(cube.parents, cube.totals, found.totals))
    levels = _levels(cube)
    for key, figures in found.parts.items():
        kept = np.flatnonzero(levels <= found.digits[key])
        new = np.full(len(levels) + 1, -1)
        new[kept] = np.arange(len(kept))
        for cell in range(figures.shape[1]):
            wrong += problems(new[cube.parents[kept]], cube.parts[key][kept, cell], figures[kept, cell])
        if (figures[kept].sum(axis=1) != found.totals[kept]).any():
            wrong.append(f"cells of {key} do not add up to the total")
    if wrong:
        says = f"The counts of people were not published: {'; '.join(wrong[:5])}."
        raise AtlasError(says, "This is a fault of the program.")


def _part_overlaps(found: Release, cube: Cube, breakdowns: Sequence[Breakdown], last: Last) -> None:
    """Withhold the later of two breakdowns that share a dimension wherever the two narrow a count."""
    levels = _levels(cube)
    for one, other in combinations(breakdowns, 2):
        pairs = list(margins(one, other))
        if not pairs:
            continue
        kept = levels <= min(found.digits[one.key], found.digits[other.key])
        told = [(found.parts[key], last(key, cube.names)) for key in (one.key, other.key)]
        is_open = narrowed(told[0], told[1], pairs) & kept
        if is_open.any():
            _withhold(found, other.key, int(levels[is_open].min()))


def _withhold(found: Release, key: str, digits: int) -> None:
    """Publish a breakdown above a level only."""
    gone = [one for one in LENGTHS.values() if digits <= one <= found.digits[key]]
    found.withheld += [(key, one, "attack") for one in sorted(gone, reverse=True)]
    found.digits[key] = max((one for one in LENGTHS.values() if one < digits), default=0)


def _attack_families(found: Release, cube: Cube, breakdowns: Sequence[Breakdown], last: Last) -> None:
    levels = _levels(cube)
    for digits, above, children in _families(cube, found.totals, levels):
        out = [one for one in breakdowns if found.digits[one.key] >= digits]
        if not out:
            continue
        figures = {one.key: found.parts[one.key][children] for one in out}
        names = [cube.names[at] for at in children]
        then = {one.key: figured for one in out if (figured := last(one.key, names)) is not None}
        over = {one.key: found.parts[one.key][above] for one in out}
        targets = [target for key, told in figures.items() for target in _targets(key, told)]
        for key in {target[0] for target in attack(out, figures, over, then, targets)}:
            if found.digits[key] >= digits:
                _withhold(found, key, digits)


def _families(cube: Cube, totals: Ints, levels: Ints) -> Iterator[tuple[int, int, Ints]]:
    """Yield for each level the family that is likeliest to give way: the smallest published total above 0."""
    for digits in sorted(set(levels[cube.parents >= 0].tolist())):
        nodes = np.flatnonzero((levels == digits) & (cube.parents >= 0))
        above = np.unique(cube.parents[nodes])
        some = above[totals[above] > 0]
        if len(some):
            parent = int(some[np.argmin(totals[some])])
            yield int(digits), parent, np.flatnonzero(cube.parents == parent)


def _targets(key: str, figures: Ints) -> Iterator[tuple[str, int, int]]:
    """Yield cells to attack: of those shown as 10, and as 0, the ones in the smallest children."""
    order: NDArray[np.int64] = np.argsort(figures.sum(axis=1), kind="stable")
    for shown in (BASE, 0):
        child, cell = np.nonzero(figures[order] == shown)
        yield from ((key, int(order[a]), int(b)) for a, b in list(zip(child, cell, strict=True))[: _TARGETS // 2])
