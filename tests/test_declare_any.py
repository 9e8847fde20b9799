"""Whatever stands in a declaration, the answer is a catalog or sentences with a line, never a traceback."""

from __future__ import annotations

import copy
import datetime
import re
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from declared import FILES, write
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.declare import read_catalog
from layers.errors import DeclarationError

VALUES = st.recursive(
    st.one_of(
        st.integers(-5, 10**20),
        st.floats(),
        st.booleans(),
        st.sampled_from(
            ["", " ", "*", "point", "person", "grid", "code", "school", "call", "xlsx", "EPSG:4490", "é\n\"'"]
        ),
        st.just(datetime.date(2024, 2, 29)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["zh", "en", "from", "type", "codes", "n", "", "a b", "1"]), inner, max_size=3),
    ),
    max_leaves=5,
)


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{text(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return text(value) if isinstance(value, str) else str(value)


def text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*at, key)
        yield from places(item, (*at, key))


PLACES = [(file, at) for file, source in FILES.items() for at in places(tomllib.loads(source))]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.one_of(VALUES, st.just(None))), min_size=1, max_size=4))
def test_no_value_anywhere_makes_it_stumble(changes: list[tuple[tuple[str, tuple[Any, ...]], Any]]) -> None:
    parsed = {file: copy.deepcopy(tomllib.loads(source)) for file, source in FILES.items()}
    for (file, at), value in changes:
        inside: Any = parsed[file]
        for key in at[:-1]:
            inside = inside[key] if isinstance(inside, dict) and key in inside else None
        if isinstance(inside, dict) and value is None:
            inside.pop(at[-1], None)
        elif isinstance(inside, dict):
            inside[at[-1]] = value
    files = {
        file: "".join(f"{text(key)} = {toml(value)}\n" for key, value in document.items())
        for file, document in parsed.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        try:
            read_catalog(write(Path(folder), files))
        except DeclarationError as error:
            for sentence in error.problems:
                assert re.match(r"[a-z_/]+\.toml, line \d+: .+[.?]$", sentence, re.DOTALL), sentence
