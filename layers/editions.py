"""Editions of the grids: which one holds on a day; the database knows, the city's declaration only gives the first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from layers.codes import level_of
from layers.errors import AtlasError, UnknownNameError

if TYPE_CHECKING:
    import psycopg

    from layers.access import Scope
    from layers.declare.records import City

_READ = "select edition, name, opened_on, closed_on, version from pub.edition order by opened_on, edition"


@dataclass(frozen=True)
class EditionSpan:
    """An edition and the days it holds: from `opened_on` on, before `closed_on`; None for the one in force."""

    edition: int
    name: str
    opened_on: date
    closed_on: date | None
    version: int


def read_editions(connection: psycopg.Connection[Any]) -> list[EditionSpan]:
    """Read all editions, the oldest first; any role may. Empty before any grid is loaded."""
    return [EditionSpan(*row) for row in connection.execute(_READ).fetchall()]


def edition_on(connection: psycopg.Connection[Any], city: City, on: str | date | None = None) -> int:
    """Give the number of the edition that holds on a day; without one, of the edition in force.

    Raises
    ------
    AtlasError
        `on` is no day, or lies before the first edition.
    """
    editions = read_editions(connection)
    if on is None:
        return max((e.edition for e in editions if e.closed_on is None), default=city.edition)
    day = _day(on)
    found = [e.edition for e in editions if e.opened_on <= day and (e.closed_on is None or day < e.closed_on)]
    if not found:
        first = editions[0].opened_on if editions else city.opened_on
        raise AtlasError(f"No grids are known for {day}.", f"The first edition holds from {first} on.")
    return found[-1]


def check_grid(connection: psycopg.Connection[Any], scope: Scope, within: str | None, edition: int) -> None:
    """Raise where there is no such grid inside the scope in an edition; a code of the past is told what it became.

    Raises
    ------
    UnknownNameError
        There is none.
    AccessError
        It is outside the scope.
    """
    if within is None:
        return
    level = level_of(scope.within(within).code)
    rows = connection.execute(
        "select code from pub.grid where edition = %s and code >= %s and code < %s and level = %s order by code",
        [edition, scope.low, scope.high, level],
    ).fetchall()
    codes = [code for (code,) in rows]
    if within not in codes:
        from layers.succession import became_sentence  # pandas, which opening an atlas need not wait for

        error = UnknownNameError(f"{level} grid", within, codes)
        error.hint = became_sentence(connection, within) or error.hint
        raise error


def _day(on: str | date) -> date:
    try:
        return on if isinstance(on, date) else date.fromisoformat(on)
    except ValueError as error:
        raise AtlasError(f"{on!r} is no day.", "Write a day such as 2024-06-30.") from error
