"""The guide for analysts does what it says: every block is run, and its output compared."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from layers.database import Database
from layers.settings import Settings

GUIDE = Path(__file__).parent.parent / "docs" / "analysts.md"


def test_every_block_of_the_guide_gives_the_output_it_shows(
    small_city: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", small_city.url("admin"))
    monkeypatch.setenv("LOCAL_DIR", str(settings.local_dir))
    text = GUIDE.read_text(encoding="utf-8")
    example = doctest.DocTestParser().get_doctest(text, {}, GUIDE.name, str(GUIDE), 0)
    assert len(example.examples) > 15
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(example, out=said.append)
    assert said == []
