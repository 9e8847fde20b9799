"""What lies around a place in an emergency: people as published counts, targets, resources, duty lists, open events.

People are told for whole small grids that the area touches, and for those wholly inside: sums of published cells, so
that no choice of areas tells more than the published figures do. Rows come through definer functions that hold the
scope; grid workers by roster and assigned grid, never by where they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import psycopg
import shapely

from layers.access import Scope
from layers.areas import Area, Touched, touched
from layers.codes import LENGTHS
from layers.declare.emergency_records import Care, Sought, holds
from layers.declare.records import Catalog
from layers.people import people
from layers.people_parts import find_breakdown, people_by
from layers.tables import SRID

Connection = psycopg.Connection[Any]

TARGETS_MOST, EVENTS_MOST = 100, 50
"""Most targets, and most events, listed of one category; how many there are is told anyhow."""
OFF_BY = 9
"""How far a published figure may be from the truth."""


@dataclass(frozen=True)
class Counted:
    """Published people of whole grids of a level: of all that are touched, and of those wholly inside."""

    key: str
    level: str
    n_grids: int
    n: int
    off_by: int
    """How far `n` may be from the truth at most."""
    n_whole: int | None
    """None where the level is coarser than what the area was laid out on."""


@dataclass(frozen=True)
class Nearby:
    """The answer for one area; frames are empty where nothing was found.

    `protected` and `resources`: category, id, element, name, state, grid_code, lon, lat, distance_m, attrs (the columns
    declared to be told); `protected` also n, how many there are of the category. `workers` and `contacts`: dataset,
    source_key, grid_code, walks, kind, name, work_phone, the last two missing for whom they are not. `events`: id,
    category, state, grid_code, reported_at, due_at, is_urgent, is_late, lon, lat, distance_m, n and n_late of the
    category; id is missing where the reader does not work on the case.
    """

    area: Area
    touched: Touched
    people: Counted | None
    """None where nothing is published."""
    care: tuple[Counted, ...]
    protected: pd.DataFrame
    resources: pd.DataFrame
    workers: pd.DataFrame
    contacts: pd.DataFrame
    events: pd.DataFrame
    moment: datetime

    @property
    def n_open(self) -> int:
        """Open events inside."""
        return int(self.events.drop_duplicates("category")["n"].sum())

    @property
    def n_late(self) -> int:
        """Those of them past their deadline."""
        return int(self.events.drop_duplicates("category")["n_late"].sum())


def nearby(
    connection: Connection,
    catalog: Catalog,
    scope: Scope,
    edition: int,
    area: Area,
    moment: datetime | None = None,
) -> Nearby:
    """Find what an emergency in an area asks for, as `emergency.toml` declares it.

    Parameters
    ----------
    connection
        Role web or analyst; what the reader may see is decided in the database.
    catalog
        Its `emergency` says what is looked for.
    scope
        Part of the tree the reader may see; nothing outside it is found.
    edition
        Edition of the grids the area was laid out on.
    area
        Made by `layers.areas`.
    moment
        When: events due before it are late; now when left out.
    """
    moment = moment or datetime.now(UTC)
    grids = touched(connection, scope, edition, area)
    emergency = catalog.emergency
    return Nearby(
        area=area,
        touched=grids,
        people=_people(connection, scope, edition, grids),
        care=tuple(_cared(connection, catalog, scope, edition, grids, emergency.care.values())),
        protected=found_inside(connection, catalog, scope, area, grids, emergency.protected),
        resources=found_near(connection, catalog, scope, area, emergency.resources),
        workers=roster(connection, scope, emergency.workers, grids.codes),
        contacts=roster(connection, scope, emergency.contacts, grids.chain),
        events=open_inside(connection, scope, area, grids, moment),
        moment=moment,
    )


def found_inside(
    connection: Connection, catalog: Catalog, scope: Scope, area: Area, grids: Touched, sought: Mapping[str, Sought]
) -> pd.DataFrame:
    """Find rows of categories inside an area, those known by their grid alone with them; a row is a target."""
    villages = {code[: LENGTHS["medium"]] for code in grids.codes}
    values = [
        scope.low, scope.high, _wkb(area.shape), _wkb(area.target), sorted({*grids.codes, *villages}),
        _datasets(catalog, sought), list(sought), _passed_over(sought.values()), _told(sought.values()), TARGETS_MOST,
    ]  # fmt: skip
    frame = _frame(
        connection,
        "select * from pub.found_inside(%s, %s, ST_SetSRID(%s::geometry, {srid}), ST_SetSRID(%s::geometry, {srid}),"
        " %s, %s, %s, %s, %s, %s)",
        values,
    )
    return _ordered(frame, sought)


def found_near(
    connection: Connection, catalog: Catalog, scope: Scope, area: Area, sought: Mapping[str, Sought]
) -> pd.DataFrame:
    """Find the nearest rows of each category by spheroidal distance; a row is a resource."""
    known = [one for one in sought.values() if one.category in catalog.categories]
    values = [
        scope.low, scope.high, _wkb(area.target), [catalog.categories[one.category].table for one in known],
        [one.category for one in known], [one.nearest for one in known], _datasets(catalog, sought),
        _passed_over(known), _told(known),
    ]  # fmt: skip
    frame = _frame(
        connection,
        "select * from pub.found_near(%s, %s, ST_SetSRID(%s::geometry, {srid}), %s, %s, %s, %s, %s, %s)",
        values,
    )
    return _ordered(frame, sought)


def roster(connection: Connection, scope: Scope, datasets: Sequence[str], codes: Sequence[str]) -> pd.DataFrame:
    """List who walks or answers for one of the grids, by duty list; a row is a post."""
    values = [scope.low, scope.high, list(datasets), list(codes)]
    return _frame(connection, "select * from pub.roster(%s, %s, %s, %s)", values)


def open_inside(connection: Connection, scope: Scope, area: Area, grids: Touched, moment: datetime) -> pd.DataFrame:
    """List open events inside an area, the late ones first; a row is an event."""
    values = [scope.low, scope.high, _wkb(area.shape), _wkb(area.target), grids.chain, moment, EVENTS_MOST]
    return _frame(
        connection,
        "select * from pub.open_inside(%s, %s, ST_SetSRID(%s::geometry, {srid}), ST_SetSRID(%s::geometry, {srid}),"
        " %s, %s, %s)",
        values,
    )


def _people(connection: Connection, scope: Scope, edition: int, grids: Touched) -> Counted | None:
    """Add up the published people of whole grids."""
    whole = set(grids.grids.loc[grids.grids["is_whole"], "code"])
    n = n_whole = off_by = 0
    is_known = False
    for level in ("medium", "small"):
        codes = [code for code in grids.codes if len(code) == LENGTHS[level]]
        if codes:
            told = people(connection, scope, level=level, within=_above(scope, codes), edition=edition)
            is_known = is_known or len(told) > 0
            kept = told[told["grid_code"].isin(codes)]
            n += int(kept["n"].sum())
            n_whole += int(kept.loc[kept["grid_code"].isin(whole), "n"].sum())
            carried = told.attrs.get("off_by", {})
            off_by += sum(int(carried.get(code, OFF_BY)) for code in kept["grid_code"])
    return Counted("all", "small", len(grids.codes), n, off_by, n_whole) if is_known else None


def _cared(
    connection: Connection, catalog: Catalog, scope: Scope, edition: int, grids: Touched, groups: Iterable[Care]
) -> Iterable[Counted]:
    """Add up the cells of care groups, each at the finest level that is published; others are left out."""
    whole = set(grids.grids.loc[grids.grids["is_whole"], "code"])
    for care in groups:
        for level in ("small", "medium", "large"):
            codes = sorted({code[: LENGTHS[level]] for code in grids.codes})
            if not codes or any(len(code) < LENGTHS[level] for code in codes):
                continue
            told = people_by(
                connection, scope, find_breakdown(catalog, care.breakdown),
                level=level, within=_above(scope, codes), edition=edition, cells=care.cells,
            )  # fmt: skip
            kept = told[told["grid_code"].isin(codes)]
            if len(kept):
                inside = int(kept.loc[kept["grid_code"].isin(whole), "n"].sum()) if level == "small" else None
                carried = told.attrs.get("off_by", {})
                off_by = sum(int(carried.get(code, OFF_BY)) for code in kept["grid_code"])
                yield Counted(care.key, level, len(codes), int(kept["n"].sum()), off_by, inside)
                break


def _above(scope: Scope, codes: Sequence[str]) -> str:
    """The lowest grid above all of some codes, not above the scope."""
    first, last = min(codes), max(codes)
    shared = [n for n in LENGTHS.values() if first[:n] == last[:n] and n <= len(first)]
    return max((first[:n] for n in shared if n >= len(scope.code)), key=len, default=scope.code)


def _datasets(catalog: Catalog, sought: Mapping[str, Sought]) -> list[str]:
    """Datasets whose rows may be of the categories."""
    return [
        one.key
        for one in catalog.datasets.values()
        if not one.sensitive and any(holds(one, category) for category in sought)
    ]


def _passed_over(sought: Iterable[Sought]) -> list[str]:
    return [f"{one.category}/{state}" for one in sought for state in one.without]


def _told(sought: Iterable[Sought]) -> list[str]:
    return sorted({key for one in sought for key in one.show})


def _ordered(frame: pd.DataFrame, sought: Mapping[str, Sought]) -> pd.DataFrame:
    """Put rows into the order of the declaration, the nearest of each category first."""
    place = frame["category"].map({key: at for at, key in enumerate(sought)})
    order = pd.DataFrame({"place": place, "far": frame["distance_m"], "id": frame["id"]}).sort_values(
        ["place", "far", "id"], na_position="last"
    )
    return frame.loc[order.index].reset_index(drop=True)


def _wkb(shape: shapely.Geometry) -> bytes:
    return bytes(shapely.to_wkb(shape))


def _frame(connection: Connection, query: str, values: list[Any]) -> pd.DataFrame:
    cursor = connection.execute(query.format(srid=SRID).encode(), values)
    assert cursor.description is not None
    return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
