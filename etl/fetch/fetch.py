"""One fetch: what a dataset declares, written aside and put under its name when it is whole."""

from __future__ import annotations

import filecmp
import fnmatch
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from etl.fetch.client import Client
from etl.fetch.database import fetch_table
from etl.fetch.ogc import fetch_features
from etl.fetch.open311 import fetch_requests
from etl.sources import headings_of
from layers.declare.records import Dataset, Fetch
from layers.errors import DeliveryError, SettingError
from layers.hosts import Host

_LEFT_OVER_S = 2 * 86_400


@dataclass(frozen=True)
class Fetcher:
    """Who fetches: the hosts a steward has allowed, the secrets by name, and when now is."""

    hosts: Sequence[Host] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    now: datetime | None = None

    def secret(self, fetch: Fetch) -> str | None:
        """The secret that a fetch names.

        Raises
        ------
        SettingError
            It is named, but not there.
        """
        if fetch.secret is None:
            return None
        if not self.secrets.get(fetch.secret):
            raise SettingError(
                f"The environment has no {fetch.secret}, which [fetch] names.",
                "Set it where the loader is started; it never stands in a declaration.",
            )
        return self.secrets[fetch.secret]


@dataclass(frozen=True)
class Fetched:
    """What became of a fetch: the file, how many rows, and whether it is another than the one there was."""

    dataset: str
    path: Path
    n: int
    is_new: bool

    def said(self) -> str:
        """The outcome in a line."""
        end = f"kept as {self.path.name}" if self.is_new else f"the same as {self.path.name}"
        return f"{self.dataset}: {self.n:,} rows fetched, {end}"


def fetch_file(dataset: Dataset, folder: Path, fetcher: Fetcher) -> Fetched:
    """Fetch the file of a dataset into the delivery folder.

    A `*` in the dataset's `files` becomes the time in UTC. A file that says what the newest one says already is not
    kept twice. Whatever goes wrong, no part of a file is left.

    Raises
    ------
    SettingError
        A host is not allowed, or a secret is not there.
    DeliveryError
        The dataset declares no `[fetch]`, or what is there cannot be had, whole, within the limits.
    """
    if dataset.fetch is None:
        raise DeliveryError(
            f"The dataset {dataset.key} declares no [fetch].", "Its files are put into the delivery folder by hand."
        )
    now = fetcher.now or datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / dataset.source.files.replace("*", f"_{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    _sweep(folder, dataset, now)
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{dataset.key}-", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            n = _write(dataset, dataset.fetch, fetcher, now, out)
            out.flush()
            os.fsync(out.fileno())
        newest = _newest(folder, dataset)
        if newest is not None and filecmp.cmp(newest, part, shallow=False):
            return Fetched(dataset.key, newest, n, is_new=False)
        part.chmod(0o640)
        part.replace(path)
        return Fetched(dataset.key, path, n, is_new=True)
    except OSError as error:
        raise DeliveryError(
            f"The file {path.name} cannot be kept: {error.strerror}.",
            "Make room in the delivery folder, or mend its rights.",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _write(dataset: Dataset, fetch: Fetch, fetcher: Fetcher, now: datetime, out: IO[bytes]) -> int:
    secret = fetcher.secret(fetch)
    if fetch.kind == "database":
        return fetch_table(fetcher.hosts, secret or "", dataset, out)
    seconds, n_bytes = fetch.minutes_max * 60, fetch.mb_max << 20
    client = Client(fetcher.hosts, seconds=seconds, n_bytes=n_bytes, authorization=secret or "")
    if fetch.kind == "ogc_features":
        return fetch_features(client, fetch, out)
    return fetch_requests(client, fetch, headings_of(dataset), now, out)


def _sweep(folder: Path, dataset: Dataset, now: datetime) -> None:
    """Take away what fetches that were killed have left; one that goes on is younger than two days."""
    for path in folder.glob(f".{dataset.key}-*.part"):
        if path.stat().st_mtime < now.timestamp() - _LEFT_OVER_S:
            path.unlink(missing_ok=True)


def _newest(folder: Path, dataset: Dataset) -> Path | None:
    there = [path for path in folder.iterdir() if fnmatch.fnmatch(path.name, dataset.source.files)]
    return max((path for path in there if path.is_file()), key=lambda path: path.stat().st_mtime_ns, default=None)
