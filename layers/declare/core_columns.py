"""Core columns of each table a dataset may land in: which a dataset may fill, and with which types.

All other declared columns go into `attrs`; columns of a table that are not here are filled by the loader alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from layers.tables import Event, EventStep, Grid, GridWorker, Measure, Organisation, Person, Place, Reading, Thing
from layers.tables.elements import RESIDENCES, SEXES
from layers.tables.events import OUTCOMES, STATES

_CODE = ("code", "text")
_MOMENT = ("moment", "date")
_OF_ANY = {"updated_at": _MOMENT}
_OF_PLACE = {"category": ("category",), "name": ("text",), "state": _CODE, **_OF_ANY}

CORE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "person": {
        "name": ("person_name",),
        "number": ("id_number",),
        "phone": ("phone",),
        "sex": ("code",),
        "born_on": ("date",),
        "residence": ("code",),
        "household": ("key", "text"),
        **_OF_ANY,
    },
    "event": {
        "category": ("category",),
        "state": ("state",),
        "outcome": ("code",),
        "reported_at": ("moment", "date", "month"),
        "due_at": _MOMENT,
        "closed_at": _MOMENT,
        "department": _CODE,
        "channel": _CODE,
        "is_urgent": ("boolean",),
        "is_on_spot": ("boolean",),
        "is_satisfied": ("boolean",),
        "summary": ("text",),
        **_OF_ANY,
    },
    "place": _OF_PLACE,
    "thing": _OF_PLACE,
    "organisation": {**_OF_PLACE, "credit_code": ("credit_code",)},
    "grid": {"code": ("grid_code",), "name": ("text",), "aliases": ("text",)},
    "grid_worker": {
        "name": ("text", "person_name"),
        "work_phone": ("phone", "text"),
        "walks": ("grid_codes",),
        **_OF_ANY,
    },
    "event_step": {
        "event_key": ("key", "text"),
        "step_no": ("integer",),
        "at": _MOMENT,
        "from_state": ("state",),
        "state": ("state",),
        "department": _CODE,
        "actor": _CODE,
        "reason": _CODE,
    },
    "measure": {"measure": _CODE, "measured_on": ("date", "month"), "value": ("number", "integer"), **_OF_ANY},
    "reading": {
        "thing_key": ("key", "text"),
        "measure": _CODE,
        "read_at": _MOMENT,
        "value": ("number", "integer"),
    },
}
"""Types a core column may have, by table and key; the first is the usual one."""

NEEDED: Mapping[str, tuple[str, ...]] = {
    "event": ("reported_at",),
    "grid": ("code", "name"),
    "grid_worker": ("name", "walks"),
    "event_step": ("event_key", "step_no", "at", "state"),
    "measure": ("measure", "measured_on", "value"),
    "reading": ("thing_key", "measure", "read_at", "value"),
}
"""Core columns a dataset of the table cannot do without."""

WORDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("person", "sex"): SEXES,
    ("person", "residence"): RESIDENCES,
    ("event", "state"): STATES,
    ("event", "outcome"): OUTCOMES,
    ("event_step", "state"): STATES,
    ("event_step", "from_state"): STATES,
}
"""The only words a core column may hold, by table and key."""

_MODELS = {
    "person": Person,
    "event": Event,
    "place": Place,
    "thing": Thing,
    "organisation": Organisation,
    "grid": Grid,
    "grid_worker": GridWorker,
    "event_step": EventStep,
    "measure": Measure,
    "reading": Reading,
}


@cache
def reserved(table: str) -> frozenset[str]:
    """Columns of a table that the loader fills itself and no dataset may declare."""
    return frozenset(column.name for column in _MODELS[table].__table__.columns) - CORE[table].keys()
