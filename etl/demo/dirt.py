"""Everyday dirt, planted on purpose: about one row in a hundred, never two faults in one row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from etl.demo.delivery import Fault

Spoil = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Dirt:
    """One kind of dirt: the reason it must be refused for, the heading to blame, and what it does to the rows."""

    reason: str
    heading: str | None
    spoil: Spoil | None = None


def set_to(reason: str, heading: str, *values: object) -> Dirt:
    """Dirt that puts one of some values under a heading, turn by turn."""

    def spoil(rows: pd.DataFrame) -> pd.DataFrame:
        turned = [values[i % len(values)] for i in range(len(rows))]
        return rows.assign(**{heading: pd.Series(turned, index=rows.index, dtype=object)})

    return Dirt(reason, heading, spoil)


def missing(heading: str) -> Dirt:
    """Dirt that leaves a required value out."""
    return set_to("missing_value", heading, "")


def change(reason: str, heading: str, how: Callable[[pd.Series], pd.Series]) -> Dirt:
    """Dirt that changes the text under a heading."""
    return Dirt(reason, heading, lambda rows: rows.assign(**{heading: how(rows[heading].astype(str)).astype(object)}))


def wrong_check_digit(reason: str, heading: str) -> Dirt:
    """Dirt that turns the last character of a number into another digit."""
    return change(reason, heading, lambda s: s.str[:-1] + s.str[-1].map(lambda c: "0" if c == "1" else "1"))


def no_such_digit(reason: str, heading: str) -> Dirt:
    """Dirt that writes a letter into a code."""
    return change(reason, heading, lambda s: s.str[:5] + "O" + s.str[6:])


def same_as(reason: str, heading: str, row: pd.Series, *others: str) -> Dirt:
    """Dirt that gives a row the value of another, and what belongs to that value with it."""
    return Dirt(reason, heading, lambda rows: rows.assign(**{name: row[name] for name in (heading, *others)}))


def swapped(lon: str, lat: str) -> Dirt:
    """Dirt that delivers latitude as longitude and the other way round."""
    return Dirt("swapped_coordinates", lon, lambda rows: rows.assign(**{lon: rows[lat], lat: rows[lon]}))


def coordinates(reason: str, lon: str, lat: str, x: str, y: str) -> Dirt:
    """Dirt that puts the point somewhere else altogether."""
    return Dirt(reason, lon, lambda rows: rows.assign(**{lon: x, lat: y}))


DUPLICATE = "duplicate_key"
FIELD_COUNT = Dirt("wrong_field_count", None)
"""Dirt the writer makes: a field too many."""


def lonlat_dirt(lon: str, lat: str) -> list[Dirt]:
    """All that goes wrong with longitude and latitude as text."""
    return [
        swapped(lon, lat),
        coordinates("zero_coordinates", lon, lat, "0", "0"),
        set_to("bad_coordinates", lon, "东经115度", "无"),
        coordinates("outside_city", lon, lat, "121.473701", "31.230416"),
    ]


def plant(
    rows: pd.DataFrame, dirt: Sequence[Dirt], key: str | None, rng: np.random.Generator, share: float = 0.01
) -> tuple[pd.DataFrame, tuple[Fault, ...]]:
    """Spoil about `share` of the rows, evenly over the kinds of dirt, each kind at least once.

    Rows are blamed by position. With `key` (the heading that names a row) some rows are delivered twice as well: the
    copies stand at the end, and only the copies are faults. Rows marked in a column `_keep` are left alone.
    """
    n_kinds = len(dirt) + (key is not None)
    each = max(1, round(len(rows) * share / n_kinds))
    free = np.flatnonzero(~rows["_keep"].to_numpy(dtype=bool)) if "_keep" in rows else np.arange(len(rows))
    rows = rows.drop(columns="_keep", errors="ignore").reset_index(drop=True)
    chosen = rng.choice(free, size=min(each * n_kinds, len(free)), replace=False)
    parts = [np.sort(chosen[i::n_kinds]) for i in range(n_kinds)]
    rows = rows.astype({c: object for c in rows.columns if c != "geom"})
    faults: list[Fault] = []
    for kind, at in zip(dirt, parts, strict=False):
        if kind.spoil is not None:
            rows.iloc[at] = kind.spoil(rows.iloc[at])[rows.columns]
        faults += [Fault(int(i), kind.heading, kind.reason) for i in at]
    if key is not None:
        copies = rows.iloc[parts[-1]]
        faults += [Fault(len(rows) + i, key, DUPLICATE) for i in range(len(copies))]
        rows = pd.concat([rows, copies], ignore_index=True)
    return rows, tuple(faults)
