"""The base map while the server runs: tiles out of the cache, from the host the setting names, or out of a file."""

from __future__ import annotations

import logging
import struct
import threading
import time
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pmtiles.reader import MmapSource, Reader
from pmtiles.tile import Compression, MagicNumberNotFound, SpecVersionUnsupported, TileType

from layers.errors import AtlasError, SettingError
from mapapp.base.cache import Cache
from mapapp.base.fetch import fetch_tile, kind_of
from mapapp.base.sources import BaseMap, address

AT_ONCE = 4
"""Tiles fetched at once; the others wait, and no other request waits for them."""
REST_S = 15.0
"""Seconds for which a host that failed is left alone."""
VECTOR = "application/vnd.mapbox-vector-tile"

_KINDS = {TileType.MVT: VECTOR, TileType.PNG: "image/png", TileType.JPEG: "image/jpeg", TileType.WEBP: "image/webp"}
_BROKEN = (
    OSError,
    ValueError,
    LookupError,
    EOFError,
    struct.error,
    zlib.error,
    MagicNumberNotFound,
    SpecVersionUnsupported,
)
"""What the library raises where a file is none of its own."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tile:
    """One tile: its bytes, their kind, and how they are packed."""

    content: bytes
    kind: str
    coding: str = ""


class Base:
    """A base map that is open; made by `open_base`."""

    def __init__(self, said: BaseMap, folder: Path | None) -> None:
        self.said = said
        self.threads = ThreadPoolExecutor(AT_ONCE, "base")
        self._cache = Cache(folder, said.cache_mb * 1_000_000) if folder and said.layers else None
        self._file = _File(said.file) if said.file else None
        self._lock, self._rests_until = threading.Lock(), 0.0
        self.is_failing = False
        """Whether its host did not answer when it was last asked."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its layers, the lowest first."""
        return ("file",) if self._file else tuple(name for name, _ in self.said.layers)

    @property
    def zooms(self) -> tuple[int, int]:
        """Least and greatest zoom it has tiles for."""
        return self._file.zooms if self._file else (0, self.said.zoom_max)

    @property
    def vector_layers(self) -> tuple[str, ...]:
        """Names of the layers of vector tiles; none for pictures."""
        return self._file.vector_layers if self._file else ()

    def tile(self, name: str, z: int, x: int, y: int) -> Tile | None:
        """Give a tile; None where there is none, or none can be had now."""
        if self._file:
            return self._file.tile(z, x, y) if name == "file" else None
        template = dict(self.said.layers).get(name)
        if template is None:
            return None
        known = f"{template} {z}/{x}/{y}"
        kept = self._cache.get(known) if self._cache else None
        if kept and kept[1]:
            return _picture(kept[0])
        fetched = self._fetch(address(template, self.said.key, z, x, y))
        if fetched and self._cache:
            self._cache.put(known, fetched)
        content = fetched or (kept[0] if kept else None)
        return _picture(content) if content else None

    def close(self) -> None:
        """Stop the threads."""
        self.threads.shutdown(wait=False, cancel_futures=True)

    def _fetch(self, url: str) -> bytes | None:
        if time.monotonic() < self._rests_until:
            return None
        try:
            fetched = fetch_tile(self.said.hosts, url)
        except AtlasError as error:
            with self._lock:
                is_first = time.monotonic() >= self._rests_until
                self._rests_until, self.is_failing = time.monotonic() + REST_S, True
            if is_first:
                log.warning("the base map: %s", error.message)
            return None
        self.is_failing = False
        return fetched


def open_base(said: BaseMap, folder: Path | None) -> Base:
    """Open a base map; tiles of others are kept in the folder.

    Raises
    ------
    SettingError
        The file is no PMTiles file of pictures or vector tiles.
    """
    return Base(said, folder)


def _picture(content: bytes) -> Tile | None:
    kind = kind_of(content)
    return Tile(content, kind) if kind else None


class _File:
    """A PMTiles file, mapped into memory."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self._reader = Reader(MmapSource(file))
            self._header: Mapping[str, Any] = self._reader.header()
            told: Mapping[str, Any] = self._reader.metadata()
        except _BROKEN as error:
            raise SettingError(
                f"BASE_MAP names {path.name}, which is no PMTiles file.", "Make it anew, or leave it out."
            ) from error
        self.kind = _KINDS.get(self._header["tile_type"], "")
        packed = self._header["tile_compression"]
        if not self.kind or packed not in (Compression.NONE, Compression.GZIP, Compression.UNKNOWN):
            raise SettingError(
                f"{path.name} holds tiles of a kind that is not drawn.", "Make it with PNG, JPEG, WebP or vector tiles."
            )
        self.coding = "gzip" if packed == Compression.GZIP else ""
        self.zooms = (int(self._header["min_zoom"]), int(self._header["max_zoom"]))
        layers = told.get("vector_layers") or [] if self.kind == VECTOR else []
        self.vector_layers = tuple(str(one["id"]) for one in layers)

    def tile(self, z: int, x: int, y: int) -> Tile | None:
        content = self._reader.get(z, x, y)
        return Tile(bytes(content), self.kind, self.coding) if content else None
