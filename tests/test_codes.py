"""Division codes: level, parent, range, town."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.access import Scope
from layers.codes import LENGTHS, ancestors_of, child_level, level_of, nbs_of, parent_of, range_of, town_of
from layers.errors import AccessError, AtlasError

small = st.from_regex(r"[1-9][0-9]{14}", fullmatch=True)
codes = st.tuples(small, st.sampled_from(list(LENGTHS.values()))).map(lambda pair: pair[0][: pair[1]])


@pytest.mark.parametrize(
    ("code", "level", "parent", "town", "low", "high"),
    [
        ("4499", "city", None, "449900000", "4499", "449:"),
        ("449901", "county", "4499", "449901000", "449901", "449902"),
        ("449901001", "large", "449901", "449901001", "449901001", "449901002"),
        ("449901001200", "medium", "449901001", "449901001", "449901001200", "449901001201"),
        ("449901001200001", "small", "449901001200", "449901001", "449901001200001", "449901001200002"),
    ],
)
def test_a_code(code: str, level: str, parent: str | None, town: str, low: str, high: str) -> None:
    assert level_of(code) == level
    assert parent_of(code) == parent
    assert town_of(code) == town
    assert range_of(code) == (low, high)


@pytest.mark.parametrize("code", ["", "44", "44990", "4499a1", "４４９９", "449901 ", "4499010012000011", "²²²²"])
def test_what_is_no_code_is_refused(code: str) -> None:
    for function in (level_of, parent_of, range_of, town_of, ancestors_of, nbs_of, Scope):
        with pytest.raises(AtlasError, match="not a grid code"):
            function(code)


def test_ancestors_and_levels() -> None:
    assert ancestors_of("449901001200001") == ["4499", "449901", "449901001", "449901001200", "449901001200001"]
    assert [child_level(level) for level in LENGTHS] == ["county", "large", "medium", "small", None]
    assert nbs_of("449901001") == "449901001000" and nbs_of("4499") == "449900000000"
    with pytest.raises(AtlasError, match="no national code"):
        nbs_of("449901001200001")


@given(codes, small)
def test_a_range_holds_all_descendants_and_nothing_else(code: str, other: str) -> None:
    low, high = range_of(code)
    for length in LENGTHS.values():
        for one in (other[:length], (code + other)[:length]):
            assert (low <= one < high) == one.startswith(code)


@given(codes)
def test_climbing_from_a_code_comes_to_its_city(code: str) -> None:
    path = ancestors_of(code)
    assert path[0] == code[:4] and path[-1] == code
    assert [parent_of(one) for one in path] == [None, *path[:-1]]
    assert len(town_of(code)) == 9 and town_of(code) == town_of(town_of(code)[: min(len(code), 9)])


@given(codes, codes)
def test_a_scope_narrows_and_never_widens(code: str, within: str) -> None:
    scope = Scope(code)
    assert scope.within(None) == scope
    if within.startswith(code):
        assert scope.within(within) == Scope(within)
    else:
        with pytest.raises(AccessError):
            scope.within(within)
