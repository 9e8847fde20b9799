"""What could not be done, in the language of who reads it: for pages, where an error's own sentences are English."""

from __future__ import annotations

from layers.errors import AreaError, AtlasError, CaseError
from mapapp.text import Words

PREFIXES: tuple[tuple[type[AtlasError], str], ...] = (
    (CaseError, "case_why_"), (AreaError, "near_why_"), (AtlasError, "refused_"),
)  # fmt: skip
"""Beginnings of the texts that say why, by the kind of error; the first that fits counts."""


def refusal(words: Words, error: AtlasError) -> str:
    """Say why something could not be done; one without a text of its own is in Chinese called that."""
    key = next(prefix for kind, prefix in PREFIXES if isinstance(error, kind)) + error.why
    if key not in words.texts:
        return str(error).replace("\n ", "") if words.language == "en" else words("refused_other")
    need = getattr(error, "need", "")
    more = f": {words(f'need_{need}')}" if f"need_{need}" in words.texts else ""
    return words(key, **error.told) + more
