"""The address of the page is its whole state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapapp.view import ELEMENTS, Defaults, View, read_view, search_of

DEFAULTS = Defaults(
    at="4499", indicator="events", indicators=("events", "people"), period=202605, periods=(202604, 202605),
    layers=("event",), editions=(1, 2),
)  # fmt: skip
CODES = {"4499", "449901", "449901001", "449901001001", "449901001001001"}
FIRST = View("4499", "events", 202605, ("event",), "zh")


@pytest.mark.parametrize(
    ("search", "view"),
    [
        (None, FIRST),
        ("", FIRST),
        ("?at=449901001", FIRST.but(at="449901001")),
        ("?at=449901001&indicator=people&period=202604&layers=place,person&lang=en",
         View("449901001", "people", 202604, ("person", "place"), "en")),
        ("?edition=2&at=449901001", FIRST.but(at="449901001", edition=2)),
        ("?edition=3", FIRST),
        ("?edition=%C2%B2", FIRST),
        ("?layers=none&lang=zh", FIRST.but(layers=())),
        ("?at=4498&indicator=%27;drop&period=999999&lang=fr&layers=camera", FIRST.but(layers=())),
        ("?at=../../etc&period=1e9&at=449901", FIRST.but(at="449901")),
    ],
)  # fmt: skip
def test_reading(search: str | None, view: View) -> None:
    assert read_view(search, DEFAULTS, CODES) == view


@given(
    at=st.sampled_from(sorted(CODES)),
    indicator=st.sampled_from(DEFAULTS.indicators),
    period=st.sampled_from(DEFAULTS.periods),
    layers=st.sets(st.sampled_from(ELEMENTS)),
    language=st.sampled_from(["zh", "en"]),
    edition=st.sampled_from([None, 1, 2]),
)
def test_a_link_opens_the_same_view(
    at: str, indicator: str, period: int, layers: set[str], language: str, edition: int | None
) -> None:
    shown = tuple(e for e in ELEMENTS if e in layers)
    view = View(at, indicator, period, shown, language, edition)  # type: ignore[arg-type]
    assert read_view(search_of(view, DEFAULTS), DEFAULTS, CODES) == view


@given(st.text(max_size=200))
def test_any_address_gives_a_view(search: str) -> None:
    view = read_view("?" + search, DEFAULTS, CODES)
    assert view.at in CODES and view.indicator in DEFAULTS.indicators


def test_what_is_default_is_left_out() -> None:
    assert search_of(FIRST, DEFAULTS) == "?"
    assert search_of(FIRST.but(at="449901", language="en"), DEFAULTS) == "?at=449901&lang=en"
