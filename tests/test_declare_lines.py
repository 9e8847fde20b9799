"""On which line a key stands: every way TOML has of writing one."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.declare.lines import key_lines

DATA = Path(__file__).parent.parent / "data"

MIXED = r"""# 1 a comment with = and [brackets]
name = { zh = "学校 # no comment", en = 'a "school" [' }
dotted.inner.key = 1
"quoted key" = [
  1, # two ]
  { a = 2, "b c" = [3,
    4] },
]
text = '''
not = a key
[not.a.table]
'''
long = ~~~
 "quotes" and \~~~ inside ""~~~

[source]
files = "a.csv"
  [source . deep]
  x = 2023-01-01

[[many]]
n = 1
[[many]]
n = 2
[many.sub]
y = true
""".replace("~", '"')


def test_every_way_of_writing_a_key_has_its_line() -> None:
    tomllib.loads(MIXED)
    lines = key_lines(MIXED)
    written = {
        ("name",): 2, ("name", "en"): 2,
        ("dotted",): 3, ("dotted", "inner", "key"): 3,
        ("quoted key",): 4, ("quoted key", 0): 5, ("quoted key", 1): 6, ("quoted key", 1, "b c", 1): 7,
        ("text",): 9, ("long",): 13,
        ("source",): 16, ("source", "files"): 17, ("source", "deep"): 18, ("source", "deep", "x"): 19,
        ("many",): 21, ("many", 0, "n"): 22, ("many", 1): 23, ("many", 1, "n"): 24, ("many", 1, "sub", "y"): 26,
    }  # fmt: skip
    assert {path: lines.get(path) for path in written} == written


def paths(value: Any, at: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    inner = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    return {(*at, key) for key, _ in inner}.union(*(paths(item, (*at, key)) for key, item in inner))


@pytest.mark.parametrize(
    "text", [MIXED, "", "\n# only a comment", "a.b = {}\na.c = []", "a = {b=1, c={d=[[1],[2,],]}}"]
)
def test_it_finds_the_keys_that_tomllib_finds(text: str) -> None:
    assert set(key_lines(text)) == paths(tomllib.loads(text))


def test_it_finds_every_key_of_the_real_declarations() -> None:
    for file in DATA.rglob("*.toml"):
        text = file.read_text()
        assert set(key_lines(text)) == paths(tomllib.loads(text)), file


KEYS = st.text("ab_-.\"'#= [\\é", min_size=1, max_size=4)
VALUES = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.text("x\"'#=[]{},\\\n é", max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


def written(value: Any, wide: str) -> str:
    """TOML of a value, lists over several lines when `wide` is a line end."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{escaped(value)}"'
    if isinstance(value, list):
        comma = f", # ],{wide}" if wide else ", "
        return f"[{wide}{comma.join(written(item, wide) for item in value)}{wide}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{escaped(key)}" = {written(item, "")}' for key, item in value.items()) + "}"
    return str(value)


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=4), st.sampled_from(["", "\n"]))
def test_any_document_has_all_its_keys_found_on_their_lines(document: dict[str, Any], wide: str) -> None:
    lines, text = {}, ""
    for key, value in document.items():
        lines[(key,)] = text.count("\n") + 1
        text += f'"{escaped(key)}" = {written(value, wide)}\n'
    assert tomllib.loads(text) == document
    found = key_lines(text)
    assert set(found) == paths(document)
    assert {path: line for path, line in found.items() if len(path) == 1} == lines
