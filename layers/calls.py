"""Calls: the grid calls, the street answers, the department reports in (网格呼叫、街区响应、部门报到).

A call goes up the tree of the grid until somebody answers: each level has the minutes of `answer` in `limits.toml`. Who
holds it now follows from the time alone, so nothing has to be moved for it to go up; a level may pass it on before its
time is over.

A call about a case has several departments work on it together: the first named leads and takes the steps, the others
see the case, report in and add photos.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import psycopg

from layers import cases
from layers.access import Actor, Scope
from layers.codes import ancestors_of, level_of
from layers.errors import CaseError


def call(
    connection: psycopg.Connection[Any],
    actor: Actor,
    *,
    key: str,
    grid_code: str,
    what: str,
    departments: Sequence[str] = (),
    event_id: int | None = None,
    at: datetime | None = None,
) -> int:
    """Make a call and give its number; the same key again is the same call. The first department leads.

    Raises
    ------
    CaseError
        The grid is out of reach.
    """
    values = [*_range(actor.scope), grid_code, key, what, list(departments), event_id, at]
    return int(_run(connection, "select pub.raise_call(%s, %s, %s, %s, %s, %s, %s, %s)", values))


def answer(connection: psycopg.Connection[Any], actor: Actor, call_id: int, *, at: datetime | None = None) -> bool:
    """Answer a call for the grid of the actor's scope; False when the same account had answered before.

    Raises
    ------
    CaseError
        The call does not come from below that grid, or somebody else answered it.
    """
    values = [*_range(actor.scope), call_id, at]
    return bool(_run(connection, "select pub.answer_call(%s, %s, %s, %s)", values))


def pass_on(
    connection: psycopg.Connection[Any],
    actor: Actor,
    limits: Mapping[str, int],
    call_id: int,
    from_code: str,
    *,
    reason: str = "",
    at: datetime | None = None,
) -> bool:
    """Pass a call on to the next level, for the level that holds it; False when that level had done so before.

    Raises
    ------
    CaseError
        There is no such open call in reach, another level holds it by now, nobody stands above, or the level lies
        outside the actor's scope.
    """
    found = open_calls(connection, actor.scope, limits, now=at)
    one = next(iter(found[found["id"] == call_id].to_dict("records")), None)
    if one is None:
        raise CaseError("gone", f"There is no open call {call_id}.", "It may have been answered.")
    above = _above(one["grid_code"], limits)
    if from_code in above[-1:] or not above:
        raise CaseError("not_allowed", "Nobody stands above who holds this call.", "Answer it.")
    if from_code != one["held_by"] and from_code not in one["passed_on"]:
        raise CaseError("stale", "Another level holds this call by now.", "Look at the call again.")
    values = [*_range(actor.scope), call_id, from_code, reason, at]
    return bool(_run(connection, "select pub.pass_on(%s, %s, %s, %s, %s, %s)", values))


def report_in(connection: psycopg.Connection[Any], actor: Actor, call_id: int, *, at: datetime | None = None) -> bool:
    """Report in for the actor's department; False when it had done so before.

    Raises
    ------
    CaseError
        There is no such call in reach, or the department was not called.
    """
    values = [*_range(actor.scope), call_id, at]
    return bool(_run(connection, "select pub.report_in(%s, %s, %s, %s)", values))


def open_calls(
    connection: psycopg.Connection[Any],
    scope: Scope,
    limits: Mapping[str, int],
    *,
    since: datetime | None = None,
    about: int | None = None,
    now: datetime | None = None,
) -> pd.DataFrame:
    """List calls that the session may see; a row is a call.

    Parameters
    ----------
    connection
        As web.
    scope
        Part of the tree to look at.
    limits
        Minutes each level has: `catalog.limits.answer`.
    since
        Also calls made from then on that were answered.
    about
        All calls about this case, and no others.
    now
        The present moment when left out.

    Returns
    -------
    DataFrame
        id, grid_code, event_id, called_at, called_by, what, departments (the first leads), answered_at, answered_by,
        answered_code, reported_in (moment by department), passed_on (moment by code of the grid), held_by (grid code of
        who holds it, or who answered), held_since, is_late (the last level let its time pass), not_in (departments that
        have not reported in).
    """
    moment = now or datetime.now(UTC)
    cursor = connection.execute("select * from pub.read_calls(%s, %s, %s, %s)", [*_range(scope), since, about])
    assert cursor.description is not None
    frame = pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
    passed_on = [{code: datetime.fromisoformat(at) for code, at in one.items()} for one in frame["passed_on"]]
    frame["passed_on"] = pd.Series(passed_on, index=frame.index, dtype=object)
    held = [
        holder(grid, called, limits, answered or moment, passed)
        for grid, called, answered, passed in zip(
            frame["grid_code"], frame["called_at"], _moments(frame), passed_on, strict=True
        )
    ]
    frame["held_by"] = [
        code if given is None else given for (code, _, _), given in zip(held, _texts(frame), strict=True)
    ]
    frame["held_since"] = [begun for _, begun, _ in held]
    frame["is_late"] = [late for _, _, late in held]
    pairs = zip(frame["departments"], frame["reported_in"], strict=True)
    frame["not_in"] = [[one for one in called if one not in there] for called, there in pairs]
    return frame


@dataclass(frozen=True)
class Rung:
    """A level that a call comes to, from when and until when it has it, and whether it passed it on early."""

    code: str
    begins: datetime
    ends: datetime
    is_passed_on: bool


def ladder(
    grid_code: str, called_at: datetime, limits: Mapping[str, int], passed_on: Mapping[str, datetime] | None = None
) -> list[Rung]:
    """List the levels a call goes up unless somebody answers, the nearest first.

    A level without a limit is passed over.
    """
    rungs, begins = [], called_at
    above = _above(grid_code, limits)
    for code in above:
        ends = begins + timedelta(minutes=limits[level_of(code)])
        passed = (passed_on or {}).get(code)
        is_passed_on = passed is not None and begins <= passed < ends and code != above[-1]
        rungs.append(Rung(code, begins, passed if passed is not None and is_passed_on else ends, is_passed_on))
        begins = rungs[-1].ends
    return rungs


def holder(
    grid_code: str,
    called_at: datetime,
    limits: Mapping[str, int],
    now: datetime,
    passed_on: Mapping[str, datetime] | None = None,
) -> tuple[str, datetime, bool]:
    """Find who holds a call: the code of the grid above, since when, and whether its time passed too.

    The city holds what nobody else has a limit for.
    """
    rungs = ladder(grid_code, called_at, limits, passed_on)
    if not rungs:
        return ancestors_of(grid_code)[0], called_at, False
    here = next((one for one in rungs if now < one.ends), rungs[-1])
    return here.code, here.begins, now >= here.ends


def _above(grid_code: str, limits: Mapping[str, int]) -> list[str]:
    return [code for code in reversed(ancestors_of(grid_code)) if limits.get(level_of(code)) and code != grid_code]


def _moments(frame: pd.DataFrame) -> list[datetime | None]:
    return [None if pd.isna(one) else one for one in frame["answered_at"]]


def _texts(frame: pd.DataFrame) -> list[str | None]:
    return [None if pd.isna(one) else str(one) for one in frame["answered_code"]]


def _run(connection: psycopg.Connection[Any], query: str, values: list[Any]) -> Any:
    with cases.refused(), connection.transaction():
        row = connection.execute(query.encode(), values).fetchone()
    assert row is not None
    return row[0]


def _range(scope: Scope) -> tuple[str, str]:
    return scope.low, scope.high
