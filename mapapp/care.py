"""What the page of the care register decides, as plain functions that a test calls without a browser."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from layers import care, identities
from layers.codes import LENGTHS, level_of
from layers.errors import CaseError
from layers.identifiers import MASK_BREAK
from layers.people_parts import people_by
from layers.seal import Sealer
from mapapp.casework import read_key, records, whole
from mapapp.desk import Desk
from mapapp.visitor import visitor

MASKED = ("name", "number", "phone")
"""What of a person is shown masked, in the order in which masks are kept."""


def list_records(desk: Desk, sealer: Sealer, query: Mapping[str, str]) -> dict[str, Any]:
    """List the care records of the worker who asks, of a grid and a group if they are named."""
    scope = visitor().actor.scope.within(query.get("at") or None)
    today = _today(desk)
    with desk.connection() as connection:
        found = care.list_care(connection, scope, today, group=query.get("group") or None)
        names = desk.gazetteer(connection).grids["name"]
    frame = found.rows.rename(columns={"person_id": "id", "care_group": "group"})
    frame["grid"] = [names.get(code, code) for code in frame["grid_code"]]
    frame["is_late"] = [day is not None and day < today for day in frame["due_on"]]
    rows = records(_written(_masked(frame, sealer), "visited_on", "due_on"))
    return {"n": found.n, "n_late": found.n_late, "rows": rows, "today": today.isoformat()}


def unmasked(sealer: Sealer, mask: bytes | None) -> list[str]:
    """What a list may show of a person: name, number and phone with stars; stars alone where nothing is kept."""
    return sealer.open(bytes(mask)).split(MASK_BREAK) if mask is not None else ["*", "", ""]


def show_visits(desk: Desk, person_id: int) -> dict[str, Any]:
    """Read the visits made for one care record."""
    with desk.connection() as connection:
        found = care.care_visits(connection, visitor().actor.scope, person_id)
    return {"visits": records(_written(found, "visited_on"))}


def record_visit(desk: Desk, person_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """Write down the visit that a form of the page says."""
    try:
        day = date.fromisoformat(str(said.get("visited_on") or ""))
    except ValueError as error:
        raise CaseError("missing", "This is no day.", "Choose the day of the visit.", "visited_on") from error
    if day > _today(desk):
        raise CaseError("missing", "The day is still to come.", "Choose the day of the visit.", "visited_on")
    with desk.connection() as connection:
        made = care.visit_care(
            connection, visitor().actor.scope, person_id, key=read_key(said), visited_on=day,
            status=str(said.get("status") or ""), found=str(said.get("found") or "")[:2000],
        )  # fmt: skip
    return {"id": made}


def open_field(desk: Desk, sealer: Sealer, said: Mapping[str, Any]) -> dict[str, Any]:
    """Open one field of one person: log it, commit, and only then read it."""
    scope = visitor().actor.scope
    with desk.connection() as connection:
        opening = identities.ask_identity(
            connection, scope, whole(said.get("row")), field=str(said.get("field") or ""),
            purpose=str(said.get("purpose") or ""), case=whole(said.get("case")) or None,
        )  # fmt: skip
    if opening is None:
        raise CaseError("limit", "This account has opened as many fields as a day allows.", "Ask again tomorrow.")
    with desk.connection() as connection:
        sealed = identities.read_identity(connection, opening)
    return {"value": "" if sealed is None else sealer.open(sealed)}


def list_people(desk: Desk, sealer: Sealer, event_id: int) -> list[dict[str, Any]]:
    """List whom a case is about, masked."""
    with desk.connection() as connection:
        found = identities.case_people(connection, visitor().actor.scope, event_id)
    return records(_masked(found, sealer))


def make_list(desk: Desk, said: Mapping[str, Any]) -> dict[str, str]:
    """Make a list to take along and tell where it is."""
    with desk.connection() as connection:
        token = identities.make_visit_list(
            connection, visitor().actor.scope, _today(desk), group=str(said.get("group") or "") or None
        )
    return {"address": f"/care/lists/{token}"}


def read_list(desk: Desk, sealer: Sealer, token: str) -> list[dict[str, Any]]:
    """Read a list to take along, masked; moments as they are."""
    with desk.connection() as connection:
        found = identities.read_visit_list(connection, visitor().actor.scope, token, _today(desk))
        names = desk.gazetteer(connection).grids["name"]
    found["grid"] = [names.get(code, code) for code in found["grid_code"]]
    rows = _written(_masked(found, sealer), "due_on")
    moments = {key: found[key].iloc[0].to_pydatetime() for key in ("made_at", "ends_at")}
    return [one | moments for one in records(rows)]


def count_groups(desk: Desk, query: Mapping[str, str], language: str) -> dict[str, Any]:
    """Count the people of each group by grid, as they are published, and the visits that are overdue; for leaders.

    `counts` has nothing for a group whose counts are not published at this level.
    """
    area = visitor().actor.scope.within(query.get("at") or None)
    levels = list(LENGTHS)
    level = levels[min(levels.index(level_of(area.code)) + 1, len(levels) - 1)]
    told: dict[str, dict[str, int]] = {}
    with desk.connection() as connection:
        gazetteer = desk.gazetteer(connection)
        for key, group in desk.catalog.care.items():
            of_group = (one for one in desk.catalog.breakdowns.values() if one.register == group.dataset)
            for breakdown in of_group:
                frame = people_by(connection, area, breakdown, level=level)
                on = frame[frame["cell"] == "on"]
                told[key] = dict(zip(on["grid_code"], on["n"].tolist(), strict=True))
        late = care.late_care(connection, area, level, _today(desk))
        named = desk.words[language].of
        own = {code: named(name) for code, name in desk.catalog.city.names.items()}
        path = [{"code": one.code, "name": own.get(one.code, one.name)} for one in gazetteer.path(area.code)]
        grids = gazetteer.grids[gazetteer.grids.index.str.startswith(area.code)]
        names = grids["name"][grids.index.str.len() == LENGTHS[level]]
    is_late = dict(zip(late["grid_code"], late["n"].tolist(), strict=True))
    rows = [
        {
            "code": code, "name": own.get(code, name), "late": is_late.get(code, 0),
            "counts": {key: counts.get(code) for key, counts in told.items()},
        }
        for code, name in zip(names.index.tolist(), names.tolist(), strict=True)
    ]  # fmt: skip
    return {"at": area.code, "level": level, "path": path, "rows": rows}


def _masked(frame: pd.DataFrame, sealer: Sealer) -> pd.DataFrame:
    masked = [unmasked(sealer, mask) for mask in frame["mask_sealed"]]
    shown = frame.drop(columns="mask_sealed")
    for at, key in enumerate(MASKED):
        shown[key] = [mask[at] for mask in masked]
    return shown


def _today(desk: Desk) -> date:
    return datetime.now(ZoneInfo(desk.catalog.city.zone)).date()


def _written(frame: pd.DataFrame, *days: str) -> pd.DataFrame:
    """Write days as ISO text."""
    written = frame.copy()
    for key in days:
        written[key] = [day.isoformat() if day else None for day in frame[key]]
    return written
