"""The declarations of the sample city: right, whole, and enough to show what the map can do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.declare import read_catalog
from layers.declare.records import Catalog, Text

DATA = Path(__file__).parent.parent / "data"


@pytest.fixture(scope="module")
def city() -> Catalog:
    return read_catalog(DATA)


def texts(value: Any) -> Iterator[Text]:
    if isinstance(value, Text):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from texts(item)


def test_the_city_says_that_it_is_fictitious(city: Catalog) -> None:
    assert city.city.code == "4499", "an unassigned code: no number made with it belongs to anyone"
    assert city.city.notice is not None
    assert "虚构" in city.city.name.zh + city.city.notice.zh
    assert len(city.city.counties) == 4


def test_there_is_a_layer_for_every_element(city: Catalog) -> None:
    assert {layer.element for layer in city.layers.values()} == {"person", "event", "place", "thing", "organisation"}
    assert any(layer.shown for layer in city.layers.values())


def test_every_dataset_of_places_things_events_and_organisations_is_on_the_map(city: Catalog) -> None:
    drawn = {name for layer in city.layers.values() for name in layer.datasets}
    tables = ("event", "place", "thing", "organisation")
    on_the_map = {name for name, one in city.datasets.items() if one.table in tables and not one.sensitive}
    assert on_the_map <= drawn
    assert not drawn & {name for name, one in city.datasets.items() if one.sensitive}


def test_layers_can_be_told_apart(city: Catalog) -> None:
    layers = city.layers.values()
    assert len({layer.colour for layer in layers}) == len(layers)
    assert len({layer.order for layer in layers}) == len(layers)


def test_datasets_come_from_many_departments(city: Catalog) -> None:
    assert len(city.datasets) >= 12
    assert len({dataset.department for dataset in city.datasets.values()}) >= 6
    assert {dataset.table for dataset in city.datasets.values()} >= {"person", "event", "grid", "grid_worker"}


def test_every_formula_is_shown_by_an_indicator(city: Catalog) -> None:
    indicators = city.indicators.values()
    assert len(indicators) >= 10
    assert {i.formula for i in indicators} == {"count", "share", "per_area", "per_people", "people", "people_share"}
    assert {i.period for i in indicators} == {"month", "year", "now"}


def test_every_indicator_and_layer_of_a_scenario_fits_its_question(city: Catalog) -> None:
    assert len(city.scenarios) >= 3
    for scenario in city.scenarios.values():
        assert scenario.question.zh.endswith("？")
        assert scenario.question.en.endswith("?")


def test_sensitive_categories_are_so_and_no_others(city: Catalog) -> None:
    sensitive = {key for key, category in city.categories.items() if category.sensitive}
    assert sensitive == {"family_dispute", "minor_protection", "mental_health", "household"}


def test_every_text_is_in_both_languages(city: Catalog) -> None:
    for text in texts(city):
        assert re.search("[\u4e00-\u9fff]", text.zh) or text.zh == text.en == "%", text
        assert not re.search("[\u4e00-\u9fff]", text.en), text


def test_every_dataset_says_how_many_rows_to_expect(city: Catalog) -> None:
    for dataset in city.datasets.values():
        assert dataset.expect.rows_max, dataset.key


def test_every_indicator_has_values_in_the_sample_city(city: Catalog, small_city: Database) -> None:
    atlas = Atlas(city, small_city, "analyst", Scope(city.city.code))
    seen = {name: atlas.indicator(name, level="large")["value"] for name in city.indicators}
    assert [name for name, values in seen.items() if values.isna().any()] == []
    alike = [name for name, values in seen.items() if values.nunique() == 1]
    assert alike == ["extension_rate"], "all grids alike: not worth a map; extensions are no part of a delivery"


def test_all_that_an_emergency_asks_for_is_in_the_sample_city(city: Catalog, small_city: Database) -> None:
    emergency = city.emergency
    with small_city.connect("admin") as connection:
        found = dict(
            connection.execute(
                "select category, count(*) from ops.place group by 1 union all select category, count(*) from ops.thing"
                " group by 1 union all select category, count(*) from ops.organisation group by 1"
            ).fetchall()
        )
        rosters = dict(connection.execute("select dataset, count(*) from ops.grid_worker group by 1").fetchall())
    for sought in (*emergency.protected.values(), *emergency.resources.values()):
        assert found[sought.category] >= 8, sought.category
    assert all(rosters[name] >= 50 for name in (*emergency.workers, *emergency.contacts))
    assert len(emergency.care) >= 3
