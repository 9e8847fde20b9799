"""Requests: cases as GeoReport v2 shows them, asked for by number or by time, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import psycopg

from layers import requests
from layers.access import Scope
from layers.gazetteer import Gazetteer
from mapapp.desk import Desk
from mapapp.open311.answers import RequestError
from mapapp.text import Words

SPAN = timedelta(days=90)
"""Longest time that may be asked for at once."""
PAGE_MOST = 1000

_ENDS = ("closed", "refused")


@dataclass(frozen=True)
class Asked:
    """What of the requests is asked for, and how much of it."""

    wanted: requests.Wanted
    page: int = 1
    page_size: int = PAGE_MOST
    has_extensions: bool = False


def read_asked(args: Mapping[str, str], now: datetime) -> Asked:
    """Read what an address asks for. An empty argument is as good as none.

    Raises
    ------
    RequestError
        An argument makes no sense.
    """
    said = {key: value.strip() for key, value in args.items() if value.strip()}
    size = min(_whole(said, "page_size", PAGE_MOST), PAGE_MOST)
    page, extensions = _whole(said, "page", 1), said.get("extensions") == "true"
    if "service_request_id" in said:
        ids = tuple(number for one in _list(said, "service_request_id") if (number := _number(one)) is not None)
        return Asked(requests.Wanted(ids=ids), page, size, extensions)
    end = _moment(said, "end_date") or (_moment(said, "start_date") or now - SPAN) + SPAN
    start = _moment(said, "start_date") or end - SPAN
    if end - start > SPAN:
        raise RequestError(400, "start_date and end_date may be 90 days apart at the most; ask for each part in turn.")
    status = set(_list(said, "status"))
    if status - {"open", "closed"}:
        raise RequestError(400, "status has to be open, closed, or both.")
    wanted = requests.Wanted(
        since=start, until=end, categories=tuple(_list(said, "service_code")) or None,
        is_open=status == {"open"} if len(status) == 1 else None, updated_since=_moment(said, "updated_after"),
    )  # fmt: skip
    return Asked(wanted, page, size, extensions)


def jurisdiction_of(
    desk: Desk, connection: psycopg.Connection[Any], holder: requests.Holder, args: Mapping[str, str]
) -> Scope:
    """Find the part of the tree that a request is about: the grid named by `jurisdiction_id`, else all of the key's.

    Raises
    ------
    RequestError
        There is no such jurisdiction for this key.
    """
    named = args.get("jurisdiction_id", "").strip()
    if not named:
        return holder.scope
    if not named.startswith(holder.scope.code) or named not in desk.gazetteer(connection, scope=holder.scope):
        raise RequestError(404, f"jurisdiction_id {named[:32]!r} was not found.")
    return Scope(named)


def list_requests(
    desk: Desk, connection: psycopg.Connection[Any], scope: Scope, asked: Asked, words: Words
) -> list[dict[str, Any]]:
    """List requests, the latest first."""
    found = requests.list_requests(
        connection, scope, asked.wanted, most=asked.page_size, past=(asked.page - 1) * asked.page_size
    )
    rows = found.astype(object).where(found.notna(), None).to_dict("records")
    names = desk.gazetteer(connection, scope=Scope(desk.catalog.city.code))
    shown = [_shown(desk, names, words, row) for row in rows]
    if asked.has_extensions:
        history = _history(desk, requests.request_steps(connection, scope, [row["id"] for row in rows]), words)
        for one, row in zip(shown, rows, strict=True):
            one["extended_attributes"] = {
                "closed_datetime": moment_of(row["closed_at"]),
                "state": row["state"],
                "outcome": row["outcome"],
                "channel": row["channel"],
            }
            one["notes"] = history.get(row["id"], [])
    return shown


def _shown(desk: Desk, names: Gazetteer, words: Words, row: Mapping[Any, Any]) -> dict[str, Any]:
    """One request by the standard; when it was closed is when it was last changed."""
    is_closed = row["state"] in _ENDS
    kind = desk.catalog.categories.get(row["category"])
    department = desk.catalog.departments.get(row["department"] or "")
    outcome = f" · {words('outcome_' + row['outcome'])}" if row["outcome"] else ""
    together = ""
    if row["original_state"]:
        together = " · " + words("open311_together", state=words(f"state_{row['original_state']}"))
    path = [one.name for one in names.path(row["grid_code"])] if row["grid_code"] in names else []
    return {
        "service_request_id": str(row["id"]),
        "status": "closed" if is_closed else "open",
        "status_notes": words(f"state_{row['state']}") + outcome + together,
        "service_name": words.of(kind.name) if kind else row["category"],
        "service_code": row["category"],
        "description": row["summary"],
        "agency_responsible": words.of(department.name) if department else None,
        "service_notice": None,
        "requested_datetime": moment_of(row["reported_at"]),
        "updated_datetime": moment_of(row["closed_at"] or row["changed_at"]),
        "expected_datetime": moment_of(row["due_at"]),
        "address": "".join(path) or None,
        "address_id": row["grid_code"],
        "zipcode": None,
        "lat": row["lat"],
        "long": row["lon"],
        "media_url": None,
    }


def _history(desk: Desk, steps: pd.DataFrame, words: Words) -> dict[int, list[dict[str, Any]]]:
    """What was done with each request: moment, state and who has it, in nobody's words."""
    told: dict[int, list[dict[str, Any]]] = {}
    for row in steps.to_dict("records"):
        department = desk.catalog.departments.get(row["department"] or "")
        by = f" · {words.of(department.name)}" if department else ""
        said = f"step_{row['step']}" if row["step"] else f"state_{row['state']}"
        told.setdefault(row["event_id"], []).append(
            {"datetime": moment_of(row["at"]), "type": row["state"], "description": words(said) + by}
        )
    return told


def moment_of(value: datetime | None) -> str | None:
    """Write a moment as the standard has it: UTC, to the second; None where there is none."""
    return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _list(said: Mapping[str, str], name: str) -> list[str]:
    return [one.strip() for one in said.get(name, "").split(",") if one.strip()]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _whole(said: Mapping[str, str], name: str, usual: int) -> int:
    value = _number(said.get(name, str(usual)))
    if not value or value > 1_000_000:
        raise RequestError(400, f"{name} has to be a whole number from 1 on.")
    return value


def _moment(said: Mapping[str, str], name: str) -> datetime | None:
    text = said.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # a plus that an address did not encode
    except ValueError:
        moment = datetime.min
    if moment.tzinfo is None:
        raise RequestError(400, f"{name} has to be a moment with a zone, such as 2026-01-01T00:00:00Z.")
    return moment
