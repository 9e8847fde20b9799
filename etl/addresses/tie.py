"""From the names found in an address to one grid, or to none: never a guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from etl.addresses.names import FULL, LOOSE, NUMBER, forms_of, spelled_alike
from etl.addresses.search import find_forms
from layers.codes import LENGTHS

Ints = npt.NDArray[np.int64]

_ENDS = "省市县区旗镇乡街道路巷号村社组格办会场在于是从到往住址的与和及.;:()、-"
"""Characters after which a full name may begin; behind any other it may be the rest of a longer, unknown name."""

_CANDIDATES = 10
"""Places of one name that are told at most."""

_GOES_ON = "0123456789第"
"""What may stand behind a name without its ending, beside the end of the address and another name."""


@dataclass(frozen=True)
class _Tree:
    """Levels of the grids, 0 for the city, and the grid above each at every level (itself at its own, -1 below)."""

    level: Ints
    above: Ints

    @classmethod
    def of(cls, codes: pd.Series) -> _Tree:
        position = pd.Index(codes)
        above = np.stack([position.get_indexer(pd.Index(codes.str[:n])) for n in LENGTHS.values()])
        lengths = np.array(list(LENGTHS.values()))
        level = np.searchsorted(lengths, codes.str.len().to_numpy())
        above[np.arange(len(lengths))[:, None] > level] = -1
        return cls(level, above)

    def holds(self, upper: Ints, lower: Ints) -> npt.NDArray[np.bool_]:
        """Whether the first grid is the second, or above it."""
        held: npt.NDArray[np.bool_] = self.above[self.level[upper], lower] == upper
        return held


def tie_addresses(addresses: npt.NDArray[np.object_], grids: pd.DataFrame) -> pd.DataFrame:
    """Tie addresses to the finest grid they name without doubt; one row for each address, in their order.

    Names are matched down the tree (county, large, medium, small), by full names and other names, without their
    endings (桥头 for 桥头村) and by number (第三网格, 3组) right behind the grid above. A name of two places, with
    nothing in the address to tell them apart, is no place: the address is tied to what it names above them, if it
    does, and both are candidates. Names that contradict each other tie to the grid common to all.

    Parameters
    ----------
    addresses
        Text, None where missing.
    grids
        code, level, name, aliases (lists), as `layers.grids.grid_names` gives them.

    Returns
    -------
    pandas.DataFrame
        grid_code: None when no grid below the city is named. confidence: 1 when every name agrees on one grid, 0.5
        when there are others it may be, 0 without a grid. candidates: codes of the grids it may be, a tuple, empty
        when there is no doubt or nothing was named.
    """
    grids = grids.reset_index(drop=True)
    n = len(addresses)
    answer = pd.DataFrame(
        {
            "grid_code": np.full(n, None, dtype=object),
            "confidence": np.zeros(n),
            "candidates": pd.Series([()] * n, dtype=object),
        }
    )
    forms = forms_of(grids)
    if not n or forms.empty:
        return answer
    which, distinct = pd.factorize(pd.Series(addresses, dtype=object))
    texts = spelled_alike(pa.array(distinct, pa.string()))
    codes = grids["code"].astype(object)
    tree = _Tree.of(codes)
    found = _meant(texts, forms, tree)
    grid, confidence, left = _decided(_longest(_believed(found, tree)), tree, len(distinct))
    known = (which >= 0) & (np.append(grid, -1)[which] >= 0)
    answer.loc[known, "grid_code"] = codes.to_numpy(dtype=object)[grid[which[known]]]
    answer.loc[known, "confidence"] = confidence[which[known]]
    if len(left):
        doubted = left.assign(code=codes.to_numpy(dtype=object)[left["grid"]]).groupby("address")["code"]
        answer["candidates"] = pd.Series(which).map(doubted.agg(_few)).map(_or_none)
    return answer


def _few(codes: pd.Series) -> tuple[str, ...]:
    return tuple(sorted(codes)[:_CANDIDATES])


def _or_none(codes: Any) -> tuple[str, ...]:
    return codes if isinstance(codes, tuple) else ()


def _meant(texts: pa.Array, forms: pd.DataFrame, tree: _Tree) -> pd.DataFrame:
    """Find forms in addresses, with every grid they can mean; a row for each (address, place, grid).

    A number such as 3组 is a form of hundreds of grids: only those below the grid named right in front are taken.
    """
    text, distinct = pd.factorize(forms["form"])
    found = find_forms(texts, pd.Series(distinct))
    forms = forms.assign(form=text)
    is_number = forms["kind"] == NUMBER
    named = found.merge(forms[~is_number], on="form")
    numbers = forms[is_number].assign(upper=tree.above[list(LENGTHS).index("medium"), forms.loc[is_number, "grid"]])
    uppers = named[["address", "end", "grid"]].rename(columns={"end": "start", "grid": "upper"})
    numbered = found.merge(uppers, on=["address", "start"]).merge(numbers, on=["form", "upper"])
    return pd.concat([named, numbered.drop(columns="upper").drop_duplicates()], ignore_index=True)


def _believed(found: pd.DataFrame, tree: _Tree) -> pd.DataFrame:
    """Keep the forms that are names where they stand: full ones after an end, others right behind a grid above."""
    ends, starts = found[["address", "end", "grid"]], found[["address", "start", "grid"]]
    pairs = ends.reset_index().merge(
        starts.reset_index(), left_on=["address", "end"], right_on=["address", "start"], suffixes=("", "_behind")
    )
    upper, lower = pairs["grid"].to_numpy(np.int64), pairs["grid_behind"].to_numpy(np.int64)
    pairs = pairs[tree.holds(upper, lower) & (upper != lower)]
    front, behind = pairs["index"].to_numpy(np.int64), pairs["index_behind"].to_numpy(np.int64)

    kind, start = found["kind"].to_numpy(), found["start"].to_numpy()
    leads = np.zeros(len(found), dtype=bool)
    leads[front[kind[behind] != LOOSE]] = True
    for _ in LENGTHS:  # 临海 leads on to 青石 when that leads on to 桥头村
        leads[front[leads[behind]]] = True
    goes_on = np.isin(found["after"], [0, *map(ord, _GOES_ON)])
    goes_on[front] = True
    begins = (start == 0) | np.isin(found["before"], list(map(ord, _ENDS)))
    believed = ((kind == FULL) & begins) | ((kind == LOOSE) & (start == 0) & leads)
    may_follow = (kind != LOOSE) | goes_on
    for _ in LENGTHS:
        follows = np.zeros(len(found), dtype=bool)
        follows[behind[believed[front]]] = True
        believed |= follows & may_follow
    return pd.DataFrame(found[believed])


def _longest(found: pd.DataFrame) -> pd.DataFrame:
    """Drop what is only a part of a longer name: 桥头村 within 桥头村3组."""
    spans = found[["address", "start", "end"]].drop_duplicates()
    both = spans.merge(spans, on="address", suffixes=("", "_other"))
    within = (both["start_other"] <= both["start"]) & (both["end"] <= both["end_other"])
    within &= (both["end_other"] - both["start_other"]) > (both["end"] - both["start"])
    parts = pd.MultiIndex.from_frame(both.loc[within, ["address", "start", "end"]])
    is_part = pd.MultiIndex.from_frame(found[["address", "start", "end"]]).isin(parts)
    return pd.DataFrame(found[~is_part])


def _decided(found: pd.DataFrame, tree: _Tree, n: int) -> tuple[Ints, npt.NDArray[np.float64], pd.DataFrame]:
    """Decide for each address: grid (-1: none) and confidence; and (address, grid) of those that leave a doubt."""
    rows = found[["address", "grid"]].assign(name=found.groupby(["address", "start", "end"]).ngroup())
    agreeing = _agreeing(rows, tree)
    some = agreeing.groupby("address")["agrees"].transform("any")
    left = agreeing[agreeing["agrees"] | ~some]
    finest = left.groupby("address")["level"].transform("max")
    left = left[(left["level"] == finest) | ~left["agrees"]]

    address, grids = left["address"].to_numpy(np.int64), left["grid"].to_numpy(np.int64)
    common = _common(address, grids, tree, n)
    n_left = np.bincount(address, minlength=n)
    alike = np.zeros(n, dtype=bool)
    alike[address[left["agrees"].to_numpy(dtype=bool)]] = True
    alike &= n_left > 1
    # of places with one name, only what is named above them all is sure
    named = _named_above(agreeing, alike, common, tree, n)
    grid = np.where(alike, named, common)
    confidence = np.where(grid < 0, 0.0, np.where(n_left == 1, 1.0, 0.5))
    return grid, confidence, left[n_left[address] > 1][["address", "grid"]]


def _agreeing(rows: pd.DataFrame, tree: _Tree) -> pd.DataFrame:
    """Grids meant in each address, their level, and whether each agrees with every name in it."""
    pairs = rows[["address", "grid"]].drop_duplicates().merge(rows, on="address", suffixes=("", "_other"))
    one, other = pairs["grid"].to_numpy(np.int64), pairs["grid_other"].to_numpy(np.int64)
    pairs = pairs[tree.holds(one, other) | tree.holds(other, one)]
    agreeing = pairs.groupby(["address", "grid"])["name"].nunique().reset_index()
    n_names = rows.groupby("address")["name"].nunique()
    agreeing["agrees"] = agreeing["name"].to_numpy() == n_names.loc[agreeing["address"]].to_numpy()
    agreeing["level"] = tree.level[agreeing["grid"]]
    return agreeing


def _common(address: Ints, grids: Ints, tree: _Tree, n: int) -> Ints:
    """Finest grid below the city that is above all grids of an address, or is the only one; -1 for none."""
    grid = np.full(n, -1, dtype=np.int64)
    for level in range(1, len(LENGTHS)):
        above = tree.above[level, grids]
        low, high = np.full(n, len(tree.level)), np.full(n, -1)
        np.minimum.at(low, address, above)
        np.maximum.at(high, address, above)
        grid = np.where((low == high) & (high >= 0), high, grid)
    return grid


def _named_above(agreeing: pd.DataFrame, asked: npt.NDArray[np.bool_], common: Ints, tree: _Tree, n: int) -> Ints:
    """Finest grid that the addresses asked for name, and that is the common one or above it; -1 for none."""
    rows = agreeing[agreeing["agrees"]]
    address, grids = rows["address"].to_numpy(np.int64), rows["grid"].to_numpy(np.int64)
    use = asked[address] & (common[address] >= 0)
    use[use] = tree.holds(grids[use], common[address[use]])
    order = np.argsort(tree.level[grids[use]], kind="stable")
    named = np.full(n, -1, dtype=np.int64)
    named[address[use][order]] = grids[use][order]
    return named
