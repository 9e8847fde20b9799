"""Satisfaction: somebody is asked whether a closed case is settled, by a link or on the phone, and may say no.

Not satisfied is not settled (群众不满意不放过): where the category's policy says so the case reopens at once
(`reopen_by_policy`), else a wish to reopen waits for the command centre. Who does not answer is neither satisfied nor
not.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import psycopg
from psycopg.rows import class_row

from layers import cases
from layers.access import Actor, Scope
from layers.declare.records import Catalog
from layers.errors import CaseError


@dataclass(frozen=True)
class Asked:
    """One question: `token` is for the link and kept nowhere; None when asked on the phone."""

    id: int
    token: str | None


@dataclass(frozen=True)
class Answered:
    """What was answered about: the case, and whether it is the first time."""

    event_id: int
    is_new: bool


def ask(connection: psycopg.Connection[Any], actor: Actor, event_id: int, *, by_link: bool) -> Asked:
    """Ask whether a closed case is settled.

    Raises
    ------
    CaseError
        There is no closed case of that number inside the actor's scope.
    """
    token = secrets.token_urlsafe(24) if by_link else None
    way, digest = ("link", _hash(token)) if token else ("phone", None)
    values = [actor.scope.low, actor.scope.high, event_id, way, digest, None]
    with cases.refused(), connection.transaction():
        row = connection.execute("select pub.ask_back(%s, %s, %s, %s, %s, %s)", values).fetchone()
    assert row is not None
    return Asked(int(row[0]), token)


@dataclass(frozen=True)
class Question:
    """What a link asks about: nobody's words, and no place but the village."""

    category: str
    grid_code: str
    department: str | None
    outcome: str | None
    reported_at: datetime
    closed_at: datetime | None
    is_answered: bool


def read_question(connection: psycopg.Connection[Any], token: str) -> Question | None:
    """Read what a link asks, signed in or not; None once it is dead.

    It lives thirty days while the case stays closed, and for an hour after the answer.
    """
    with connection.cursor(row_factory=class_row(Question)) as cursor:
        return cursor.execute("select * from pub.asked_back(%s)", [_hash(token)]).fetchone()


def answer(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    *,
    is_satisfied: bool,
    reason: str = "",
    token: str | None = None,
    asked_by: Actor | None = None,
    visit_id: int | None = None,
    at: datetime | None = None,
) -> Answered:
    """Write down an answer: by whoever holds the token, or by whoever asked on the phone. Answered once.

    Parameters
    ----------
    connection
        As web; with a token nobody needs to be signed in.
    catalog
        The declarations.
    is_satisfied, reason
        The answer; "not satisfied" says why.
    token
        Of the link.
    asked_by, visit_id
        Who asked on the phone, and which question.
    at
        When it was answered, for what is written down later.

    Raises
    ------
    CaseError
        There is no such question, it was answered otherwise before, or a reason is missing.
    """
    scope = asked_by.scope if asked_by else Scope(catalog.city.code)
    values = [scope.low, scope.high, visit_id, _hash(token) if token else None, is_satisfied, reason, at]
    with cases.refused(), connection.transaction():
        row = connection.execute(
            "select event_id, is_new from pub.answer_back(%s, %s, %s, %s, %s, %s, %s)", values
        ).fetchone()
    assert row is not None
    return Answered(*row)


def reopen_by_policy(connection: psycopg.Connection[Any], catalog: Catalog, actor: Actor) -> list[int]:
    """Reopen the cases whose category reopens at once, and list them; to be called after an answer. Twice does no harm.

    Parameters
    ----------
    connection
        As web, signed in: an answer by a link comes from somebody who is not, and may move no case.
    catalog
        The declarations, with the categories that reopen.
    actor
        A dispatcher, in whose scope it is done and in whose name it is logged.
    """
    reopened = []
    wishes = reopening_requests(connection, actor.scope)
    wishes = wishes[wishes["category"].isin(catalog.limits.reopens)]
    for visit, event, reason in zip(wishes["visit_id"], wishes["event_id"], wishes["reason"], strict=True):
        case = cases.read_case(connection, actor.scope, event)
        if case.state != "closed":  # two answers about one case reopen it once
            continue
        try:
            cases.take_step(connection, catalog, actor, case, "reopen", key=f"visit back {visit}", reason=reason)
        except CaseError as error:
            if error.why != "stale":
                raise
        else:
            reopened.append(case.id)
    return reopened


def reopening_requests(connection: psycopg.Connection[Any], scope: Scope) -> pd.DataFrame:
    """List wishes to reopen that wait for a decision; a row is an answer "not satisfied" about a case still closed.

    Reopening is the step `reopen` of the case; `decline` keeps it closed, and the answer stays as it is.

    Returns
    -------
    DataFrame
        visit_id, event_id, grid_code, category, department, answered_at, reason, the oldest first.
    """
    cursor = connection.execute("select * from pub.reopening_requests(%s, %s)", [scope.low, scope.high])
    assert cursor.description is not None
    return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])


def decline(connection: psycopg.Connection[Any], actor: Actor, visit_id: int, reason: str) -> None:
    """Decline a wish to reopen, with a reason.

    Raises
    ------
    CaseError
        The role may not decline, there is no such wish, or the reason is missing.
    """
    values = [actor.scope.low, actor.scope.high, visit_id, reason]
    with cases.refused(), connection.transaction():
        connection.execute("select pub.decline_reopening(%s, %s, %s, %s)", values)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
