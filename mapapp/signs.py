"""The signs of the map: which files the layers name, and the sprite drawn of them at the first question."""

from __future__ import annotations

import hashlib
from pathlib import Path

from layers.declare.records import Catalog
from layers.draw.signs import icons_in
from layers.draw.sprite import make_sprite


class Signs:
    """The signs that the layers of a catalog name; `edition` changes with any of their files."""

    def __init__(self, catalog: Catalog) -> None:
        files = icons_in(Path(catalog.folder))
        self.files = {one.icon: files[one.icon] for one in catalog.layers.values() if one.icon in files}
        digest = hashlib.blake2b(digest_size=6)
        for name, path in sorted(self.files.items()):
            digest.update(name.encode() + path.read_bytes())
        self.edition = digest.hexdigest()
        self._drawn: dict[int, tuple[bytes, bytes]] = {}

    @property
    def address(self) -> str:
        """Where the sprite is, as a style says it: without density and ending."""
        return f"/static/signs/{self.edition}/sprite"

    def sprite(self, density: int) -> tuple[bytes, bytes]:
        """Picture and index of the sprite at a density."""
        if density not in self._drawn:
            self._drawn[density] = make_sprite(self.files, self.files, density)
        return self._drawn[density]
