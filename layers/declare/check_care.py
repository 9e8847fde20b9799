"""Checks of care groups: their dataset brings what a record holds, and what is restricted is counted coarsely."""

from __future__ import annotations

from collections.abc import Mapping

from layers.codes import LENGTHS
from layers.declare.check_datasets import Said
from layers.declare.check_screens import Check
from layers.declare.records import CARE_STATUS, CareGroup, Catalog

COLUMNS: Mapping[str, str] = {
    "responsible": "text",
    "offered": "text",
    "status": "code",
    "visited_on": "date",
    "due_on": "date",
}
"""Columns that the dataset of a care group has, and their types."""


def _dataset_brings_records(group: CareGroup, catalog: Catalog) -> Said:
    dataset = catalog.datasets.get(group.dataset)
    if dataset is None:
        return
    if dataset.table != "person" or not dataset.sensitive:
        yield ("dataset",), f'{dataset.key} must have table = "person" and sensitive = true.'
    types = {column.key: column.type for column in dataset.columns}
    for key, kind in COLUMNS.items():
        if types.get(key) != kind:
            yield ("dataset",), f'{dataset.key} needs a column {key} of type "{kind}"; declare it there.'
    codes = {code for column in dataset.columns if column.key == "status" for code in column.codes.values()}
    for code in sorted(codes - set(CARE_STATUS)):
        yield ("dataset",), f'{dataset.key} has the status "{code}"; it must be one of {", ".join(CARE_STATUS)}.'


def _dataset_is_of_one_group(group: CareGroup, catalog: Catalog) -> Said:
    others = sorted(one.key for one in catalog.care.values() if one.dataset == group.dataset and one.key < group.key)
    if others:
        yield ("dataset",), f"{group.dataset} is the dataset of {others[0]} already; each group has one of its own."


def _restricted_is_counted_coarsely(group: CareGroup, catalog: Catalog) -> Said:
    if not group.restricted:
        return
    for one in catalog.breakdowns.values():
        if one.register == group.dataset and LENGTHS[one.finest] > LENGTHS["large"]:
            says = f'breakdown {one.key} publishes counts of it; write finest = "large" there, or coarser.'
            yield ("restricted",), says
    named = [
        column.required
        for column in (catalog.datasets[group.dataset].columns if group.dataset in catalog.datasets else ())
        if column.key == "responsible"
    ]
    if named == [False]:
        yield ("restricted",), f"only who is named sees the records: make responsible required in {group.dataset}."


CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (_dataset_brings_records, ("dataset",)),
    (_dataset_is_of_one_group, ("dataset",)),
    (_restricted_is_counted_coarsely, ("dataset", "restricted")),
)
