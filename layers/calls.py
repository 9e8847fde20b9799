"""Calls: the grid calls, the street answers, the department reports in (网格呼叫、街区响应、部门报到).

A call goes up the tree of the grid until somebody answers: each level has the minutes of `answer` in `limits.toml`. Who
holds it now follows from the time alone, so nothing has to be moved for it to go up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import psycopg

from layers import cases
from layers.access import Actor, Scope
from layers.codes import ancestors_of, level_of


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
    now: datetime | None = None,
) -> pd.DataFrame:
    """List calls; a row is a call, open ones and, with `since`, also those answered since.

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
    now
        The present moment when left out.

    Returns
    -------
    DataFrame
        id, grid_code, event_id, called_at, called_by, what, departments (the first leads), answered_at, answered_by,
        answered_code, reported_in (moment by department), held_by (grid code of who holds it, or who answered),
        held_since, is_late (the last level let its time pass), not_in (departments that have not reported in).
    """
    moment = now or datetime.now(UTC)
    cursor = connection.execute("select * from pub.read_calls(%s, %s, %s)", [*_range(scope), since])
    assert cursor.description is not None
    frame = pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
    held = [
        holder(grid, called, limits, answered or moment)
        for grid, called, answered in zip(frame["grid_code"], frame["called_at"], _moments(frame), strict=True)
    ]
    frame["held_by"] = [
        code if given is None else given for (code, _, _), given in zip(held, _texts(frame), strict=True)
    ]
    frame["held_since"] = [begun for _, begun, _ in held]
    frame["is_late"] = [late for _, _, late in held]
    pairs = zip(frame["departments"], frame["reported_in"], strict=True)
    frame["not_in"] = [[one for one in called if one not in there] for called, there in pairs]
    return frame


def holder(grid_code: str, called_at: datetime, limits: Mapping[str, int], now: datetime) -> tuple[str, datetime, bool]:
    """Find who holds a call: the code of the grid above, since when, and whether its time passed too.

    A level without a limit is passed over; the city holds what nobody else has a limit for.
    """
    above = [code for code in reversed(ancestors_of(grid_code)) if limits.get(level_of(code)) and code != grid_code]
    if not above:
        return ancestors_of(grid_code)[0], called_at, False
    begun = called_at
    for code in above:
        ends = begun + timedelta(minutes=limits[level_of(code)])
        if now < ends:
            return code, begun, False
        last, begun = begun, ends
    return above[-1], last, True


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
