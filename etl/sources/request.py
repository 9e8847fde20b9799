"""What a reader is asked: which file, how it is declared to look, and how much reading it may cost."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from layers.declare.records import Dataset

_MOMENTS = ("date", "moment", "month")


@dataclass(frozen=True)
class Limits:
    """What reading one file may cost: memory, time (waiting and computing), and bytes an archive may unpack to."""

    memory_mb: int = 2048
    seconds: float = 600.0
    unpacked_mb: int = 4096


DEFAULT_LIMITS = Limits()
"""Limits when no setting says otherwise."""


@dataclass(frozen=True)
class Request:
    """One file to read; `headings` are the declared ones, `moments` those of them that are dates or moments."""

    path: Path
    format: str
    headings: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()
    encoding: str | None = None
    sheet: str | None = None
    layer: str | None = None
    header_row: int | None = None
    limits: Limits = DEFAULT_LIMITS

    def to_json(self) -> bytes:
        """Write it down for another process."""
        return json.dumps({**asdict(self), "path": str(self.path)}, ensure_ascii=False).encode()


def read_request(text: bytes) -> Request:
    """Read what `Request.to_json` wrote."""
    values: dict[str, Any] = json.loads(text)
    values |= {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
    return Request(**{**values, "path": Path(values["path"]), "limits": Limits(**values["limits"])})


def headings_of(dataset: Dataset) -> tuple[str, ...]:
    """Headings a dataset declares, each once: its columns, then coordinates, address and grid code."""
    source = dataset.source
    names = [c.heading for c in dataset.columns]
    names += [h for h in (source.lon, source.lat, source.address, source.grid_code) if h]
    return tuple(dict.fromkeys(names))


def request_for(path: Path, dataset: Dataset, limits: Limits) -> Request:
    """Ask for a file of a dataset."""
    how = dataset.source
    return Request(
        path=path.resolve(),
        format=how.format,
        headings=headings_of(dataset),
        moments=tuple(c.heading for c in dataset.columns if c.type in _MOMENTS),
        encoding=how.encoding,
        sheet=how.sheet,
        layer=how.layer,
        header_row=how.header_row,
        limits=limits,
    )
