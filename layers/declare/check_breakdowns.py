"""Checks of breakdowns of people: each has what it needs, its bands take everybody, its datasets fit."""

from __future__ import annotations

from itertools import pairwise

from layers.declare.check_datasets import Said
from layers.declare.check_screens import Check
from layers.declare.records import Breakdown, Catalog

_NEEDS = {"age": ("ages",), "household_size": ("sizes",), "register": ("register",), "near": ("near", "within_m")}


def _has_what_it_needs(breakdown: Breakdown, catalog: Catalog) -> Said:
    for dimension in breakdown.by:
        for key in _NEEDS.get(dimension, ()):
            if not getattr(breakdown, key):
                yield ("by",), f'"{dimension}" needs the key {key}; add it.'
    for dimension, keys in _NEEDS.items():
        for key in keys:
            if getattr(breakdown, key) and dimension not in breakdown.by:
                yield (key,), f'{key} belongs to "{dimension}", which `by` does not name; take one of them out.'


def _bands_rise(breakdown: Breakdown, catalog: Catalog) -> Said:
    for key, bands, first in (("ages", breakdown.ages, 0), ("sizes", breakdown.sizes, 1)):
        if bands and (bands[0] != first or any(one >= two for one, two in pairwise(bands))):
            yield (key,), f"bands must begin with {first} and rise, so that everybody is in one."


def _datasets_fit(breakdown: Breakdown, catalog: Catalog) -> Said:
    for key, table in (("register", "person"), ("near", "place")):
        dataset = catalog.datasets.get(getattr(breakdown, key) or "")
        if dataset is not None and dataset.table != table:
            yield (key,), f"{key} must be a dataset of table {table}, and {dataset.key} is one of {dataset.table}."


def _cells_are_few(breakdown: Breakdown, catalog: Catalog) -> Said:
    if len(breakdown.cells) > 60:
        yield ("by",), f"this makes {len(breakdown.cells)} cells, and at most 60 can be published; use fewer bands."


def _tells_nobody_twice(breakdown: Breakdown, catalog: Catalog) -> Said:
    """Two figures of the same people, each rounded, narrow small counts: never on grids finer than the large ones."""
    for other in catalog.breakdowns.values():
        is_fine = {breakdown.finest, other.finest} <= {"small", "medium"}
        shared = breakdown.shares(other) or _homes_and_sizes(breakdown, other)
        if other.key < breakdown.key and is_fine and shared:
            both = " and ".join(shared)
            says = (
                f"{other.key} tells people apart by {both} too, and two rounded figures of a few people give them away"
            )
            yield ("by",), f'{says}; write finest = "large" in one of them, or make one breakdown of both.'


def _homes_and_sizes(one: Breakdown, other: Breakdown) -> tuple[str, ...]:
    """How many households there are and how many people live in those of a size tell of each other."""
    both = ("household", "household_size")
    return both if {*one.by, *other.by} >= set(both) else ()


CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (_has_what_it_needs, ("by", "ages", "sizes", "register", "near", "within_m")),
    (_bands_rise, ("ages", "sizes")),
    (_datasets_fit, ("register", "near")),
    (_cells_are_few, ("by", "ages", "sizes")),
    (_tells_nobody_twice, ("by", "finest")),
)
