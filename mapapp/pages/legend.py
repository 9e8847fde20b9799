"""The texts of a legend, one for each class: the same on every page that shows classes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mapapp.text import Words


def class_texts(
    words: Words, breaks: NDArray[np.float64], drawn: pd.Series[float], digits: int, *, is_change: bool = False
) -> list[str]:
    """Say the spans of the classes 1 .. n, low to high; nothing where nothing is known."""
    known = drawn.dropna()
    if not len(known):
        return []
    if not len(breaks):
        return [words("legend_all", n=words.number(float(known.iloc[0]), digits))]
    if is_change:
        marks = [f"{mark:+,.{digits}f}" for mark in _marks_of_change(breaks, digits)]
        half = len(marks) // 2
        said = [words("legend_to", n=mark) for mark in marks[:half]]
        return [*said, words("legend_unchanged"), *(words("legend_more", n=mark) for mark in marks[half:])]
    marks = [words.number(float(mark), digits) for mark in breaks]
    between = [words("legend_from", low=low, high=high) for low, high in pairwise(marks)]
    return [words("legend_less", n=marks[0]), *between, words("legend_more", n=marks[-1])]


def _marks_of_change(breaks: NDArray[np.float64], digits: int) -> list[float]:
    """What a reader is told of the breaks of changes, which lie half a step beside the values they part."""
    step = 10.0**-digits / 2
    return [float(one) - step if one < 0 else float(one) + step for one in breaks]
