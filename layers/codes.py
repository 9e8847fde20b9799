"""Division codes: city 4 digits, county 6, large grid 9, medium 12, small 15. A parent is a prefix.

Codes are text; a set of descendants is a half-open range of text, which an index with collation "C" answers.
"""

from __future__ import annotations

from layers.errors import AtlasError

LENGTHS: dict[str, int] = {"city": 4, "county": 6, "large": 9, "medium": 12, "small": 15}
"""Digits of a code at each level, from the top."""

_LEVELS = {n: level for level, n in LENGTHS.items()}


def level_of(code: str) -> str:
    """Level of a code.

    Raises
    ------
    AtlasError
        The code is not 4, 6, 9, 12 or 15 digits.
    """
    if not (code.isascii() and code.isdigit() and len(code) in _LEVELS):
        raise AtlasError(
            f"{code!r} is not a grid code.",
            "A code is 4 (city), 6 (county), 9, 12 or 15 digits (large, medium, small).",
            why="no_code", code=code,
        )  # fmt: skip
    return _LEVELS[len(code)]


def parent_of(code: str) -> str | None:
    """Code of the grid above, or None for a city."""
    lengths = list(LENGTHS.values())
    at = lengths.index(LENGTHS[level_of(code)])
    return code[: lengths[at - 1]] if at else None


def ancestors_of(code: str) -> list[str]:
    """Codes from the city down to and with `code` itself: the breadcrumb."""
    return [code[:n] for n in LENGTHS.values() if n <= LENGTHS[level_of(code)]]


def child_level(level: str) -> str | None:
    """Level below, or None below the small grid."""
    levels = list(LENGTHS)
    at = levels.index(level) + 1
    return levels[at] if at < len(levels) else None


def range_of(code: str) -> tuple[str, str]:
    """Half-open range of text that holds `code` and all its descendants, and nothing else."""
    level_of(code)
    return code, code[:-1] + chr(ord(code[-1]) + 1)


def town_of(code: str) -> str:
    """Nine-digit town code of a grid: county + `000` when known to the county only, city + `00000` when unplaced."""
    level_of(code)
    return code.ljust(9, "0")[:9]


def nbs_of(code: str) -> str:
    """Twelve-digit code as the National Bureau of Statistics pads it, for the levels down to the medium grid."""
    if level_of(code) == "small":
        raise AtlasError(f"{code} is a small grid: below the village there is no national code.")
    return code.ljust(12, "0")
