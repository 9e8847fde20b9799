"""Identities: names, ID numbers and phones, masked unless one field is opened for a purpose.

Opening takes two transactions. The first asks: it says who, whom, which field, what for and for which case, and writes
that into the audit. The second reads, and gets nothing unless the first was committed; so nobody reads and then undoes
the entry about it. What is read is sealed; the key is not in the database.
"""

from __future__ import annotations

import hashlib
import secrets as chance
from datetime import date
from typing import Any

import pandas as pd
import psycopg

from layers.access import Scope
from layers.cases import refused
from layers.errors import CaseError

Connection = psycopg.Connection[Any]


def ask_identity(
    connection: Connection, scope: Scope, row_id: int, *, field: str, purpose: str, case: int | None = None
) -> int | None:
    """Ask to open one field of one person in the name of the session; commit before reading.

    Parameters
    ----------
    connection
        Role `web`, carrying the session.
    scope
        Part of the tree the row lies in.
    row_id
        Care record, or one of `case_people`.
    field
        name, number or phone.
    purpose
        visit, contact, emergency or correction.
    case
        Case it is opened for; None for a care record of one's own.

    Returns
    -------
    int or None
        Number to read it by, once and within a minute; None when the account has opened as many as a day allows,
        which is logged as well.

    Raises
    ------
    CaseError
        There is nobody of that number for this session, or field or purpose is none.
    """
    values = [scope.low, scope.high, row_id, field, purpose, case]
    with refused():
        row = connection.execute("select pub.ask_identity(%s, %s, %s, %s, %s, %s)", values).fetchone()
    assert row is not None
    return None if row[0] is None else int(row[0])


def read_identity(connection: Connection, opening: int) -> bytes | None:
    """Read what was asked for, sealed; None where nothing is kept of it.

    Raises
    ------
    CaseError
        It was asked for by somebody else, in this same transaction, in one that was not committed, a minute ago or
        more, or has been read.
    """
    with refused():
        row = connection.execute("select pub.read_identity(%s)", [opening]).fetchone()
    assert row is not None
    return None if row[0] is None else bytes(row[0])


def case_people(connection: Connection, scope: Scope, event_id: int) -> pd.DataFrame:
    """List whom a case is about, for who works on it and may open identities: row_id, kind, mask_sealed.

    `kind` is reporter or concerns; no rows for any other role.
    """
    return _frame(connection, "select * from pub.case_people(%s, %s, %s)", [scope.low, scope.high, event_id])


def make_visit_list(connection: Connection, scope: Scope, day: date, *, group: str | None = None) -> str:
    """Make a list to take along, of at most fifty care records, and return the token of its address.

    Raises
    ------
    CaseError
        There is nobody to visit.
    """
    token = chance.token_urlsafe(24)
    values = [scope.low, scope.high, hashlib.sha256(token.encode()).digest(), group, day]
    with refused():
        connection.execute("select pub.make_visit_list(%s, %s, %s, %s, %s)", values)
    return token


def read_visit_list(connection: Connection, scope: Scope, token: str, day: date) -> pd.DataFrame:
    """Read a list to take along, as long as it holds and for who made it.

    Returns
    -------
    DataFrame
        made_at, ends_at, account, care_group, grid_code, offered, status, due_on, mask_sealed.

    Raises
    ------
    CaseError
        There is no such list for this session any more.
    """
    values = [scope.low, scope.high, hashlib.sha256(token.encode()).digest(), day]
    found = _frame(connection, "select * from pub.read_visit_list(%s, %s, %s, %s)", values)
    if found.empty:
        raise CaseError("gone", "There is no such list.", "A list holds for one day: make a new one.")
    return found


def _frame(connection: Connection, query: str, values: list[Any]) -> pd.DataFrame:
    cursor = connection.execute(query.encode(), values)
    assert cursor.description is not None
    return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
