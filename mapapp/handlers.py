"""What a callback decides, as plain functions that a test calls without a browser; `callbacks` only wires them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypedDict

import pandas as pd

from layers.codes import LENGTHS, level_of, parent_of
from layers.counts import numbers, span
from layers.declare.records import Layer
from layers.draw.mark import mark_drawing
from layers.draw.style import class_colours, map_style, shade_of, view_paint, written_shades, zoom_floor
from layers.editions import read_editions
from layers.errors import AtlasError
from layers.gazetteer import Gazetteer
from layers.indicators import latest, values
from layers.periods import months_between
from layers.succession import became_of
from mapapp import ids
from mapapp.base.style import seen_through
from mapapp.desk import Desk
from mapapp.drawn import Drawn, drawable_of
from mapapp.finder import LONGEST, Hit, find_all, find_marked
from mapapp.language import language_in
from mapapp.layer_counts import LayerCounts, read_layer_counts
from mapapp.overlay import edition_of, heights, overlay
from mapapp.pages import layers as layer_panels
from mapapp.pages import map as page
from mapapp.refusals import refusal
from mapapp.situation import Situation, datasets_of, in_english, period_asked, read_situation
from mapapp.text import Words
from mapapp.view import ELEMENTS, Defaults, View, edition_asked, first_indicator, read_view, said_in


class ShownBefore(TypedDict):
    """What the page remembers of the last view it was sent."""

    language: str
    style: str
    defaults: str
    drawn: str


@dataclass(frozen=True)
class Shown:
    """Everything a new view changes on the page; None leaves a part as it is."""

    view: View
    before: ShownBefore
    map_view: Mapping[str, Any]
    map_style: Mapping[str, Any] | None
    top: page.Children | None
    path: page.Children
    headline: page.Children
    layers: page.Children
    layer_desk: page.Children
    ranking: page.Children
    legend: page.Children
    months: page.Children
    indicators: list[dict[str, str]] | None
    periods: list[dict[str, str]] | None
    labels: tuple[str, str, str] | None


def show(desk: Desk, search: str | None, before: ShownBefore | None) -> Shown:
    """Work out what the page shows for an address."""
    with desk.connection() as connection:
        gazetteer = desk.gazetteer(connection, _edition(connection, search))
        defaults = read_defaults(desk, gazetteer, connection)
        view = read_view(search, defaults, gazetteer)
        situation = read_situation(connection, desk.catalog, desk.scope, gazetteer, view)
        counts = _layer_counts(connection, desk, situation)
        height = _heights(connection, desk, situation)
        words = desk.words[view.language]
        marked = find_marked(desk, connection, view.mark, words)
    if view.language == "en":
        situation = in_english(situation, desk.catalog)
    marked = marked if marked and marked.code.startswith(view.at) and view.edition is None else None
    drawn = overlay(desk.catalog, words, situation, desk.tile_form)
    now: ShownBefore = {
        "language": view.language,
        "style": f"{gazetteer.edition}-{gazetteer.version}",
        "defaults": f"{situation.version}",
        "drawn": edition_of(drawn),
    }
    is_new = before is None or before["language"] != now["language"] or before["defaults"] != now["defaults"]
    colours = class_colours(len(situation.breaks) + 1)
    return Shown(
        view=view,
        before=now,
        map_view=map_view(desk, words, situation)
        | {"overlay": None if before and before["drawn"] == now["drawn"] else drawn}
        | ({"heights": height} if height else {})
        | (_mark(marked, situation) if marked else {})
        | ({"named": {ids.MAP: words("map_label"), ids.SEARCH: words("search")}} if is_new else {})
        | _by_grid(desk, words, situation, counts),
        map_style=None if before and before["style"] == now["style"] else first_style(desk, situation),
        top=page.top(desk.catalog, words, situation) if is_new else None,
        path=page.path(words, situation, defaults, marked),
        headline=page.headline(words, situation),
        layers=layer_panels.switches(desk.catalog, words, situation, defaults, {e: desk.colour(e) for e in ELEMENTS}),
        layer_desk=layer_panels.layer_desk(desk.catalog, desk.signs, words, situation, defaults, counts),
        ranking=page.ranking(words, situation, defaults, colours),
        legend=page.legend(words, situation, colours, _rising(desk, words, view), points=points(desk, view)),
        months=page.months(words, situation, defaults),
        indicators=_indicators(desk, words) if is_new else None,
        periods=[{"value": str(m), "label": words.period(m)} for m in reversed(defaults.periods)] if is_new else None,
        labels=(words("indicator"), words("period"), words("search")) if is_new else None,
    )


def read_before(known: str) -> ShownBefore | None:
    """Read what the page says it was sent before: the three parts of `ShownBefore`, apart by commas."""
    parts = known.split(",")
    if len(parts) != 4:
        return None
    return {"language": parts[0], "style": parts[1], "defaults": parts[2], "drawn": parts[3]}


def read_defaults(desk: Desk, gazetteer: Gazetteer, connection: Any) -> Defaults:
    """Work out what an address need not say: the whole city, the first indicator, the last whole month."""
    indicators = tuple(desk.catalog.indicators)
    first = first_indicator(desk.catalog)
    known = numbers(connection)
    timed = [known.datasets[d] for d in datasets_of(desk.catalog.datasets.values(), "event") if d in known.datasets]
    days = span(connection, timed) if timed else None
    months = months_between(days[0].months[0], days[1].months[0]) if days else []
    last = latest(connection, desk.catalog, first)
    month = last.months[-1] if last and last.months[-1] in months else months[-1] if months else None
    return Defaults(
        at=min(gazetteer.grids.index, key=len),
        indicator=first,
        indicators=indicators,
        period=month,
        periods=tuple(months),
        layers=tuple(Drawn(one.key) for one in desk.catalog.layers.values() if one.shown),
        editions=_older(connection),
        drawable=drawable_of(desk.catalog.layers.values()),
        categories=tuple(key for key, one in desk.catalog.categories.items() if not one.sensitive),
    )


def _older(connection: Any) -> tuple[int, ...]:
    """Editions that can be asked for beside the one in force."""
    return tuple(one.edition for one in read_editions(connection) if one.closed_on is not None)


def _edition(connection: Any, search: str | None) -> int | None:
    """Edition an address asks for; None for the one in force."""
    return edition_asked(search, _older(connection)) if "edition=" in (search or "") else None


def find(desk: Desk, search: str | None) -> page.Children:
    """Find the `sought` of an address: grids, what a former code became, and what lies in grids, which is marked.

    A result keeps the rest of the view.
    """
    sought = said_in(search).get("sought", "").strip()[:LONGEST]
    if not sought:
        return []
    with desk.connection() as connection:
        gazetteer = desk.gazetteer(connection, _edition(connection, search))
        defaults = read_defaults(desk, gazetteer, connection)
        view = read_view(search, defaults, gazetteer)
        words = desk.words[view.language]
        became = became_of(connection, sought) if sought not in gazetteer else None
        found = find_all(desk, connection, gazetteer, sought, words)
    hits = []
    if became is not None:
        said = words("search_became", code=became.code, name=became.name, day=words.day(became.on))
        now = [(code, name) for code, name, _ in became.now if code.startswith(desk.scope.code)]
        hits += [(view.but(at=code, edition=None, mark=""), name, said, code) for code, name in now]
    for hit in found:
        edition = None if hit.mark else view.edition
        hits.append((view.but(at=hit.code, edition=edition, mark=hit.mark), hit.name, hit.above, hit.kind or hit.code))
    return page.found(words, sought, hits, defaults)


def first_style(desk: Desk, situation: Situation) -> dict[str, Any]:
    """Make the style of the map: the grids alone; what is drawn over them comes with each view."""
    gazetteer = situation.gazetteer
    style = map_style(desk.grid_tiles(gazetteer))
    return desk.on_base(style | {"sprite": desk.signs.address}, situation.view.language)


def map_view(desk: Desk, words: Words, situation: Situation) -> dict[str, Any]:
    """What the map is told of a view: cells with their classes and texts, filters, camera. As short as can be."""
    view, cells, grid = situation.view, situation.cells, situation.grid
    digits, indicator = len(situation.frame), situation.indicator
    shade = shade_of(cells["class"].to_numpy(), len(situation.breaks) + 1)
    above = situation.above
    dims = bool(points(desk, view))
    told: dict[str, Any] = {
        "lang": view.language,
        "title": f"{grid.name} · {words('title')}",
        "at": view.at,
        "level": grid.level,
        "no": grid.no,
        "up": parent_of(view.at) if len(situation.path) > 1 else None,
        "box": [round(edge, 5) for edge in grid.box],
        "floor": zoom_floor(situation.shown),
        "pick": LENGTHS[situation.pick],
        "frame": situation.frame,
        "shown": situation.shown,
        "paint": seen_through(_paint(situation, dims), desk.base),
        "beside": beside(situation) if dims else {},
        "cells": {
            "code": [code[digits:] for code in cells.index],
            "no": situation.gazetteer.numbers(cells.index),
            "shade": written_shades(shade),
            "name": cells["name"].tolist(),
            "lon": cells["lon"].round(4).tolist(),
            "lat": cells["lat"].round(4).tolist(),
            "value": [page.figure(words, indicator, value) for value in cells["value"]],
            "people": [words.people(n) for n in _nullable(cells["people"])],
            "events": cells["events"].tolist(),
        },
        "rows": [
            ["value", words.of(indicator.name), words.of(indicator.unit)],
            ["people", words("people"), words("unit_people")],
            ["events", words("events_month"), words("unit_events")],
        ],
        "hint": words("hint_open", name="%s"),
        "chosen": {"indicator": view.indicator, "period": str(view.period or "")},
    }
    if above is not None:
        told["above"] = {
            "level": situation.pick,
            "code": above.index.tolist(),
            "no": situation.gazetteer.numbers(above.index),
            "name": above["name"].tolist(),
            "lon": above["lon"].round(4).tolist(),
            "lat": above["lat"].round(4).tolist(),
        }
    return told


def points(desk: Desk, view: View) -> list[Layer]:
    """Layers that are on and drawn as points, the uppermost first."""
    on = (desk.catalog.layers[one.key] for one in view.layers)
    return [layer for layer in on if layer.draw == "point"]


def _rising(desk: Desk, words: Words, view: View) -> str:
    """What stands up, for the legend; nothing where all is flat."""
    return words("legend_height", name=words.of(desk.catalog.indicators[view.height].name)) if view.height else ""


def _layer_counts(connection: Any, desk: Desk, situation: Situation) -> LayerCounts:
    levels = (situation.grid.level, situation.shown)
    cells, frame, edition = situation.cells.index.tolist(), situation.frame, situation.gazetteer.edition
    return read_layer_counts(connection, desk.catalog, desk.scope, edition, situation.view, cells, frame, levels)


def _heights(connection: Any, desk: Desk, situation: Situation) -> dict[str, Any] | None:
    """How high the cells stand; nothing where no indicator is to stand up."""
    view, cells = situation.view, situation.cells
    if view.height is None:
        return None
    found = cells["value"]
    if view.height != view.indicator:
        asked = period_asked(desk.catalog.indicators[view.height], view.period)
        told = values(
            connection, desk.catalog, view.height, desk.scope,
            level=situation.shown, within=situation.frame, period=asked, edition=situation.gazetteer.edition,
        )  # fmt: skip
        found = told.set_index("grid_code")["value"].astype("float64").reindex(cells.index)
    return heights(found, situation.gazetteer.named(situation.frame).box)


def _mark(marked: Hit, situation: Situation) -> dict[str, Any]:
    """What is drawn at the place that is marked; it is the middle of the map where its own grid is open."""
    told: dict[str, Any] = {"mark": mark_drawing(marked.name, (marked.lon, marked.lat))}
    if marked.code == situation.view.at:
        west, south, east, north = situation.grid.box
        wide, high = max(marked.lon - west, east - marked.lon), max(marked.lat - south, north - marked.lat)
        box = (marked.lon - wide, marked.lat - high, marked.lon + wide, marked.lat + high)
        told["box"] = [round(edge, 5) for edge in box]
    return told


def _by_grid(desk: Desk, words: Words, situation: Situation, counts: LayerCounts) -> dict[str, Any]:
    """Texts below the names of the cells: counts of the layers that are drawn by grid, people as published."""
    cells, lines = situation.cells, list[list[str]]()
    for one in situation.view.layers:
        layer = desk.catalog.layers[one.key]
        name = words.of(layer.name)
        if layer.element == "person":
            found = _nullable(cells["people"])
            lines.append([words("none") if n is None else words("label_people", n=words.people(n)) for n in found])
        elif one.key in counts.by_cell:
            said = [words.number(n) for n in counts.by_cell[one.key]]
            is_event = layer.element == "event"
            lines.append([words("label_events", name=name, n=n) if is_event else f"{name} {n}" for n in said])
    return {"more": ["\n".join(parts) for parts in zip(*lines, strict=True)]} if lines else {}


def _paint(situation: Situation, dims: bool) -> dict[str, float]:
    """Opacities of the grids; where they stand up, no outline lies across them."""
    view = situation.view
    paint = view_paint(
        situation.frame, view.at, situation.shown, situation.pick,
        dim=dims, hidden=view.hidden, opacity=lambda part: view.opacity(part) / 100,
    )  # fmt: skip
    if view.height is not None and situation.grid.level != situation.pick:
        paint[f"top-{situation.grid.level}"] = 0
    return paint


def beside(situation: Situation) -> dict[str, list[int]]:
    """Grids that, with the frame, make up the city: numbers of the neighbours of it and of all above it, by level."""
    gazetteer = situation.gazetteer
    path = [step.code for step in gazetteer.path(situation.frame)]
    return {
        level_of(code): gazetteer.numbers(gazetteer.inside(above, level_of(code)).index.drop(code))
        for above, code in pairwise(path)
    }


def notice(desk: Desk, search: str | None, error: AtlasError) -> page.Children:
    """Say on the page that something could not be done, and why."""
    words = desk.words[language_in(search) or "zh"]
    return page.notice(words, refusal(words, error))


def _indicators(desk: Desk, words: Words) -> list[dict[str, str]]:
    return [{"value": key, "label": words.of(one.name)} for key, one in desk.catalog.indicators.items()]


def _nullable(column: pd.Series[Any]) -> list[int | None]:
    return [None if one else value for value, one in zip(column.to_list(), column.isna(), strict=True)]
