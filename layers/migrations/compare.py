"""How models and database are compared: our schemas only, and PostGIS's own tables left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from layers.tables import SCHEMAS


def _is_ours(name: str | None, kind: str, parents: Any) -> bool:
    return kind != "schema" or name in SCHEMAS


OPTIONS: dict[str, Any] = {
    "include_schemas": True,
    "include_name": _is_ours,
    "compare_type": True,
    "compare_server_default": True,
    "version_table": "alembic_version",
    "version_table_schema": "public",
}
"""Alembic's options, the same for running revisions and for comparing."""


def sentences(found: Iterable[Any]) -> Iterator[str]:
    """Yield one line for each difference Alembic found: what would have to be done, and to what."""
    for one in found:
        if isinstance(one, list):
            yield from sentences(one)
        else:
            yield " ".join([str(one[0]), *(_named(part) for part in one[1:])])


def _named(part: Any) -> str:
    name = getattr(part, "fullname", None) or getattr(part, "name", None)
    table = getattr(part, "table", None)
    return f"{table.fullname}.{name}" if table is not None and name else str(name or part)
