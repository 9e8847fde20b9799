"""Items from other systems: a hotline's calls, a village platform's posts; sent, followed, answered by their numbers.

An item keeps the number it has where it comes from. Sent again it is the same case; delivered as a file later it is the
same case too, and goes on by its steps here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg

from layers import requests
from layers.access import Scope
from layers.errors import AtlasError, CaseError
from layers.visits import grid_at
from mapapp.casework import plain, records
from mapapp.desk import Desk

ITEMS_MOST, CHANGES_MOST = 500, 1000
WORDS_MOST = 4000
"""Characters of an item's words, its address among them."""
NUMBER_MOST = 80


def take_items(
    desk: Desk, connection: psycopg.Connection[Any], holder: requests.Holder, sent: Any
) -> list[dict[str, Any]]:
    """Make a case of each item; one that makes no sense holds up no other and is told with its reason.

    Raises
    ------
    CaseError
        It is no list of items, or too long a one.
    """
    items = sent.get("items") if isinstance(sent, Mapping) else sent
    if not isinstance(items, Sequence) or isinstance(items, str) or len(items) > ITEMS_MOST:
        raise CaseError("missing", f"This is no list of at most {ITEMS_MOST} items.", 'Send {"items": [..]}.', "items")
    return [_take(desk, connection, holder, item) for item in items]


def _take(desk: Desk, connection: psycopg.Connection[Any], holder: requests.Holder, item: Any) -> dict[str, Any]:
    number = item.get("number") if isinstance(item, Mapping) else None
    try:
        said = _read(desk, connection, holder, item)
        moved = requests.send(connection, desk.catalog, holder, said)
        return {"number": said.number, "state": moved.state, "is_new": moved.is_new}
    except AtlasError as error:
        told = {"message": error.message, "hint": error.hint, "need": getattr(error, "need", "")}
        return {"number": number if isinstance(number, str) else None, "error": told}


def _read(desk: Desk, connection: psycopg.Connection[Any], holder: requests.Holder, item: Any) -> requests.Sent:
    """Read one item; its category may be ours or the word that the dataset's files have for it."""
    if not isinstance(item, Mapping):
        raise CaseError("missing", "An item is an object.", 'Send {"number": "..", "category": ".."}.', "number")
    number = _text(item, "number", NUMBER_MOST)
    if not number or not number.isprintable():
        raise CaseError("missing", "An item needs its number.", "Send the number it has where it comes from.", "number")
    dataset = desk.catalog.datasets[holder.dataset]
    codes = next((one.codes for one in dataset.columns if one.key == "category"), {})
    word = _text(item, "category", NUMBER_MOST) or dataset.category or ""
    position, grid_code = _place(desk, connection, holder.scope, item)
    words = "\n".join(filter(None, (_text(item, "summary", WORDS_MOST), _text(item, "address", WORDS_MOST))))
    if len(words) > WORDS_MOST:
        raise CaseError("missing", f"Words and address have {WORDS_MOST} characters at most.", "Cut them.", "summary")
    return requests.Sent(
        number, codes.get(word, word), grid_code, position, words or None, item.get("is_urgent") is True,
        moment_of(item, "reported_at"),
    )  # fmt: skip


def _place(
    desk: Desk, connection: psycopg.Connection[Any], scope: Scope, item: Mapping[str, Any]
) -> tuple[tuple[float, float] | None, str]:
    """Position (WGS 84) and finest grid known; the whole scope of the key where neither is said."""
    lon, lat, code = item.get("lon"), item.get("lat"), item.get("grid_code")
    if lon is not None or lat is not None:
        degrees = [
            float(one) if isinstance(one, int | float) and not isinstance(one, bool) else math.nan for one in (lon, lat)
        ]
        grid = None
        if abs(degrees[0]) <= 180 and abs(degrees[1]) <= 90:
            grid = grid_at(connection, *degrees)
        if grid is None or not grid.startswith(scope.code):
            hint = "They are WGS 84 degrees, such as 115.18 and 22.79."
            raise CaseError("missing", "lon and lat lie in no grid of this key's scope.", hint, "lon")
        return (degrees[0], degrees[1]), grid
    if code is None:
        return None, scope.code
    if (
        not isinstance(code, str)
        or not code.startswith(scope.code)
        or code not in desk.gazetteer(connection, scope=scope)
    ):
        raise CaseError("missing", f"There is no grid {code!s:.20} in this key's scope.", "Send its code.", "grid_code")
    return None, code


def read_item(connection: psycopg.Connection[Any], number: str) -> dict[str, Any]:
    """Read how an item stands.

    Raises
    ------
    CaseError
        The source sent none of that number.
    """
    found = requests.read_sent(connection, number)
    if found is None:
        raise CaseError(
            "gone", f"There is no item {number[:NUMBER_MOST]}.", "Send it first; numbers are as you sent them."
        )
    return {key: plain(value) for key, value in found.items()}


def read_changes(connection: psycopg.Connection[Any], after: int, most: int) -> dict[str, Any]:
    """Read what was done with the source's items after a number; `after` of the answer is what to ask with next."""
    found = requests.changes_of(connection, after=after, most=min(max(most, 1), CHANGES_MOST))
    return {"after": int(found["change_no"].iloc[-1]) if len(found) else after, "changes": records(found)}


def answer_item(connection: psycopg.Connection[Any], number: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Write down whether the resident is satisfied, as the source was told.

    Raises
    ------
    CaseError
        There is no closed item of that number, or the answer is not whole.
    """
    satisfied = said.get("is_satisfied")
    if not isinstance(satisfied, bool):
        raise CaseError("missing", "is_satisfied has to be true or false.", "Unanswered is neither.", "is_satisfied")
    reason = _text(said, "reason", WORDS_MOST)
    is_new = requests.answer(connection, number, is_satisfied=satisfied, reason=reason, at=moment_of(said, "at"))
    return {"number": number, "is_new": is_new}


def moment_of(said: Mapping[str, Any], name: str) -> datetime | None:
    """Read a moment with its zone; None where none is said.

    Raises
    ------
    CaseError
        It is none.
    """
    value = said.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else datetime.min
    except ValueError:
        moment = datetime.min
    if moment.tzinfo is None:
        raise CaseError("missing", f"{name} is no moment with a zone.", "Write 2026-03-05T08:30:00+08:00.", name)
    return moment


def _text(said: Mapping[str, Any], name: str, most: int) -> str:
    value = said.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most:
        raise CaseError("missing", f"{name} has to be a text of at most {most} characters.", "Mend it.", name)
    return value.replace("\x00", "").strip()
