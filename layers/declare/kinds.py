"""Kinds of values a key may hold, and how each is read.

A kind has `says` (what it is, in words), `example` (how to write one) and `read`, which gives the value or notes a
problem on the desk and gives `BROKEN`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from layers.declare.lines import Path
from layers.declare.problems import Problem, dotted, either, nearest, quoted, shown


class _Broken:
    """A value that was there and is of no use."""


BROKEN = _Broken()
"""Stands for a value that cannot be used; the problem is on the desk."""


@dataclass
class Desk:
    """Where one file is read: which names are declared elsewhere, and what was found wrong so far."""

    file: str
    known: Mapping[str, Collection[str] | None]
    """Names by what they name; None when the file that declares them cannot be read: then every name will do."""
    problems: list[Problem] = field(default_factory=list)
    broken: set[str | int] = field(default_factory=set)
    """Keys of the file whose values cannot be used, wholly or in part: no further check looks at them."""

    def refuse(self, path: Path, says: str) -> Any:
        """Note a problem and give `BROKEN`."""
        self.problems.append(Problem(self.file, path, says))
        self.broken.add(path[0])
        return BROKEN


class Kind(Protocol):
    """What every kind of value offers."""

    @property
    def says(self) -> str:
        """What it is, in words that follow "must be"."""

    @property
    def example(self) -> str:
        """One, as written in TOML."""

    def read(self, value: Any, at: Path, desk: Desk) -> Any:
        """Give the value as the records want it, or `BROKEN`."""


@dataclass(frozen=True)
class Plain:
    """A single value that a test accepts."""

    says: str
    example: str
    accepts: Callable[[Any], bool]
    make: Callable[[Any], Any] = lambda value: value

    def read(self, value: Any, at: Path, desk: Desk) -> Any:
        """Give the value, or `BROKEN` when the test does not accept it."""
        if self.accepts(value):
            return self.make(value)
        return desk.refuse(at, f"{dotted(at)} is {shown(value)} but must be {self.says}; write {_written(at, self)}.")


@dataclass(frozen=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def says(self) -> str:
        """The words."""
        return f"one of {either(self.words)}"

    @property
    def example(self) -> str:
        """The first word."""
        return quoted(self.words[0])

    def read(self, value: Any, at: Path, desk: Desk) -> Any:
        """Give the word, or `BROKEN` when it is none of them."""
        if value in self.words:
            return value
        if isinstance(value, str) and len(self.words) > 4:
            return desk.refuse(at, f"{dotted(at)} cannot be {shown(value)}; {nearest(value, self.words)}")
        return desk.refuse(at, f"{dotted(at)} is {shown(value)} but must be {self.says}.")


@dataclass(frozen=True)
class NameOf:
    """The name of something declared elsewhere: `of` is one of the names in `Desk.known`."""

    of: str
    example: str

    @property
    def says(self) -> str:
        """What it names."""
        return f"a name declared in {self._where}"

    @property
    def _where(self) -> str:
        return f"{self.of}.toml" if self.of in ("departments", "categories", "datums") else f"{self.of}/"

    def read(self, value: Any, at: Path, desk: Desk) -> Any:
        """Give the name, or `BROKEN` when nobody declared it."""
        if not isinstance(value, str):
            return desk.refuse(at, f"{dotted(at)} is {shown(value)} but must be {self.says}, such as {self.example}.")
        known = desk.known[self.of]
        if known is None or value in known:
            return value
        says = f"{dotted(at)} names {shown(value)}, which {self._where} does not declare"
        return desk.refuse(at, f"{says}; {nearest(value, known)}")


@dataclass(frozen=True)
class ListOf:
    """A list of values of one kind, none of them twice."""

    item: Kind
    at_least: int = 1

    @property
    def says(self) -> str:
        """What the items are."""
        return f"a list, each {self.item.says}"

    @property
    def example(self) -> str:
        """A list of one."""
        return f"[{self.item.example}]"

    @property
    def _n(self) -> str:
        return "at least one" if self.at_least else "any length"

    def read(self, value: Any, at: Path, desk: Desk) -> Any:
        """Give a tuple, or `BROKEN` when it is no list, too short, or an item is wrong or there twice."""
        if not isinstance(value, list) or len(value) < self.at_least:
            return desk.refuse(
                at, f"{dotted(at)} is {shown(value)} but must be a list of {self._n}; write {_written(at, self)}."
            )
        items = [self.item.read(item, (*at, i), desk) for i, item in enumerate(value)]
        for i, item in enumerate(items):
            if item is not BROKEN and item in items[:i]:
                says = f"{dotted(at)} names {shown(value[i])} twice; take one of them out."
                desk.problems.append(Problem(desk.file, (*at, i), says))
        return BROKEN if BROKEN in items else tuple(items)


@dataclass(frozen=True)
class Key:
    """One key of a table."""

    name: str
    kind: Kind
    needed: bool = False
    default: Any = None


@dataclass(frozen=True)
class Shape:
    """A table with fixed keys; `make` turns its name and its values into what the records want."""

    says: str
    keys: tuple[Key, ...]
    make: Callable[[str, dict[str, Any]], Any] = lambda name, values: values

    @property
    def example(self) -> str:
        """The keys it needs."""
        return "{ " + ", ".join(f"{key.name} = {key.kind.example}" for key in self.keys if key.needed) + " }"

    def read(self, value: Any, at: Path, desk: Desk) -> Any:
        """Give what `make` makes, or `BROKEN` when any of it is wrong."""
        values = self.values(value, at, desk)
        return BROKEN if values is BROKEN or BROKEN in values.values() else self.make(str(at[-1]), values)

    def values(self, value: Any, at: Path, desk: Desk) -> Any:
        """Give the values by key with the defaults filled in; a wrong one is `BROKEN`, a misspelt key is left out."""
        if not isinstance(value, dict):
            return desk.refuse(
                at, f"{dotted(at)} is {shown(value)} but must be {self.says}; write {_written(at, self)}."
            )
        values = {
            key.name: key.kind.read(value[key.name], (*at, key.name), desk) if key.name in value else key.default
            for key in self.keys
        }
        absent = [key for key in self.keys if key.name not in value]
        unknown = [name for name in value if name not in values]
        meant = {self._unknown(name, at, desk, [key.name for key in absent]) for name in unknown}
        for key in absent:
            if key.name in meant:
                desk.broken.add((*at, key.name)[0])
            elif key.needed:
                desk.refuse((*at, key.name), self._add(at, key))
            if key.needed or key.name in meant:
                values[key.name] = BROKEN
        return values

    def _unknown(self, name: str, at: Path, desk: Desk, absent: list[str]) -> str:
        """Complain about a key nobody knows; the absent key that was probably meant, or nothing."""
        hint = nearest(name, absent)
        meant = next((key for key in absent if hint.startswith(f"did you mean {quoted(key)}")), "")
        hint = hint if meant else nearest(name, [key.name for key in self.keys])
        desk.problems.append(Problem(desk.file, (*at, name), f"{quoted(name)} is not a key of {self.says}; {hint}"))
        return meant

    def _add(self, at: Path, key: Key) -> str:
        where = f" in {dotted(at)}" if at else ""
        return f"{quoted(key.name)} is missing{where}; add for example {_written((*at, key.name), key.kind)}."


@dataclass(frozen=True)
class Each:
    """A table whose keys are names of one's own choosing, all values of one kind."""

    item: Kind
    name: Plain

    @property
    def says(self) -> str:
        """What the names and the values are."""
        return f"a table: {self.name.says} = {self.item.says}"

    @property
    def example(self) -> str:
        """A table of one."""
        return f"{{ {self.name.example} = {self.item.example} }}"

    def read(self, value: Any, at: Path, desk: Desk) -> Any:
        """Give the values by name, without those that are wrong."""
        if not isinstance(value, dict):
            return desk.refuse(at, f"{dotted(at)} is {shown(value)} but must be a table; write {_written(at, self)}.")
        read: dict[str, Any] = {}
        for name, item in value.items():
            if not self.name.accepts(name):
                desk.refuse((*at, name), f"{quoted(name)} must be {self.name.says}, such as {self.name.example}.")
            made = self.item.read(item, (*at, name), desk)
            if made is not BROKEN:
                read[name] = made
        return read


def _written(at: Path, kind: Kind) -> str:
    name = next((name for name in reversed(at) if isinstance(name, str)), "")
    return f"{name} = {kind.example}"
