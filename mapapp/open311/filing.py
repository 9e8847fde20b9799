"""Filing: a report that another system sends by POST becomes a case."""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Mapping
from typing import Any

import psycopg

from layers import requests
from layers.access import Scope
from layers.errors import CaseError
from layers.visits import grid_at
from mapapp.desk import Desk
from mapapp.open311.answers import RequestError
from mapapp.open311.services import URGENCY, URGENT, find_service
from mapapp.text import Words

WORDS_MOST, PLACE_MOST = 4000, 400
"""Characters of a description and of an address."""


def file_request(
    desk: Desk,
    connection: psycopg.Connection[Any],
    holder: requests.Holder,
    args: Mapping[str, str],
    words: Words,
    *,
    key: str,
    resend: str,
    scope: Scope,
) -> dict[str, Any]:
    """Make a case of a report and say its number; of a sensitive one the token by which it is found once accepted.

    Names, phones and addresses of mail that the standard lets a report carry are not taken in: who sent it answers
    the resident. `resend` is the sender's own key of the request, by which a report sent twice is one.

    Raises
    ------
    RequestError
        Something is missing or makes no sense, or lies outside the jurisdiction.
    """
    said = {name: value.replace("\x00", "").strip() for name, value in args.items()}
    if not said.get("service_code"):
        raise RequestError(400, "service_code was not provided.")
    service = find_service(desk.catalog, said["service_code"])
    position, grid_code = _place(desk, connection, scope, said)
    summary, address = said.get("description", ""), said.get("address_string", "")
    if len(summary) > WORDS_MOST or len(address) > PLACE_MOST:
        raise RequestError(400, f"description may have {WORDS_MOST} characters, address_string {PLACE_MOST}.")
    urgent = said.get(f"attribute[{URGENT}]", "false")
    if urgent not in URGENCY:
        raise RequestError(400, f"attribute[{URGENT}] has to be true or false.")
    token = token_of(key, resend or secrets.token_urlsafe(24))
    sent = requests.Sent(
        digest_of(token), service.key, grid_code, position, "\n".join(filter(None, (summary, address))) or None,
        is_urgent=urgent == "true",
    )  # fmt: skip
    try:
        moved = requests.send(connection, desk.catalog, holder, sent)
    except CaseError as error:
        raise RequestError(403 if error.why == "not_allowed" else 400, f"{error.message} {error.hint}") from error
    told = {"service_notice": words("open311_notice"), "account_id": None}
    return ({"token": token} if service.sensitive else {"service_request_id": str(moved.id)}) | told


def find_token(connection: psycopg.Connection[Any], token: str) -> dict[str, Any]:
    """Say the number of the request that a token stands for; none while it waits to be accepted.

    Raises
    ------
    RequestError
        There is no such token.
    """
    found = requests.number_of(connection, digest_of(token))
    if found is None:
        raise RequestError(404, "token was not found.")
    return {"service_request_id": str(found[0]) if found[0] else None, "token": token}


def token_of(key: str, resend: str) -> str:
    """Token of a report: a secret that who sent it can work out anew, and nobody without the key."""
    return hashlib.sha256(f"token\n{key}\n{resend}".encode()).hexdigest()[:40]


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()[:40]


def _place(
    desk: Desk, connection: psycopg.Connection[Any], scope: Scope, said: Mapping[str, str]
) -> tuple[tuple[float, float] | None, str]:
    """Position and finest grid known: from lat and long, else the grid named, else the whole jurisdiction."""
    if said.get("lat") or said.get("long"):
        position = _degrees(said, "long", 180), _degrees(said, "lat", 90)
        grid = grid_at(connection, *position)
        if grid is None or not grid.startswith(scope.code):
            raise RequestError(400, "lat and long lie in no grid of this jurisdiction; they have to be WGS 84 degrees.")
        return position, grid
    if said.get("address_id"):
        names = desk.gazetteer(connection, scope=Scope(desk.catalog.city.code))
        code = said["address_id"]
        if code not in names or not code.startswith(scope.code):
            raise RequestError(400, "address_id has to be the code of a grid in this jurisdiction.")
        return None, code
    if said.get("address_string"):
        return None, scope.code
    raise RequestError(400, "A place was not provided: lat and long, or address_id, or address_string.")


def _degrees(said: Mapping[str, str], name: str, most: float) -> float:
    try:
        value = float(said.get(name, ""))
    except ValueError:
        value = math.inf
    if not -most <= value <= most:
        raise RequestError(400, f"{name} has to be a number of degrees from -{most} to {most} (WGS 84).")
    return value
