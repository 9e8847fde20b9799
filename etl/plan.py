"""Plan: which files in a folder belong to which datasets, and in what order they are loaded."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from layers.declare.records import Catalog, Dataset
from layers.errors import DeliveryError, UnknownNameError
from layers.tables import LEVELS

_ORDER = (
    "grid",
    "place",
    "thing",
    "organisation",
    "grid_worker",
    "person",
    "measure",
    "event",
    "event_step",
    "reading",
)
_BESIDE = (".dbf", ".shx", ".prj", ".cpg", ".qpj", ".sbn", ".sbx", ".json", ".md", ".txt", ".xml")
"""Suffixes of files that come with others and are no deliveries themselves."""


@dataclass(frozen=True)
class Job:
    """One file of one dataset."""

    dataset: Dataset
    path: Path


@dataclass(frozen=True)
class Plan:
    """Files to load, in order; datasets without a file; files that belong to no dataset, a sentence for each."""

    jobs: tuple[Job, ...]
    absent: tuple[str, ...]
    strangers: tuple[str, ...]


def make_plan(catalog: Catalog, folder: Path, names: Sequence[str] = ()) -> Plan:
    """Find the files of the named datasets, or of all.

    Raises
    ------
    UnknownNameError
        A dataset nobody declared.
    DeliveryError
        The folder is not there, holds nothing, or lacks the file of a dataset that was asked for by name.
    """
    for name in names:
        if name not in catalog.datasets:
            raise UnknownNameError("dataset", name, catalog.datasets)
    if not folder.is_dir():
        raise DeliveryError(
            f"There is no folder {folder}.",
            "Name the folder of the deliveries by `--from FOLDER` or DELIVERY_DIR; "
            "`python -m etl demo build --out FOLDER` makes those of the sample city.",
        )
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    wanted = [catalog.datasets[name] for name in (names or catalog.datasets)]
    found = {d.key: [path for path in files if _belongs(path, d)] for d in wanted}
    absent = tuple(key for key, paths in found.items() if not paths)
    if names and absent:
        pattern = catalog.datasets[absent[0]].source.files
        near = difflib.get_close_matches(pattern, [p.name for p in files], n=3, cutoff=0.3)
        raise DeliveryError(
            f"In {folder} no file is called {pattern} (dataset {absent[0]}).",
            f"The nearest are {', '.join(near)}."
            if near
            else "Put the file there, or name another folder by `--from`.",
        )
    if not any(found.values()):
        raise DeliveryError(
            f"No file in {folder} belongs to a declared dataset.",
            "Put the departments' files there, or name another folder by `--from FOLDER`.",
        )
    jobs = [Job(d, path) for d in sorted(wanted, key=_rank) for path in found[d.key]]
    return Plan(tuple(sorted(jobs, key=_job_rank)), absent, () if names else _strangers(files, catalog))


def _belongs(path: Path, dataset: Dataset) -> bool:
    pattern = dataset.source.files
    return fnmatch.fnmatch(path.name, pattern) or fnmatch.fnmatch(path.name, f"{pattern}.gz")


def _rank(dataset: Dataset) -> tuple[int, int]:
    level = LEVELS.index(dataset.level) if dataset.level else 0
    return _ORDER.index(dataset.table), level


def _job_rank(job: Job) -> tuple[int, int, int]:
    # the largest file of a table first: it then goes into an empty table, which is by far the fastest way
    size = 0 if job.dataset.table == "grid" else -job.path.stat().st_size
    return (*_rank(job.dataset), size)


def _strangers(files: Sequence[Path], catalog: Catalog) -> tuple[str, ...]:
    patterns = {d.source.files: key for key, d in catalog.datasets.items()}
    sentences = []
    for path in files:
        if path.suffix.lower() in _BESIDE or any(_belongs(path, d) for d in catalog.datasets.values()):
            continue
        near = difflib.get_close_matches(path.name, patterns, n=1, cutoff=0.4)
        hint = f"; the nearest is {near[0]} (dataset {patterns[near[0]]})" if near else ""
        sentences.append(f"{path.name} belongs to no declared dataset and was left alone{hint}.")
    return tuple(sentences)
