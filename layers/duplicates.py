"""Near-duplicates and folding: what may be the same thing. Always proposed, confirmed by a person, everybody answered.

Likeness of words is the cosine of TF-IDF vectors over the words that jieba finds in Chinese text.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg

from layers import cases
from layers.access import Actor, Scope
from layers.declare.records import Catalog

NEAR_M = 100.0
"""Metres within which two reports may be of one thing."""
RECENT = timedelta(days=14)
"""How old an open case may be to be offered."""
LIKE = 0.25
"""Likeness from which two suggestions are put forward as one."""


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
        that first one. Nothing is written: `fold` does so when somebody has confirmed a group.
    """
    from sklearn.cluster import AgglomerativeClustering

    result = suggestions[["id", "summary"]].reset_index(drop=True)
    if len(result) < 2:
        return result.assign(group=1, leading=result["id"])
    apart = 1.0 - likeness(result["summary"].fillna("").tolist())
    found = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=1.0 - at_least
    ).fit_predict(apart)
    result["group"] = pd.factorize(found)[0] + 1
    result["leading"] = result.groupby("group")["id"].transform("first")
    return result


def fold(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    actor: Actor,
    leading: int,
    others: Sequence[int],
    *,
    key: str,
) -> int:
    """Fold cases into one, as somebody has confirmed it: all or none. Gives how many were folded now.

    Raises
    ------
    CaseError
        One of them is gone, or can no longer be merged.
    """
    folded = 0
    with connection.transaction():
        for one in others:
            case = cases.read_case(connection, actor.scope, one)
            moved = cases.take_step(connection, catalog, actor, case, "merge", key=f"{key}/{one}", duplicate_of=leading)
            folded += moved.is_new
    return folded


def authors(connection: psycopg.Connection[Any], scope: Scope, event_id: int) -> pd.DataFrame:
    """List everybody who is owed the answer to a case: who reported it, and who reported what was folded into it.

    Returns
    -------
    DataFrame
        id, source_key (the receipt), account, channel, reported_at, the oldest first.
    """
    cursor = connection.execute("select * from pub.folded(%s, %s, %s)", [scope.low, scope.high, event_id])
    assert cursor.description is not None
    return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
