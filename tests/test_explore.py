"""The explore page without a browser: what it shows against the functions it comes from, and the files it gives."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import plotly.utils
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook
from serving import serving
from signing import sign_in
from test_draw import contrast

from layers.codes import LENGTHS
from layers.compare import siblings_mean
from layers.counts import tally
from layers.database import Database
from layers.declare.records import Catalog
from layers.errors import AccessError, AtlasError
from layers.indicators import values
from layers.people import people
from layers.settings import Settings
from mapapp.api.view import as_json
from mapapp.desk import Desk
from mapapp.explore import export, handlers, legend_panel
from mapapp.explore.behind import Kind
from mapapp.explore.findings import Findings
from mapapp.explore.page import PANELS
from mapapp.explore.parts import Parts, first_part, is_short, rest_part
from mapapp.explore.question import read_breaks, search_of
from mapapp.text import read_words
from mapapp.visitor import visiting

CHINESE = re.compile(r"[\u4e00-\u9fff]")
MONTH = 202605
ASSETS = Path(handlers.__file__).parent.parent / "assets"
NOW = datetime(2026, 7, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def desk(small_city: Database, catalog: Catalog) -> Iterator[Desk]:
    desk = Desk(catalog, small_city.pool("web", max_size=2))
    desk.open()
    with visiting(sign_in(small_city)):
        yield desk
    desk.close()


def found(desk: Desk, search: str) -> Findings:
    return handlers.find(desk, search)[0]


def expected(desk: Desk, indicator: str, level: str, within: str, period: int | None) -> pd.DataFrame:
    with desk.connection() as web:
        return values(web, desk.catalog, indicator, desk.scope, level=level, within=within, period=period)


def said(parts: Any) -> str:
    """Every text of some components, names for screen readers included."""
    plain, texts = json.loads(json.dumps(parts, cls=plotly.utils.PlotlyJSONEncoder)), list[str]()

    def walk(one: Any) -> None:
        if isinstance(one, dict):
            props = one.get("props", {})
            texts.extend(str(props[key]) for key in ("title", "aria-label") if key in props)
            walk(props.get("children"))
        elif isinstance(one, list):
            for each in one:
                walk(each)
        elif one is not None:
            texts.append(str(one))

    walk(plain)
    return "\n".join(texts)


def nodes(parts: Any) -> list[dict[str, Any]]:
    """Every component, in order, as the browser is told it."""

    def walk(one: Any) -> list[dict[str, Any]]:
        if isinstance(one, list):
            return [found for each in one for found in walk(each)]
        return [one, *walk(one["props"].get("children"))] if isinstance(one, dict) else []

    return walk(json.loads(json.dumps(parts, cls=plotly.utils.PlotlyJSONEncoder)))


@pytest.mark.parametrize("ink", ["text", "soft", "accent", "warm", "alarm"])
def test_every_ink_is_readable_on_every_ground_of_both_themes(ink: str) -> None:
    themes = re.findall(r":root[^{]*\{(.*?)\}", (ASSETS / "explore.css").read_text(encoding="utf-8"), re.DOTALL)
    for theme in themes[:2]:
        colours = dict(re.findall(r"--([\w-]+): (#\w{6})", theme))
        for ground in ("ground", "panel", "accent-soft"):
            assert contrast(colours[ink], colours[ground]) > 4.5


# the address


def test_an_address_says_the_same_again(desk: Desk) -> None:
    said_first = (
        f"?at=449901&level=medium&indicator=events_reported&period={MONTH}&category=noise&classes=fixed&breaks=1,2.5,9"
        "&against=year&ramp=plum&theme=dark&lang=en"
    )
    one = found(desk, said_first)
    assert parts(search_of(one.question, one.choices)) == parts(said_first)
    again = found(desk, search_of(one.question, one.choices))
    assert again.question == one.question


def parts(search: str) -> set[str]:
    return set(search.lstrip("?").split("&"))


@pytest.mark.parametrize(
    "search",
    [
        "",
        "?at=9&level=x&indicator=nope&period=1&category=family_dispute&classes=x&n=99&against=x&ramp=x&theme=x&lang=x",
    ],
)
def test_what_makes_no_sense_is_the_default(desk: Desk, search: str) -> None:
    question = found(desk, search).question
    assert (question.at, question.level, question.against, question.theme) == ("4499", "large", "none", "light")
    assert question.category is None and question.method == "declared" and question.indicator == "events_per_km2"


@pytest.mark.parametrize(
    ("written", "breaks"),
    [("5,10,20", (5, 10, 20)), ("0.5， 2", (0.5, 2)), ("9,1", ()), ("a", ()), ("1,1", ()), ("nan", ()), ("", ())],
)
def test_thresholds(written: str, breaks: tuple[float, ...]) -> None:
    assert read_breaks(written) == breaks


# figures


@pytest.mark.parametrize("level", ["county", "large", "medium", "small"])
def test_every_level_of_the_city_is_shown_with_its_values(desk: Desk, level: str) -> None:
    answer = handlers.show(desk, f"?level={level}&period={MONTH}&indicator=events_reported")
    asked = expected(desk, "events_reported", level, "4499", MONTH)
    cells = answer.view["cells"]
    assert ["4499" + tail for tail in cells["code"]] == asked["grid_code"].tolist()
    assert cells["value"] == [f"{value:,.0f}" for value in asked["value"]]
    assert len(cells["shade"]) == len(asked) > 0
    assert f"/{level}/" in answer.style["sources"]["grid"]["tiles"][0]


@pytest.mark.parametrize("more", ["", "&indicator=population", "&against=previous", "&theme=dark", "&classes=equal"])
def test_who_has_the_cells_is_sent_their_colours_and_the_rest_after_them(desk: Desk, more: str) -> None:
    had = handlers.show(desk, f"?level=small&period={MONTH}")
    known = f"{had.told['style']},{had.told['cells']}"
    whole = handlers.show(desk, f"?level=small&period={MONTH}{more}")
    assert is_short(whole, known)
    first, rest = first_part(whole, known), rest_part(whole)
    assert first["panels"] | rest["panels"] == whole.panels
    assert first["told"] | rest["told"] == whole.told
    assert (first["style"] or had.style) == whole.style
    fixed = {key: had.view["cells"][key] for key in ("code", "no", "name", "lon", "lat")}
    assert fixed | first["view"]["cells"] | rest["said"] == whole.view["cells"]
    assert first["view"] | {"names": had.view["names"], "cells": 0} == whole.view | {"cells": 0}


def test_other_cells_or_another_language_are_sent_whole(desk: Desk) -> None:
    had = handlers.show(desk, f"?level=small&period={MONTH}").told
    for search in ("?level=medium", "?level=small&at=449901", "?level=small&lang=en"):
        assert not is_short(handlers.show(desk, search), f"{had['style']},{had['cells']}")


def test_a_rest_waits_for_its_page_and_for_no_other(desk: Desk) -> None:
    parts, answer = Parts(), handlers.show(desk, "?level=large")
    parts.keep("4499", "level=large&known=a,b", answer)
    assert parts.take("449901", "level=large") is None
    assert parts.take("4499", "level=large") is answer
    assert parts.take("4499", "level=large") is None
    for n in range(20):
        parts.keep("4499", f"n={n}", answer)
    assert [parts.take("4499", f"n={n}") is answer for n in (0, 19)] == [False, True]


def test_a_category_narrows_numerator_and_denominator(desk: Desk) -> None:
    one = found(desk, f"?indicator=events_reported&category=noise&period={MONTH}")
    with desk.connection() as web:
        counted = sum(
            tally(web, desk.catalog, name, desk.scope, level="large", since="2026-05", until="2026-06")
            .query("category == 'noise'")["n"].sum()
            for name in desk.catalog.indicators["events_reported"].count.datasets
        )  # fmt: skip
    assert one.cells["value"].sum() == counted > 0
    share = found(desk, f"?indicator=closure_share&category=noise&period={MONTH}")
    assert share.indicator.of is not None and share.indicator.of.categories == ("noise",)


@pytest.mark.parametrize(("against", "before"), [("previous", 202604), ("year", 202505)])
def test_a_period_is_compared_with_another(desk: Desk, against: str, before: int) -> None:
    one = found(desk, f"?indicator=events_reported&period={MONTH}&against={against}")
    now, then = (expected(desk, "events_reported", "large", "4499", period) for period in (MONTH, before))
    np.testing.assert_array_equal(one.cells["change"], now["value"] - then["value"])
    assert one.own["change"] == one.own["value"] - one.own["before"]
    assert one.cells["class"].max() <= len(one.breaks) + 1
    unchanged = one.cells["change"] == 0
    assert (one.cells.loc[unchanged, "class"] == len(one.breaks) // 2 + 1).all()


def test_siblings_are_all_grids_with_the_same_parent_also_when_one_is_shown(desk: Desk) -> None:
    one = found(desk, f"?indicator=events_per_km2&period={MONTH}&against=siblings")
    counted = expected(desk, "events_per_km2", "large", "4499", MONTH)
    np.testing.assert_allclose(one.cells["before"], siblings_mean(counted, 1))
    code = one.cells.index[0]
    lone = found(desk, f"?at={code}&level=large&indicator=events_per_km2&period={MONTH}&against=siblings")
    assert lone.own["before"] == pytest.approx(one.cells["before"].iloc[0])


@pytest.mark.parametrize("method", ["quantile", "equal", "natural"])
def test_classes_are_of_the_method_and_number_asked_for(desk: Desk, method: str) -> None:
    one = found(desk, f"?level=small&indicator=events_reported&classes={method}&n=4&period={MONTH}")
    assert one.indicator.classes == method and 1 <= len(one.breaks) <= 3
    within = [one.cells.loc[one.cells["class"] == k, "value"] for k in range(1, len(one.breaks) + 2)]
    assert all(a.max() < b.min() for a, b in pairwise(within) if len(a) and len(b))


def test_fixed_thresholds_are_the_breaks(desk: Desk) -> None:
    one = found(desk, "?level=small&indicator=events_reported&classes=fixed&breaks=1,3")
    assert one.breaks.tolist() == [1, 3]
    legend = said(
        handlers.show(desk, "?level=small&indicator=events_reported&classes=fixed&breaks=1,3").panels["legend"]
    )
    assert all(mark in legend for mark in ("低于", "无数据", "未落格", "含约数", "折算"))
    assert "折算约 0 件" in legend.replace("\n", ""), "none is no tenth of one"


def test_the_legend_counts_every_grid_once(desk: Desk) -> None:
    one = found(desk, "?level=small")
    assert one.cells["class"].value_counts().sum() == len(one.cells) == len(one.gazetteer.inside("4499", "small"))


@pytest.mark.parametrize("level", ["large", "small"])
def test_every_indicator_is_shown_in_both_languages(desk: Desk, level: str) -> None:
    for key in desk.catalog.indicators:
        answer = handlers.show(desk, f"?indicator={key}&level={level}&lang=en&against=siblings")
        for part in ("choosers", "headline", "legend", "exports"):
            assert not CHINESE.search(said(answer.panels[part])), (key, part)


def test_months_end_with_the_one_shown(desk: Desk) -> None:
    told = handlers.months(desk, f"?indicator=events_reported&period={MONTH}")
    asked = expected(desk, "events_reported", "large", "4499", MONTH)
    assert told["periods"][-1] == MONTH and len(told["periods"]) == 12
    assert [row[-1] for row in told["values"]] == asked["value"].tolist()
    assert told["own"][-1] == asked["value"].sum() + asked.attrs["n_unplaced"]
    shown = found(desk, f"?indicator=events_reported&period={MONTH}")
    assert [row[-1] for row in told["classes"]] == shown.cells["class"].tolist()


def test_a_scope_shows_its_part_and_no_other(small_city: Database, desk: Desk) -> None:
    with visiting(sign_in(small_city, scope="449901")):
        one = found(desk, "?level=small&against=siblings")
        assert one.cells.index.str.startswith("449901").all() and len(one.cells)
        town = one.cells.index[0][:9]
    with visiting(sign_in(small_city, scope=town)):
        for level in ("large", "medium", "small"):
            assert found(desk, f"?level={level}&against=siblings").cells.index.str.startswith(town).all()
        with pytest.raises(AccessError):
            handlers.rows(desk, "", "449902")


# behind a number


def test_behind_a_number_are_its_rows(desk: Desk) -> None:
    one = found(desk, f"?level=small&indicator=events_reported&period={MONTH}")
    code = str(one.cells["value"].idxmax())
    shown = said(handlers.rows(desk, f"?level=small&indicator=events_reported&period={MONTH}", code))
    assert code in shown and "审计" in shown
    with desk.connection() as web:
        behind = handlers.read_behind(web, desk.catalog, desk.scope, one, code)
    assert behind.counts["n"].sum() == len(behind.rows) == one.cells["value"][code]
    assert behind.rows["grid_code"].str.startswith(code).all()
    assert not {"text", "summary", "phone", "geom", "attrs"} & set(behind.rows.columns)


def test_the_mean_of_the_siblings_opens_the_rows_of_all_of_them(desk: Desk) -> None:
    search = f"?at=449901001&indicator=events_reported&period={MONTH}&against=siblings"
    headline = nodes(handlers.show(desk, search).panels["headline"])
    opened = [one["props"]["data-rows"] for one in headline if one["type"] == "Button"]
    assert opened == ["449901001", "449901", "449901001"], "the number, the mean, the change"
    one, name = found(desk, search), found(desk, "?at=449901").grid.name
    assert f"· {name} ·" in said(handlers.rows(desk, search, "449901"))
    assert one.value_of("449901") is None and one.value_of("449901001") == one.own["value"]


@pytest.mark.parametrize("indicator", ["closure_rate", "open_events", "hydrants_per_km2", "companies", "population"])
def test_behind_every_kind_of_number(desk: Desk, indicator: str) -> None:
    one = found(desk, f"?indicator={indicator}")
    code = str(one.cells["value"].idxmax())
    with desk.connection() as web:
        behind = handlers.read_behind(web, desk.catalog, desk.scope, one, code)
    if indicator == "population":
        assert (behind.why, len(behind.rows), len(behind.counts)) == ("people", 0, 0)
    elif indicator == "closure_rate":
        share = behind.counts["n"].sum() / behind.counts["of"].sum() * 100
        assert share == pytest.approx(one.cells["value"][code]) and behind.n_rows >= behind.counts["of"].sum()
    else:
        assert behind.counts["n"].sum() == one.cells["numerator"][code] and len(behind.rows)


@pytest.mark.parametrize("indicator", ["events_reported", "closure_rate", "hydrants_per_km2", "companies"])
def test_each_count_behind_a_number_opens_the_rows_it_counts(desk: Desk, indicator: str) -> None:
    one = found(desk, f"?indicator={indicator}&level=large&period={MONTH}")
    code = str(one.cells["numerator"].idxmax())
    whole = handlers.rows(desk, search_of(one.question, one.choices), code)
    counts = [button["props"] for button in nodes(whole) if button["type"] == "Button"]
    assert len(counts) > (indicator in ("events_reported", "closure_rate"))
    for button in counts[:4]:
        kind = Kind.read(button["data-only"])
        assert kind is not None and str(kind) == button["data-only"]
        with desk.connection() as web:
            behind = handlers.read_behind(web, desk.catalog, desk.scope, one, code, kind)
        assert behind.n_rows == int(button["children"].replace(",", ""))
        assert len(behind.rows) == min(behind.n_rows, 200)
        for column, wanted in (("category", kind.category), ("state", kind.state)):
            assert wanted is None or set(behind.rows[column]) == {wanted}
        shown = said(handlers.rows(desk, search_of(one.question, one.choices), code, button["data-only"]))
        assert f"共 {behind.n_rows:,} 行" in shown and "全部类别和状态" in shown


def test_sensitive_categories_are_behind_nothing(desk: Desk) -> None:
    hidden = {one.key for one in desk.catalog.categories.values() if one.sensitive}
    one = found(desk, "?indicator=disputes")
    with desk.connection() as web:
        for code in one.cells.index:
            behind = handlers.read_behind(web, desk.catalog, desk.scope, one, code)
            assert not hidden & set(behind.counts["category"])
            assert not len(behind.rows) or not hidden & set(behind.rows["category"])


@pytest.mark.parametrize("indicator", ["events_reported", "closure_rate", "hydrants_per_km2", "companies"])
@pytest.mark.parametrize("level", ["large", "small"])
def test_what_is_in_no_grid_is_counted_and_shown(desk: Desk, indicator: str, level: str) -> None:
    search = f"?indicator={indicator}&level={level}"
    one = found(desk, search)
    with desk.connection() as web:
        behind = handlers.read_unplaced(web, desk.catalog, desk.scope, one)
    counted = behind.counts["n"].sum() if len(behind.counts) else 0
    assert counted == one.n_unplaced == min(behind.n_rows, 200) == len(behind.rows), (counted, behind)
    if len(behind.rows):
        assert (behind.rows["grid_code"].str.len() < LENGTHS[one.question.level]).all()
    assert f"未落格 {one.n_unplaced}：" in said(handlers.unplaced(desk, search))


@pytest.mark.parametrize(
    ("indicator", "opens"), [("shelters_per_10000_people", "grids/rounded"), ("closure_rate", "grids/0")]
)
def test_every_count_of_the_legend_opens_what_it_counts(desk: Desk, indicator: str, opens: str) -> None:
    search = f"?indicator={indicator}&level=small&period={MONTH}"
    buttons = [one["props"] for one in nodes(handlers.show(desk, search).panels["legend"]) if one["type"] == "Button"]
    opened = {one["data-look"]: int(one["children"].replace(",", "")) for one in buttons}
    assert {opens, "grids/all"} <= opened.keys()
    for look, n in opened.items():
        if look != "unplaced":
            shown = nodes(handlers.grids(desk, search, look.partition("/")[2]))
            assert max(sum(one["type"] == "Tr" for one in shown) - 1, 0) == n, look
            assert ("没有这样的网格" in said(shown)) == (n == 0)
    assert handlers.grids(desk, search, "99") == handlers.grids(desk, search, "else") == []


def test_what_is_carried_by_share_is_shown_by_grid(desk: Desk) -> None:
    one, words = handlers.find(desk, f"?indicator=events_reported&period={MONTH}")
    one = replace(one, cells=one.cells.assign(carried=[0, 0, 2.5, 0, 0.5, 0]), n_carried=3.0)
    colours = ["#000"] * 9
    opens = [part["props"] for part in nodes(legend_panel.legend(words, one, colours)) if part["type"] == "Button"]
    assert [part["children"] for part in opens if part["data-look"] == "grids/carried"] == ["3.0", "2"]
    rows = [part for part in nodes(legend_panel.grids_of(words, one, colours, "carried")) if part["type"] == "Tr"]
    assert "折算部分" in said(rows[0]) and sorted(said(row).count("2.5") for row in rows[1:]) == [0, 3]
    buttons = [part["props"] for row in rows[1:] for part in nodes(row) if part["type"] == "Button"]
    assert [each.get("data-look") for each in buttons].count("grids/carried") == 2, "the mark opens them too"
    assert [each["children"] for each in buttons if "data-rows" in each][1::2] == ["2.5", "0.5"]


def test_people_in_no_grid_are_told_and_not_shown(desk: Desk) -> None:
    shown = said(handlers.unplaced(desk, "?indicator=population&level=small"))
    assert "不逐个显示" in shown and "行" not in shown.replace("前", "")


def test_each_look_and_each_file_is_written_down_first(small_city: Database, desk: Desk) -> None:
    def entries() -> list[Any]:
        with small_city.connect("door") as door:
            return door.execute(
                "select kind, subject, detail from audit.entry where kind in ('export', 'rows_view') order by id"
            ).fetchall()

    before = len(entries())
    handlers.rows(desk, "?indicator=events_reported", "449901")
    handlers.unplaced(desk, "?indicator=events_reported")
    handlers.take_away(desk, "?indicator=events_reported", "csv", "http://here", NOW)
    late = entries()[before:]
    assert [(kind, subject, detail["what"], detail["grid"]) for kind, subject, detail in late] == [
        ("rows_view", "events_reported", "rows", "449901"),
        ("rows_view", "events_reported", "unplaced", "4499"),
        ("export", "events_reported", "csv", "4499"),
    ]


# files


SEARCH = f"?indicator=events_per_km2&period={MONTH}&against=previous"


def take(desk: Desk, kind: str, search: str = SEARCH) -> bytes:
    name, body = handlers.take_away(desk, search, kind, "http://here", NOW)
    assert name == f"events_per_km2_4499_large_{MONTH}.{kind}"
    return body


def test_a_table_opened_again_holds_what_was_shown(desk: Desk) -> None:
    one = found(desk, SEARCH)
    book = CalamineWorkbook.from_filelike(io.BytesIO(take(desk, "xlsx")))
    rows = book.get_sheet_by_index(0).to_python()
    about = dict(book.get_sheet_by_index(1).to_python())
    assert [row[0] for row in rows[1:]] == one.cells.index.tolist()
    np.testing.assert_allclose([row[2] for row in rows[1:]], one.cells["value"])
    assert {"指标", "单位", "时间", "来源", "数据更新于", "数据说明", "链接"} <= set(about)
    assert about["时间"] == "2026年5月" and about["链接"].startswith("http://here/explore?")
    lines = list(csv.reader(io.StringIO(take(desk, "csv").decode("utf-8-sig"))))
    at = lines.index([]) + 1
    assert dict(lines[: at - 1]) == about | {key: export.harmless(text) for key, text in about.items()}
    assert lines[at] == rows[0]
    np.testing.assert_allclose([float(line[2]) for line in lines[at + 1 :]], one.cells["value"])


@pytest.mark.parametrize("indicator", ["events_reported", "population", "shelters_per_10000_people"])
def test_a_file_in_english_names_its_source_in_english(desk: Desk, indicator: str) -> None:
    one, words = handlers.find(desk, f"?indicator={indicator}&lang=en")
    source = export.about(desk.catalog, words, one, "http://here", NOW)["Source"]
    assert len(source) > 5 and not CHINESE.search(source)


def test_data_opened_again_hold_what_was_shown(desk: Desk) -> None:
    one = found(desk, SEARCH)
    written = take(desk, "geojson")
    again = gpd.read_file(io.BytesIO(written), engine="pyogrio")
    assert json.loads(written)["about"]["来源"]
    table = pq.read_table(io.BytesIO(take(desk, "parquet")))
    assert json.loads(table.schema.metadata[b"about"])["时间"] == "2026年5月"
    stored = gpd.read_parquet(io.BytesIO(take(desk, "parquet")))
    for frame in (again, stored):
        assert frame["grid_code"].tolist() == one.cells.index.tolist()
        np.testing.assert_allclose(frame["value"], one.cells["value"])
        assert frame.geometry.is_valid.all() and not frame.geometry.is_empty.any()


def test_the_picture_has_each_grid_in_the_colour_of_its_class_and_says_what_it_is(desk: Desk) -> None:
    one = found(desk, SEARCH)
    drawn = ElementTree.fromstring(take(desk, "svg"))
    space = "{http://www.w3.org/2000/svg}"
    fills = {path.get("id", "")[1:]: path.get("fill") for path in drawn.iter(f"{space}path")}
    legend = handlers.legend_colours(len(one.breaks) + 1, handlers.look_of(one))
    assert fills == {code: legend[kind] for code, kind in one.cells["class"].items()}
    texts = " ".join(text.text or "" for text in drawn.iter(f"{space}text"))
    assert all(part in texts for part in ("来源", "数据更新于", "2026年5月", "未落格"))


EVIL = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =cmd|' /C calc'!A0", "＝1")


def test_no_name_becomes_a_formula(desk: Desk) -> None:
    one = found(desk, SEARCH + "&level=medium")
    names = list(EVIL)
    cells = one.cells.copy()
    cells.iloc[: len(names), cells.columns.get_loc("name")] = names
    rows = export.table(replace(one, cells=cells))
    words = desk.words["zh"]
    lines = list(csv.reader(io.StringIO(export.as_csv(words, rows, {"=1": "=2"}).decode("utf-8-sig"), newline="")))
    assert lines[0] == ["'=1", "'=2"]
    given = [line[1] for line in lines[3 : 3 + len(names)]]
    assert given == ["'" + name for name in names]
    book = CalamineWorkbook.from_filelike(io.BytesIO(export.as_xlsx(words, rows, {"=1": "=2"})))
    assert [row[1] for row in book.get_sheet_by_index(0).to_python()[1 : 1 + len(names)]] == names
    assert book.get_sheet_by_index(1).to_python() == [["=1", "=2"]]
    with zipfile.ZipFile(io.BytesIO(export.as_xlsx(words, rows, {"=1": "=2"}))) as parts:
        sheets = [parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(sheets) == 2 and not any(b"<f>" in sheet or b"<hyperlink" in sheet for sheet in sheets)


def test_there_is_no_other_kind_of_file(desk: Desk) -> None:
    with pytest.raises(AtlasError):
        handlers.take_away(desk, "", "exe", "http://here")


def test_people_in_files_are_the_published_ones(desk: Desk) -> None:
    rows = export.table(found(desk, "?indicator=population&level=small"))
    with desk.connection() as web:
        published = people(web, desk.scope, level="small").set_index("grid_code")["n"]
    assert rows.set_index("grid_code")["value"].astype(int).to_dict() == published.to_dict()
    assert (rows["value"] % 10 == 0).all()


def test_parts_of_the_people_are_marked_as_rounded_and_withheld(desk: Desk) -> None:
    one = found(desk, "?indicator=people_over_60&level=small")
    assert one.off_by == 54 and not one.is_withheld, "six published cells, each within 9"
    words = read_words()["zh"]
    notes = legend_panel.stands_on(words, one)
    assert f"含约数 {len(one.cells)} 个网格" in notes and "人口由几个公布数相加，误差至多 54" in notes
    assert (export.table(one)["value"] % 10 == 0).all()
    gone = legend_panel.stands_on(words, replace(one, is_withheld=True))
    assert gone[-1] == "为保护个人信息，本级不公布此项人口，请看上一级"
    share = found(desk, "?indicator=children_share&level=medium")
    assert share.cells["value"].dropna().between(0, 100).all() and share.own["value"] > 0
    assert handlers.find(desk, "?indicator=children_share")[0].choices.periods == ()


# search


def test_grids_are_found_by_pinyin(desk: Desk) -> None:
    one = found(desk, "").gazetteer
    name = one.inside("4499", "large").iloc[0]
    links = handlers.search(desk, "?ramp=plum", str(name["spoken"]))
    assert any(
        f"at={name.name}" in link.href and "ramp=plum" in link.href for link in links if not isinstance(link, str)
    )


def test_what_lies_in_a_grid_leads_to_its_grid(desk: Desk) -> None:
    links = handlers.search(desk, "?ramp=plum", "xiaoxue")
    school = next(link for link in links if not isinstance(link, str) and "小学" in link.children[0].children)
    shown = found(desk, school.href)
    assert len(shown.question.at) == 15 and shown.question.ramp == "plum"
    assert shown.grid.name in school.children[2].children


def test_every_answer_can_be_sent(desk: Desk) -> None:
    for search in ("?level=small&against=previous", "?indicator=closure_rate&lang=en", "?indicator=population"):
        answer = handlers.show(desk, search)
        told = json.loads(bytes(as_json(vars(answer), 200).body))
        assert set(told["panels"]) == set(PANELS)
        assert json.loads(bytes(as_json(handlers.months(desk, search), 200).body))["codes"]
        edition = answer.told["outlines"].split("/")[-3].split("-")[0]
        drawn = handlers.outlines(desk, int(edition), "large", "4499")
        assert set(json.loads(bytes(as_json(drawn, 200).body))["rings"]) == set(found(desk, "").cells.index)
        assert json.loads(bytes(as_json({"rows": handlers.rows(desk, search, "4499")}, 200).body))["rows"]


def test_the_page_and_all_it_asks_for_are_served(small_city: Database, catalog: Catalog, settings: Settings) -> None:
    with serving(small_city, catalog, settings) as server:
        browser = server.browser()
        browser.cookies = {"session": sign_in(small_city).token}
        page = browser.ask("/explore?theme=dark&lang=en")
        assert page.status_code == 200 and 'data-theme="dark"' in page.text and not CHINESE.search(page.text)
        named = re.findall(r'(?:src|href|data-charts)="(/[^"]+)"', page.text)
        named += ["/assets/explore-charts.mjs", "/assets/map.mjs"]
        told = browser.ask(f"/api/explore{SEARCH}").json()
        named += [told["told"]["outlines"], f"/api/explore/months{SEARCH}", f"/api/explore/rows/449901{SEARCH}"]
        named += [f"/api/explore/export/{kind}{SEARCH}" for kind in export.KINDS]
        for address in named:
            answer = browser.ask(address)
            assert answer.status_code == 200 and answer.content, address
            if address.endswith((".js", ".mjs")):
                assert "javascript" in answer.headers["content-type"]
        assert browser.ask("/api/explore/rows/9999").status_code == 409
        assert browser.ask("/api/explore/export/exe").status_code == 404
        wall = server.browser()
        wall.cookies = {"session": sign_in(small_city, "wall").token}
        assert wall.ask("/explore").status_code == wall.ask(f"/api/explore/rows/449901{SEARCH}").status_code == 404
