"""Find all forms of names in all addresses at once, by rolling hashes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from etl.addresses.names import letters_of

MOST_LETTERS = 96
"""Characters of an address that are looked at."""

_ROWS = 1 << 14
_BASE = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1

Hashes = npt.NDArray[np.uint64]


def find_forms(addresses: pa.Array, forms: pd.Series) -> pd.DataFrame:
    """Find where forms stand in addresses.

    Returns
    -------
    pandas.DataFrame
        address and form (positions), start and end (characters), before (the character in front, 0 at the start) and
        after (the one behind, 0 at the end); a row for each form found, and for each grid it stands for.
    """
    lengths = forms.str.len().to_numpy()
    letters = letters_of(pa.array(forms.to_numpy(dtype=object), pa.string()), int(lengths.max(initial=2)))
    hashes = _prefixes(letters)
    whole = hashes[np.arange(len(forms)), lengths]
    begins = np.zeros(1 << 16, dtype=bool)
    begins[hashes[:, 2] >> np.uint64(48)] = True
    tables = []
    for length in np.unique(lengths):
        of = np.flatnonzero(lengths == length)
        of = of[np.argsort(whole[of], kind="stable")]
        tables.append((int(length), whole[of], of))
    pieces = [
        _find(letters_of(addresses.slice(at, _ROWS), MOST_LETTERS), at, begins, tables)
        for at in range(0, len(addresses), _ROWS)
    ]
    columns = ["address", "form", "start", "end", "before", "after"]
    return pd.DataFrame(np.concatenate([np.zeros((0, 6), dtype=np.int64), *pieces]), columns=columns)


def _prefixes(letters: npt.NDArray[np.uint32]) -> Hashes:
    """Hash of the first 0, 1, 2 .. letters of each row."""
    hashes = np.zeros((len(letters), letters.shape[1] + 1), dtype=np.uint64)
    for at in range(letters.shape[1]):
        hashes[:, at + 1] = hashes[:, at] * np.uint64(_BASE) + letters[:, at]
    return hashes


def _find(
    letters: npt.NDArray[np.uint32],
    first: int,
    begins: npt.NDArray[np.bool_],
    tables: list[tuple[int, Hashes, npt.NDArray[np.int64]]],
) -> npt.NDArray[np.int64]:
    hashes = _prefixes(letters)
    width = letters.shape[1]
    pair = hashes[:, 2:] - hashes[:, :-2] * np.uint64(_BASE * _BASE & _WORD)
    row, start = np.nonzero(begins[pair >> np.uint64(48)] & (letters[:, 1:] != 0))
    found = []
    for length, known, form in tables:
        fits = start + length <= width
        at_row, at_start = row[fits], start[fits]
        here = hashes[at_row, at_start + length] - hashes[at_row, at_start] * np.uint64(pow(_BASE, length, 1 << 64))
        low, high = np.searchsorted(known, here), np.searchsorted(known, here, side="right")
        n = high - low
        which = np.repeat(np.arange(len(here)), n)
        entry = np.repeat(low - (np.cumsum(n) - n), n) + np.arange(len(which))
        at_row, at_start = at_row[which], at_start[which]
        at_end = at_start + length
        before = np.where(at_start > 0, letters[at_row, at_start - 1], 0)
        after = np.where(at_end < width, letters[at_row, np.minimum(at_end, width - 1)], 0)
        found.append(np.column_stack([at_row + first, form[entry], at_start, at_end, before, after]).astype(np.int64))
    return np.concatenate(found) if found else np.zeros((0, 6), dtype=np.int64)
