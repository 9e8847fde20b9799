"""Numbers that look right and belong to nobody: ID numbers, credit codes, telephones."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from etl.demo.mesh import Ints
from etl.demo.names import Texts

_ID_WEIGHTS = np.array([2 ** (18 - i) % 11 for i in range(1, 18)])
_ID_CHECK = np.array(list("10X98765432"))
_CREDIT_ALPHABET = np.array(list("0123456789ABCDEFGHJKLMNPQRTUWXY"))
_CREDIT_WEIGHTS = np.array([3 ** (i - 1) % 31 for i in range(1, 18)])

NOBODYS_PHONES = "1540"
"""No operator has numbers that begin with 154: eleven digits, the right form, nobody's."""


def id_numbers(area: Texts, born_on: NDArray[np.datetime64], is_male: NDArray[np.bool_]) -> Texts:
    """ID numbers, all different: area code (an unassigned one), day of birth, order with the sex in it, check digit."""
    born = pd.Series(np.datetime_as_string(born_on.astype("datetime64[D]"))).str.replace("-", "")
    stem = pd.Series(area).astype(str) + born
    order = stem.groupby(pd.Series(stem + np.where(is_male, "m", "f"))).cumcount() * 2 + np.where(is_male, 1, 2)
    head = (stem + order.astype(str).str.zfill(3)).to_numpy(dtype="U17")
    digits = head.view("U1").reshape(-1, 17).astype(int)
    check = _ID_CHECK[(digits * _ID_WEIGHTS).sum(axis=1) % 11]
    return np.asarray(np.char.add(head, check).astype(object))


def credit_codes(kind: str, area: Texts, rng: np.random.Generator) -> Texts:
    """Credit codes, all different: registrar and kind (two characters), area, nine characters, check character."""
    n = len(area)
    body = _CREDIT_ALPHABET[rng.integers(0, len(_CREDIT_ALPHABET), (n, 4))]
    serial = _as_base31(np.arange(n) * 7919 + 104_729)
    stem = np.char.add(kind, area.astype("U6"))
    for column in [*serial.T, *body.T]:
        stem = np.char.add(stem, column)
    at = np.searchsorted(_CREDIT_ALPHABET, stem.astype("U17").view("U1").reshape(-1, 17))
    check = _CREDIT_ALPHABET[(31 - (at * _CREDIT_WEIGHTS).sum(axis=1) % 31) % 31]
    return np.asarray(np.char.add(stem, check).astype(object))


def _as_base31(number: Ints) -> NDArray[np.str_]:
    """Five characters for each number: (n, 5)."""
    powers = 31 ** np.arange(4, -1, -1)
    return np.asarray(_CREDIT_ALPHABET[(number[:, None] // powers) % 31])


def phones(n: int, rng: np.random.Generator, start: str = NOBODYS_PHONES) -> Texts:
    """Telephone numbers of eleven digits in a range that no operator uses."""
    rest = rng.integers(0, 10 ** (11 - len(start)), n)
    return np.array([f"{start}{r:0{11 - len(start)}d}" for r in rest.tolist()], dtype=object)
