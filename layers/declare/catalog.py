"""The catalog: a folder of declarations read, checked against each other, and refused whole when anything is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layers.declare import (
    check_breakdowns,
    check_care,
    check_cases,
    check_columns,
    check_datasets,
    check_datums,
    check_emergency,
    check_fetch,
    check_rules,
    check_screens,
)
from layers.declare import retention as retentions
from layers.declare.case_records import Calendar, Limits
from layers.declare.emergency_records import Emergency
from layers.declare.folder import Files, read_files
from layers.declare.keys import LINES, SHAPES
from layers.declare.kinds import BROKEN, Desk, Each, Shape
from layers.declare.problems import Problem, sentences
from layers.declare.records import Catalog
from layers.declare.retention import Retention
from layers.declare.values import NAME
from layers.errors import DeclarationError

_Checks = tuple[tuple[Callable[[Any, Catalog], check_datasets.Said], tuple[str, ...]], ...]

_CHECKS: Mapping[str, _Checks] = {
    "city.toml": check_screens.CITY_CHECKS,
    "datums.toml": check_datums.CHECKS,
    "calendar.toml": check_cases.CALENDAR_CHECKS,
    "limits.toml": check_cases.LIMITS_CHECKS,
    "routing.toml": check_cases.ROUTING_CHECKS,
    "emergency.toml": check_emergency.CHECKS,
    "datasets": (*check_datasets.CHECKS, *check_columns.CHECKS, *check_rules.CHECKS, *check_fetch.CHECKS),
    "layers": check_screens.LAYER_CHECKS,
    "indicators": check_screens.INDICATOR_CHECKS,
    "scenarios": (),
    "breakdowns": check_breakdowns.CHECKS,
    "care": check_care.CHECKS,
    "retention.toml": retentions.CHECKS,
}


def read_catalog(folder: Path) -> Catalog:
    """Read and check a folder of declarations; each entry of a mapping is one declared thing by its name.

    Parameters
    ----------
    folder
        Holds `city.toml`, `departments.toml`, `categories.toml`, where cases are worked on `calendar.toml`,
        `limits.toml` and `routing.toml`, for emergencies `emergency.toml`, and the folders `datasets`, `layers`,
        `indicators`, `scenarios`, `breakdowns` and `care`. Other files of it are left alone.

    Returns
    -------
    Catalog
        Departments and categories in the order of their file, layers by `order`, the rest by name. A folder that is
        not there declares nothing of its kind.

    Raises
    ------
    DeclarationError
        Anything is wrong anywhere: `problems` has a sentence for each thing, in the order of files and lines.
    """
    files = read_files(folder)
    drafts = list(_drafts(files))
    catalog = _catalog(folder, files, drafts)
    problems = [*files.problems, *(problem for draft in drafts for problem in draft.desk.problems)]
    for draft in drafts:
        for check, keys in _CHECKS.get(draft.kind, ()):
            if draft.desk.broken.isdisjoint(keys):
                problems += (Problem(draft.desk.file, path, says) for path, says in check(draft.record, catalog))
    if problems:
        raise DeclarationError(sentences(problems, files.texts))
    return catalog


@dataclass
class _Draft:
    """What one file declares, so far as it could be read; keys in `desk.broken` are not to be looked at."""

    kind: str
    name: str
    desk: Desk
    record: Any = field(default=None)


def _drafts(files: Files) -> Iterator[_Draft]:
    lines = {kind: files.parsed.get(f"{kind}.toml") for kind in ("departments", "categories", "datums")}
    if "datums.toml" not in files.there:
        lines["datums"] = {}
    known = {**files.names, **lines}
    for file, parsed in files.parsed.items():
        folder, _, name = file.rpartition("/")
        draft = _Draft(folder or name, name.removesuffix(".toml"), Desk(file, known))
        shape = SHAPES[draft.kind]
        if draft.kind not in LINES:
            draft.record = _record(shape, draft, parsed)
        else:
            draft.record = Each(shape, NAME).read(parsed, (), draft.desk)
        yield draft


def _record(shape: Shape, draft: _Draft, parsed: Mapping[str, Any]) -> Any:
    """Make the record of one file; broken values are None, which only checks that do not look at them may meet."""
    values = shape.values(parsed, (), draft.desk)
    return shape.make(draft.name, {key: None if value is BROKEN else value for key, value in values.items()})


def _catalog(folder: Path, files: Files, drafts: list[_Draft]) -> Catalog:
    """Put what could be read whole into a catalog: checks look names up in it and pass over those not there."""
    whole: dict[str, dict[str, Any]] = {kind: {} for kind in SHAPES}
    for draft in drafts:
        if draft.kind in LINES:
            whole[draft.kind] = draft.record
        elif not draft.desk.broken:
            whole[draft.kind][draft.name] = draft.record
    layers = sorted(whole["layers"].values(), key=lambda layer: (layer.order, layer.key))
    return Catalog(
        folder=str(folder),
        city=whole["city.toml"].get("city"),  # type: ignore[arg-type]  # None only on the way to an error
        departments=whole["departments.toml"],
        categories=whole["categories.toml"],
        datasets=whole["datasets"],
        layers={layer.key: layer for layer in layers},
        indicators=whole["indicators"],
        scenarios=whole["scenarios"],
        breakdowns=whole["breakdowns"],
        care=whole["care"],
        datums=whole["datums.toml"],
        calendar=whole["calendar.toml"].get("calendar", Calendar()),
        limits=whole["limits.toml"].get("limits", Limits()),
        routing=whole["routing.toml"].get("routing", ()),
        retention=whole["retention.toml"].get("retention", Retention()),
        emergency=whole["emergency.toml"].get("emergency", Emergency()),
        raw={file.removesuffix(".toml"): parsed for file, parsed in files.parsed.items()},
    )
