"""The address of the page is its whole state."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapapp.drawn import Drawn, Only
from mapapp.view import Defaults, View, read_view, search_of

DEFAULTS = Defaults(
    at="4499", indicator="events", indicators=("events", "people"), period=202605, periods=(202604, 202605),
    layers=(Drawn("calls"),), editions=(1, 2), categories=("flood", "noise"),
    drawable={"event": ("calls", "storms"), "place": ("school",), "calls": ("calls",), "storms": ("storms",),
              "school": ("school",)},
)  # fmt: skip
LAYERS = ("calls", "storms", "school")
CODES = {"4499", "449901", "449901001", "449901001001", "449901001001001"}
FIRST = View("4499", "events", 202605, (Drawn("calls"),), "zh")


@pytest.mark.parametrize(
    ("search", "view"),
    [
        (None, FIRST),
        ("", FIRST),
        ("?at=449901001", FIRST.but(at="449901001")),
        ("?at=449901001&indicator=people&period=202604&layers=place,event&lang=en",
         View("449901001", "people", 202604, (Drawn("school"), Drawn("calls"), Drawn("storms")), "en")),
        ("?layers=storms:heat:60,school:5,calls:x:999",
         FIRST.but(layers=(Drawn("storms", "heat", 60), Drawn("school", "point", 10), Drawn("calls")))),
        ("?categories=flood,fire&states=closed,lost&since=2026-05-02&until=2026-13-01",
         FIRST.but(only=Only(("flood",), ("closed",), date(2026, 5, 2)))),
        ("?since=2026-05-03&until=2026-05-02", FIRST),
        ("?hide=labels,roads&height=people&events=open&rows=none&effects=on&panel=layers",
         FIRST.but(hidden=("labels",), height="people", is_current=True, is_counted=True, with_effects=True,
                   is_open=True)),
        ("?height=nope&panel=all", FIRST),
        ("?opacity=heights:50,colours:5,labels:100,roads:20,borders:x",
         FIRST.but(faded=(("colours", 10), ("heights", 50)))),
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
    layers=st.lists(
        st.builds(Drawn, st.sampled_from(LAYERS), st.sampled_from(["point", "heat"]), st.integers(10, 100)),
        unique_by=lambda one: one.key,
    ),
    only=st.builds(
        Only,
        st.sampled_from([(), ("flood",), ("noise", "flood")]),
        st.sampled_from([(), ("closed", "reported")]),
        st.sampled_from([None, date(2026, 5, 2)]),
        st.sampled_from([None, date(2026, 5, 9)]),
    ),
    hidden=st.sampled_from([(), ("labels",), ("colours", "borders")]),
    faded=st.sampled_from([(), (("labels", 40),), (("colours", 10), ("heights", 70))]),
    height=st.sampled_from([None, "people"]),
    flags=st.tuples(*[st.booleans()] * 4),
    language=st.sampled_from(["zh", "en"]),
    edition=st.sampled_from([None, 1, 2]),
)
def test_a_link_opens_the_same_view(layers: list[Drawn], flags: tuple[bool, ...], **said: Any) -> None:
    named = dict(zip(("is_current", "is_counted", "with_effects", "is_open"), flags, strict=True))
    view = View(layers=tuple(layers), **named, **said)
    assert read_view(search_of(view, DEFAULTS), DEFAULTS, CODES) == view


@given(st.text(max_size=200))
def test_any_address_gives_a_view(search: str) -> None:
    view = read_view("?" + search, DEFAULTS, CODES)
    assert view.at in CODES and view.indicator in DEFAULTS.indicators


def test_what_is_default_is_left_out() -> None:
    assert search_of(FIRST, DEFAULTS) == "?"
    assert search_of(FIRST.but(at="449901", language="en"), DEFAULTS) == "?at=449901&lang=en"
