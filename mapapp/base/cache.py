"""Tiles kept on disk, up to so many bytes: the oldest go first. Several threads may use it at once."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
import time
from pathlib import Path

FRESH_S = 30 * 86_400
"""Age up to which a kept tile is given without asking again."""


class Cache:
    """A folder of tiles by the digest of what they are called."""

    def __init__(self, folder: Path, n_bytes: int) -> None:
        self._folder, self._most = folder, n_bytes
        self._lock = threading.Lock()
        self._taken: int | None = None

    def get(self, name: str) -> tuple[bytes, bool] | None:
        """Give a tile and whether it is fresh; None where it is not kept."""
        path = self._path(name)
        try:
            return path.read_bytes(), time.time() - path.stat().st_mtime < FRESH_S
        except OSError:
            return None

    def put(self, name: str, content: bytes) -> None:
        """Keep a tile; it is there whole, or not at all. Where there is no room on the disk it is not kept."""
        path = self._path(name)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, aside = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(aside).replace(path)
            with self._lock:
                self._taken = (self._taken if self._taken is not None else self._size()) + len(content)
                if self._taken > self._most:
                    self._clear()

    def _path(self, name: str) -> Path:
        digest = hashlib.blake2b(name.encode(), digest_size=20).hexdigest()
        return self._folder / digest[:2] / digest[2:]

    def _size(self) -> int:
        return sum(path.stat().st_size for path in self._folder.glob("*/*"))

    def _clear(self) -> None:
        """Throw the oldest out until a tenth of the room is free."""
        kept = sorted(
            ((one.stat().st_mtime, one.stat().st_size, one) for one in self._folder.glob("*/*")), key=lambda k: k[0]
        )
        self._taken = sum(size for _, size, _ in kept)
        for _, size, path in kept:
            if self._taken <= self._most * 0.9:
                return
            path.unlink(missing_ok=True)
            self._taken -= size
