"""What the page of calls decides, as plain functions that a test calls without a browser."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from layers import calls
from layers.access import Actor
from layers.codes import level_of
from layers.declare.case_records import Limits
from layers.errors import CaseError, UnknownNameError
from layers.gazetteer import Gazetteer
from layers.lifecycle import OPEN_STATES
from mapapp.casework import open_case, plain, read_key, text, whole
from mapapp.desk import Desk
from mapapp.visitor import visitor

CALLERS = ("grid_worker", "dispatcher", "case_officer")
ANSWERERS = ("dispatcher", "case_officer", "leader")
RECENT = timedelta(days=3)
"""How long a call that was answered goes on being shown."""


def list_calls(desk: Desk) -> dict[str, Any]:
    """List the calls that are open, and those of late that were answered; the most pressing first."""
    actor, limits = visitor().actor, desk.catalog.limits
    now = datetime.now(UTC)
    with desk.connection() as connection:
        found = calls.open_calls(connection, actor.scope, limits.answer, since=now - RECENT, now=now)
        gazetteer = desk.gazetteer(connection)
    rows = [_row(one, actor, limits, gazetteer, now) for one in found.to_dict("records")]
    rows.sort(key=lambda row: (row["answered_at"] is not None, not row["is_late"], row["called_at"]))
    return {"rows": rows}


def calls_about(desk: Desk, event_id: int) -> dict[str, Any]:
    """List the calls about a case: which departments work on it together, and who has not reported in."""
    actor, limits, now = visitor().actor, desk.catalog.limits, datetime.now(UTC)
    with desk.connection() as connection:
        case, _ = open_case(connection, actor, event_id)
        found = calls.open_calls(connection, actor.scope, limits.answer, about=event_id, now=now)
        gazetteer = desk.gazetteer(connection)
    rows = [_row(one, actor, limits, gazetteer, now) for one in found.to_dict("records")]
    return {"calls": rows, "can_call": actor.role == "dispatcher" and case.state in OPEN_STATES}


def make_call(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    """Call: for a grid, or departments to a case, which the command centre answers itself."""
    actor, key = visitor().actor, read_key(said)
    named = said.get("departments")
    departments = [str(one) for one in named] if isinstance(named, list) else []
    for one in departments:
        if one not in desk.catalog.departments:
            raise UnknownNameError("department", one, desk.catalog.departments)
    with desk.connection() as connection:
        grid_code, event_id = text(said, "grid"), None
        if said.get("case"):
            case, _ = open_case(connection, actor, whole(said["case"]))
            grid_code, event_id = case.grid_code, case.id
            if not departments:
                raise CaseError("missing", "No department is named.", "Name at least one.", "department")
        elif grid_code not in desk.gazetteer(connection):
            raise CaseError("missing", f"There is no grid {grid_code}.", "Choose one from the list.", "grid")
        made = calls.call(
            connection, actor, key=key, grid_code=grid_code, what=text(said, "what")[:500].strip(),
            departments=list(dict.fromkeys(departments)), event_id=event_id,
        )  # fmt: skip
        if event_id and actor.role == "dispatcher":
            calls.answer(connection, actor, made)
    return {"id": made}


def act(desk: Desk, call_id: int, what: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a call, pass it on for the level that holds it, or report in for the own department."""
    actor = visitor().actor
    with desk.connection() as connection:
        if what == "answer":
            return {"is_new": calls.answer(connection, actor, call_id)}
        if what == "report_in":
            return {"is_new": calls.report_in(connection, actor, call_id)}
        code, reason = text(said, "from"), text(said, "reason")[:500]
        is_new = calls.pass_on(connection, actor, desk.catalog.limits.answer, call_id, code, reason=reason)
        return {"is_new": is_new}


def _row(one: Mapping[Any, Any], actor: Actor, limits: Limits, gazetteer: Gazetteer, now: datetime) -> dict[str, Any]:
    """One call as the page shows it: its ladder, its departments, and what whoever asks may do about it."""
    is_open = plain(one["answered_at"]) is None
    rungs = calls.ladder(one["grid_code"], one["called_at"], limits.answer, one["passed_on"])
    codes = [rung.code for rung in rungs]
    held = one["held_by"]
    may_answer = is_open and actor.role in ANSWERERS
    return {
        "id": one["id"], "grid": _name(gazetteer, one["grid_code"]), "what": one["what"],
        "event_id": plain(one["event_id"]),
        "called_at": plain(one["called_at"]), "called_by": one["called_by"],
        "answered_at": plain(one["answered_at"]), "answered_by": plain(one["answered_by"]),
        "held_by": held, "held_since": plain(one["held_since"]), "is_late": is_open and bool(one["is_late"]),
        "n_up": codes.index(held) if is_open and held in codes else 0,
        "ladder": [
            {
                "code": rung.code, "level": level_of(rung.code), "name": _name(gazetteer, rung.code),
                "begins": plain(rung.begins), "ends": plain(rung.ends), "is_passed_on": rung.is_passed_on,
                "is_here": is_open and rung.code == held,
            }
            for rung in rungs
        ],
        "departments": [_department(key, one, limits, now) for key in one["departments"]],
        "can_answer": may_answer,
        "can_pass_on": may_answer and held in codes[:-1] and held.startswith(actor.scope.code),
        "can_report_in": actor.department in one["not_in"],
    }  # fmt: skip


def _department(key: str, one: Mapping[Any, Any], limits: Limits, now: datetime) -> dict[str, Any]:
    ends = one["called_at"] + timedelta(minutes=limits.report_in) if limits.report_in else None
    return {
        "key": key, "in_at": one["reported_in"].get(key), "ends": plain(ends),
        "is_late": key in one["not_in"] and ends is not None and ends < now,
    }  # fmt: skip


def _name(gazetteer: Gazetteer, code: str) -> str:
    return gazetteer.named(code).name if code in gazetteer else ""
