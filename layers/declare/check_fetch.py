"""Checks of `[fetch]`: each kind has what it needs, and is kept in a format that can hold it."""

from __future__ import annotations

from collections.abc import Mapping

from layers.declare.check_datasets import Check, Said
from layers.declare.problems import either, quoted
from layers.declare.records import Catalog, Dataset

_KEPT_AS: Mapping[str, tuple[str, ...]] = {
    "database": ("csv", "geojson"),
    "ogc_features": ("geojson",),
    "open311": ("csv",),
}
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "database": ("secret", "table"),
    "ogc_features": ("url",),
    "open311": ("url",),
}
_TAKEN: Mapping[str, tuple[str, ...]] = {
    "database": ("secret", "table"),
    "ogc_features": ("url", "secret"),
    "open311": ("url", "secret", "since"),
}


def fetch_has_what_its_kind_needs(dataset: Dataset, catalog: Catalog) -> Said:
    """A database is named by a secret and a table, the others by an address; what a kind has no use for is wrong."""
    fetch = dataset.fetch
    if fetch is None:
        return
    for key in ("url", "secret", "table", "since"):
        given = getattr(fetch, key) is not None
        if given and key not in _TAKEN[fetch.kind]:
            yield ("fetch", key), f"{key} is not for kind {quoted(fetch.kind)}; take it out."
        elif not given and key in _NEEDED[fetch.kind]:
            yield ("fetch",), f"kind {quoted(fetch.kind)} needs {key}; add it to [fetch]."


def fetched_file_can_be_kept(dataset: Dataset, catalog: Catalog) -> Said:
    """What is fetched is kept as a file of the dataset's own format, under a name with at most one `*`."""
    fetch, source = dataset.fetch, dataset.source
    if fetch is None:
        return
    formats = _KEPT_AS[fetch.kind]
    if source.format not in formats:
        yield ("source", "format"), f"what kind {quoted(fetch.kind)} fetches is kept as {either(formats)}; mend format."
    if source.header_row is not None or source.encoding is not None:
        yield ("source",), "what is fetched is UTF-8 with its headings first; take encoding and header_row out."
    if source.files.count("*") > 1 or any(sign in source.files for sign in "?[/"):
        yield (
            ("source", "files"),
            "files must name the file that is fetched; write a name with at most one *, which becomes the time.",
        )


CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (fetch_has_what_its_kind_needs, ("fetch",)),
    (fetched_file_can_be_kept, ("fetch", "source")),
)
"""Every check of `[fetch]`, with the keys it looks at."""
