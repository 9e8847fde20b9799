"""What the page of who reports from the field decides, as plain functions that a test calls without a browser."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from layers import cases, duplicates, photos, queues, visits
from layers.access import Actor
from layers.errors import CaseError
from layers.gazetteer import Gazetteer
from layers.lifecycle import find
from mapapp.casework import read_key, records
from mapapp.desk import Desk
from mapapp.visitor import visitor

WORDS_MOST = 2000
LATE_S, LATEST_S = 60, 30 * 86_400
"""From how many seconds of waiting a report says that it is sent late, and how many at the most."""

NEAR_MOST = 5


def kinds_for(role: str) -> tuple[str, ...]:
    """List what a role may send from the field: reports, visits, or both."""
    reports = find("report", "")
    return (
        *(("report",) if reports is not None and role in reports.roles else ()),
        *(("visit",) if role in ("grid_worker", "case_officer") else ()),
    )


def send_report(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    """Report what somebody saw; the same key again is the same case."""
    actor, key = visitor().actor, read_key(said)
    settled = _words(said, "settled")
    if said.get("is_settled") and not settled:
        raise CaseError("missing", "It is not said how it was settled.", "Say what was done.", "reason")
    with desk.connection() as connection:
        position, grid_code = find_grid(connection, actor, said)
        made = cases.report(
            connection, desk.catalog, actor,
            cases.Report(
                key, str(said.get("category", "")), grid_code, position, _needed(said, "words"),
                is_urgent=bool(said.get("is_urgent")), settled=settled if said.get("is_settled") else "",
                at=_moment(said),
            ),
        )  # fmt: skip
    return {"id": made.id, "state": made.state, "is_new": made.is_new}


def send_visit(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    """Write down a visit or a patrol; the same key again is the same visit."""
    actor, key = visitor().actor, read_key(said)
    with desk.connection() as connection:
        _, grid_code = find_grid(connection, actor, said)
        made = visits.record_visit(
            connection, actor.scope, desk.catalog.city, key=key, grid_code=grid_code, found=_needed(said, "words"),
            at=_moment(said),
        )  # fmt: skip
    return {"id": made}


def look_around(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    """Say in which grid a position lies and, for a category, which open cases near it may be the same thing."""
    actor = visitor().actor
    with desk.connection() as connection:
        position, grid_code = find_grid(connection, actor, said)
        told: dict[str, Any] = {"path": names_to(desk.gazetteer(connection), grid_code), "near": []}
        if not said.get("category"):
            return told
        near = duplicates.near(
            connection, actor.scope, str(said["category"]), position, _words(said, "words")
        ).head(NEAR_MOST)  # fmt: skip
        told["near"] = [
            one | {"photos": photos.list_photos(connection, actor.scope, one["id"])["id"].head(3).tolist()}
            for one in records(near)
        ]
    return told


def list_mine(desk: Desk) -> dict[str, Any]:
    """List one's own reports with what became of them, and one's own visits."""
    scope = visitor().actor.scope
    with desk.connection() as connection:
        reports = queues.my_reports(connection, scope)
        made = visits.my_visits(connection, scope)
        names = desk.gazetteer(connection).grids["name"]
    for frame in (reports, made):
        frame["grid"] = frame["grid_code"].map(names)
    return {"reports": records(reports), "visits": records(made)}


def find_grid(
    connection: psycopg.Connection[Any], actor: Actor, said: Mapping[str, Any]
) -> tuple[tuple[float, float], str]:
    """Find the finest grid at a position that a form names, inside what the actor may see.

    WGS 84, in which browsers give positions, and EPSG:4490 differ by centimetres.

    Raises
    ------
    CaseError
        There is no position, or it lies outside.
    """
    try:
        lon, lat = float(said["lon"]), float(said["lat"])
    except (KeyError, TypeError, ValueError) as error:
        raise CaseError("missing", "There is no position.", "Take your own, or pick one.", "position") from error
    inside = -180 <= lon <= 180 and -90 <= lat <= 90  # not so for what is no number
    code = visits.grid_at(connection, lon, lat) if inside else None
    if code is None or not code.startswith(actor.scope.code):
        raise CaseError("missing", "This position lies outside your grids.", "Pick another one.", "inside")
    return (lon, lat), code


def names_to(gazetteer: Gazetteer, grid_code: str) -> list[str]:
    """Names from below the top down to a grid."""
    names = [one.name for one in gazetteer.path(grid_code)]
    return names[1:] or names


def _moment(said: Mapping[str, Any]) -> datetime | None:
    """When it was written, for what waited; phones differ on what time it is, but not on how long something took."""
    try:
        waited = float(said.get("waited_s") or 0)
    except (TypeError, ValueError):
        waited = 0.0
    return datetime.now(UTC) - timedelta(seconds=min(waited, LATEST_S)) if waited >= LATE_S else None


def _words(said: Mapping[str, Any], name: str) -> str:
    return str(said.get(name) or "").strip()[:WORDS_MOST]


def _needed(said: Mapping[str, Any], name: str) -> str:
    words = _words(said, name)
    if not words:
        raise CaseError("missing", "There are no words.", "Say in a few words what it is.", name)
    return words
