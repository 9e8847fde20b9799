"""What GeoReport v2 publishes about its answers, written down as JSON schemas, and XML read as the JSON it maps to.

Facts from the specification (https://wiki.open311.org/GeoReport_v2/) and from the project's own description of the
interface (georeport_v2-1.yaml): names, types, what must be there, what values there are.
"""

from __future__ import annotations

from typing import Any

import jsonschema
import xmltodict

TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
MAYBE: dict[str, Any] = {"type": ["string", "null"]}
MOMENT: dict[str, Any] = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$"}
NO_MOMENT: dict[str, Any] = {"anyOf": [MOMENT, {"type": "null"}]}


def record(needed: str, /, **fields: Any) -> dict[str, Any]:
    """An object with these fields and no others."""
    return {
        "type": "object", "properties": fields, "required": needed.split(), "additionalProperties": False,
    }  # fmt: skip


def many(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


SERVICE = record(
    "service_code service_name description metadata type",
    service_code=TEXT, service_name=TEXT, description=MAYBE, metadata={"type": "boolean"},
    type={"enum": ["realtime", "batch", "blackbox"]}, keywords=MAYBE, group=MAYBE,
)  # fmt: skip
ATTRIBUTE = record(
    "variable code datatype required order description",
    variable={"type": "boolean"}, code=TEXT, required={"type": "boolean"}, datatype_description=MAYBE,
    datatype={"enum": ["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]},
    order={"type": "integer", "minimum": 1}, description=MAYBE, values=many(record("key name", key=TEXT, name=TEXT)),
)  # fmt: skip
STANDARD: dict[str, Any] = {
    "service_request_id": TEXT, "status": {"enum": ["open", "closed"]}, "status_notes": MAYBE, "service_name": TEXT,
    "service_code": TEXT, "description": MAYBE, "agency_responsible": MAYBE, "service_notice": MAYBE,
    "requested_datetime": MOMENT, "updated_datetime": MOMENT, "expected_datetime": NO_MOMENT, "address": MAYBE,
    "address_id": MAYBE, "zipcode": MAYBE, "lat": {"type": ["number", "null"], "minimum": -90, "maximum": 90},
    "long": {"type": ["number", "null"], "minimum": -180, "maximum": 180}, "media_url": MAYBE,
}  # fmt: skip
EXTENDED: dict[str, Any] = {
    "extended_attributes": {
        "type": "object", "required": ["closed_datetime"], "properties": {"closed_datetime": NO_MOMENT},
    },
    "notes": many(record("datetime description type", datetime=MOMENT, description=TEXT, type=TEXT)),
}  # fmt: skip
NEEDED = "service_request_id status service_code service_name requested_datetime updated_datetime"

SCHEMAS: dict[str, Any] = {
    "services": many(SERVICE),
    "service_definition": record("service_code attributes", service_code=TEXT, attributes=many(ATTRIBUTE)),
    "requests": many(record(NEEDED, **STANDARD)),
    "requests with extensions": many(record(f"{NEEDED} extended_attributes notes", **STANDARD, **EXTENDED)),
    "filed": many(
        {
            "oneOf": [
                record(one, **{one: TEXT, "service_notice": MAYBE, "account_id": MAYBE})
                for one in ("service_request_id", "token")
            ]
        }
    ),
    "token": many(record("service_request_id token", service_request_id=MAYBE, token=TEXT)),
    "errors": many(record("code description", code={"type": "integer"}, description=TEXT)),
    "discovery": record(
        "changeset contact endpoints", changeset=MOMENT, contact=TEXT, key_service=TEXT,
        endpoints=many(record("specification url changeset type formats", specification=TEXT, url=TEXT,
            changeset=MOMENT, type={"enum": ["production", "test", "dev"]},
            formats=many({"enum": ["text/xml", "application/json"]}))),
    ),
}  # fmt: skip

LISTS = {"services": "service", "service_requests": "request", "errors": "error"}
"""Outermost elements that are lists, and what is in them."""


def validate(kind: str, told: Any) -> Any:
    """Hold an answer to its schema."""
    jsonschema.validate(told, SCHEMAS[kind], cls=jsonschema.Draft202012Validator)
    return told


def from_xml(body: bytes, root: str) -> Any:
    """Read XML as the JSON that it maps to, texts only: lists stay lists, nothing stays nothing."""
    inner = ("attribute", "value", "note", "endpoint", "format")
    told = xmltodict.parse(body, force_list=(*LISTS.values(), *inner))[root]
    lists = dict(LISTS) | {f"{one}s": one for one in inner}

    def spark(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: (spark(one or {}).get(lists[key], []) if key in lists else spark(one))
                for key, one in value.items()
            }
        return [spark(one) for one in value] if isinstance(value, list) else value

    return spark({root: told})[root]


def as_texts(value: Any) -> Any:
    """What JSON says as XML would say it: every value a text."""
    if isinstance(value, dict):
        return {key: as_texts(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_texts(one) for one in value]
    if isinstance(value, bool):
        return str(value).lower()
    return value if value in (None, "") else str(value)
