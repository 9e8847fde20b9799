"""Who may look where: every read takes a scope, and whoever does something is an actor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from layers.codes import level_of, range_of
from layers.errors import AccessError

AccountRole = Literal[
    "leader",
    "analyst",
    "dispatcher",
    "department_handler",
    "grid_worker",
    "case_officer",
    "data_steward",
    "security_admin",
    "auditor",
    "wall",
]
"""What an account is for; each sees what its work needs, inside its scope."""

ROLES: tuple[AccountRole, ...] = get_args(AccountRole)


@dataclass(frozen=True)
class Scope:
    """The part of the tree of grids a reader may see: one code and everything below it."""

    code: str

    def __post_init__(self) -> None:
        level_of(self.code)

    @property
    def low(self) -> str:
        """First code inside."""
        return range_of(self.code)[0]

    @property
    def high(self) -> str:
        """First code past the end."""
        return range_of(self.code)[1]

    def within(self, code: str | None) -> Scope:
        """Narrow this scope to a grid; None leaves it as it is.

        Raises
        ------
        AccessError
            The grid is not inside the scope.
        """
        if code is None:
            return self
        level_of(code)
        if not code.startswith(self.code):
            raise AccessError(f"There is nothing at {code}.", f"You may ask for {self.code} and what lies below it.")
        return Scope(code)


@dataclass(frozen=True)
class Actor:
    """Who does something: an account with one role, inside a scope, and in a department where the role has one.

    It tells what is offered and how far is read. What is done on cases and calls is done in the name of the session
    that the connection carries, whatever stands here. A resident has no account but a receipt, a secret whose digest
    stands in the log in its place.
    """

    account: str
    role: AccountRole | Literal["resident"]
    scope: Scope
    department: str | None = None
