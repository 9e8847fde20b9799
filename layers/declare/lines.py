"""On which line a key stands.

`tomllib` forgets positions, so a text it has accepted is walked a second time, and only when there is something to
complain about. Walking a text known to be right needs no checks: what is left of TOML fits in this file.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator

Path = tuple[str | int, ...]
"""Names from the top of a file down to a value; an item of a list is its position from 0."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' + r"|'''.*?'{3,5}" + r'|"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\n]+")


def key_lines(text: str) -> dict[Path, int]:
    """Find the line, from 1, of every key and list item of a TOML text that `tomllib` reads.

    Parameters
    ----------
    text
        The TOML, as decoded.

    Returns
    -------
    dict
        The line of each path. A table stands where it is first named.
    """
    return _Walk(text).lines


class _Walk:
    """One walk over one text; `lines` is the outcome."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self.lines: dict[Path, int] = {}
        self.tables_in_list: dict[Path, int] = {}
        table: Path = ()
        while not self._at_end():
            table = self._heading() if self._take("[") else self._pair(table)

    def _heading(self) -> Path:
        """Walk `[a.b]` or `[[a.b]]`, whose first bracket is taken; the table that the next keys belong to."""
        begin, many = self.at - 1, self._take("[")
        names = list(self._names())
        path: Path = ()
        for i, name in enumerate(names):
            path = (*path, name)
            self._note(path, begin)
            if many and i == len(names) - 1:
                self.tables_in_list[path] = self.tables_in_list.get(path, -1) + 1
            if path in self.tables_in_list:
                path = (*path, self.tables_in_list[path])
                self._note(path, begin)
        self.at = self.text.index("]]" if many else "]", self.at) + 1 + many
        return path

    def _pair(self, table: Path) -> Path:
        """Walk `a.b = value`; the table it stands in."""
        path = table
        for name in self._names():
            path = (*path, name)
            self._note(path, self.name_at)
        self.at = self.text.index("=", self.at) + 1
        self._value(path)
        return table

    def _names(self) -> Iterator[str]:
        """Walk the names of a dotted key."""
        while True:
            self._skip()
            self.name_at = self.at
            if found := _STRING.match(self.text, self.at):
                name = tomllib.loads(f"name = {found.group()}")["name"]
            elif found := _BARE_KEY.match(self.text, self.at):
                name = found.group()
            else:
                raise ValueError(f"no key at character {self.at}: key_lines() is for texts that tomllib reads")
            self.at = found.end()
            yield name
            self._skip()
            if not self._take("."):
                return

    def _value(self, path: Path) -> None:
        """Walk a value and everything inside it."""
        self._skip()
        if self._take("{"):
            while not self._take("}"):
                self._pair(path)
                self._skip()
                self._take(",")
                self._skip()
        elif self._take("["):
            self._skip()
            n = 0
            while not self._take("]"):
                self._note((*path, n), self.at)
                self._value((*path, n))
                n += 1
                self._skip()
                self._take(",")
                self._skip()
        elif found := _STRING.match(self.text, self.at) or _BARE_VALUE.match(self.text, self.at):
            self.at = found.end()

    def _note(self, path: Path, at: int) -> None:
        self.lines.setdefault(path, bisect_right(self.starts, at))

    def _skip(self) -> None:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _take(self, sign: str) -> bool:
        if self.text.startswith(sign, self.at):
            self.at += len(sign)
            return True
        return False

    def _at_end(self) -> bool:
        self._skip()
        return self.at >= len(self.text)
