"""What is wrong with a declaration: gathered while reading, put into sentences with file and line at the end."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from layers.declare.lines import Path, key_lines


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and how to mend it; `line` is given where nothing was parsed, 0 for the whole file."""

    file: str
    path: Path
    says: str
    line: int | None = None


def sentences(problems: Iterable[Problem], texts: Mapping[str, str]) -> list[str]:
    """Put problems into sentences, each with its file and line, in the order of the files and lines.

    Parameters
    ----------
    problems
        What was found; the same thing found twice is said once.
    texts
        The text of each file that could be parsed.
    """
    by_file: dict[str, list[Problem]] = {}
    for problem in problems:
        by_file.setdefault(problem.file, []).append(problem)
    said: list[str] = []
    for file in sorted(by_file):
        placed = [p for p in by_file[file] if p.line is None]
        lines = key_lines(texts[file]) if placed and file in texts else {}
        found = {(_line(p.path, lines) if p.line is None else p.line, p.says): None for p in by_file[file]}
        said += [f"{file}, line {line}: {says}" if line else f"{file}: {says}" for line, says in sorted(found)]
    return said


def dotted(path: Path) -> str:
    """Write a path as a reader of the file would: `columns.sex.codes`, `datasets[2]` for the second item."""
    written = ""
    for name in path:
        written += f"[{name + 1}]" if isinstance(name, int) else f".{name}" if written else name
    return written


def shown(value: Any) -> str:
    """Write a value as it may stand in the file, cut short when it is long."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]" if len(value) < 4 else "a list"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= 60 else f"{written[:56]}…{written[-1]}"


def nearest(word: str, known: Collection[str]) -> str:
    """Say which known words come nearest, or which there are, or that there are none."""
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.6)
    if near:
        return f"did you mean {either(near)}?"
    if not known:
        return "none is declared yet."
    some = sorted(known)[:8]
    return f"known {'are' if len(known) > 1 else 'is'} {', '.join(map(quoted, some))}{', …' if len(known) > 8 else ''}."


def either(words: Collection[str]) -> str:
    """Write `"a"`, `"a" or "b"`, `"a", "b" or "c"`."""
    *most, last = map(quoted, words)
    return f"{', '.join(most)} or {last}" if most else last


def quoted(word: str) -> str:
    """Write a word in double quotes."""
    return f'"{word}"'


def _line(path: Path, lines: Mapping[Path, int]) -> int:
    """Line of a path, or of the nearest table around it when the path itself is not written."""
    for n in range(len(path), 0, -1):
        if path[:n] in lines:
            return lines[path[:n]]
    return 1
