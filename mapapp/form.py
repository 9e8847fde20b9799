"""The form for everybody: what it takes in, and what a receipt tells; without account, session or anybody's name."""

from __future__ import annotations

import hashlib
import hmac
import secrets as chance
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from layers import cases, photos, visits
from layers.access import Actor, Scope
from layers.declare.records import Catalog
from layers.errors import AtlasError, CaseError
from layers.lifecycle import OPEN_STATES, find
from layers.seal import Sealer
from mapapp.casework import records, whole

WORDS_MOST, REASON_MOST, PHOTOS_MOST = 1000, 300, 3
GOOD_FOR_S = 4 * 3600
"""Seconds a form may lie open before it is sent."""

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""No letter looks like another, so that a receipt can be read aloud and copied by hand."""


@dataclass(frozen=True)
class Slip:
    """What a form carries from the moment it is opened: a new receipt, when, and the proof that both are ours."""

    receipt: str
    opened_at: int
    proof: str


def open_slip(sealer: Sealer, now: datetime) -> Slip:
    """Make the slip of a form: a receipt that nobody can guess."""
    receipt = "-".join("".join(chance.choice(LETTERS) for _ in range(5)) for _ in range(4))
    opened_at = int(now.timestamp())
    return Slip(receipt, opened_at, _proof(sealer, receipt, opened_at))


def read_slip(sealer: Sealer, given: Mapping[str, str], now: datetime) -> Slip | None:
    """Read the slip that a form came with; None where it is not ours or too old."""
    receipt, at = given.get("receipt", ""), given.get("opened_at", "")
    opened_at = int(at) if at.isascii() and at.isdigit() and len(at) < 12 else 0
    proof = _proof(sealer, receipt, opened_at)
    is_ours = hmac.compare_digest(proof.encode(), given.get("proof", "").encode())
    return Slip(receipt, opened_at, proof) if is_ours and 0 <= now.timestamp() - opened_at <= GOOD_FOR_S else None


def offered(catalog: Catalog) -> list[str]:
    """List the categories that everybody may report: those whose cases may be seen by whoever works on them."""
    return [key for key, one in catalog.categories.items() if one.table == "event" and not one.sensitive]


def list_communities(connection: psycopg.Connection[Any], catalog: Catalog) -> list[tuple[str, str, str]]:
    """List the medium grids in force: code, name, and the name of the town it lies in."""
    return connection.execute(
        "select g.code, g.name, t.name from pub.grid as g"
        " join pub.edition as e on e.edition = g.edition and e.closed_on is null"
        " join pub.grid as t on t.edition = g.edition and t.code = left(g.code, 9)"
        " where g.level = 'medium' and g.code >= %s and g.code < %s order by g.code",
        [Scope(catalog.city.code).low, Scope(catalog.city.code).high],
    ).fetchall()


def take_in(
    connection: psycopg.Connection[Any], catalog: Catalog, slip: Slip, given: Mapping[str, str],
    pictures: Sequence[bytes] = (),
) -> None:  # fmt: skip
    """Report what a form says, with up to three photos; the same slip again is the same case.

    Raises
    ------
    CaseError
        Category, place or words are missing, the place lies outside the city, or a photo is none.
    """
    words, category = given.get("words", "").strip()[:WORDS_MOST], given.get("category", "")
    if category not in offered(catalog):
        raise CaseError("missing", "No category is chosen.", "Choose one.", "category")
    position, grid_code = _place(connection, catalog, given)
    if not words:
        raise CaseError("missing", "There are no words.", "Say in a few words what it is.", "words")
    if len(pictures) > PHOTOS_MOST:
        raise CaseError("missing", "There are too many photos.", f"Send {PHOTOS_MOST} at the most.", "photos")
    try:
        cleaned = [photos.clean(one) for one in pictures]
    except AtlasError as error:
        raise CaseError("missing", error.message, error.hint, "photo") from error
    key = hashlib.sha256(f"key {slip.receipt}".encode()).hexdigest()[:32]  # seen by others, so not the receipt
    scope = Scope(catalog.city.code)
    said = cases.Report(key, category, grid_code, position, words)
    made = cases.report(connection, catalog, Actor(slip.receipt, "resident", scope), said)
    if made.state in OPEN_STATES:  # sent again after it was closed, it gets none
        for one in cleaned:
            photos.add_by_receipt(connection, slip.receipt, one)


def follow(connection: psycopg.Connection[Any], receipt: str) -> list[dict[str, Any]]:
    """Tell what became of the reports of a receipt: nobody's words, no place, no name."""
    found = cases.follow(connection, receipt.strip().lower())
    found["can_withdraw"] = [find("withdraw", state) is not None for state in found["state"]]
    return records(found.drop(columns=["town_code", "version", "is_urgent", "promise"]))


def withdraw(connection: psycopg.Connection[Any], catalog: Catalog, given: Mapping[str, str]) -> None:
    """Take back what was reported with a receipt, saying why.

    Raises
    ------
    CaseError
        No such case belongs to the receipt, it is being dealt with already, or no reason is given.
    """
    receipt, reason = given.get("receipt", "").strip().lower()[:60], given.get("reason", "").strip()[:REASON_MOST]
    cases.withdraw(connection, catalog, receipt, whole(given.get("case")), reason)


def _place(
    connection: psycopg.Connection[Any], catalog: Catalog, given: Mapping[str, str]
) -> tuple[tuple[float, float] | None, str]:
    """Find the grid: at the phone's position where it was given, else the community that was chosen."""
    if given.get("lon") and given.get("lat"):
        try:
            lon, lat = float(given["lon"]), float(given["lat"])
        except ValueError:
            lon = lat = float("nan")
        inside = -180 <= lon <= 180 and -90 <= lat <= 90  # not so for what is no number
        code = visits.grid_at(connection, lon, lat) if inside else None
        if code is None or not code.startswith(catalog.city.code):
            raise CaseError("missing", "This position lies outside the city.", "Choose the community.", "inside")
        return (lon, lat), code
    code = given.get("community", "")
    if code not in {one for one, _, _ in list_communities(connection, catalog)}:
        raise CaseError("missing", "No community is chosen.", "Choose one, or give the position.", "community")
    return None, code


def _proof(sealer: Sealer, receipt: str, opened_at: int) -> str:
    (token,) = sealer.token_column([f"{receipt} {opened_at}"], "form")
    assert token is not None
    return token.hex()
