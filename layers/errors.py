"""What can go wrong, in words a duty officer can act on.

    AtlasError                      anything we raise on purpose
    ├── SettingError                a setting is missing or makes no sense          exit 2
    ├── DeclarationError            one or more declarations are wrong              exit 3
    ├── UnknownNameError            a dataset, layer, indicator .. nobody declared  exit 4
    ├── ServerError                 PostgreSQL or PostGIS cannot be had             exit 5
    ├── DeliveryError               a delivered file cannot be taken in             exit 6
    ├── AccessError                 asked for more than may be seen                 exit 7
    └── CaseError                   a case cannot take this step                    exit 8

Every error carries a sentence that says what is the matter and one that says how to mend it, and `why`, a word by
which a page says the same in the language of its reader. `EXIT_CODES` is the whole table; a test holds it complete.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AtlasError(Exception):
    """Base of everything raised on purpose: what is the matter, and how to mend it.

    `why` says it in a word, for pages that say it in another language; `told` has the names and numbers in it.
    """

    why = ""

    def __init__(self, message: str, hint: str = "", *, why: str = "", **told: object) -> None:
        super().__init__(message)
        self.message, self.hint, self.told = message, hint, told
        self.why = why or self.why

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class AreaError(AtlasError):
    """An area cannot be; `why` is point, radius, corners, crossing, grids or none."""

    def __init__(self, why: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint, why=why)


class SettingError(AtlasError):
    """A setting is missing or makes no sense."""

    why = "setting"


class DeclarationError(AtlasError):
    """One or more declarations are wrong; `problems` has one sentence each, with file and line."""

    why = "declaration"

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        n = len(self.problems)
        super().__init__(
            f"{n} problem{'s' if n != 1 else ''} in the declarations:\n" + "\n".join(f"  {p}" for p in self.problems),
            "Mend the lines named above, then run `python -m etl check`.",
        )


class UnknownNameError(AtlasError, KeyError):
    """A dataset, layer, indicator, scenario, department or category that nobody declared."""

    why = "unknown"

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        self.nearest = tuple(difflib.get_close_matches(name, self.known, n=3, cutoff=0.4))
        near = ", ".join(self.nearest or self.known[:8]) or "none is declared"
        super().__init__(f"There is no {kind} called {name!r}.", f"The nearest are: {near}.", name=name)

    __str__ = AtlasError.__str__


class ServerError(AtlasError):
    """PostgreSQL or PostGIS cannot be had."""

    why = "server"


class DeliveryError(AtlasError):
    """A delivered file cannot be taken in at all (single rows go to quarantine instead)."""

    why = "delivery"


class AccessError(AtlasError):
    """More was asked for than may be seen."""

    why = "access"


class CaseError(AtlasError):
    """Something cannot be done now; `why` is gone, stale, not_allowed, missing or limit, and `need` what is missing."""

    def __init__(self, why: str, message: str, hint: str = "", need: str = "") -> None:
        super().__init__(message, hint, why=why)
        self.need = need


EXIT_CODES: dict[type[AtlasError], int] = {
    AtlasError: 1,
    SettingError: 2,
    DeclarationError: 3,
    UnknownNameError: 4,
    ServerError: 5,
    DeliveryError: 6,
    AccessError: 7,
    CaseError: 8,
}
