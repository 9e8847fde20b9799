"""Degrees, minutes and seconds written as text, in the ways that are about, turned into decimal degrees.

| written                | read as   |
|------------------------|-----------|
| `115°22′12.8″E`        | degrees, minutes and seconds, signs of every make, full-width ones too |
| `东经115度22分12.8秒`  | likewise  |
| `115 22 12.8`, `115-22-12.8`, `115:22:12.8` | likewise |
| `115d22'12.8"`         | likewise  |
| `115°22.213′`          | minutes with a fraction |
| `E115.370222°`         | degrees with a fraction |

Whole degrees alone are no place, and refused. So are minutes and seconds of 60 and more.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.masks import Mask, flags, plain, present

_DEGREE, _MINUTE, _SECOND = "[°d度]", "['分]", "(?:\"|''|秒)"
_SPELLINGS = (
    (r"\s*(?:º|˚|∘|゜|deg)\s*", "°"),
    (r"\s*(?:″|”|“|〃|＂|′′|’’|'')\s*", '"'),
    (r"\s*(?:′|’|‘|`|´|＇)\s*", "'"),
)
_LETTERS = r"^(?P<before>[+-]|[ewns]|东经|西经|北纬|南纬)?\s*(?P<number>[^\sewns].*?)\s*(?P<after>[ewns])?$"
_FORM = (
    rf"^(?P<degrees>\d{{1,3}}(?:\.\d+)?)(?:\s*{_DEGREE}\s*|\s*[-:]\s*|\s+|$)"
    rf"(?:(?P<minutes>\d{{1,2}}(?:\.\d+)?)(?:\s*{_MINUTE}\s*|\s*[-:]\s*|\s+|$))?"
    rf"(?:(?P<seconds>\d{{1,2}}(?:\.\d+)?)\s*{_SECOND}?)?$"
)
_EAST_WEST, _SOUTH_WEST = ("e", "w", "东经", "西经"), ("-", "s", "w", "南纬", "西经")


def parse_degrees(values: pa.Array, *, is_longitude: bool) -> tuple[npt.NDArray[np.float64], Mask]:
    """Read coordinates written in degrees, minutes and seconds.

    Parameters
    ----------
    values
        Text, one coordinate each.
    is_longitude
        Whether longitudes are expected; a text that names the other axis is not read.

    Returns
    -------
    tuple
        Decimal degrees, NaN where a text is none of this; and which texts name the other axis.
    """
    text = values
    for pattern, sign in _SPELLINGS:
        text = pc.replace_substring_regex(text, pattern, sign)
    text = pc.utf8_lower(pc.utf8_trim_whitespace(pc.utf8_normalize(text, form="NFKC")))
    around = pc.extract_regex(text, _LETTERS)
    parts = pc.extract_regex(pc.struct_field(around, "number"), _FORM)
    found = present(parts)
    degrees, minutes, seconds = (_numbers(parts, part) for part in ("degrees", "minutes", "seconds"))
    has_minutes, has_seconds = ~np.isnan(minutes), ~np.isnan(seconds)
    is_whole = [number == np.floor(number) for number in (degrees, minutes)]
    found &= np.where(has_minutes, is_whole[0] & (minutes < 60), ~has_seconds & ~is_whole[0])
    found &= ~has_seconds | (has_minutes & is_whole[1] & (seconds < 60))
    signs = [pc.struct_field(around, part) for part in ("before", "after")]
    lettered = [flags(pc.match_substring_regex(sign, "[^+-]")) for sign in signs]
    found &= ~(lettered[0] & lettered[1])
    is_negative = np.zeros(len(found), bool)
    names_longitude = np.zeros(len(found), bool)
    for sign in signs:
        is_negative |= flags(pc.is_in(sign, pa.array(_SOUTH_WEST)))
        names_longitude |= flags(pc.is_in(sign, pa.array(_EAST_WEST)))
    other_axis = found & (lettered[0] | lettered[1]) & (names_longitude != is_longitude)
    number = degrees + np.nan_to_num(minutes) / 60.0 + np.nan_to_num(seconds) / 3600.0
    number = np.where(is_negative, -number, number)
    return np.where(found & ~other_axis, number, np.nan), other_axis


def _numbers(parts: pa.Array, name: str) -> npt.NDArray[np.float64]:
    texts = pc.struct_field(parts, name)
    numbers = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts).cast(pa.float64())
    return np.asarray(plain(numbers, np.nan), dtype=np.float64)
