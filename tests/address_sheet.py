"""Addresses written by rules from the names of a city's grids, so that where each belongs is known beforehand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from opencc import OpenCC

ROADS = ("人民路", "解放路", "工业大道", "振兴路", "市场街", "府前路")
_HAN = "零一二三四五六七八九"


def han(number: int) -> str:
    """A number below 100 in Chinese."""
    tens, ones = divmod(number, 10)
    return _HAN[number] if number < 10 else ("" if tens == 1 else _HAN[tens]) + "十" + (_HAN[ones] if ones else "")


def wide(text: str) -> str:
    """Full-width figures, as some keyboards write them."""
    return text.translate({ord(c): 0xFF10 + int(c) for c in "0123456789"})


def address_sheet(grids: pd.DataFrame, n: int, seed: int = 1) -> pd.DataFrame:
    """Write `n` addresses; columns address, code (None: unplaced), candidates (codes, sorted) and how it was written.

    `grids` has code, level, name and aliases. Ambiguous ones, code None and candidates given, name a village that two
    towns have and nothing that tells them apart.
    """
    rng = np.random.default_rng(seed)
    city = _City(grids)
    ways = list(WAYS.items())
    rows = []
    while len(rows) < n:
        how, write = ways[len(rows) % len(ways)]
        small = city.small[int(rng.integers(len(city.small)))]
        rows.append((*write(city, small, rng), how))
    return pd.DataFrame(rows, columns=["address", "code", "candidates", "how"], dtype=object)


class _City:
    """Names by code, and the villages that are alike."""

    def __init__(self, grids: pd.DataFrame) -> None:
        self.name = dict(zip(grids["code"], grids["name"], strict=True))
        self.former = {c: a[0] for c, a in zip(grids["code"], grids["aliases"], strict=True) if len(a)}
        self.small = sorted(grids.loc[grids["level"] == "small", "code"])
        medium = grids[grids["level"] == "medium"]
        self.named = medium.groupby("name")["code"].agg(sorted).to_dict()
        self.traditional = OpenCC("s2t")
        self.twice = [name for name, codes in self.named.items() if len(codes) > 1]

    def parts(self, small: str) -> tuple[str, str, str, int]:
        """County, town and village of a group, and its number."""
        village = self.name[small[:12]]
        figures = "".join(c for c in self.name[small].removeprefix(village) if c.isdigit())
        return self.name[small[:6]], self.name[small[:9]], village, int(figures)

    def group(self, small: str) -> str:
        """组 or 网格, as the village calls its parts."""
        return "组" if self.name[small].endswith("组") else "网格"

    def is_twice(self, small: str) -> bool:
        """Whether another town has a village of this name."""
        return self.name[small[:12]] in self.twice


Written = tuple[str, str | None, tuple[str, ...]]
_Way = Callable[[_City, str, np.random.Generator], Written]


def _door(rng: np.random.Generator) -> str:
    return f"{rng.integers(1, 200)}号" + str(rng.choice(["", "附近", "对面", "门口", "3栋201室", "之二"]))


def _head(city: _City, small: str, rng: np.random.Generator) -> str:
    """County and town, perhaps the city in front, perhaps the county left out."""
    county, town, _, _ = city.parts(small)
    return str(rng.choice(["海晏市" + county, county, "", "位于" + county, "广东省海晏市" + county])) + town


def _whole(city: _City, small: str, rng: np.random.Generator) -> Written:
    return _head(city, small, rng) + city.name[small] + _door(rng), small, ()


def _in_words(city: _City, small: str, rng: np.random.Generator) -> Written:
    _, _, village, number = city.parts(small)
    written = f"第{han(number)}{'村民小' if city.group(small) == '组' else ''}{city.group(small)}"
    return _head(city, small, rng) + village + written, small, ()


def _wide(city: _City, small: str, rng: np.random.Generator) -> Written:
    return wide(_head(city, small, rng) + city.name[small] + _door(rng)), small, ()


def _committee(city: _City, small: str, rng: np.random.Generator) -> Written:
    _, _, village, number = city.parts(small)
    if village.endswith("村"):
        long = village + str(rng.choice(["民委员会", "委会", "委"]))
    else:
        long = str(rng.choice([f"{village}居民委员会", f"{village}居委会", f"{village.removesuffix('社区')}居委会"]))
    return f"{_head(city, small, rng)}{long}{number}{city.group(small)}", small, ()


def _short(city: _City, small: str, rng: np.random.Generator) -> Written:
    _, town, village, number = city.parts(small)
    stem = village.removesuffix("村").removesuffix("社区")
    return f"{town}{stem}{number}{city.group(small)}{_door(rng)}", small, ()


def _shortest(city: _City, small: str, rng: np.random.Generator) -> Written:
    county, town, village, _ = city.parts(small)
    stem = town.removesuffix("街道").removesuffix("镇")
    return county.removesuffix("区") + stem + village, small[:12], ()


def _traditional(city: _City, small: str, rng: np.random.Generator) -> Written:
    return city.traditional.convert(_head(city, small, rng) + city.name[small] + _door(rng)), small, ()


def _former(city: _City, small: str, rng: np.random.Generator) -> Written:
    county, town, village, number = city.parts(small)
    old_town = city.former.get(small[:9], town)
    old = city.former.get(small[:12], village)
    return f"{county}{old_town}{old}{number}{city.group(small)}", small, ()


def _parted(city: _City, small: str, rng: np.random.Generator) -> Written:
    county, town, village, number = city.parts(small)
    mark = str(rng.choice([" ", "，", "　", " / ", "·", ", "]))
    return mark.join([county, town, village, f"{number}{city.group(small)}", _door(rng)]), small, ()


def _without_town(city: _City, small: str, rng: np.random.Generator) -> Written:
    if not city.is_twice(small):
        return city.name[small] + _door(rng), small, ()
    twins = (code + small[12:] for code in city.named[city.name[small[:12]]])
    there = tuple(sorted(code for code in twins if code in city.name and city.name[code] == city.name[small]))
    return city.name[small] + _door(rng), small if len(there) == 1 else None, there if len(there) > 1 else ()


def _village(city: _City, small: str, rng: np.random.Generator) -> Written:
    _, _, village, _ = city.parts(small)
    return f"{_head(city, small, rng)}{village}{rng.choice(ROADS)}{_door(rng)}", small[:12], ()


def _town(city: _City, small: str, rng: np.random.Generator) -> Written:
    return f"{_head(city, small, rng)}{rng.choice(ROADS)}{_door(rng)}", small[:9], ()


def _county(city: _City, small: str, rng: np.random.Generator) -> Written:
    county = city.parts(small)[0]
    return f"{county}{rng.choice(ROADS)}与{rng.choice(ROADS)}交叉口", small[:6], ()


def _nowhere(city: _City, small: str, rng: np.random.Generator) -> Written:
    return (
        str(rng.choice(["家门口的小店旁边", "老地方", "人民路3号", "海晏市", "3组", "不详", "外省某县某镇某村"])),
        None,
        (),
    )


def _alike(city: _City, small: str, rng: np.random.Generator) -> Written:
    name = city.twice[int(rng.integers(len(city.twice)))]
    return name + str(rng.choice(["", _door(rng), "村口", "委会旁边"])), None, tuple(city.named[name])


WAYS: dict[str, _Way] = {
    "whole": _whole,
    "number in words": _in_words,
    "full width": _wide,
    "committee": _committee,
    "village without its ending": _short,
    "town without its ending": _shortest,
    "traditional": _traditional,
    "former names": _former,
    "parted": _parted,
    "without the town": _without_town,
    "village only": _village,
    "town only": _town,
    "county only": _county,
    "nowhere": _nowhere,
    "alike": _alike,
}
"""How an address may be written, and what does so."""
