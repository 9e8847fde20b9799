"""What of the cube of people is published: rounded under shared totals, attacked, and held back where it gives way.

All breakdowns share one published total at every grid, sought for all of them together by `layers.totals`. A breakdown
that has no solution at its finest level, or that the gate can attack there, is withheld at that level and published
above it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from layers.cells import Net, Table
from layers.codes import LENGTHS
from layers.cube import Cube, Ints
from layers.declare.records import Breakdown
from layers.errors import AtlasError
from layers.gate import Seen, View, attack, homes_narrowed, margins, narrowed, seen
from layers.privacy import BASE, cell_noise, problems
from layers.told import NONE, TOTAL, Told, counts_of
from layers.totals import share_totals
from layers.unmoved import Unmoved

NOTHING = Told()
_TARGETS = 2
_TRIES, _FIRMER = 4, 8.0
"""How often figures are sought anew before what gives way is withheld; by how much what had moved is firmer then."""


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

    def shown(self, cube: Cube) -> dict[str, Ints]:
        """Figures of the total and of each breakdown as they are published, `NONE` where they are withheld."""
        levels = _levels(cube)[:, None]
        parts = {key: np.where(levels <= self.digits[key], figures, NONE) for key, figures in self.parts.items()}
        return {TOTAL: self.totals[:, None], **parts}


def release(cube: Cube, breakdowns: Sequence[Breakdown], key: bytes, told: Told = NOTHING) -> Release:
    """Round a cube and let the gate attack it.

    Parameters
    ----------
    cube
        True counts.
    breakdowns
        Those of the cube; where two of them together give a count away, the later is withheld.
    key
        Secret of the fixed noise.
    told
        What earlier releases told of the nodes of the cube.

    Returns
    -------
    Release
        Multiples of 10, less than 10 from the truth, that add up through the tree and to one total at every grid.

    Raises
    ------
    AtlasError
        Figures break a rule of `layers.privacy.problems`; nothing is published.
    """
    keys = [TOTAL, *(one.key for one in breakdowns)]
    cells = [(TOTAL,), *(one.cells for one in breakdowns)]
    tables = {one: _table(cube, one, of, key, told) for one, of in zip(keys, cells, strict=True)}
    total = tables.pop(TOTAL)
    stay = total.stays[0][:, 0] if total.stays else None
    totals, parts = share_totals(cube.parents, cube.totals, total.noise[:, 0], tables, stay)
    whole = {TOTAL: totals[:, None], **{one: figures for one, figures in parts.items() if figures is not None}}
    wanted = np.hstack([told.unmoved(cube, one) for one in whole])
    unmoved = Unmoved([total, *(table for one, table in tables.items() if one in whole)], wanted)
    figures = np.hstack(list(whole.values()))
    first_cells = np.cumsum([one.shape[1] for one in whole.values()])[:-1]
    around, tried = unmoved.first(figures), list[Release]()
    while around.any() or not tried:
        figures = unmoved.hold(figures, around)
        solved = dict(zip(whole, np.split(figures, first_cells, axis=1), strict=True))
        found = Release(solved[TOTAL][:, 0])
        for one in breakdowns:
            _settle(found, cube, tables[one.key], one.key, solved.get(one.key))
        firmer = unmoved.moved(figures) & _let_out(cube, found, told, breakdowns)[:, None]
        unmoved.firm[firmer] *= _FIRMER
        tried.append(found)
        around = np.logical_and(firmer.any(axis=1), len(tried) < _TRIES)
    return min(tried, key=lambda one: len(one.withheld))


def _let_out(cube: Cube, found: Release, told: Told, breakdowns: Sequence[Breakdown]) -> NDArray[np.bool_]:
    """Let the gate attack figures and withhold what gives way; return in the families of which nodes that was."""
    _check(cube, found)
    _keep_to_finest(found, breakdowns)
    known = _Known(cube, found, told)
    _part_overlaps(known, breakdowns)
    _attack_families(known, breakdowns)
    return known.gave_way


def _table(cube: Cube, key: str, cells: Sequence[str], secret: bytes, told: Told) -> Table:
    same = told.same_cells(cube, key)
    every = np.where(same, told.figures[key], NONE) if same.any() else None
    of_nodes = told.unmoved(cube, key)
    stays = [stay for stay in (every, of_nodes) if stay is not None and (stay != NONE).any()]
    return Table(cube.parents, counts_of(cube, key), cell_noise(cube.names, secret, key, cells), stays)


class _Known:
    """What an attacker knows who remembers all releases and knows in which grids nothing has changed."""

    def __init__(self, cube: Cube, found: Release, told: Told) -> None:
        self.cube, self.found, self.levels = cube, found, _levels(cube)
        self.same, self.told = told.same_nodes(cube), told
        self.gave_way = np.zeros(len(self.levels), dtype=bool)
        """Nodes of the families that gave way."""

    def of(self, key: str) -> Seen:
        """What is seen of a breakdown, nodes by cells."""
        figures = self.found.totals[:, None] if key == TOTAL else self.found.parts[key]
        if key not in self.told.figures:
            return seen(figures)
        least, most = (np.where(self.same[:, None], one[key], NONE) for one in (self.told.least, self.told.most))
        return seen(figures, least, most)

    def moved(self, breakdowns: Sequence[Breakdown]) -> Ints:
        """Nodes of which more than one figure is known, though nothing has changed there."""
        moved = np.zeros(len(self.levels), dtype=bool)
        for one in breakdowns:
            if one.key in self.told.figures:
                figures, least, most = self.found.parts[one.key], self.told.least[one.key], self.told.most[one.key]
                figures = np.where((self.levels <= self.found.digits[one.key])[:, None], figures, least)
                moved |= self.same & (least != NONE).all(axis=1) & ((figures != least) | (figures != most)).any(axis=1)
        return np.flatnonzero(moved)

    def now(self, parent: int, children: Ints, told: Mapping[str, Seen], breakdowns: Sequence[Breakdown]) -> View:
        """What is seen of a family of what is about to be published."""
        digits = int(self.levels[children[0]])
        out = [one for one in breakdowns if self.found.digits[one.key] >= digits]
        return View(
            out,
            {one.key: told[one.key].at(children) for one in out},
            {one.key: told[one.key].at(parent) for one in out},
            Seen(*(bound[:, 0] for bound in told[TOTAL].at(children))),
        )

    def then(self, parent: int, children: Ints, breakdowns: Sequence[Breakdown]) -> View | None:
        """What was seen of a family in the release before, where all of it was there."""
        figures = self.told.figures
        whole = [*children.tolist(), parent]
        out = [one for one in breakdowns if one.key in figures and (figures[one.key][whole] != NONE).all()]
        below = {one.key: seen(figures[one.key][children]) for one in out}
        return View(out, below, {one.key: seen(figures[one.key][parent]) for one in out}) if out else None


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
    """Length of the code of each node; a rest is of the level of the grids beside it, a split grid of its parts'."""
    length = [len(code) for code in cube.codes]
    below = dict(zip(sorted(LENGTHS.values()), [*sorted(LENGTHS.values())[1:], 99], strict=True))
    more = list(zip(cube.names, cube.parents.tolist(), strict=True))[len(length) :]
    return np.array(length + [below[length[at]] for _, at in more], dtype=np.int64)


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


def _keep_to_finest(found: Release, breakdowns: Sequence[Breakdown]) -> None:
    """Keep back the levels that are finer than a breakdown is declared to be published on."""
    for one in breakdowns:
        most = LENGTHS[one.finest]
        gone = [digits for digits in LENGTHS.values() if most < digits <= found.digits[one.key]]
        found.withheld += [(one.key, digits, "declared") for digits in sorted(gone, reverse=True)]
        found.digits[one.key] = min(most, found.digits[one.key])


def _part_overlaps(known: _Known, breakdowns: Sequence[Breakdown]) -> None:
    """Withhold the later of two breakdowns that share a dimension wherever the two narrow a count."""
    digits, levels = known.found.digits, known.levels
    for one, other in combinations(breakdowns, 2):
        kept = levels <= min(digits[one.key], digits[other.key])
        is_open = narrowed(known.of(one.key), known.of(other.key), list(margins(one, other))) & kept
        for homes, sizes in ((one, other), (other, one)):
            if homes.by == ("household",) and sizes.by == ("household_size",):
                # people of a rest, known no finer, live with others who may be: their homes tell nothing of their sizes
                is_grid = np.arange(len(levels)) < len(known.cube.codes)
                is_open |= homes_narrowed(known.of(homes.key), known.of(sizes.key), sizes) & kept & is_grid
        if is_open.any():
            known.gave_way |= is_open
            _withhold(known.found, other.key, int(levels[is_open].min()))


def _withhold(found: Release, key: str, digits: int) -> None:
    """Publish a breakdown above a level only."""
    gone = [one for one in LENGTHS.values() if digits <= one <= found.digits[key]]
    found.withheld += [(key, one, "attack") for one in sorted(gone, reverse=True)]
    found.digits[key] = max((one for one in LENGTHS.values() if one < digits), default=0)


def _attack_families(known: _Known, breakdowns: Sequence[Breakdown]) -> None:
    """Attack the likeliest family of each level, and all that hold a figure which moved though nothing has changed."""
    found, cube = known.found, known.cube
    told = {key: known.of(key) for key in (TOTAL, *(one.key for one in breakdowns))}
    moved = known.moved(breakdowns)
    near = np.union1d(cube.parents[moved], moved[np.isin(moved, cube.parents)])
    likely = [(parent, False) for parent in _families(cube, found.totals, known.levels)]
    for parent, is_whole in sorted([*likely, *((parent, True) for parent in near[near >= 0].tolist())]):
        children = np.flatnonzero(cube.parents == parent)
        digits = int(known.levels[children[0]])
        now = known.now(parent, children, told, breakdowns)
        if is_whole:
            targets = [target for one in now.breakdowns for target in _small(one.key, cube.parts[one.key][children])]
        else:
            targets = [target for key, one in now.children.items() for target in _targets(key, one.figures)]
        then = known.then(parent, children, breakdowns)
        same = np.flatnonzero(known.same[children]).tolist()
        for key in {target[0] for target in attack(now, targets, then=then, same=same)}:
            if found.digits[key] >= digits:
                known.gave_way[[parent, *children]] = True
                _withhold(found, key, digits)


def _families(cube: Cube, totals: Ints, levels: Ints) -> Iterator[int]:
    """Yield for each level the parent of the family that is likeliest to give way: the smallest total above 0."""
    for digits in sorted(set(levels[cube.parents >= 0].tolist())):
        nodes = np.flatnonzero((levels == digits) & (cube.parents >= 0))
        above = np.unique(cube.parents[nodes])
        some = above[totals[above] > 0]
        if len(some):
            yield int(some[np.argmin(totals[some])])


def _small(key: str, counts: Ints) -> Iterator[tuple[str, int, int]]:
    """Yield all cells that hold 1 to 9 people."""
    child, cell = np.nonzero((counts > 0) & (counts < BASE))
    yield from ((key, int(a), int(b)) for a, b in zip(child, cell, strict=True))


def _targets(key: str, figures: Ints) -> Iterator[tuple[str, int, int]]:
    """Yield cells to attack: of those shown as 10, and as 0, the ones in the smallest children."""
    order: NDArray[np.int64] = np.argsort(figures.sum(axis=1), kind="stable")
    for shown in (BASE, 0):
        child, cell = np.nonzero(figures[order] == shown)
        yield from ((key, int(order[a]), int(b)) for a, b in list(zip(child, cell, strict=True))[: _TARGETS // 2])
