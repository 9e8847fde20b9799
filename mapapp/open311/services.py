"""What may be reported: each category of events is a service, with its department as its group."""

from __future__ import annotations

from typing import Any

from layers.declare.records import Catalog, Category
from mapapp.open311.answers import RequestError
from mapapp.text import Words

URGENT = "is_urgent"
"""The one attribute a report may carry besides the standard's own fields."""

URGENCY = {"false": "open311_not_urgent", "true": "open311_urgent"}
"""Its values, and what they are called."""

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
CHANGED = "2026-11-26T00:00:00Z"
"""When what these routes answer last changed its shape."""


def discovery(base: str, words: Words) -> dict[str, Any]:
    """Say where the endpoint is; `base` is the address before `/v2`."""
    formats = ["text/xml", "application/json"]
    endpoint = {
        "specification": SPECIFICATION, "url": f"{base}/v2", "changeset": CHANGED, "type": "production",
        "formats": formats,
    }  # fmt: skip
    return {"changeset": CHANGED, "contact": words("open311_contact"), "key_service": words("open311_key_service"),
            "endpoints": [endpoint]}  # fmt: skip


def list_services(catalog: Catalog, words: Words) -> list[dict[str, Any]]:
    """List the services; a sensitive one is `batch`: its reports get their numbers once they are accepted."""
    return [
        {
            "service_code": key,
            "service_name": words.of(one.name),
            "description": _description(catalog, key, words),
            "metadata": True,
            "type": "batch" if one.sensitive else "realtime",
            "keywords": ", ".join(dict.fromkeys((one.name.zh, one.name.en, key))),
            "group": group_of(catalog, one, words),
        }
        for key, one in _kinds(catalog).items()
    ]


def define_service(catalog: Catalog, code: str, words: Words) -> dict[str, Any]:
    """Define a service: what a report of it may say besides place and words.

    Raises
    ------
    RequestError
        There is no such service.
    """
    find_service(catalog, code)
    values = [{"key": key, "name": words(said)} for key, said in URGENCY.items()]
    attribute = {
        "variable": True, "code": URGENT, "datatype": "singlevaluelist", "required": False,
        "datatype_description": None, "order": 1, "description": words("open311_is_urgent"), "values": values,
    }  # fmt: skip
    return {"service_code": code, "attributes": [attribute]}


def find_service(catalog: Catalog, code: str) -> Category:
    """Find a service by its code.

    Raises
    ------
    RequestError
        There is none.
    """
    found = _kinds(catalog).get(code)
    if found is None:
        raise RequestError(404, f"service_code {code[:64]!r} was not found; /services lists them.")
    return found


def group_of(catalog: Catalog, one: Category, words: Words) -> str | None:
    """Name of the department that usually handles a category; None where none is declared."""
    department = catalog.departments.get(one.department or "")
    return words.of(department.name) if department else None


def _kinds(catalog: Catalog) -> dict[str, Category]:
    return {key: one for key, one in catalog.categories.items() if one.table == "event"}


def _description(catalog: Catalog, key: str, words: Words) -> str:
    limit = catalog.limits.limit(key, is_urgent=False)
    name = words.of(catalog.categories[key].name)
    if limit is None:
        return name
    return words("open311_promise", name=name, n=f"{limit.amount:g}", unit=words(f"clock_{limit.unit}"))
