"""What is kept of a tie by address: how sure it is, which grids it may be, and the address itself, sealed.

It stands in `attrs` under keys that no declaration can give: `_confidence`, `_candidates` and `_address`.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl.masks import plain, present
from etl.place import TIED_BY, Placed
from etl.shape import Shaped
from etl.tree import GridTree
from layers.codes import LENGTHS
from layers.seal import Sealer

CONFIDENCE, CANDIDATES, ADDRESS = "_confidence", "_candidates", "_address"
"""Keys in `attrs`."""


def doubts_of(rows: Shaped, placed: Placed, tree: GridTree, sealer: Sealer) -> dict[str, pa.Array]:
    """Columns for `attrs`, null where there is nothing to tell; none when no address was looked at.

    An address is kept, sealed, only where a steward has to look: it means several grids, or none.
    """
    if placed.confidence is None or placed.candidates is None or rows.address is None:
        return {}
    open_ = np.flatnonzero(present(placed.confidence) & (present(placed.candidates) | (placed.grid == tree.city)))
    sealed = sealer.seal_column(rows.address.take(pa.array(open_)).to_pylist())
    address = np.full(rows.n, None, object)
    address[open_] = [b64encode(one or b"").decode() for one in sealed]
    return {
        CONFIDENCE: placed.confidence,
        CANDIDATES: placed.candidates,
        ADDRESS: pa.array(address, pa.string(), from_pandas=True),
    }


def open_address(kept: str | None, sealer: Sealer) -> str:
    """Open an address kept by `doubts_of`; empty when there is none."""
    return sealer.open(b64decode(kept)) if kept else ""


def count_alike(placed: Placed, tree: GridTree) -> dict[str, int]:
    """Rows by the names of the grids they may be: 青石镇松洋村 或 石鼓镇松洋村."""
    if placed.candidates is None:
        return {}
    codes = placed.candidates.drop_null()
    if not len(codes):
        return {}
    counts = pd.Series(codes.to_pylist()).map(tuple).value_counts()
    named = path_names(tree.names)
    pairs = zip(counts.index.tolist(), counts.tolist(), strict=True)
    return {" 或 or ".join(named.get(code, code) for code in several): n for several, n in pairs}


def count_codes(rows: Shaped, placed: Placed, tree: GridTree) -> dict[str, dict[str, int]]:
    """Rows without a point whose delivered code was never a grid, or is of a grid that was split: by code."""
    if rows.delivered_code is None:
        return {}
    asked = rows.delivered_code.filter(pa.array(placed.tied_by != TIED_BY.index("point"))).drop_null()
    counted = pc.value_counts(asked)
    codes, n = counted.field("values"), counted.field("counts")
    at = tree.find(codes)
    digits = plain(pc.utf8_length(tree.codes.take(pa.array(np.maximum(at, 0)))), 0)
    above = (at >= 0) & (digits < plain(pc.utf8_length(codes), 0))
    found = {}
    for kind, mask in (("codes_never_grids", at < 0), ("codes_of_split_grids", above)):
        if mask.any():
            some = pa.array(mask)
            found[kind] = dict(zip(codes.filter(some).to_pylist(), n.filter(some).to_pylist(), strict=True))
    return found


def path_names(grids: pd.DataFrame) -> dict[str, str]:
    """Name of each grid with those of the town and village above it; `grids` has code and name."""
    name = dict(zip(grids["code"], grids["name"], strict=True))

    def path(code: str) -> str:
        parts: list[str] = []
        for level in ("large", "medium", "small") if len(code) > LENGTHS["county"] else ("county",):
            part = name.get(code[: LENGTHS[level]], "") if len(code) >= LENGTHS[level] else ""
            parts = [*parts, part.removeprefix(parts[-1]) if parts else part]
        return "".join(parts)

    return {code: path(code) for code in name}
