"""The audit is sealed by whatever serves the map, without anybody's doing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from serving import serving

from layers.accounts import audit
from layers.database import Database
from mapapp import app
from mapapp.porter import Porter


def test_a_map_that_is_served_seals(
    db: Database, catalog: Any, settings: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    assert app.SEALED_S == 60
    done, seal = asyncio.Event(), Porter.seal
    loops: list[Any] = []

    def seal_here(porter: Porter) -> int:
        porter._heads = tmp_path / "heads"
        n = seal(porter)
        if n and loops:
            loops[0].call_soon_threadsafe(done.set)
        return n

    monkeypatch.setattr(app, "SEALED_S", 0)
    monkeypatch.setattr(Porter, "seal", seal_here)
    with serving(db, catalog, settings) as server:
        loops.append(server.loop)
        with db.connect("door") as door:
            audit.write(door, "account", None, "wang", done="added")
        server.loop.run_until_complete(asyncio.wait_for(done.wait(), 30))
    assert (tmp_path / "heads").read_text(encoding="utf-8").strip()
    with db.connect("door") as door:
        assert audit.seal(door, tmp_path / "heads") == 0, "nothing is left to seal"
