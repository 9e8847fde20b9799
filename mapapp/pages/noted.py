"""What an entry of the audit says, in the reader's words: the detail of each kind, and what it was about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from layers.declare.records import Catalog
from mapapp.text import Words

VALUES = {
    "step": "step_", "state": "state_", "role": "role_", "level": "level_", "channel": "channel_",
    "field": "care_field_", "purpose": "care_purpose_",
}  # fmt: skip
"""Where the catalogue has the words for what a key can be; all others begin with `noted_is_`."""


class Noted:
    """Puts entries into the words of one language; what nobody has words for is written as the program has it."""

    def __init__(self, words: Words, catalog: Catalog) -> None:
        self.words = words
        declared = (
            catalog.categories, catalog.departments, catalog.datasets, catalog.indicators, catalog.breakdowns,
            catalog.care,
        )  # fmt: skip
        self.names = {key: words.of(one.name) for known in declared for key, one in known.items()}

    def detail(self, detail: Mapping[str, Any]) -> str:
        """Write the detail of an entry as HTML; what is not said in it is left out."""
        return "<br>".join(self._parts(detail))

    def subject(self, subject: str) -> str:
        """Write what an entry is about as HTML."""
        return self._value("", subject)

    def _parts(self, detail: Mapping[str, Any]) -> Iterator[str]:
        for key, value in detail.items():
            if value is not None:
                yield f"{self._key(key)}{self.words('noted_colon')}{self._value(key, value)}"

    def _key(self, key: str) -> str:
        return self._said(f"noted_{key}") or self._named(key)

    def _value(self, key: str, value: Any) -> str:
        match value:
            case bool():
                return escape(self.words("noted_is_yes" if value else "noted_is_no"))
            case int():
                return f"{value:,}" if key in ("n", "rows", "figures") else str(value)
            case Mapping():
                return self.words("noted_comma").join(self._parts(value))
            case list():
                return self.words("noted_comma").join(self._value(key, one) for one in value)
            case _:
                text = str(value)
                return self._said(VALUES.get(key, "noted_is_") + text.replace(" ", "_")) or self._named(text)

    def _said(self, key: str) -> str:
        return escape(self.words(key)) if key in self.words.texts else ""

    def _named(self, text: str) -> str:
        return escape(self.names[text]) if text in self.names else f"<code>{escape(text)}</code>"
