"""Counts that a grid has by share: a reform split the grid that rows without a point were known by.

They stand in `pub.tally_carried`: what each part is given, and, negative, what the grid above all parts has less. So
every sum over a whole grid stays what it was. The tallies themselves hold whole rows only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import psycopg
from psycopg import sql

from layers.periods import Step

_NOTHING = 1e-9


def has_carried(connection: psycopg.Connection[Any]) -> bool:
    """Whether any count of any edition is carried by share."""
    row = connection.execute("select exists (select from pub.tally_carried)").fetchone()
    return bool(row and row[0])


def carried_by(step: Step | None) -> sql.Composable:
    """Compose the carried counts as a table like the tallies: by day, or by month."""
    return sql.SQL(
        "(select town_code, grid_no, period / {} as period, dataset_no, category_no, state_no, n"
        " from pub.tally_carried)"
    ).format(sql.Literal(1 if step == "day" else 100))


def with_carried(
    exact: pd.DataFrame, shared: pd.DataFrame, keys: Sequence[str], counts: Sequence[str], digits: int
) -> pd.DataFrame:
    """Add carried counts to whole ones; rows by key.

    Returns
    -------
    DataFrame
        As `exact`, when nothing is carried; else its counts are floats. `attrs["carried"]` has how many rows of the
        first count each grid of the level, of so many digits, was given by share.
    """
    given = shared[(shared["grid_code"].str.len() == digits) & (shared[counts[0]] > 0)]
    carried = given.groupby("grid_code")[counts[0]].sum()
    frame = exact
    if len(shared):
        both = pd.concat([exact, shared], ignore_index=True)
        frame = pd.DataFrame(both.groupby(list(keys))[list(counts)].sum()).reset_index()
        keep = frame[list(counts)].abs().gt(_NOTHING).any(axis=1)
        frame = frame.loc[keep].reset_index(drop=True)
    frame.attrs = {"carried": {str(code): float(n) for code, n in carried.items()}}
    return frame
