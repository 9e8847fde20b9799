"""Near-duplicates and folding: what may be the same thing. Always proposed, confirmed by a person, everybody answered.

Likeness of words is the cosine of TF-IDF vectors over the words that jieba finds in Chinese text.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg

from layers import cases, queues
from layers.access import Actor, Scope
from layers.declare.records import Catalog
from layers.errors import CaseError

NEAR_M = 100.0
"""Metres within which two reports may be of one thing."""
RECENT = timedelta(days=14)
"""How old an open case may be to be offered."""
LIKE = 0.25
"""Likeness from which two suggestions are put forward as one."""
WITHIN = (12, 9, 4)
"""Digits of the grid that suggestions of one group share: the same community, the same town, or the same city."""
COMPARED_MOST = 1000
"""Suggestions that are compared at once."""


def warm_up() -> None:
    """Read the dictionary of words, so that nobody has to wait for it; does nothing a second time."""
    likeness(["路灯坏了", "路灯不亮"])


def likeness(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Compare every text with every other: a square of numbers from 0 (no word shared) to 1 (the same words)."""
    import jieba
    from sklearn.feature_extraction.text import TfidfVectorizer

    jieba.setLogLevel(logging.WARNING)
    words = [[word for word in jieba.lcut(text) if word.strip() and word.isalnum()] for text in texts]
    if not any(words):
        return np.eye(len(texts))
    vectors = TfidfVectorizer(analyzer=lambda one: one, sublinear_tf=True).fit_transform(words)
    return np.asarray(np.clip((vectors @ vectors.T).toarray(), 0.0, 1.0), np.float64)


def near(
    connection: psycopg.Connection[Any],
    scope: Scope,
    category: str,
    position: tuple[float, float],
    summary: str = "",
    *,
    metres: float = NEAR_M,
    now: datetime | None = None,
) -> pd.DataFrame:
    """List open cases that may be the same thing as a new report, to be offered before it is made; a row is a case.

    Returns
    -------
    DataFrame
        id, grid_code, state, reported_at, summary, distance_m, like (0 to 1, by words), the most likely first: near
        and alike. Sensitive cases are never offered.
    """
    since = (now or datetime.now(UTC)) - RECENT
    cursor = connection.execute(
        "select * from pub.near_cases(%s, %s, %s, %s, %s, %s, %s)",
        [scope.low, scope.high, category, *position, metres, since],
    )
    assert cursor.description is not None
    frame = pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
    frame["like"] = likeness([summary, *frame["summary"].fillna("")])[0, 1:] if len(frame) else 0.0
    rank = frame["like"].astype(float) - frame["distance_m"].astype(float) / metres
    return frame.loc[rank.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def suggestions(
    connection: psycopg.Connection[Any], scope: Scope, asked: queues.Asked, *, most: int = COMPARED_MOST
) -> tuple[pd.DataFrame, int]:
    """List the cases of a queue that may yet be folded, and how many cases the queue has in all; a row is a case.

    Returns
    -------
    DataFrame
        id, grid_code, category, state, version, reported_at, lon, lat, channel, summary, photos (their numbers), the
        oldest first. Sensitive cases are never in it, nor are those that say nothing.
    """
    found = queues.list_cases(connection, scope, asked, most=most)
    n = int(found["n"].iloc[0]) if len(found) else 0
    cursor = connection.execute(
        "select * from pub.suggestions(%s, %s, %s)", [scope.low, scope.high, [int(one) for one in found["id"]]]
    )
    said = pd.DataFrame(cursor.fetchall(), columns=["id", "summary", "photos"])
    said = said[said["summary"].fillna("").str.strip() != ""]
    kept = ["id", "grid_code", "category", "state", "version", "reported_at", "lon", "lat", "channel"]
    return found[kept].merge(said, on="id").sort_values(["reported_at", "id"], ignore_index=True), n


def propose(suggestions: pd.DataFrame, *, at_least: float = LIKE) -> pd.DataFrame:
    """Propose which suggestions fold into one; a row is a suggestion.

    Parameters
    ----------
    suggestions
        id and summary, the oldest first.
    at_least
        Mean likeness from which two groups are put together.

    Returns
    -------
    DataFrame
        id, summary, group (number of the proposed item, from 1 in order of its first suggestion), leading: the id of
        that first one, like: mean likeness to the others of its group (0 to 1; 1 where there is none). Nothing is
        written: `fold` does so when somebody has confirmed a group.
    """
    from sklearn.cluster import AgglomerativeClustering

    result = suggestions[["id", "summary"]].reset_index(drop=True)
    if len(result) < 2:
        return result.assign(group=1, leading=result["id"], like=1.0)
    alike = likeness(result["summary"].fillna("").tolist())
    found = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=1.0 - at_least
    ).fit_predict(1.0 - alike)
    result["group"] = pd.factorize(found)[0] + 1
    result["leading"] = result.groupby("group")["id"].transform("first")
    same = result["group"].to_numpy()[:, None] == result["group"].to_numpy()
    np.fill_diagonal(same, val=False)
    others = same.sum(axis=1)
    result["like"] = np.where(others > 0, (alike * same).sum(axis=1) / np.maximum(others, 1), 1.0)
    return result


def propose_within(suggestions: pd.DataFrame, digits: int, *, at_least: float = LIKE) -> pd.DataFrame:
    """Propose as `propose` does, each category and each grid of so many digits by itself; a row is a suggestion.

    Returns
    -------
    DataFrame
        The columns given, with group and like; only groups of two and more, those of the most suggestions first.
    """
    place = suggestions["grid_code"].astype(str).str[:digits]
    parts = [
        part.reset_index(drop=True).assign(**propose(part, at_least=at_least)[["leading", "like"]])
        for _, part in suggestions.groupby([suggestions["category"], place], sort=False)
    ]
    if not parts:
        return suggestions.assign(group=0, like=1.0)
    found = pd.concat(parts, ignore_index=True)
    found["n"] = found.groupby("leading")["id"].transform("size")
    found = found[found["n"] > 1].sort_values(["n", "leading"], ascending=[False, True], kind="stable")
    found["group"] = pd.factorize(found["leading"])[0] + 1
    return found.drop(columns=["n", "leading"]).reset_index(drop=True)


def fold(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    actor: Actor,
    leading: tuple[int, int],
    others: Sequence[tuple[int, int]],
    *,
    key: str,
) -> int:
    """Fold cases into one, as somebody has confirmed it: all or none. Gives how many were folded now.

    Parameters
    ----------
    connection, catalog, actor
        As of `cases.take_step`; the actor is a dispatcher.
    leading, others
        Number of each case and the version it was shown with.
    key
        Chosen by the sender: the same key again folds nothing twice.

    Raises
    ------
    CaseError
        One of them is gone, has changed since it was shown, or can no longer be merged.
    """
    folded = 0
    try:
        with connection.transaction():
            for one, version in sorted(others):
                case = replace(cases.read_case(connection, actor.scope, one), version=version)
                moved = cases.take_step(
                    connection, catalog, actor, case, "merge", key=f"{key}/{one}", duplicate_of=leading[0]
                )
                folded += moved.is_new
            if folded and cases.read_case(connection, actor.scope, leading[0]).version != leading[1]:
                raise CaseError("stale", "The leading case has changed.", "Look at the group again, then decide.")
    except psycopg.errors.DeadlockDetected as error:  # two people fold the same cases into different ones
        raise CaseError("stale", "Somebody else folds these cases.", "Look at the group again, then decide.") from error
    return folded


def authors(connection: psycopg.Connection[Any], scope: Scope, event_id: int) -> pd.DataFrame:
    """List everybody who is owed the answer to a case: who reported it, and who reported what was folded into it.

    Returns
    -------
    DataFrame
        id, source_key, account (of a resident the digest of the receipt), channel, reported_at, is_satisfied, the
        oldest first. What was folded into a folded case is among them.
    """
    cursor = connection.execute("select * from pub.folded(%s, %s, %s)", [scope.low, scope.high, event_id])
    assert cursor.description is not None
    return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
