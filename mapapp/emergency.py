"""What the page of the emergency command decides, as plain functions that a test calls without a browser."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd
import psycopg
import shapely

from layers.accounts import audit
from layers.areas import Area, area_of
from layers.codes import LENGTHS
from layers.declare.emergency_records import Sought, holds
from layers.declare.records import Column
from layers.errors import AreaError
from layers.gazetteer import Gazetteer
from layers.nearby import Counted, Nearby, nearby
from layers.people import published_month
from mapapp import finder
from mapapp.casework import plain, records
from mapapp.desk import Desk
from mapapp.finder import joined, name_of
from mapapp.situation import datasets_of
from mapapp.text import Words
from mapapp.visitor import visitor

DIRECTING = ("dispatcher", "case_officer", "leader")
"""Roles that are told names and phones; the database holds it, the page writes down that they were told."""

RADIUS_M = 1000.0
"""Radius when none is said."""


def read_area(connection: psycopg.Connection[Any], desk: Desk, edition: int, query: Mapping[str, str]) -> Area:
    """Read the area an address names: `grids`, `shape`, or `lon`, `lat` and `r`.

    Raises
    ------
    AreaError
        It names none, or one that cannot be.
    """
    try:
        if query.get("grids"):
            asked: dict[str, Any] = {"grids": query["grids"].split(",")[:1000]}
        elif query.get("shape"):
            corners = [corner.split(",") for corner in query["shape"].split(";")[:1000]]
            asked = {"shape": [(float(lon), float(lat)) for lon, lat in corners]}
        else:
            point = float(query["lon"]), float(query["lat"])
            asked = {"point": point, "radius_m": float(query.get("r") or RADIUS_M)}
    except (KeyError, ValueError) as error:
        raise AreaError(
            "none", "The address names no area.", "Click on the map, draw a shape, or name grids."
        ) from error
    return area_of(connection, desk.scope, edition, **asked)


def show_nearby(desk: Desk, query: Mapping[str, str], words: Words) -> dict[str, Any]:
    """Find what lies in an area; that names and phones are told is written down, and kept, before they are read."""
    if visitor().actor.role in DIRECTING:
        with desk.connection() as connection:
            audit.note(connection, "person_read", "duty_list", area=_said(query))
    with desk.connection() as connection:
        gazetteer = desk.gazetteer(connection)
        area = read_area(connection, desk, gazetteer.edition, query)
        found = nearby(connection, desk.catalog, desk.scope, gazetteer.edition, area)
        loaded = dict(connection.execute("select dataset, loaded_at from pub.dataset").fetchall())
        month = published_month(connection)
    return {
        "area": _area(area) | {"names": [name_of(gazetteer, code) for code in area.codes]},
        "grids": {"rows": _grids(gazetteer, found), "share": found.touched.share},
        "people": _people(desk, found, words, month),
        "protected": _sought(desk, words, gazetteer, found.protected, desk.catalog.emergency.protected),
        "resources": _sought(desk, words, gazetteer, found.resources, desk.catalog.emergency.resources),
        "workers": _posts(desk, words, gazetteer, found.workers),
        "contacts": _posts(desk, words, gazetteer, found.contacts),
        "events": _events(found, gazetteer),
        "sources": _sources(desk, words, loaded),
        "at": found.moment.isoformat(),
    }


def search(desk: Desk, sought: str, words: Words) -> list[dict[str, Any]]:
    """Find grids, places, things and organisations by what was typed."""
    with desk.connection() as connection:
        hits = finder.find_all(desk, connection, desk.gazetteer(connection), sought, words)
    return [
        {"kind": "place", "name": one.name, "above": one.above, "category": one.category,
         "lon": one.lon, "lat": one.lat}
        if one.mark else
        {"kind": "grid", "code": one.code, "name": one.name, "above": one.above,
         "box": [float(edge) for edge in one.box or ()]}
        for one in hits
    ]  # fmt: skip


def note_sheet(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    """Write down that the sheet of an area is printed."""
    area = {key: str(value) for key, value in said.items()}
    with desk.connection() as connection:
        audit.note(connection, "export", "emergency_sheet", area=_said(area))
    return {}


def _grids(gazetteer: Gazetteer, found: Nearby) -> list[dict[str, Any]]:
    """The grids an area touches: code, name, middle, and whether it holds all of it."""
    codes = found.touched.codes
    known = gazetteer.grids.reindex(codes)
    above = gazetteer.grids["name"].reindex([code[: LENGTHS["medium"]] for code in codes]).tolist()
    return [
        {"code": code, "name": joined(village, name), "is_whole": whole, "lon": lon, "lat": lat}
        for code, name, village, whole, lon, lat in zip(
            codes, known["name"].tolist(), above, found.touched.grids["is_whole"].tolist(),
            known["lon"].round(6).tolist(), known["lat"].round(6).tolist(), strict=True,
        )
    ]  # fmt: skip


def _said(query: Mapping[str, str]) -> dict[str, str]:
    """The area as the audit keeps it, cut short."""
    return {key: str(query[key])[:400] for key in ("lon", "lat", "r", "shape", "grids") if query.get(key)}


def _area(area: Area) -> dict[str, Any]:
    box: list[float] = shapely.bounds(area.shape).tolist()
    middle: list[float] = shapely.get_coordinates(shapely.centroid(area.target))[0].tolist()
    told: dict[str, Any] = {"kind": area.kind, "r": area.radius_m, "codes": list(area.codes)}
    if area.kind != "grids":
        told["ring"] = shapely.get_coordinates(area.shape).round(6).tolist()
    return told | {"lon": middle[0], "lat": middle[1], "box": box}


def _people(desk: Desk, found: Nearby, words: Words, month: int | None) -> dict[str, Any]:
    emergency = desk.catalog.emergency

    def told(one: Counted, name: str) -> dict[str, Any]:
        return {
            "name": name, "n": words.people(one.n), "level": one.level, "n_grids": one.n_grids, "off_by": one.off_by,
            "n_whole": None if one.n_whole is None else words.people(one.n_whole),
        }  # fmt: skip

    care = [told(one, words.of(emergency.care[one.key].name)) for one in found.care]
    withheld = [words.of(one.name) for key, one in emergency.care.items() if key not in {one.key for one in found.care}]
    return {
        "all": told(found.people, words("people")) if found.people else None,
        "care": care, "missing": withheld, "month": words.period(month) if month else "",
    }  # fmt: skip


def _sought(
    desk: Desk, words: Words, gazetteer: Gazetteer, frame: pd.DataFrame, sought: Mapping[str, Sought]
) -> list[dict[str, Any]]:
    """Rows by category in the order of the declaration, also where nothing was found."""
    groups = []
    for key, one in sought.items():
        category = desk.catalog.categories[key]
        columns = _columns(desk, key)
        part = records(frame[frame["category"] == key])
        rows = [
            {
                "name": row["name"] or f"{words.of(category.name)} {number}",
                "grid": name_of(gazetteer, row["grid_code"]),
                "lon": row["lon"], "lat": row["lat"], "m": row["distance_m"],
                "told": _told(words, columns, one, row["attrs"] or {}),
            }
            for number, row in enumerate(part, start=1)
        ]  # fmt: skip
        n = int(part[0]["n"]) if part and "n" in part[0] else len(rows)
        of = desk.catalog.departments.get(category.department or "")
        groups.append({"category": key, "department": words.of(of.name) if of else "", "n": n, "rows": rows})
    return groups


def _columns(desk: Desk, category: str) -> dict[str, Column]:
    table = desk.catalog.categories[category].table
    fitting = [one for one in desk.catalog.datasets.values() if one.table == table and holds(one, category)]
    return {column.key: column for one in reversed(fitting) for column in one.columns}


def _told(words: Words, columns: Mapping[str, Column], sought: Sought, attrs: Mapping[str, Any]) -> list[list[str]]:
    """Label and value of the declared columns that a row has."""
    told = []
    for key in sought.show:
        column, value = columns.get(key), attrs.get(key)
        if column is not None and value is not None:
            label = words.of(column.name) if column.name else column.heading
            told.append([label, _value(words, column, value)])
    return told


def _value(words: Words, column: Column, value: Any) -> str:
    if isinstance(value, bool):
        return words("near_yes" if value else "near_no")
    if isinstance(value, int | float):
        return f"{value:,}"
    return _coded(words, column, str(value))


def _coded(words: Words, column: Column | None, value: str) -> str:
    """A code in the words of the department, or in English as it is kept."""
    if column is None or not column.codes:
        return value
    known = {code: heard for heard, code in column.codes.items()}
    return known.get(value, value) if words.language == "zh" else value.replace("_", " ")


def _posts(desk: Desk, words: Words, gazetteer: Gazetteer, frame: pd.DataFrame) -> list[dict[str, Any]]:
    kinds = {
        key: {one.key: one for one in dataset.columns}.get("kind") for key, dataset in desk.catalog.datasets.items()
    }
    own = {code: words.of(name) for code, name in desk.catalog.city.names.items()}
    return [
        {
            "name": row["name"], "phone": row["work_phone"],
            "kind": _coded(words, kinds.get(row["dataset"]), row["kind"] or ""),
            "grids": [own.get(code) or name_of(gazetteer, code) for code in row["walks"]],
        }
        for row in records(frame)
    ]  # fmt: skip


def _events(found: Nearby, gazetteer: Gazetteer) -> dict[str, Any]:
    kept = ["id", "category", "state", "due_at", "reported_at", "is_urgent", "is_late", "lon", "lat", "distance_m"]
    rows = records(found.events[kept])
    for row, code in zip(rows, found.events["grid_code"], strict=True):
        row["grid"] = name_of(gazetteer, code)
    counted = found.events.drop_duplicates("category")[["category", "n", "n_late"]]
    return {
        "n": found.n_open, "n_late": found.n_late, "rows": rows,
        "by_category": records(counted.sort_values(["n_late", "n"], ascending=False)),
    }  # fmt: skip


def _sources(desk: Desk, words: Words, loaded: Mapping[str, datetime | None]) -> list[dict[str, Any]]:
    """Datasets the answer is drawn from, who delivers them and how old they are."""
    emergency = desk.catalog.emergency
    sought = {*emergency.protected, *emergency.resources}
    counted = [key for table in ("person", "event") for key in datasets_of(desk.catalog.datasets.values(), table)]
    named = {*emergency.workers, *emergency.contacts, *counted}
    used = [
        one for one in desk.catalog.datasets.values()
        if one.key in named or any(holds(one, category) for category in sought)
    ]  # fmt: skip
    return [
        {"name": words.of(one.name), "department": words.of(desk.catalog.departments[one.department].name),
         "loaded_at": plain(loaded.get(one.key))}
        for one in used
    ]  # fmt: skip
