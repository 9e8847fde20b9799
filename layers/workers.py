"""Figures of one grid worker, for the worker and the command centre that looks after them: no list by figure, no rank.

| count                | of a grid worker in a period                                         |
|----------------------|----------------------------------------------------------------------|
| `reported`           | cases reported, those settled on the spot left out                   |
| `filed`              | of these, accepted                                                   |
| `settled`            | of these, closed as settled by now                                   |
| `settled_on_spot`    | reported and settled on the spot                                     |
| `passed`             | checks passed                                                        |
| `reworked`           | checks that sent a case back                                         |
| `visits`             | visits and patrols written down                                      |

The database refuses everybody else, leaders and analysts too, and writes a look at somebody else's into the audit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import psycopg

from layers.cases import refused
from layers.periods import Period

Connection = psycopg.Connection[Any]

COUNTS = ("reported", "filed", "settled", "settled_on_spot", "passed", "reworked", "visits")
"""What is counted of a grid worker, in the order of the table above."""


@dataclass(frozen=True)
class Worker:
    """One grid worker, as a list by name shows them."""

    account: str
    name: str
    scope: str


@dataclass(frozen=True)
class Figures:
    """Counts of one grid worker in a period, and the cases they are made of: a row is a case.

    `cases` has id (missing: sensitive, counted and not named), grid_code, category, state, outcome, reported_at, and
    for each of the counts but visits how often the case counts for it.
    """

    counts: dict[str, int]
    cases: pd.DataFrame


def list_workers(connection: Connection) -> list[Worker]:
    """List the grid workers whose figures the session may see, by name; none for who sees none."""
    return [Worker(*row) for row in connection.execute("select account, name, scope from pub.workers()").fetchall()]


def worker_figures(connection: Connection, worker: str, period: Period, zone: str) -> Figures:
    """Count what one grid worker did in a period.

    Raises
    ------
    CaseError
        The session is neither the worker's nor a dispatcher's in whose scope the worker's lies.
    """
    since, until = (pd.Timestamp(day, tz=zone) for day in (period.first_on, period.past_on))
    with refused(), connection.transaction():
        cursor = connection.execute("select * from pub.worker_cases(%s, %s, %s)", [worker, since, until])
        assert cursor.description is not None
        found = pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
        row = connection.execute("select pub.worker_visits(%s, %s, %s)", [worker, since, until]).fetchone()
    assert row is not None
    named = found.rename(
        columns={
            "is_reported": "reported", "is_filed": "filed", "is_settled": "settled",
            "is_settled_on_spot": "settled_on_spot", "n_passed": "passed", "n_reworked": "reworked",
        }
    )  # fmt: skip
    of_cases = list(COUNTS[:-1])
    named = named.astype(dict.fromkeys(of_cases, "int64"))
    counts = {name: int(named[name].sum()) for name in of_cases}
    return Figures(counts | {"visits": int(row[0])}, named)
