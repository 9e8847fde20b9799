"""Cases as other systems see them: sent by a key, listed, followed. Open311 calls them requests.

The transaction carries the key (`carry_key`), the database reads from it who sends and how far is read: a sender's own
with their words, of others neither words nor an exact place nor anything sensitive.

>>> with desk.keyed(key) as connection:
...     sent = send(connection, catalog, holder, Sent("7f0c", "noise", "449901001001001"))
...     list_requests(connection, holder.scope, Wanted(ids=(sent.id,)))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from layers.access import Scope
from layers.cases import Moved, refused
from layers.declare.records import Catalog
from layers.editions import edition_on
from layers.errors import UnknownNameError

Connection = psycopg.Connection[Any]

_REPORT = (
    "select id, version, state, change_no, is_new"
    " from pub.report_by_key(%s, %s, %s, %s::smallint, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


@dataclass(frozen=True)
class Holder:
    """Who holds a key: the channel and dataset of what it sends, and how far it reads."""

    name: str
    channel: str
    dataset: str
    scope: Scope
    is_open: bool


@dataclass(frozen=True)
class Sent:
    """What another system sends; `number` is its own and names the case for good, `position` is WGS 84."""

    number: str
    category: str
    grid_code: str
    position: tuple[float, float] | None = None
    summary: str | None = None
    is_urgent: bool = False
    at: datetime | None = None
    attrs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """Which requests are asked for: some by their numbers, else those reported in a time, filtered."""

    ids: tuple[int, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    categories: tuple[str, ...] | None = None
    is_open: bool | None = None
    updated_since: datetime | None = None
    own: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """What the database is asked; a moment as text, and nothing where nothing is asked."""
        said = {key: value for key, value in vars(self).items() if value is not None}
        return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in said.items()}


def carry_key(connection: Connection, key: str) -> None:
    """Let the transaction under way carry a key; an empty one reads as the holder of the open key, if there is one."""
    connection.execute("select set_config('atlas.key', %s, true)", [key])


def find_holder(connection: Connection) -> Holder | None:
    """Find who holds the key that the transaction carries; None where it opens nothing."""
    row = connection.execute("select name, channel, dataset, scope, is_open from pub.holder()").fetchone()
    if row is None:
        return None
    name, channel, dataset, scope, is_open = row
    return Holder(name, channel, dataset, Scope(scope), is_open)


def send(connection: Connection, catalog: Catalog, holder: Holder, said: Sent) -> Moved:
    """Make a case of what the holder sends. The same number again is the same case.

    Raises
    ------
    UnknownNameError
        Nobody declared the category for events.
    CaseError
        The key sends nothing, the grid is out of its reach, or the moment lies ahead.
    """
    kinds = {name: one for name, one in catalog.categories.items() if one.table == "event"}
    if said.category not in kinds:
        raise UnknownNameError("category of events", said.category, kinds)
    sensitive = kinds[said.category].sensitive or catalog.datasets[holder.dataset].sensitive
    lon, lat = said.position or (None, None)
    values = [
        said.number, said.category, said.grid_code, edition_on(connection, catalog.city),
        "point" if said.position else "code", lon, lat, said.is_urgent, sensitive, said.summary,
        Jsonb(dict(said.attrs)), catalog.city.zone, said.at,
    ]  # fmt: skip
    with refused(), connection.transaction():
        row = connection.execute(_REPORT, values).fetchone()
    assert row is not None
    return Moved(*row)


def list_requests(
    connection: Connection, scope: Scope, wanted: Wanted, *, most: int = 1000, past: int = 0
) -> pd.DataFrame:
    """List cases as other systems may see them, the latest first; a row is a case.

    Returns
    -------
    DataFrame
        id, grid_code, category, state, outcome, department, channel, reported_at, due_at, closed_at, changed_at, lon,
        lat (of others to a thousandth of a degree), summary and source_key (one's own only), is_own, original_state (of
        the case it was folded into).
    """
    with refused():
        return _frame(
            connection,
            "select * from pub.list_requests(%s, %s, %s, %s, %s)",
            [scope.low, scope.high, Jsonb(wanted.as_json()), most, past],
        )


def request_steps(connection: Connection, scope: Scope, ids: Sequence[int]) -> pd.DataFrame:
    """Read the history of cases; a row is a step.

    Returns
    -------
    DataFrame
        event_id, at, step (missing where another system delivered it), state, department; in order.
    """
    with refused():
        return _frame(
            connection, "select * from pub.request_steps(%s, %s, %s)", [scope.low, scope.high, list(map(int, ids))]
        )


def number_of(connection: Connection, number: str) -> tuple[int | None, str] | None:
    """Find case and state of what the holder sent under a number; None where there is none.

    The case is None while it is sensitive and nobody has accepted it.
    """
    row = connection.execute("select id, state from pub.number_of(%s)", [number]).fetchone()
    return (row[0], row[1]) if row else None


def read_sent(connection: Connection, number: str) -> dict[str, Any] | None:
    """Read a case that the holder sent or delivered, by its own number; None where there is none.

    Returns
    -------
    dict or None
        number, state, outcome, category, grid_code, department, is_urgent, reported_at, due_at, closed_at,
        is_satisfied (None: not answered).
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("select * from pub.read_sent(%s)", [number]).fetchone()


def changes_of(connection: Connection, *, after: int = 0, most: int = 1000) -> pd.DataFrame:
    """Read the steps taken on the holder's own cases after a number; a row is a step, in the order of commits.

    Ask again with the last `change_no` seen: nothing is missed and nothing comes twice. Of a case that one of them was
    merged into come the result and the closing, under the number of the merged one.

    Returns
    -------
    DataFrame
        change_no, number (the source's own), at, step, state, outcome, department, due_at, answer (the words of a
        result or a refusal).
    """
    return _frame(connection, "select * from pub.changes_by_key(%s, %s)", [after, most])


def answer(
    connection: Connection, number: str, *, is_satisfied: bool, reason: str = "", at: datetime | None = None
) -> bool:
    """Write down what the source was told when it asked whether a closed case is settled; False for the same again.

    Raises
    ------
    CaseError
        There is no closed case of that number, it was answered otherwise before, or a reason is missing.
    """
    with refused(), connection.transaction():
        row = connection.execute(
            "select is_new from pub.answer_by_key(%s, %s, %s, %s)", [number, is_satisfied, reason, at]
        ).fetchone()
    assert row is not None
    return bool(row[0])


def _frame(connection: Connection, query: str, values: list[Any]) -> pd.DataFrame:
    cursor = connection.execute(query.encode(), values)
    assert cursor.description is not None
    return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
