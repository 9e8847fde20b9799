"""docs/security.md: every test it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
GUIDE = TESTS.parent / "docs" / "security.md"


FAILS = (ast.Assert, ast.Raise)
"""What makes a test fail where it is met."""
CHECKS = {"raises", "expect"}
"""Calls that do."""


def named_in(text: str) -> set[tuple[str, str]]:
    """Files and tests that a text names."""
    return set(re.findall(r"`(test_\w+\.py)::(test_\w+)`", text))


def functions() -> dict[tuple[str, str], ast.FunctionDef]:
    """Every function at the top of every file of tests, by file and name."""
    return {
        (path.name, node.name): node
        for path in TESTS.rglob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }


def may_fail(at: tuple[str, str], there: dict[tuple[str, str], ast.FunctionDef]) -> bool:
    """Whether a test checks anything, itself or by a function of its file."""
    for node in ast.walk(there[at]):
        called = node.func if isinstance(node, ast.Call) else None
        name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
        beside = (at[0], name)
        if isinstance(node, FAILS) or name in CHECKS or (beside in there and beside != at and may_fail(beside, there)):
            return True
    return False


def test_every_test_named_in_the_guide_exists_and_may_fail() -> None:
    named, there = named_in(GUIDE.read_text(encoding="utf-8")), functions()
    assert len(named) > 30
    assert sorted(named - set(there)) == []
    assert [one for one in sorted(named) if not may_fail(one, there)] == []
    marks = {one: " ".join(map(ast.unparse, there[one].decorator_list)) for one in named}
    assert [one for one, mark in marks.items() if re.search("skip|xfail", mark)] == []


def test_every_promise_names_a_test() -> None:
    lines = GUIDE.read_text(encoding="utf-8").splitlines()
    tables = [at for at, line in enumerate(lines) if line == "| promise | test |"]
    assert len(tables) > 5
    for at in tables:
        for line in lines[at + 2 :]:
            if not line.startswith("|"):
                break
            assert named_in(line), f"no test holds: {line}"
