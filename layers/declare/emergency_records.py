"""What `emergency.toml` becomes: whom and what to protect, what helps, who answers, and who needs care."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layers.declare.records import Dataset, Text


@dataclass(frozen=True)
class Sought:
    """A category looked for around a place: a target to protect where it is inside, a resource where it is near."""

    category: str
    without: tuple[str, ...] = ()
    """States in which it does not count, such as a school that is closed."""
    show: tuple[str, ...] = ()
    """Declared columns told beside its name."""
    nearest: int = 0
    """How many of a resource, the nearest first; a target has no such bound."""


@dataclass(frozen=True)
class Care:
    """A group of people who need care: cells of a breakdown, added up."""

    key: str
    name: Text
    breakdown: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Emergency:
    """What the command centre asks for around a place (`emergency.toml`)."""

    protected: Mapping[str, Sought] = field(default_factory=dict)
    resources: Mapping[str, Sought] = field(default_factory=dict)
    care: Mapping[str, Care] = field(default_factory=dict)
    workers: tuple[str, ...] = ()
    """Datasets of who walks the grids."""
    contacts: tuple[str, ...] = ()
    """Datasets of who answers for the grids."""


def holds(dataset: Dataset, category: str) -> bool:
    """Whether rows of a dataset may be of a category: all are, or a column says of each what it is."""
    if dataset.category is not None:
        return dataset.category == category
    kinds = [column for column in dataset.columns if column.type == "category"]
    return any(not column.codes or category in column.codes.values() for column in kinds)
