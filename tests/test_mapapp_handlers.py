"""What the page is told, over the small city: figures against the functions they come from."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import pandas as pd
import plotly.utils
import psycopg
import pytest
from signing import sign_in

from layers.access import Scope
from layers.counts import tally
from layers.database import Database
from layers.declare.emergency_records import holds
from layers.declare.records import Catalog
from layers.indicators import latest, values
from layers.named import Named, search_by_name
from layers.people import people
from mapapp import handlers
from mapapp.desk import Desk, Shelf
from mapapp.visitor import visiting

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def desk(small_city: Database, catalog: Catalog) -> Iterator[Desk]:
    desk = Desk(catalog, small_city.pool("web", max_size=2))
    desk.open()
    with visiting(sign_in(small_city)):
        yield desk
    desk.close()


@pytest.fixture
def web(desk: Desk) -> Iterator[psycopg.Connection[Any]]:
    with desk.connection() as connection:
        yield connection


def said(parts: Any) -> str:
    """Every text a reader sees in some components."""
    plain = json.loads(json.dumps(parts, cls=plotly.utils.PlotlyJSONEncoder))
    found: list[str] = []

    def walk(one: Any) -> None:
        if isinstance(one, dict):
            props = one.get("props", {})
            found.extend(str(props[key]) for key in ("title", "aria-label", "placeholder") if key in props)
            walk(props.get("children"))
        elif isinstance(one, list):
            for each in one:
                walk(each)
        elif one is not None:
            found.append(str(one))

    walk(plain)
    return "\n".join(found)


def links(parts: Any) -> list[str]:
    return re.findall(r'"href": "(\?[^"]*)"', json.dumps(parts, cls=plotly.utils.PlotlyJSONEncoder))


@pytest.fixture(scope="module")
def paths(desk: Desk) -> list[str]:
    """One grid of each level, each inside the one before."""
    with desk.connection() as connection:
        codes = desk.gazetteer(connection).grids.index
    path = [desk.catalog.city.code]
    for digits in (6, 9, 12, 15):
        path.append(next(code for code in codes if len(code) == digits and code.startswith(path[-1])))
    return path


def test_every_level_shows_the_level_below(desk: Desk, paths: list[str]) -> None:
    for at, shown in zip(paths, ("large", "large", "medium", "small", "small"), strict=True):
        told = handlers.show(desk, f"?at={at}", None).map_view
        assert told["at"] == at
        assert told["shown"] == shown
        assert len(told["cells"]["code"]) == len(told["cells"]["shade"]) > 0
        assert told["up"] == (None if len(at) == 4 else at[: {6: 4, 9: 6, 12: 9, 15: 12}[len(at)]])


def test_cells_carry_the_indicator_people_and_events(
    desk: Desk, web: psycopg.Connection[Any], paths: list[str]
) -> None:
    at = paths[2]
    shown = handlers.show(desk, f"?at={at}", None)
    month = shown.view.period
    expected = values(web, desk.catalog, shown.view.indicator, desk.scope, level="medium", within=at, period=month)
    told = shown.map_view["cells"]
    assert [at + tail for tail in told["code"]] == expected["grid_code"].tolist()
    assert told["value"] == [f"{value:,.1f}" for value in expected["value"]]
    rounded = people(web, desk.scope, level="medium", within=at).set_index("grid_code")["n"]
    assert told["people"] == [f"约 {n:,}" if n else "<10" for n in rounded.reindex(expected["grid_code"])]
    counted = values(web, desk.catalog, "events_reported", desk.scope, level="medium", within=at, period=month)
    assert told["events"] == counted["value"].astype(int).tolist()


def test_the_first_month_is_the_last_whole_one(desk: Desk, web: psycopg.Connection[Any]) -> None:
    shown = handlers.show(desk, "", None)
    last = latest(web, desk.catalog, shown.view.indicator)
    assert last is not None and shown.view.period == last.number


@pytest.mark.parametrize("which", range(5))
def test_every_indicator_is_drawn_at_every_level(desk: Desk, paths: list[str], which: int) -> None:
    for indicator in desk.catalog.indicators:
        shown = handlers.show(desk, f"?at={paths[which]}&indicator={indicator}", None)
        assert shown.view.indicator == indicator
        assert desk.catalog.indicators[indicator].name.zh in said(shown.legend)


def test_ranking_is_ordered_and_its_links_open_the_grids(desk: Desk, paths: list[str]) -> None:
    shown = handlers.show(desk, f"?at={paths[1]}", None)
    opened = [handlers.show(desk, link, None).view.at for link in links(shown.ranking)[:3]]
    assert all(code.startswith(paths[1]) and len(code) == 9 for code in opened)
    figures = [float(x.replace(",", "")) for x in re.findall(r"^[\d,]+\.\d$", said(shown.ranking), re.MULTILINE)]
    assert figures == sorted(figures, reverse=True)


def test_breadcrumb_links_lead_up(desk: Desk, paths: list[str]) -> None:
    shown = handlers.show(desk, f"?at={paths[4]}&lang=en", None)
    assert [handlers.show(desk, link, None).view.at for link in links(shown.path)] == paths[:4]
    assert all("lang=en" in link for link in links(shown.path))


def test_switches_turn_an_element_on_and_off(desk: Desk) -> None:
    def keys(link: str) -> list[str]:
        return [one.key for one in handlers.show(desk, link, None).view.layers]

    shown = handlers.show(desk, "?layers=event", None)
    opened, person, event, place, *_ = links(shown.layers)
    assert "panel=layers" in opened
    assert keys(person) == ["resident", "grid_event"]
    assert keys(event) == []
    points = [key for key, one in desk.catalog.layers.items() if one.element == "place" and one.draw == "point"]
    assert keys(place) == ["grid_event", *points]


def test_every_control_of_the_layer_desk_opens_what_it_says(desk: Desk) -> None:
    shown = handlers.show(desk, "?panel=layers&layers=grid_event,school:60,hotline", None)
    views = [handlers.show(desk, link, None).view for link in links(shown.layer_desk)]
    asked = {tuple(map(str, view.layers)) for view in views}
    assert ("grid_event:heat", "school:60", "hotline") in asked
    assert ("grid_event:70", "school:60", "hotline") in asked
    assert ("grid_event", "school:90", "hotline") in asked
    assert ("school:60", "grid_event", "hotline") in asked
    assert ("grid_event", "hotline") in asked
    assert {view.hidden for view in views} >= {("colours",), ("borders",), ("labels",)}
    assert {view.height for view in views} >= {None, "population"}
    assert {view.only.states for view in views} >= {("closed",)} and {view.only.categories for view in views} >= {
        ("flood",)
    }
    text = said(shown.layer_desk)
    for key in desk.catalog.layers:
        assert desk.catalog.layers[key].name.zh in text
    assert {dict(view.faded).get(part) for view in views for part in ("colours", "borders", "labels")} == {None, 70}
    assert text.count("数据更新于 2026年7月1日 09:00") == 4, "three layers and the colours"
    assert handlers.show(desk, "?layers=grid_event", None).layer_desk == []


AGE = "数据更新于 2026年7月1日 09:00"


def test_every_layer_is_switched_moved_faded_and_has_legend_and_age(desk: Desk) -> None:
    for key, layer in desk.catalog.layers.items():
        other = "market" if key != "market" else "clinic"  # no two that are on by default
        shown = handlers.show(desk, f"?panel=layers&layers={other},{key}", None)
        queries = [parse_qs(link[1:]) for link in links(shown.layer_desk)]
        asked = {query.get("layers", [""])[0] for query in queries}
        assert {other, f"{key},{other}"} <= asked, f"{key} is switched off, and goes up"
        is_point = layer.draw == "point"
        faded = f"{other},{key}:70" in asked if is_point else any("labels:70" in str(one) for one in queries)
        assert faded, f"{key} fades"
        assert (f"{other},{key}:heat" in asked) == is_point, f"{key} as a surface"
        row = said(shown.layer_desk).partition(layer.name.zh)[2]
        how = (
            "级逐个显示" if is_point else "每个网格写约数，不画个人" if layer.element == "person" else "每个网格写件数"
        )
        assert AGE in row.partition(how)[2].partition("\n")[0], key


def test_ground_and_heights_are_switched_faded_and_have_legend_and_age(desk: Desk) -> None:
    plain = handlers.show(desk, "?at=449901", None).map_view["paint"]
    for part, kind in (("colours", "cell"), ("borders", "line"), ("labels", "label")):
        hidden = handlers.show(desk, f"?at=449901&hide={part}", None).map_view["paint"]
        faded = handlers.show(desk, f"?at=449901&opacity={part}:40", None).map_view["paint"]
        of_kind = [name for name in plain if name.startswith(kind) and plain[name]]
        assert of_kind and all(hidden[name] < faded[name] < plain[name] for name in of_kind), part
        assert all(hidden[name] == plain[name] for name in plain if not name.startswith(kind)), part
    lines = [name for name in plain if name.startswith("line") and plain[name]]
    assert {"line-county", "line-large"} <= set(lines), "borders by level"
    text = said(handlers.show(desk, "?panel=layers&height=population", None).layer_desk)
    assert f"高度表示{desk.catalog.indicators['population'].name.zh} · {AGE}" in text


def test_what_is_protected_and_what_helps_is_on_the_map(desk: Desk) -> None:
    emergency = desk.catalog.emergency
    drawn = [one for one in desk.catalog.layers.values() if one.draw == "point" and one.icon]
    for category in {*emergency.protected, *emergency.resources}:
        fitting = [one for one in drawn if any(holds(desk.catalog.datasets[name], category) for name in one.datasets)]
        assert fitting, category
        told = handlers.show(desk, f"?layers={fitting[0].key}", None).map_view["overlay"]
        signs = [one for one in told["layers"] if one["id"] == f"layer-{fitting[0].key}-signs"]
        assert signs and signs[0]["layout"]["icon-image"] == fitting[0].icon


def test_layers_by_grid_write_their_counts_and_people_theirs_rounded(
    desk: Desk, web: psycopg.Connection[Any], paths: list[str]
) -> None:
    at = paths[1]
    told = handlers.show(desk, f"?at={at}&layers=resident,hotline", None).map_view
    counted = values(web, desk.catalog, "hotline_events", desk.scope, level="large", within=at, period=202606)
    hotline = counted["value"].astype(int).tolist()
    rounded = people(web, desk.scope, level="large", within=at)["n"].tolist()
    assert told["more"] == [f"约 {n:,} 人\n12345 热线 {calls:,} 件" for n, calls in zip(rounded, hotline, strict=True)]
    assert told["overlay"]["layers"] == []
    english = handlers.show(desk, f"?at={at}&layers=resident,hotline&lang=en", None).map_view["more"]
    assert all(re.search(r"^(about [\d,]+|<10) people\n.* [\d,]+ events$", line) for line in english), english
    fewer = handlers.show(desk, f"?at={at}&layers=hotline&states=closed", None).map_view["more"]
    assert sum(int(line.split()[-2]) for line in fewer) < sum(hotline)


def test_a_choice_of_days_is_followed_by_counts_or_said_not_to_be(
    desk: Desk, web: psycopg.Connection[Any], paths: list[str]
) -> None:
    days = "since=2026-06-08&until=2026-06-21"

    def counted(at: str) -> tuple[int, str]:
        shown = handlers.show(desk, f"?at={at}&layers=hotline&panel=layers&{days}", None)
        lines = shown.map_view["more"]
        return sum(int(line.split()[-2].replace(",", "")) for line in lines), said(shown.layer_desk)

    inside = Scope(paths[1])
    by_day = tally(web, desk.catalog, "hotline", inside, level="large", since="2026-06-08", until="2026-06-22")
    whole = tally(web, desk.catalog, "hotline", inside, level="large", since="2026-06", until="2026-07")
    n, text = counted(paths[1])
    assert 0 < n == by_day["n"].sum() < whole["n"].sum()
    assert "不随所选" not in text and "着色和左侧各数不随筛选" in text
    small = tally(web, desk.catalog, "hotline", Scope(paths[3]), level="small", since="2026-06", until="2026-07")
    n, text = counted(paths[3])
    assert n == small["n"].sum() and "不随所选时间" in text
    shown = handlers.show(desk, f"?layers=school,resident&panel=layers&states=closed&categories=flood&{days}", None)
    assert said(shown.layer_desk).count("不随所选类别、状态、时间") == 2


def test_the_ground_is_as_opaque_as_the_reader_wants(desk: Desk) -> None:
    told = handlers.show(desk, "?opacity=colours:40,labels:70,heights:50&height=population", None).map_view
    full = handlers.show(desk, "?height=population", None).map_view
    assert told["paint"]["label"] == 0.7
    assert {name: told["paint"][name] for name in told["paint"] if told["paint"][name] != full["paint"][name]} == {
        "label": 0.7, "cell-large": 0.4,
    }  # fmt: skip
    heights = [one["overlay"]["layers"][0]["paint"]["fill-extrusion-opacity"] for one in (told, full)]
    assert heights[0] == heights[1] / 2


def test_what_is_drawn_over_the_grids_is_told_once(desk: Desk, paths: list[str]) -> None:
    first = handlers.show(desk, "?layers=grid_event,school:heat:50", None)
    drawn = first.map_view["overlay"]
    assert drawn["layers"][0]["id"] == "layer-school-heat"
    assert drawn["layers"][-1]["id"] == "layer-grid_event-signs"
    tiles = drawn["sources"]["layer-grid_event-counts"]["tiles"][0]
    asked = f"since=2026-06-01&until=2026-06-30&form={desk.tile_form}"
    assert tiles.endswith("/grid_event/counts/{z}/{x}/{y}?" + asked)
    again = handlers.show(desk, f"?at={paths[2]}&layers=grid_event,school:heat:50", first.before)
    assert again.map_view["overlay"] is None
    counted = handlers.show(desk, "?layers=grid_event&rows=none", first.before).map_view["overlay"]
    assert list(counted["sources"]) == ["layer-grid_event-counts"]


def test_grids_stand_up_by_an_indicator(desk: Desk, paths: list[str]) -> None:
    told = handlers.show(desk, f"?at={paths[2]}&height=population&indicator=events_reported", None).map_view
    steps = list(base64.b64decode(told["heights"]["of"]))
    n = [int(re.sub(r"\D", "", text) or 0) for text in told["cells"]["people"]]
    assert steps == [round(one / max(n) * 255) for one in n]
    assert told["heights"]["rise"] > 0 and told["overlay"]["pitch"] > 0
    assert "heights" not in handlers.show(desk, "", None).map_view


def test_people_are_only_ever_told_rounded(desk: Desk, paths: list[str]) -> None:
    for at in paths:
        shown = handlers.show(desk, f"?at={at}&indicator=population", None)
        everything = [*shown.map_view["cells"]["people"], *shown.map_view["cells"]["value"]]
        assert all(re.fullmatch(r"约 [\d,]*0|<10|无数据", text) for text in everything)


def test_english_chrome_holds_no_chinese_but_names_of_grids(desk: Desk, paths: list[str]) -> None:
    with desk.connection() as connection:
        names = sorted(desk.gazetteer(connection).grids["name"], key=len, reverse=True)
    for at in paths:
        shown = handlers.show(desk, f"?at={at}&lang=en&panel=layers&height=population", None)
        text = said(
            [
                shown.top,
                shown.path,
                shown.headline,
                shown.layers,
                shown.layer_desk,
                shown.ranking,
                shown.legend,
                shown.months,
            ]
        )
        text += json.dumps([shown.indicators, shown.periods, shown.labels, shown.map_view["rows"]], ensure_ascii=False)
        for name in names:
            text = text.replace(name, "")
        found = CHINESE.findall(text.replace(desk.words["en"]("other_language"), ""))
        assert found == []


def test_only_what_changed_is_sent_again(desk: Desk, paths: list[str]) -> None:
    first = handlers.show(desk, "", None)
    assert first.map_style and first.top and first.indicators
    second = handlers.show(desk, f"?at={paths[1]}", first.before)
    assert (second.map_style, second.top, second.indicators, second.periods) == (None, None, None, None)
    english = handlers.show(desk, f"?at={paths[1]}&lang=en", second.before)
    assert english.top and english.indicators and english.map_style is None


def test_a_search_finds_by_name_and_code_and_keeps_the_view(desk: Desk, paths: list[str]) -> None:
    with desk.connection() as connection:
        name = desk.gazetteer(connection).named(paths[3]).name
    found = handlers.find(desk, f"?lang=en&indicator=population&sought={name}")
    opened = [handlers.show(desk, link, None).view for link in links(found)]
    assert paths[3] in [view.at for view in opened]
    assert all(view.language == "en" and view.indicator == "population" for view in opened)
    assert links(handlers.find(desk, f"?sought={paths[4]}"))
    assert handlers.find(desk, "?sought=+") == []
    assert "zzzz" in said(handlers.find(desk, "?sought=zzzz"))


def test_a_search_finds_what_lies_in_grids_and_the_map_marks_it(desk: Desk) -> None:
    found = handlers.find(desk, "?lang=en&sought=xiaoxue")
    link = next(one for one in links(found) if "mark=place." in one)
    shown = handlers.show(desk, link, None)
    mark, view = shown.map_view["mark"], shown.view
    (lon, lat), name = mark["source"]["data"]["geometry"]["coordinates"], mark["source"]["data"]["properties"]["name"]
    assert "小学" in name and name in said(found) and name in said(shown.path) and view.language == "en"
    west, south, east, north = shown.map_view["box"]
    assert ((west + east) / 2, (south + north) / 2) == pytest.approx((lon, lat), abs=1e-4), "it is in the middle"
    with desk.connection() as connection:
        gazetteer = desk.gazetteer(connection)
    box = gazetteer.named(view.at).box
    sides = zip((west, south, -east, -north), (box[0], box[1], -box[2], -box[3]), strict=True)
    assert all(seen <= own + 1e-5 for seen, own in sides), "and its grid is there whole"
    above = handlers.show(desk, f"?at={view.at[:9]}&mark={view.mark}", None)
    assert above.map_view["mark"] == mark and name in said(above.path)
    unmarked = next(one for one in links(above.path) if f"at={view.at[:9]}" in one)
    beside = next(one for one in gazetteer.grids.index if len(one) == 9 and not view.at.startswith(one))
    for search in (unmarked, f"?at={beside}&mark={view.mark}", "?mark=place.999999", "?mark=person.1", "?mark=place.x"):
        assert "mark" not in handlers.show(desk, search, None).map_view, search


def test_who_search_at_once_read_the_names_once(small_city: Database, catalog: Catalog) -> None:
    desk, together = Desk(catalog, small_city.pool("web", max_size=4)), threading.Barrier(4)
    session = sign_in(small_city)

    def read(_: int) -> Named:
        with visiting(session), desk.connection() as connection:
            together.wait(20)
            return desk.named(connection)

    desk.open()
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(read, range(4)))
    desk.close()
    assert all(one is found[0] for one in found)


def test_a_wall_is_told_no_name_of_a_row(desk: Desk, small_city: Database) -> None:
    marked = next(one for one in links(handlers.find(desk, "?sought=xiaoxue")) if "mark=place." in one)
    with visiting(sign_in(small_city, "wall")):
        assert "mark" not in handlers.show(desk, marked, None).map_view
        assert links(handlers.find(desk, "?sought=xiaoxue")) == []
        with desk.connection() as connection:
            assert len(search_by_name(connection, desk.catalog, desk.scope, "小学")) == 0, "nor by the database"


def test_legend_has_unit_period_no_data_and_unplaced(desk: Desk) -> None:
    text = said(handlers.show(desk, "?indicator=events_reported", None).legend)
    assert all(part in text for part in ("单位：件", "年", "无数据", "未落格"))


def test_a_month_without_data_is_the_default_instead(desk: Desk) -> None:
    assert handlers.show(desk, "?period=190001", None).view == handlers.show(desk, "", None).view


def test_the_shelf_keeps_within_its_room() -> None:
    shelf = Shelf(10)
    cuts: list[int] = []

    def cut(key: int) -> bytes:
        return shelf.fetch(key, lambda: cuts.append(key) or b"12345")  # type: ignore[func-returns-value]

    for key in (1, 2, 1, 3, 1, 2):
        assert cut(key) == b"12345"
    assert cuts == [1, 2, 3, 2]


def test_frames_are_not_shared_between_views(desk: Desk) -> None:
    with desk.connection() as connection:
        before = desk.gazetteer(connection).grids.copy()
    handlers.show(desk, "?lang=en", None)
    with desk.connection() as connection:
        pd.testing.assert_frame_equal(desk.gazetteer(connection).grids, before)
