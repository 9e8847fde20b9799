"""docs/security.md: every test it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
GUIDE = TESTS.parent / "docs" / "security.md"


def test_every_test_named_in_the_guide_exists() -> None:
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", GUIDE.read_text(encoding="utf-8"))
    assert len(named) > 30
    there = {
        (path.name, node.name)
        for path in TESTS.rglob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    assert sorted(set(named) - there) == []
