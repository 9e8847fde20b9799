"""Reformed: what was told of people on the grids before a reform, as it speaks of the grids after it.

Where a grid was split, the old one stays in the tree, between its parts and the grid above: the parts are rounded under
it, so that they add up to what was published of it where nobody moved. Where grids were merged, the new one is shown as
the sum of what they were shown as, or as near to it as ten from the truth allows. Where borders were moved, the old
grids that lie on the same ground as some new ones stay in the tree as one, which is both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import psycopg
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from layers.cube import FORMER, REST, Ints
from layers.editions import read_editions
from layers.privacy import BASE
from layers.succession import SURE, shares_between
from layers.told import NONE, Told

_NEAR = BASE - 1


def edition_before(connection: psycopg.Connection[Any], edition: int) -> int | None:
    """Return the edition that an edition came after, None for the first."""
    return max((one.edition for one in read_editions(connection) if one.edition < edition), default=None)


def former_parents(shares: pd.DataFrame) -> dict[str, str]:
    """Return, for new grids that together make up old ones, the name of those as a node above them.

    Only where they are several, and all lie in one grid.

    Parameters
    ----------
    shares
        Which old grids lie in which new ones, from `shares_before`.
    """
    if shares.empty:
        return {}
    ground = _ground(shares)
    above = shares["new_code"].str[:-3]
    several = shares["new_code"].groupby(ground).transform("nunique") > 1
    beside = several & (above.groupby(ground).transform("nunique") == 1)
    return {new: f"{old}{FORMER}" for new, old in zip(shares["new_code"][beside], ground[beside], strict=True)}


def _ground(shares: pd.DataFrame) -> pd.Series:
    """Tell grids apart by ground: of each row the first of the old codes that are on the same ground as new ones."""
    olds, old = np.unique(shares["old_code"].to_numpy(str), return_inverse=True)
    news, new = np.unique(shares["new_code"].to_numpy(str), return_inverse=True)
    n = len(olds) + len(news)
    graph = csr_array((np.ones(len(old)), (old, len(olds) + new)), shape=(n, n))
    _, part = connected_components(graph, directed=False)
    first = pd.Series(olds).groupby(part[: len(olds)]).transform("min")
    return pd.Series(first.to_numpy()[old], index=shares.index)


def told_of_former(shares: pd.DataFrame, names: Sequence[str], former: Sequence[str], told: Told) -> Told:
    """Say what was told of nodes of an edition by what was told of the one before.

    Parameters
    ----------
    shares
        Which old grids lie in which new ones, from `shares_before`.
    names
        Nodes: grids of the edition, and old grids that were split.
    former
        Nodes of the edition before, in whose order `told` is.
    told
        What was told of those.
    """
    if shares.empty:
        return Told()
    position = {name: at for at, name in enumerate(former)}
    sources: dict[str, list[int]] = {}
    together = {str(first): one.unique().tolist() for first, one in shares["old_code"].groupby(_ground(shares))}
    for new, one in shares.groupby("new_code"):
        if (one["weight"] >= SURE).all() and one["old_code"].isin(position).all():
            sources[str(new)] = [position[code] for code in one["old_code"]]
    for name in names:
        olds = together.get(name.removesuffix(FORMER), [])
        if name.endswith(FORMER) and position.keys() >= set(olds):
            sources[name] = [position[code] for code in olds]
        base = sources.get(name.removesuffix(REST), [])
        if name.endswith(REST) and len(base) == 1 and f"{former[base[0]]}{REST}" in position:
            sources[name] = [position[f"{former[base[0]]}{REST}"]]
    of = [sources.get(name, []) for name in names]
    counts, figures = _merged(told.counts, of, _sum), _merged(told.figures, of, _sum)
    return Told(
        counts,
        {key: _nearest(figures[key], counts[key]) for key in figures},
        _merged(told.least, of, _least),
        _merged(told.most, of, _most),
    )


def _merged(parts: Mapping[str, Ints], of: Sequence[Sequence[int]], add: Callable[[Ints], Ints]) -> dict[str, Ints]:
    """Bring rows of each breakdown to the nodes that are made of them, added where it is several."""
    found = {}
    for key, values in parts.items():
        rows = np.full((len(of), values.shape[1]), NONE, dtype=np.int64)
        for at, old in enumerate(of):
            if len(old) == 1:
                rows[at] = values[old[0]]
            elif old and (values[list(old)] != NONE).all():
                rows[at] = add(values[list(old)])
        found[key] = rows
    return found


def _sum(rows: Ints) -> Ints:
    total: Ints = rows.sum(axis=0)
    return total


def _least(rows: Ints) -> Ints:
    """Of lowest figures of merged grids, a number that is as far below what they hold at most as figures are."""
    return _sum(rows + _NEAR) - _NEAR


def _most(rows: Ints) -> Ints:
    """Of highest figures, likewise; that some small grids hold a few people each is not said by what is to come."""
    most = _sum(np.maximum(rows - _NEAR, 0)) + _NEAR
    return np.where(most < BASE + _NEAR, np.minimum(most, BASE), most)


def _nearest(figures: Ints, counts: Ints) -> Ints:
    """Return the figures nearest to some that are allowed for counts; `NONE` stays."""
    floor = counts // BASE * BASE
    nearest = np.clip(figures, floor, floor + np.where(counts % BASE, BASE, 0))
    return np.where((figures == NONE) | (counts == NONE), figures, nearest)


def shares_before(connection: psycopg.Connection[Any], edition: int) -> pd.DataFrame:
    """Read which grids of the edition before lie in which of this one, level by level, unchanged grids included."""
    before = edition_before(connection, edition)
    if before is None:
        return pd.DataFrame({"old_code": [], "new_code": [], "weight": []})
    shares = shares_between(connection, before, edition)
    return shares[shares["old_code"].str.len() == shares["new_code"].str.len()]
