"""What became of grids: shares between any two editions, what is certain, and the sentence that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import psycopg

from layers.codes import LENGTHS
from layers.editions import read_editions

SURE = 0.999
"""Share from which on an old grid is said to lie in one new grid."""

_STEP = """
select s.old_code, s.new_code, s.share, coalesce(s.household_share, s.share) as weight, s.share * g.area_m2 as area
from pub.succession s join pub.grid g on g.edition = s.old_edition and g.code = s.old_code
where s.old_edition = %s and s.new_edition = %s order by s.old_code, s.new_code
"""

_HISTORY = """
select s.old_edition, s.old_code, o.name, s.new_edition, s.new_code, n.name, s.share, s.household_share
from pub.succession s
join pub.grid o on o.edition = s.old_edition and o.code = s.old_code
join pub.grid n on n.edition = s.new_edition and n.code = s.new_code
where s.old_code = %(code)s or s.new_code = %(code)s
order by s.old_edition, s.old_code, s.new_code
"""

_HISTORY_COLUMNS = [
    "old_edition", "old_code", "old_name", "new_edition", "new_code", "new_name", "share", "household_share",
]  # fmt: skip


@dataclass(frozen=True)
class Became:
    """What a code of the past is today: `now` has code, name and share of each grid in force that has a part of it."""

    code: str
    name: str
    on: date
    now: tuple[tuple[str, str, float], ...]

    def __str__(self) -> str:
        said = [f"{code} {name}" + (f" ({share:.0%})" if len(self.now) > 1 else "") for code, name, share in self.now]
        return f"{self.code} {self.name} became {', '.join(said)}, on {self.on}."


def shares_between(connection: psycopg.Connection[Any], old: int, new: int) -> pd.DataFrame:
    """Give the weight by which counts of the grids of one edition are carried to those of another, either way in time.

    Returns
    -------
    DataFrame
        old_code, new_code, weight; the weights of an old code add up to 1. By households where they are known, else by
        area; back in time by area. No rows when the editions are not tied to each other.
    """
    editions = [one.edition for one in read_editions(connection)]
    if old not in editions or new not in editions or old == new:
        return _normal(pd.DataFrame({"old_code": [], "new_code": [], "weight": []}))
    at, to = editions.index(old), editions.index(new)
    step = 1 if to > at else -1
    frame: pd.DataFrame | None = None
    for i in range(at, to, step):
        one = _step(connection, editions[i], editions[i + step], is_forward=step > 0)
        frame = one if frame is None else _chained(frame, one)
    assert frame is not None
    return _normal(frame)


def became(shares: pd.DataFrame) -> pd.DataFrame:
    """Tell for each old code the finest new one that surely holds it: old_code, new_code, is_sure.

    Where several share it, that is the grid above all of them, and `is_sure` is False.
    """
    found = []
    for old, parts in shares.groupby("old_code", sort=True):
        largest = int(parts["weight"].argmax())
        if parts["weight"].iloc[largest] >= SURE:
            found.append((old, parts["new_code"].iloc[largest], True))
        else:
            found.append((old, _above(parts["new_code"].tolist()), False))
    return pd.DataFrame(found, columns=["old_code", "new_code", "is_sure"])


def history(connection: psycopg.Connection[Any], code: str) -> pd.DataFrame:
    """Read every succession a code has a part in; a row is an old grid and a new one, the oldest first.

    Returns
    -------
    DataFrame
        old_edition, old_code, old_name, new_edition, new_code, new_name, share, household_share, on (first day of the
        new edition), change (kept, renamed, re-coded, merged, split). No rows where there was no reform.
    """
    rows = connection.execute(_HISTORY, {"code": code}).fetchall()
    frame = pd.DataFrame(rows, columns=_HISTORY_COLUMNS)
    opened = {one.edition: one.opened_on for one in read_editions(connection)}
    frame["on"] = frame["new_edition"].map(opened)
    joined = {key for key, n in _joined(connection, frame).items() if n > 1}
    n_parts = frame.groupby(["old_edition", "old_code"])["new_code"].transform("size")
    frame["change"] = [
        _change(row, n > 1, (row.new_edition, row.new_code) in joined)
        for row, n in zip(frame.itertuples(), n_parts, strict=True)
    ]
    return frame


def became_of(connection: psycopg.Connection[Any], code: str) -> Became | None:
    """Find what became of a code that is no more; None for one in force, and for one that never was."""
    editions = {one.edition: one for one in read_editions(connection)}
    held = connection.execute("select edition, name from pub.grid where code = %s order by edition", [code]).fetchall()
    if not held or editions[held[-1][0]].closed_on is None:
        return None
    (edition, name), in_force = held[-1], max(n for n, one in editions.items() if one.closed_on is None)
    shares = shares_between(connection, edition, in_force)
    parts = shares[shares["old_code"] == code].sort_values("weight", ascending=False)
    names = dict(
        connection.execute(
            "select code, name from pub.grid where edition = %s and code = any(%s)",
            [in_force, parts["new_code"].tolist()],
        ).fetchall()
    )
    now = [(new, names[new], share) for new, share in zip(parts["new_code"], parts["weight"], strict=True)]
    on = editions[edition].closed_on
    return Became(code, name, on, tuple(now)) if now and on else None


def became_sentence(connection: psycopg.Connection[Any], code: str) -> str | None:
    """Say what became of a code that is no more: "449901001 东门 became 449905001 东门街道, on 2026-03-01."."""
    found = became_of(connection, code)
    return None if found is None else str(found)


def _step(connection: psycopg.Connection[Any], old: int, new: int, *, is_forward: bool) -> pd.DataFrame:
    first, last = (old, new) if is_forward else (new, old)
    rows = connection.execute(_STEP, [first, last]).fetchall()
    frame = pd.DataFrame(rows, columns=["old_code", "new_code", "share", "weight", "area"])
    if is_forward:
        return _normal(frame[["old_code", "new_code", "weight"]])
    back = frame.rename(columns={"old_code": "new_code", "new_code": "old_code"})
    return _normal(back.assign(weight=back["area"])[["old_code", "new_code", "weight"]])


def _chained(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    both = first.merge(second, left_on="new_code", right_on="old_code", suffixes=("", "_then"))
    both["weight"] *= both["weight_then"]
    frame = both[["old_code", "new_code_then", "weight"]].rename(columns={"new_code_then": "new_code"})
    return frame.groupby(["old_code", "new_code"])["weight"].sum().reset_index()


def _normal(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.astype({"old_code": "str", "new_code": "str", "weight": "float64"})
    frame["weight"] /= frame.groupby("old_code")["weight"].transform("sum")
    return frame[frame["weight"] > 0].reset_index(drop=True)


def _above(codes: list[str]) -> str:
    """Lowest grid above all of these codes."""
    return next(
        codes[0][:digits]
        for digits in sorted(LENGTHS.values(), reverse=True)
        if digits <= len(codes[0]) and len({code[:digits] for code in codes}) == 1
    )


def _joined(connection: psycopg.Connection[Any], frame: pd.DataFrame) -> dict[tuple[int, str], int]:
    """How many old grids each new grid of the frame has."""
    rows = connection.execute(
        "select new_edition, new_code, count(*) from pub.succession where new_code = any(%s) group by 1, 2",
        [frame["new_code"].tolist()],
    ).fetchall()
    return {(edition, code): n for edition, code, n in rows}


def _change(row: Any, is_split: bool, is_merged: bool) -> str:
    if is_split or is_merged:
        return "split" if is_split else "merged"
    if row.old_code != row.new_code:
        return "re-coded"
    return "kept" if row.old_name == row.new_name else "renamed"
