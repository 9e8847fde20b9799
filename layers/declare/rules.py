"""Rules between the fields of one row, as a declaration writes them: `closed_at >= reported_at`.

    LEFT < <= = != >= > RIGHT        compare a column with another one, or with a value
    born_on agrees with number       the day of birth, or the sex, is that in the ID number
    COLUMN is required               it must be there

and behind each of them, when it holds only for some rows, `if COLUMN` (that column is filled in) or
`if COLUMN = VALUE` (any of the comparisons). Values are numbers, days, true, false, or words in quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

COMPARISONS = ("<=", ">=", "!=", "<", ">", "=")
AGREES, REQUIRED, FILLED = "agrees with", "is required", "is filled in"

_COLUMN = r"[a-z][a-z0-9_]*"
_VALUE = rf"{_COLUMN}|-?\d+(?:\.\d+)?|\d{{4}}-\d\d-\d\d|'[^']+'"
_COMPARE = rf"(?P<left>{_COLUMN}) *(?P<sign>[<>!]?=|[<>]) *(?P<right>{_VALUE})"
_CLAUSES = (
    _COMPARE,
    rf"(?P<left>{_COLUMN}) +(?P<sign>{AGREES}) +(?P<right>{_COLUMN})",
    rf"(?P<left>{_COLUMN}) +(?P<sign>{REQUIRED})",
)
_CONDITIONS = (_COMPARE, rf"(?P<left>{_COLUMN})")


@dataclass(frozen=True)
class Clause:
    """A comparison: column, sign, and what stands on its right, a column or a value as written."""

    column: str
    sign: str
    right: str = ""

    @property
    def of_columns(self) -> tuple[str, ...]:
        """Keys of the columns it looks at."""
        return (self.column, self.right) if self.right_is_column else (self.column,)

    @property
    def right_is_column(self) -> bool:
        """Whether a column stands on the right."""
        return re.fullmatch(_COLUMN, self.right) is not None and self.right not in ("true", "false")

    @property
    def value(self) -> str:
        """Value on the right, without its quotes."""
        return self.right.strip("'")


@dataclass(frozen=True)
class Rule:
    """What must hold between the fields of a row, as written, and the rows it is asked of (None: all)."""

    says: str
    clause: Clause
    condition: Clause | None = None


def read_rule(text: object) -> Rule | None:
    """Read one rule; None when it is none."""
    if not isinstance(text, str):
        return None
    holds, _, condition = (part.strip() for part in text.partition(" if "))
    clause = _read(holds, _CLAUSES)
    asked = _read(condition, _CONDITIONS) if condition else None
    if clause is None or (" if " in text and asked is None):
        return None
    return Rule(text.strip(), clause, asked)


def _read(text: str, patterns: tuple[str, ...]) -> Clause | None:
    for pattern in patterns:
        if found := re.fullmatch(pattern, text):
            parts = found.groupdict()
            return Clause(parts["left"], parts.get("sign") or FILLED, parts.get("right") or "")
    return None
