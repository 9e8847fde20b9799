"""Stamps: a file that says what a step was last done for, so that doing it again costs nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def mark_of(files: Iterable[Path], *words: str) -> str:
    """Return a hash of the contents of some files and some words."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes() + b"\0")
    for word in words:
        digest.update(word.encode() + b"\0")
    return digest.hexdigest()


def is_done(stamp: Path, mark: str) -> bool:
    """Return whether the step was done for exactly this mark."""
    try:
        return stamp.read_text(encoding="utf-8") == mark
    except OSError:
        return False


def set_done(stamp: Path, mark: str) -> None:
    """Note that the step has been done for this mark."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    fresh = stamp.with_name(stamp.name + ".new")
    fresh.write_text(mark, encoding="utf-8")
    fresh.replace(stamp)
