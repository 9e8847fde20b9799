"""What the pages of the closed loop decide, as plain functions that a test calls without a browser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pandas as pd
import psycopg

from layers import cases, duplicates, echo, photos, queues, satisfaction
from layers.access import Actor, Scope
from layers.errors import AtlasError, CaseError
from layers.lifecycle import Transition
from layers.routing import route_one
from mapapp.desk import Desk
from mapapp.finder import find_grids
from mapapp.text import Words
from mapapp.visitor import visitor

KEY = re.compile(r"[A-Za-z0-9-]{8,64}")
"""What the browser makes up when a form is opened, so that sending it twice does nothing twice."""

BULK_MOST = 200


def read_key(said: Mapping[str, Any]) -> str:
    """Read the key of a request.

    Raises
    ------
    CaseError
        There is none.
    """
    key = text(said, "key")
    if not KEY.fullmatch(key):
        raise CaseError("missing", "The request has no key.", "Load the page again.", "key")
    return key


def text(said: Mapping[str, Any], key: str) -> str:
    """A text that was sent; empty where there is none."""
    value = said.get(key)
    return value if isinstance(value, str) else ""


def whole(value: Any) -> int:
    """A whole number that was sent; 0 where it is none."""
    written = str(value) if not isinstance(value, bool) else ""
    return int(written) if written.isascii() and written.isdigit() and len(written) <= 18 else 0


def list_queue(desk: Desk, query: Mapping[str, str]) -> dict[str, Any]:
    """List what a queue holds, in a grid and with the filters of the address."""
    actor = visitor().actor
    asked, scope = asked_of(actor, query)
    with desk.connection() as connection:
        if actor.role == "dispatcher":  # who answered by a link could move no case
            satisfaction.reopen_by_policy(connection, desk.catalog, actor)
        found = queues.list_cases(connection, scope, asked)
        names = desk.gazetteer(connection).grids["name"]
    n = int(found["n"].iloc[0]) if len(found) else 0
    found["grid"] = found["grid_code"].map(names)
    return {"queue": asked.queue, "n": n, "rows": records(found.drop(columns="n"))}


def asked_of(actor: Actor, query: Mapping[str, str]) -> tuple[queues.Asked, Scope]:
    """Read the queue, the filters and the grid of an address; a queue that the role has not is its first."""
    known = queues.QUEUES.get(actor.role, ())
    queue = query.get("queue", "")
    filters = (query.get(key) or None for key in ("category", "state", "department", "clock"))
    return queues.Asked(queue if queue in known else known[0], *filters), actor.scope.within(query.get("at") or None)


def search_grids(desk: Desk, sought: str, words: Words) -> list[dict[str, str]]:
    """Find grids, by which the table is narrowed, with the names above them."""
    with desk.connection() as connection:
        gazetteer = desk.gazetteer(connection)
    hits = find_grids(desk, gazetteer, sought, words)
    return [{"code": hit.code, "name": f"{hit.above} › {hit.name}" if hit.above else hit.name} for hit in hits]


def count_queues(desk: Desk) -> dict[str, int]:
    """Count what each queue of the role holds."""
    actor = visitor().actor
    with desk.connection() as connection:
        found = {
            queue: queues.list_cases(connection, actor.scope, queues.Asked(queue), most=1)
            for queue in queues.QUEUES.get(actor.role, ())
            if queue != "all"
        }
    return {queue: int(frame["n"].iloc[0]) if len(frame) else 0 for queue, frame in found.items()}


def open_case(connection: psycopg.Connection[Any], actor: Actor, event_id: int) -> tuple[cases.Case, queues.Place]:
    """Read a case that the session works on.

    Raises
    ------
    CaseError
        There is none of that number, or it is not for this role.
    """
    place = queues.find_place(connection, actor.scope, event_id)
    if not place.is_worked_on:
        raise CaseError("gone", f"There is no case {event_id}.", "It may lie with others, or have been withdrawn.")
    return cases.read_case(connection, actor.scope, event_id), place


def show_case(desk: Desk, event_id: int) -> dict[str, Any]:
    """Read everything a case page shows: the case, its log, photos, links, what is near, and the steps allowed now."""
    actor = visitor().actor
    with desk.connection() as connection:
        case, place = open_case(connection, actor, event_id)
        log = cases.timeline(connection, actor.scope, event_id)
        pictures = photos.list_photos(connection, actor.scope, event_id)
        ties = queues.linked(connection, actor.scope, event_id)
        near = pd.DataFrame()
        if place.lon is not None and place.lat is not None and not case.is_sensitive:
            near = duplicates.near(
                connection, actor.scope, case.category, (place.lon, place.lat), case.summary or "", metres=500.0
            )
            near = near[near["id"] != event_id].head(8)
        wishes = satisfaction.reopening_requests(connection, actor.scope)
        shown = echo.echo_of(connection, actor.scope, event_id)
        owed = duplicates.authors(connection, actor.scope, event_id)
        path = [{"code": one.code, "name": one.name} for one in desk.gazetteer(connection).path(case.grid_code)]
    told = {key: plain(value) for key, value in vars(case).items() if key != "promise"}
    promise = {key: plain(value) for key, value in (case.promise or {}).items()}
    steps = [
        {"step": t.step, "needs": t.needs, "to": t.state} for t in case.steps_for(actor) if _can_be_met(t, actor, log)
    ]
    wish = wishes[wishes["event_id"] == event_id].tail(1)
    return told | {
        "lon": place.lon, "lat": place.lat, "promise": promise, "path": path,
        "steps": [one for one in steps if one["step"] != "report"],
        "log": records(log), "photos": records(pictures), "linked": records(ties), "near": records(near),
        "authors": answered(owed),
        "can_ask": case.state == "closed" and actor.role in ("dispatcher", "case_officer"),
        "echo": {key: plain(value) for key, value in vars(shown).items()} if shown else None,
        "can_release": actor.role in echo.RELEASERS and not case.is_sensitive
        and case.state not in ("reported", "refused"),
        "wish": records(wish)[0] if len(wish) and actor.role == "dispatcher" else None,
        "routed": route_one(desk.catalog, case.grid_code, case.category, case.is_urgent, case.reported_at),
    }  # fmt: skip


def _can_be_met(step: Transition, actor: Actor, log: pd.DataFrame) -> bool:
    """Tell whether what a step needs of the past of a case is so: never dispatched, finished by another hand."""
    if "fresh" in step.needs and (log["state"] == "dispatched").any():
        return False
    finished = log.loc[log["step"] == "finish", "account"].tolist()
    return not ("other_hand" in step.needs and finished[-1:] == [actor.account])


def take_step(desk: Desk, event_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """Take the step that a form of the case page asks for, from the version it was shown with."""
    actor, key = visitor().actor, read_key(said)
    until, original = text(said, "until"), whole(said.get("original"))
    with desk.connection() as connection:
        case, _ = open_case(connection, actor, event_id)
        moved = cases.take_step(
            connection, desk.catalog, actor, replace(case, version=whole(said.get("version"))),
            text(said, "step"), key=key, reason=text(said, "reason")[:2000] or None,
            department=text(said, "department") or None, outcome=text(said, "outcome") or None,
            until_at=_moment(until) if until else None, duplicate_of=original or None,
        )  # fmt: skip
    return {"state": moved.state, "version": moved.version, "is_new": moved.is_new}


def dispatch(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    """Dispatch many cases: each to the department named, else to the one that the rules of routing name.

    Each is a step of its own; one that cannot go does not hold up the others and is told with its reason.
    """
    actor, key = visitor().actor, read_key(said)
    done, failed = [], []
    asked = said.get("cases")
    sent = asked[:BULK_MOST] if isinstance(asked, list) else []
    pairs = [[whole(number) for number in one] for one in sent if isinstance(one, list) and len(one) == 2]
    for event_id, version in pairs:
        try:
            with desk.connection() as connection:
                case, _ = open_case(connection, actor, event_id)
                named = text(said, "department") or route_one(
                    desk.catalog, case.grid_code, case.category, case.is_urgent, case.reported_at
                )
                cases.take_step(
                    connection, desk.catalog, actor, replace(case, version=version), "dispatch",
                    key=f"{key}/{event_id}", department=named,
                )  # fmt: skip
            done.append({"id": event_id, "department": named})
        except AtlasError as error:
            failed.append({"id": event_id, "message": error.message, "why": error.why})
    return {"done": done, "failed": failed}


def ask_back(desk: Desk, event_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """Ask whether a case is settled: by a link, or on the phone with the answer at once; or decline to reopen."""
    actor = visitor().actor
    with desk.connection() as connection:
        if said.get("do") == "decline":
            satisfaction.decline(connection, actor, whole(said.get("visit")), text(said, "reason"))
            return {}
        asked = satisfaction.ask(connection, actor, event_id, by_link=said.get("do") == "link")
        if asked.token:
            return {"token": asked.token}
        satisfaction.answer(
            connection, desk.catalog, is_satisfied=said.get("do") == "yes", reason=text(said, "reason"),
            asked_by=actor, visit_id=asked.id,
        )  # fmt: skip
        if actor.role == "dispatcher":
            satisfaction.reopen_by_policy(connection, desk.catalog, actor)
    return {}


def put_on_wall(desk: Desk, event_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """Release a case for the problem and echo wall in the words of whoever does, or take it away."""
    actor = visitor().actor
    texts = {name: str(said.get(name) or "")[:2000] for name in ("problem", "measure", "result", "reason")}
    with desk.connection() as connection:
        open_case(connection, actor, event_id)
        if said.get("do") == "withdraw":
            echo.withdraw(connection, actor.scope, event_id, texts["reason"])
        else:
            echo.release(
                connection, actor.scope, event_id,
                problem=texts["problem"], measure=texts["measure"], result=texts["result"],
            )  # fmt: skip
    return {}


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn rows into what JSON can say: moments as ISO text, nothing where there is nothing."""
    columns = {name: [plain(value) for value in frame[name].tolist()] for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def plain(value: Any) -> Any:
    """One value as JSON has it."""
    if isinstance(value, list | tuple | dict):
        return value
    if pd.isna(value):
        return None
    return value.isoformat() if isinstance(value, datetime) else value


WAYS = {"receipt ": "receipt", "key ": "source"}
"""How whoever reported is answered, by the beginning of what the log says of them; others look at their own list."""


def answered(authors: pd.DataFrame) -> list[dict[str, Any]]:
    """Say of everybody who is owed the answer which way they get it; nothing where nothing was folded."""
    if len(authors) < 2:
        return []
    told = authors.drop(columns=["account", "source_key"]).assign(way=[_way(one) for one in authors["account"]])
    return records(told)


def _way(account: str | None) -> str:
    if not isinstance(account, str):
        return "none"
    return next((way for start, way in WAYS.items() if account.startswith(start)), "account")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min
    if moment.tzinfo is None:
        raise CaseError("missing", "This is no moment.", "Choose a day and a time.", "until")
    return moment
