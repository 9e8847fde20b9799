"""Which data and grids are in force: what a page compares to know whether it shows the present ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from layers.tiles import version_of

_READ = """
select null as dataset, null::timestamptz as loaded_at, edition, version
from (select edition, version from pub.edition where closed_on is null order by edition desc limit 1) as in_force
union all
select dataset, loaded_at, null, null from pub.dataset where loaded_at is not null
"""


@dataclass(frozen=True)
class Standing:
    """When each dataset was last loaded, and the edition in force with its version; None before any grid is loaded."""

    loaded: Mapping[str, datetime]
    edition: int | None
    edition_version: int | None

    @property
    def version(self) -> int:
        """Number that rises with every load, as `layers.tiles.data_version` gives it."""
        return version_of(max(self.loaded.values(), default=None))

    @property
    def grids(self) -> str:
        """Edition and version of the grids in a word that pages compare; empty before any grid is loaded."""
        return "" if self.edition is None else f"{self.edition}-{self.edition_version}"

    def loaded_since(self, before: Standing) -> list[str]:
        """Datasets loaded between an earlier look and this one, in the order of their loads."""
        new = [key for key, at in self.loaded.items() if before.loaded.get(key) != at]
        return sorted(new, key=lambda key: (self.loaded[key], key))


def read_standing(connection: psycopg.Connection[Any]) -> Standing:
    """Read which data and grids are in force; any role may."""
    rows = connection.execute(_READ).fetchall()
    loaded = {dataset: loaded_at for dataset, loaded_at, _, _ in rows if dataset is not None}
    grids = next(((edition, version) for dataset, _, edition, version in rows if dataset is None), (None, None))
    return Standing(loaded, *grids)
