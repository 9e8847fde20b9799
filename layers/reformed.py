"""Reformed: what was told of people on the grids before a reform, as it speaks of the grids after it.

Where a grid was split, the old one stays in the tree, between its parts and the grid above: the parts are rounded under
it, so that they add up to what was published of it where nobody moved. Where grids were merged, the new one is shown as
the sum of what they were shown as, or as near to it as ten from the truth allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import psycopg

from layers.cube import FORMER, REST, Ints
from layers.editions import read_editions
from layers.privacy import BASE
from layers.succession import SURE, shares_between
from layers.told import NONE, Told


def edition_before(connection: psycopg.Connection[Any], edition: int) -> int | None:
    """Return the edition that an edition came after, None for the first."""
    return max((one.edition for one in read_editions(connection) if one.edition < edition), default=None)


def former_parents(connection: psycopg.Connection[Any], edition: int) -> dict[str, str]:
    """Return, for each part of a grid that was split, the name of the old grid as a node above it.

    Only where whole new grids of one grid above make the old one up.
    """
    before = edition_before(connection, edition)
    shares = _shares(connection, before, edition)
    if shares.empty:
        return {}
    shares = shares.assign(
        n_parts=shares.groupby("old_code")["new_code"].transform("size"),
        n_old=shares.groupby("new_code")["old_code"].transform("size"),
        above=shares["new_code"].str[:-3],
        n_above=shares.groupby("old_code")["new_code"].transform(lambda codes: codes.str[:-3].nunique()),
    )
    is_whole = shares["n_old"].groupby(shares["old_code"]).transform("max") == 1
    split = shares[(shares["n_parts"] > 1) & is_whole & (shares["n_above"] == 1)]
    return {new: f"{old}{FORMER}" for old, new in zip(split["old_code"], split["new_code"], strict=True)}


def told_of_former(
    connection: psycopg.Connection[Any], edition: int, names: Sequence[str], former: Sequence[str], told: Told
) -> Told:
    """Say what was told of nodes of an edition by what was told of the one before.

    Parameters
    ----------
    connection
        The loader's.
    edition
        Edition of the nodes.
    names
        Nodes: grids of it, and old grids that were split.
    former
        Nodes of the edition before, in whose order `told` is.
    told
        What was told of those.
    """
    shares = _shares(connection, edition_before(connection, edition), edition)
    position = {name: at for at, name in enumerate(former)}
    sources: dict[str, list[int]] = {}
    for new, one in shares.groupby("new_code"):
        if (one["weight"] >= SURE).all() and one["old_code"].isin(position).all():
            sources[str(new)] = [position[code] for code in one["old_code"]]
    for name in names:
        if name.endswith(FORMER) and name.removesuffix(FORMER) in position:
            sources[name] = [position[name.removesuffix(FORMER)]]
        base = sources.get(name.removesuffix(REST), [])
        if name.endswith(REST) and len(base) == 1 and f"{former[base[0]]}{REST}" in position:
            sources[name] = [position[f"{former[base[0]]}{REST}"]]
    of = [sources.get(name, []) for name in names]
    return Told(*(_summed(parts, of, told.counts if n == 1 else None) for n, parts in enumerate(_parts_of(told))))


def _parts_of(told: Told) -> tuple[Mapping[str, Ints], ...]:
    return told.counts, told.figures, told.least, told.most


def _summed(
    parts: Mapping[str, Ints], of: Sequence[Sequence[int]], counts: Mapping[str, Ints] | None
) -> dict[str, Ints]:
    """Sum rows of each breakdown; `counts` says that they are figures, which go to the nearest one allowed."""
    found = {}
    for key, values in parts.items():
        rows = np.full((len(of), values.shape[1]), NONE, dtype=np.int64)
        for at, old in enumerate(of):
            if len(old) == 1:
                rows[at] = values[old[0]]
            elif old and (values[list(old)] != NONE).all():
                rows[at] = values[list(old)].sum(axis=0)
                if counts is not None:
                    true = counts[key][list(old)].sum(axis=0)
                    floor = true // BASE * BASE
                    rows[at] = np.clip(rows[at], floor, floor + np.where(true % BASE, BASE, 0))
        found[key] = rows
    return found


def _shares(connection: psycopg.Connection[Any], before: int | None, edition: int) -> pd.DataFrame:
    """Read which old grids of a level lie in which new ones of it, grids that are what they were included."""
    if before is None:
        return pd.DataFrame({"old_code": [], "new_code": [], "weight": []})
    shares = shares_between(connection, before, edition)
    return shares[shares["old_code"].str.len() == shares["new_code"].str.len()]
