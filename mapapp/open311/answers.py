"""Answers as GeoReport v2 has them: JSON, and the XML that it is a mapping of (the Spark convention).

What is a list in JSON is in XML an element with one child for each item; what is nothing is an empty element. Source:
GeoReport v2, https://wiki.open311.org/GeoReport_v2/, and JSON and XML Conversion.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

FORMATS: Mapping[str, str] = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
"""What an address may end in, and what is then sent."""

ITEMS: Mapping[str, str] = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "errors": "error",
    "notes": "note",
    "endpoints": "endpoint",
    "formats": "format",
}
"""Name of an item in each list."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class RequestError(Exception):
    """A request that cannot be answered: the status, and for each fault a sentence."""

    def __init__(self, status: int, *sentences: str) -> None:
        super().__init__(*sentences)
        self.status, self.sentences = status, sentences

    @property
    def told(self) -> list[dict[str, Any]]:
        """The faults as the standard has them."""
        return [{"code": self.status, "description": sentence} for sentence in self.sentences]


def write(kind: str, root: str, value: Any) -> bytes:
    """Write an answer as JSON or XML; `root` is the outermost element, which JSON does not name."""
    if kind == "json":
        return json.dumps(value, ensure_ascii=False).encode()
    element = Element(root)
    _fill(element, value)
    return bytes(tostring(element, encoding="utf-8", xml_declaration=True))


def _fill(element: Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _fill(SubElement(element, key), inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            _fill(SubElement(element, ITEMS[element.tag]), inner)
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    elif value is not None:
        element.text = _NOT_XML.sub("\ufffd", str(value))
