"""How grids are written in addresses: one spelling for addresses and names, and the forms a name may take."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from opencc import OpenCC

from layers.codes import LENGTHS

FULL, LOOSE, NUMBER = 0, 1, 2
"""Kinds of a form: a full name stands on its own; a name without its ending, and a bare number such as 3组, only
count right behind the name of a grid above."""

_GROUP = "(?:(?:村民|居民)?小?组|(?:生产)?小?队)"
_NUMBERED = f"(?:{_GROUP}|号?网格)"
_HAN_DIGITS = "零一二三四五六七八九"
_HAN_NUMBER = re.compile(f"第?([{_HAN_DIGITS}十]{{1,3}})(?={_NUMBERED})")

_FAMILIES: dict[str, tuple[tuple[str, ...], ...]] = {
    "county": (("区",), ("县",), ("市",), ("旗",)),
    "large": (("街道", "街道办事处", "街道办", "街办"), ("镇", "镇人民政府", "镇政府"), ("乡", "乡人民政府", "乡政府")),
    "medium": (
        ("社区", "社区居民委员会", "社区居委会", "社区居委", "居民委员会", "居委会", "居委"),
        ("村", "村民委员会", "村委会", "村委", "行政村"),
    ),
}
"""Endings of names by level: those in one bracket mean the same; the first is the one without more."""


def spelled_alike(texts: pa.Array) -> pa.Array:
    """Write addresses and names in one way: half-width, simplified, no spaces, numbers of groups in figures.

    Source of traditional to simplified characters: OpenCC.
    """
    plain = pc.utf8_normalize(pc.fill_null(texts, ""), "NFKC")
    plain = pc.replace_substring_regex(plain, r"[\s,/|·]+", "")
    plain = _simplified(plain)
    plain = pc.replace_substring(plain, "〇", "零")
    in_words = pc.match_substring_regex(plain, f"[{_HAN_DIGITS}十]{_NUMBERED}")
    if pc.any(in_words).as_py():
        rows = pc.filter(plain, in_words).to_pylist()
        figures = [_HAN_NUMBER.sub(lambda found: str(_number(found[1])), text) for text in rows]
        plain = pc.replace_with_mask(plain, in_words, pa.array(figures, pa.string()))
    plain = pc.replace_substring_regex(plain, f"第?0*([0-9]+){_GROUP}", r"\1组")
    return pc.replace_substring_regex(plain, r"第?0*([0-9]+)号?网格", r"\1网格")


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


def _simplified(texts: pa.Array) -> pa.Array:
    """Write traditional characters as simplified ones; all texts in one go, parted by what none of them holds."""
    if not len(texts):
        return texts
    return pa.array(_converter().convert("\n".join(texts.to_pylist())).split("\n"), pa.string())


def _number(words: str) -> int:
    tens, ten, ones = words.rpartition("十")
    if not ten:
        return int("".join(str(_HAN_DIGITS.index(word)) for word in words))
    return (_HAN_DIGITS.index(tens) if tens else 1) * 10 + (_HAN_DIGITS.index(ones) if ones else 0)


def forms_of(grids: pd.DataFrame) -> pd.DataFrame:
    """List the forms in which each grid below the city may be written: form, grid (row of `grids`) and kind.

    `grids` has code, level, name and aliases. Forms shorter than two characters are left out: they would be found
    everywhere.
    """
    names = _alike(grids["name"])
    named = dict(zip(grids["code"], names, strict=True))
    rows: list[tuple[str, int, int]] = []
    for grid, (code, level, name, aliases) in enumerate(
        zip(grids["code"], grids["level"], names, grids["aliases"], strict=True)
    ):
        if level == "city":
            continue
        rows += [(form, grid, FULL) for alias in _alike(pd.Series(list(aliases))) for form in _written(alias, level)]
        if level != "small":
            rows += [(form, grid, FULL) for form in _written(name, level)]
            rows.append((_stem(name, level), grid, LOOSE))
            continue
        tail = name.removeprefix(named.get(code[: LENGTHS["medium"]], ""))
        rows.append((tail, grid, NUMBER if tail[:1].isdigit() else LOOSE))
        if not name[:1].isdigit():
            rows.append((name, grid, FULL))
    forms = pd.DataFrame(rows, columns=["form", "grid", "kind"])
    forms = forms[forms["form"].str.len() >= 2]
    return forms.sort_values("kind").drop_duplicates(["form", "grid"]).reset_index(drop=True)


def _alike(names: pd.Series) -> list[str]:
    texts: list[str] = spelled_alike(pa.array(names.to_numpy(dtype=object), pa.string(), from_pandas=True)).to_pylist()
    return texts


def _written(name: str, level: str) -> list[str]:
    """Every full form of a name: 桥头村 is also written 桥头村委会."""
    for family in _FAMILIES.get(level, ()):
        for ending in sorted(family, key=len, reverse=True):
            if name.endswith(ending) and len(name) > len(ending) + 1:
                return [name.removesuffix(ending) + other for other in family]
    return [name]


def _stem(name: str, level: str) -> str:
    endings = [ending for family in _FAMILIES.get(level, ()) for ending in family]
    longest = max((ending for ending in endings if name.endswith(ending)), key=len, default="")
    return name.removesuffix(longest)


def letters_of(texts: pa.Array, most: int) -> npt.NDArray[np.uint32]:
    """Give the first `most` characters of each text as numbers; one row for each text, 0 behind its end."""
    cut = pc.utf8_slice_codeunits(texts, 0, most).to_numpy(zero_copy_only=False).astype(f"<U{most}")
    letters: npt.NDArray[np.uint32] = cut.view(np.uint32).reshape(len(cut), most)
    return letters
