"""The files of a folder of declarations: found, decoded and parsed; what cannot be is a problem, not an end."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layers.declare.keys import OPTIONAL, SHAPES
from layers.declare.problems import Problem, nearest, quoted
from layers.declare.values import NAME
from layers.errors import DeclarationError

_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass
class Files:
    """What a folder holds; keys are file names inside it, such as `datasets/school.toml`."""

    parsed: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    """Names of the files of each folder, those included that could not be parsed."""
    there: set[str] = field(default_factory=set)
    """All files read, those included that could not be parsed."""


def read_files(folder: Path) -> Files:
    """Read every TOML file of a folder of declarations.

    Raises
    ------
    DeclarationError
        The folder is not there.
    """
    if not folder.is_dir():
        raise DeclarationError(
            [f"{folder}: there is no such folder of declarations; make it, or set CATALOG_DIR to the one you mean."]
        )
    files = Files(names={kind: [] for kind in SHAPES if not kind.endswith(".toml")})
    for path in sorted(folder.rglob("*.toml")):
        file = path.relative_to(folder).as_posix()
        if file.startswith(".") or "/." in file:
            continue
        if _is_known(file, files):
            files.there.add(file)
            _parse(path, file, files)
    for file in SHAPES:
        if file.endswith(".toml") and file not in OPTIONAL and not (folder / file).is_file():
            says = f"the file is missing; add it, it holds {_HOLDS[file]}."
            files.problems.append(Problem(file, (), says, line=0))
    return files


_HOLDS = {
    "city.toml": "the code, the name and the time zone of the city",
    "departments.toml": "one line for each department",
    "categories.toml": "one line for each category of events, places, things and organisations",
}


def _is_known(file: str, files: Files) -> bool:
    """Whether a file is where a declaration can be; otherwise nobody would read it, and that is a problem."""
    kind, _, name = file.rpartition("/")
    if not kind and name in SHAPES:
        return True
    stem = name.removesuffix(".toml")
    if kind not in files.names:
        hint = nearest(kind, files.names) if kind else nearest(name, [k for k in SHAPES if k.endswith(".toml")])
        what = f"the folder {quoted(kind)}" if kind else "this file"
        files.problems.append(Problem(file, (), f"nobody reads {what}; {hint}", line=0))
        return False
    files.names[kind].append(stem)
    if not NAME.accepts(stem):
        says = f"{quoted(stem)} must be {NAME.says}; rename the file, for example to school.toml."
        files.problems.append(Problem(file, (), says, line=0))
    return True


def _parse(path: Path, file: str, files: Files) -> None:
    try:
        data = path.read_bytes()
    except OSError as error:
        says = f"the file cannot be read ({error.strerror}); see who may read it."
        files.problems.append(Problem(file, (), says, line=0))
        return
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        files.problems.append(Problem(file, (), "this is not UTF-8; save the file with encoding UTF-8.", line))
        return
    try:
        files.parsed[file] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found = _AT.search(str(error))
        line = int(found[1]) if found and found[1] else len(text.rstrip().splitlines()) or 1
        at = f", near column {found[2]}" if found and found[2] else ""
        files.problems.append(Problem(file, (), f"this is not TOML{at}: {_plainly(_AT.sub('', str(error)))}.", line))
    else:
        files.texts[file] = text


_PLAINLY = (
    ("Illegal character", "a text is not closed; write its second quote"),
    ("Cannot overwrite", "this key was given before; keep one of the two"),
    ("Cannot declare", "this table was given before; put both together"),
    ("Unclosed inline table", "a { has no }; write it on the same line"),
    ("Unclosed array", "a [ has no ]; write it, and a comma between items"),
    ("Invalid initial character for a key part", "here should be a key; what stands in { } must stay on one line"),
    ("Expected '='", "the equals sign after the key is missing"),
    ("Invalid value", "this is no value; a text needs quotes, true and false do not"),
    ("Expected newline", "here the line should end; write one key on each line"),
    ("Expected ']'", "the ] after the name of the table is missing"),
)


def _plainly(message: str) -> str:
    """Say in plain words what `tomllib` complains about."""
    plain = (words for begin, words in _PLAINLY if message.startswith(begin))
    return next(plain, f"{message.rstrip('.')}; look at the quotes, brackets and commas there")
