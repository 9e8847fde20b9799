"""Plan: which files in a folder belong to which datasets, and in what order they are loaded."""

from __future__ import annotations

import difflib
import fnmatch
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.corrections import dataset_of
from etl.sources import DEFAULT_LIMITS, Limits
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


_PACKED = ("", ".gz", ".zip")
"""What may follow a pattern: a file may be packed."""


@dataclass(frozen=True)
class Job:
    """One file of one dataset; `name` is its path inside the delivery folder. A correction has refused rows, mended."""

    dataset: Dataset
    path: Path
    name: str = ""
    is_correction: bool = False


@dataclass(frozen=True)
class Plan:
    """Files to load, in order; datasets without a file; files that belong to no dataset, a sentence for each."""

    jobs: tuple[Job, ...]
    absent: tuple[str, ...]
    strangers: tuple[str, ...]


def make_plan(catalog: Catalog, folder: Path, names: Sequence[str] = (), limits: Limits = DEFAULT_LIMITS) -> Plan:
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
    files, links = _files_in(folder, is_deep=any("/" in d.source.files for d in catalog.datasets.values()))
    wanted = [catalog.datasets[name] for name in (names or catalog.datasets)]
    found = {d.key: [name for name in files if _belongs(name, d)] for d in wanted}
    corrections = _corrections(folder, files, catalog, limits)
    absent = tuple(key for key, its in found.items() if not its and key not in corrections.values())
    if names and absent:
        pattern = catalog.datasets[absent[0]].source.files
        near = difflib.get_close_matches(pattern, files, n=3, cutoff=0.3)
        raise DeliveryError(
            f"In {folder} no file is called {pattern} (dataset {absent[0]}).",
            f"The nearest are {', '.join(near)}."
            if near
            else "Put the file there, or name another folder by `--from`.",
        )
    if not any(found.values()) and not corrections:
        raise DeliveryError(
            f"No file in {folder} belongs to a declared dataset.",
            "Put the departments' files there, or name another folder by `--from FOLDER`.",
        )
    jobs = [Job(d, folder / name, name) for d in sorted(wanted, key=_rank) for name in found[d.key]]
    mended = [Job(catalog.datasets[key], folder / name, name, True) for name, key in corrections.items()]
    jobs += [job for job in mended if job.dataset in wanted]
    rest = [name for name in files if name not in corrections]
    return Plan(tuple(sorted(jobs, key=_job_rank)), absent, (*links, *(() if names else _strangers(rest, catalog))))


def _files_in(folder: Path, *, is_deep: bool) -> tuple[list[str], list[str]]:
    """Paths of the files inside a folder, sub-folders included when wanted; and a sentence for each link.

    Links are not followed: whoever may put a file into the folder could read any other file with one.
    """
    files, links = [], []
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if is_deep and not name.startswith("."))
        for path in (Path(here) / name for name in names if not name.startswith(".")):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink():
                links.append(f"{name} is a link and was left alone; put the file itself there.")
            elif path.is_file():
                files.append(name)
    return sorted(files), sorted(links)


def _corrections(folder: Path, files: Sequence[str], catalog: Catalog, limits: Limits) -> dict[str, str]:
    """Workbooks of refused rows among the files that belong to no dataset by their name, with their datasets."""
    found = {}
    for name in files:
        if Path(name).suffix.lower() != ".xlsx" or any(_belongs(name, d) for d in catalog.datasets.values()):
            continue
        dataset = dataset_of(folder / name, limits)
        if dataset in catalog.datasets:
            found[name] = str(dataset)
    return found


def _belongs(name: str, dataset: Dataset) -> bool:
    pattern = dataset.source.files
    return any(_fits(name.split("/"), f"{pattern}{suffix}".split("/")) for suffix in _PACKED)


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a path fits a pattern, part by part; `**` stands for any number of folders."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(parts[at:], pattern[1:]) for at in range(len(parts)))
    return bool(parts) and fnmatch.fnmatch(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


def _rank(dataset: Dataset) -> tuple[int, int]:
    level = LEVELS.index(dataset.level) if dataset.level else 0
    return _ORDER.index(dataset.table), level


def _job_rank(job: Job) -> tuple[int, int, int, int]:
    # the largest file of a table first: it then goes into an empty table, which is by far the fastest way
    size = 0 if job.dataset.table == "grid" else -job.path.stat().st_size
    return (*_rank(job.dataset), int(job.is_correction), size)


def _strangers(files: Sequence[str], catalog: Catalog) -> tuple[str, ...]:
    patterns = {d.source.files: key for key, d in catalog.datasets.items()}
    sentences = []
    for name in files:
        if Path(name).suffix.lower() in _BESIDE or any(_belongs(name, d) for d in catalog.datasets.values()):
            continue
        near = difflib.get_close_matches(name, patterns, n=1, cutoff=0.4)
        hint = f"; the nearest is {near[0]} (dataset {patterns[near[0]]})" if near else ""
        sentences.append(f"{name} belongs to no declared dataset and was left alone{hint}.")
    return tuple(sentences)
