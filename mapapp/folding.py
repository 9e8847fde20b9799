"""What the command centre decides about suggestions that are alike, as plain functions that a test calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layers import duplicates
from layers.access import Actor
from layers.errors import AccessError, CaseError
from mapapp.casework import asked_of, read_key, records, whole
from mapapp.desk import Desk
from mapapp.visitor import visitor

FOLDED_MOST = 300
"""Cases that one click folds at the most."""


def propose_groups(desk: Desk, query: Mapping[str, str]) -> dict[str, Any]:
    """Propose which cases of a queue fold into one: those alike by their words, of a category and near by grid.

    Raises
    ------
    AccessError
        Somebody else than the command centre asks.
    """
    actor = _centre()
    asked, scope = asked_of(actor, query)
    digits = whole(query.get("within", ""))
    digits = digits if digits in duplicates.WITHIN else duplicates.WITHIN[0]
    with desk.connection() as connection:
        found, n = duplicates.suggestions(connection, scope, asked)
        names = desk.gazetteer(connection).grids["name"]
    groups = duplicates.propose_within(found, digits)
    groups["grid"] = groups["grid_code"].map(names)
    told = [records(part.drop(columns="group")) for _, part in groups.groupby("group")]
    return {"groups": told, "n_compared": len(found), "n": n, "within": digits, "queue": asked.queue}


def fold(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    """Fold the cases of a group as somebody confirmed it: all of them or none; the same key again folds nothing twice.

    Raises
    ------
    CaseError
        Nothing is picked, or a case has changed since it was shown.
    """
    actor, key = _centre(), read_key(said)
    (leading, *_), others = _pairs([said.get("leading")]) or [(0, 0)], _pairs(said.get("cases"))
    if not others or len(others) > FOLDED_MOST or leading[0] in {one for one, _ in others}:
        raise CaseError("missing", "A group has a leading case and others.", "Pick them.", "original")
    with desk.connection() as connection:
        folded = duplicates.fold(connection, desk.catalog, actor, leading, others, key=key)
        owed = duplicates.authors(connection, actor.scope, leading[0])
    return {"folded": folded, "leading": leading[0], "authors": len(owed)}


def _pairs(sent: Any) -> list[tuple[int, int]]:
    """Numbers of cases with the version each was shown with; what is no such pair is left out."""
    pairs = sent if isinstance(sent, list) else []
    read = [(whole(one[0]), whole(one[1])) for one in pairs if isinstance(one, list) and len(one) == 2]
    return list(dict.fromkeys(read))


def _centre() -> Actor:
    actor = visitor().actor
    if actor.role != "dispatcher":
        raise AccessError("Only the command centre folds cases.", "Ask a dispatcher.")
    return actor
