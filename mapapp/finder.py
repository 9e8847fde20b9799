"""Search by name, one for all pages: grids for everybody, and what lies in them for who may see single rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from layers.codes import LENGTHS
from layers.gazetteer import Gazetteer
from mapapp.desk import Desk
from mapapp.rights import AT_DESKS
from mapapp.text import Words
from mapapp.visitor import visitor

FOUND_MOST, ROWS_MOST = 12, 6
"""Hits in all, and those of them that are places, things or organisations."""

LONGEST = 80
"""Characters that are looked for."""


@dataclass(frozen=True)
class Hit:
    """A grid that was found, or a row that lies in the grid `code`: what it is called, and where it lies, in words.

    Of a grid `box` is (west, south, east, north); of a row `mark` names it in an address, `kind` is what it is and
    (`lon`, `lat`) where.
    """

    code: str
    name: str
    above: str
    box: tuple[float, float, float, float] | None = None
    mark: str = ""
    category: str = ""
    kind: str = ""
    lon: float = 0.0
    lat: float = 0.0


def may_find_rows() -> bool:
    """Tell whether who asks is told names of single rows: everybody at a desk, never a wall."""
    return visitor().actor.role in AT_DESKS


def read_names(desk: Desk) -> None:
    """Read the names that are searched through, once for all who ask until data are new."""
    with desk.connection() as connection:
        desk.gazetteer(connection)
        if may_find_rows():
            desk.named(connection)


def find_all(
    desk: Desk, connection: psycopg.Connection[Any], gazetteer: Gazetteer, sought: str, words: Words
) -> list[Hit]:
    """Find grids, then places, things and organisations, by name, pinyin or initials, of grids by code too.

    The grids are those of the gazetteer; what lies in grids lies in those in force.
    """
    rows = find_rows(desk, connection, sought, words) if may_find_rows() else []
    return find_grids(desk, gazetteer, sought, words, FOUND_MOST - len(rows)) + rows


def find_grids(desk: Desk, gazetteer: Gazetteer, sought: str, words: Words, most: int = FOUND_MOST) -> list[Hit]:
    """Find grids by name, former name, pinyin or code; city and counties have their name in the language."""
    own = desk.catalog.city.names

    def name(code: str, name: str) -> str:
        return words.of(own[code]) if code in own else name

    return [
        Hit(
            hit.code, name(hit.code, hit.name),
            " › ".join(name(one.code, one.name) for one in gazetteer.path(hit.code)[1:-1]), hit.box,
        )
        for hit in gazetteer.search(sought[:LONGEST], most)
    ]  # fmt: skip


def find_rows(desk: Desk, connection: psycopg.Connection[Any], sought: str, words: Words) -> list[Hit]:
    """Find places, things and organisations in the grids in force by name, pinyin or initials."""
    return _hits(desk, connection, desk.named(connection).search(sought[:LONGEST], ROWS_MOST), words)


def find_marked(desk: Desk, connection: psycopg.Connection[Any], mark: str, words: Words) -> Hit | None:
    """The row that an address marks; None where nobody who asks may be told of it, or it is gone."""
    element, _, number = mark.partition(".")
    if not mark or not may_find_rows():
        return None
    return next(iter(_hits(desk, connection, desk.named(connection).row(element, int(number)), words)), None)


def name_of(gazetteer: Gazetteer, code: str) -> str:
    """Name a grid with the village it lies in; a code that is not in the grids as it is."""
    known = gazetteer.grids["name"]
    names = [str(known[one]) for one in dict.fromkeys((code[: LENGTHS["medium"]], code)) if one in known.index]
    return joined(*names) if len(names) == 2 else "".join(names) or code


def joined(village: str, name: str) -> str:
    """Name a grid after its village, unless it already is."""
    return name if name.startswith(village) else f"{village} {name}"


def _hits(desk: Desk, connection: psycopg.Connection[Any], rows: Any, words: Words) -> list[Hit]:
    gazetteer, known = desk.gazetteer(connection), desk.catalog.categories
    kinds = {key: words.of(known[key].name) for key in rows["category"].unique() if key in known}
    return [
        Hit(
            one.grid_code, one.name, name_of(gazetteer, one.grid_code), mark=f"{one.element}.{one.id}",
            category=one.category, kind=kinds.get(one.category, ""), lon=one.lon, lat=one.lat,
        )
        for one in rows.itertuples()
        if one.grid_code in gazetteer
    ]  # fmt: skip
