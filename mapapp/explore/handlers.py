"""What the explore page is answered, as plain functions that a test calls without a browser."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import psycopg
from dash import html

from layers.accounts import audit
from layers.classes import classes
from layers.codes import LENGTHS, parent_of
from layers.draw.looks import colours, dressed, legend_colours
from layers.draw.style import map_style, shade_of, view_paint, written_shades
from layers.errors import AtlasError
from layers.gazetteer import Gazetteer
from mapapp.desk import Desk
from mapapp.explore import export, legend_panel, panels, ranking_panel
from mapapp.explore.behind import Kind, read_behind, read_unplaced
from mapapp.explore.behind_panel import behind_panel, unplaced_panel
from mapapp.explore.findings import Findings, in_english, read_choices, read_findings, read_months
from mapapp.explore.openings import change, number
from mapapp.explore.outlines import read_outlines
from mapapp.explore.picture import as_svg
from mapapp.explore.question import narrowed, read_question, search_of
from mapapp.finder import find_all
from mapapp.pages.legend import class_texts
from mapapp.pages.map import Children
from mapapp.text import Words
from mapapp.view import edition_asked


@dataclass(frozen=True)
class Answer:
    """What one question puts on the page: contents of panels by id, the map's view and style, and texts for scripts."""

    panels: dict[str, Children]
    view: dict[str, Any]
    style: dict[str, Any]
    told: dict[str, Any]


def show(desk: Desk, search: str | None) -> Answer:
    """Work out what the page shows for an address."""
    findings, words = find(desk, search)
    becomes = look_of(findings)
    legend = legend_colours(len(findings.breaks) + 1, becomes)
    catalog, gazetteer, q = desk.catalog, findings.gazetteer, findings.question
    edition = f"{gazetteer.edition}-{gazetteer.version}"
    return Answer(
        panels={
            "bar": panels.bar(catalog, words, findings),
            "choosers": panels.choosers(catalog, words, findings),
            "path": panels.path(words, findings),
            "headline": panels.headline(words, findings),
            "legend": legend_panel.legend(words, findings, legend),
            "ranking": ranking_panel.ranking(words, findings, legend),
            "exports": panels.exports(words, findings),
            "notice": [],
        },
        view=map_view(words, findings),
        style=desk.on_base(dressed(map_style(desk.grid_tiles(gazetteer, q.level)), becomes), words.language),
        told={
            "search": search_of(q, findings.choices),
            "language": q.language,
            "theme": q.theme,
            "style": f"{edition}-{q.level}-{q.theme}-{q.ramp}-{findings.is_change}",
            "cells": f"{edition}-{q.level}-{q.frame}-{q.language}",
            "outlines": f"/api/explore/outlines/{edition}/{q.level}/{q.frame}",
            "periods": list(findings.choices.periods),
            "labels": [words.period(one) for one in findings.choices.periods],
            "period": q.period,
            "at": q.at,
            "up": parent_of(q.at) if len(findings.path) > 1 else None,
            "is_empty": not findings.cells["value"].notna().any(),
            "words": {key: words(key, why="{why}") for key in SAID},
            "zone": catalog.city.zone,
        },
    )


SAID = (
    "shows_loading", "shows_empty", "shows_stale", "shows_failed", "try_again", "play", "pause",
    "time", "multiples", "trend", "close", "copied", "map_label", "search", "no_periods", "unheard", "file_failed",
    "point_keys",
)  # fmt: skip
"""Texts that the page's script needs."""


def find(desk: Desk, search: str | None) -> tuple[Findings, Words]:
    """Answer the question of an address, in its language."""
    with desk.connection() as connection:
        findings = read_findings(connection, desk.catalog, desk.scope, _gazetteer(desk, connection, search), search)
    language = findings.question.language
    return (in_english(findings, desk.catalog) if language == "en" else findings), desk.words[language]


def look_of(findings: Findings) -> dict[str, str]:
    """Colours of the look asked for."""
    return colours(findings.question.theme, findings.question.ramp, is_change=findings.is_change)


def map_view(words: Words, findings: Findings) -> dict[str, Any]:
    """What the map is told, as the map page tells it: cells with shades and texts, camera, what a click does."""
    q, cells, indicator = findings.question, findings.cells, findings.indicator
    frame = findings.gazetteer.named(q.frame) if q.frame in findings.gazetteer else findings.grid
    shade = shade_of(cells["class"].to_numpy().astype(np.uint8), len(findings.breaks) + 1)
    said: dict[str, Any] = {
        "value": [number(words, indicator, value) for value in cells["value"]],
        "change": [
            change(words, indicator, value, before)
            for value, before in zip(cells["change"], cells["before"], strict=True)
        ],
    }
    rows = [["value", words.of(indicator.name), words.of(indicator.unit)]]
    if findings.is_change:
        rows.append(["change", words("legend_change", what=panels.against(words, findings)), ""])
    return {
        "lang": q.language,
        "title": f"{findings.grid.name} · {words('explore_title')}",
        "at": q.at,
        "level": findings.grid.level,
        "no": findings.grid.no,
        "box": [round(edge, 5) for edge in frame.box],
        "floor": 0,
        "pick": LENGTHS[q.level],
        "frame": q.frame,
        "shown": q.level,
        "paint": view_paint(q.frame, q.at, q.level, q.level, dim=False),
        "beside": {},
        "on": [],
        "cells": {
            "code": [code[len(q.frame) :] for code in cells.index],
            "no": findings.gazetteer.numbers(cells.index),
            "shade": written_shades(shade),
            "name": cells["name"].tolist() if len(cells) <= LABELS_MOST else [""] * len(cells),
            "lon": cells["lon"].round(4).tolist(),
            "lat": cells["lat"].round(4).tolist(),
            **said,
        },
        "names": cells["name"].tolist(),
        "rows": rows,
        "hint": words("hint_open", name="%s"),
        "chosen": {},
    }


LABELS_MOST = 80
"""Grids on the map up to which their names are written in it."""


def months(desk: Desk, search: str | None) -> dict[str, Any]:
    """Give the values of the last periods: of each grid and of the one asked for."""
    findings, words = find(desk, search)
    with desk.connection() as connection:
        upto, series, own = read_months(connection, desk.catalog, desk.scope, findings)
    breaks = findings.breaks if not findings.is_change else np.empty(0)
    if findings.is_change:
        breaks, _ = classes(findings.cells["value"], findings.indicator)
    n = len(breaks) + 1
    becomes = colours(findings.question.theme, findings.question.ramp)
    values = series.to_numpy(dtype=np.float64)
    classed = np.where(np.isfinite(values), 1 + np.searchsorted(breaks, values, "right"), 0)
    return {
        "periods": upto,
        "labels": [words.period(one) for one in upto],
        "codes": series.index.tolist(),
        "values": [[_plain(value) for value in row] for row in values.tolist()],
        "classes": classed.astype(int).tolist(),
        "colours": legend_colours(n, becomes),
        "own": [_plain(own[one]) for one in upto],
        "own_said": [number(words, findings.indicator, own[one]) for one in upto],
        "name": findings.grid.name,
        "title": panels.title(words, findings),
        "unit": words.of(findings.indicator.unit),
        "none": words("none"),
        "legend": _legend_of_months(words, findings, breaks, values, legend_colours(n, becomes)),
    }


def _legend_of_months(
    words: Words, findings: Findings, breaks: Any, values: Any, shown: Sequence[str]
) -> list[tuple[str, str]]:  # fmt: skip
    """Colour and text of each class of the small multiples where the legend beside the map has other ones."""
    if not findings.is_change:
        return []
    drawn = pd.Series(values.ravel())
    texts = [words("none"), *class_texts(words, breaks, drawn, findings.indicator.digits)]
    return [(shown[one], texts[one]) for one in (*range(len(texts) - 1, 0, -1), 0)]


def outlines(desk: Desk, edition: int, level: str, frame: str) -> dict[str, Any]:
    """Give the outlines of the grids of a level in a grid."""
    desk.scope.within(frame)
    with desk.connection() as connection:
        drawn = read_outlines(connection, edition, level, frame)
    return {"width": drawn.width, "height": drawn.height, "rings": drawn.rings}


def rows(desk: Desk, search: str | None, code: str, only: str = "") -> Children:
    """Show what is behind the number of a grid, or one kind of it. The look is written down, and kept, before."""
    findings, words = find(desk, search)
    desk.scope.within(code)
    _note_look(desk, findings, "rows", code)
    with desk.connection() as connection:
        behind = read_behind(
            connection, narrowed(desk.catalog, findings.question), desk.scope, findings, code, Kind.read(only)
        )
    return behind_panel(desk.catalog, words, findings, behind)


def unplaced(desk: Desk, search: str | None, only: str = "") -> Children:
    """Show what is counted and lies in no grid of the level; written down before, as a look at rows is."""
    findings, words = find(desk, search)
    _note_look(desk, findings, "unplaced", findings.question.frame)
    with desk.connection() as connection:
        declared = narrowed(desk.catalog, findings.question)
        behind = read_unplaced(connection, declared, desk.scope, findings, Kind.read(only))
    return unplaced_panel(desk.catalog, words, findings, behind)


def _note_look(desk: Desk, findings: Findings, what: str, code: str) -> None:
    with desk.connection() as connection:
        audit.note(connection, "rows_view", findings.indicator.key, **_noted(findings, what, code))


def grids(desk: Desk, search: str | None, group: str) -> Children:
    """Show the grids that a count of the legend counts; none where there is no such group."""
    findings, words = find(desk, search)
    legend = legend_colours(len(findings.breaks) + 1, look_of(findings))
    return legend_panel.grids_of(words, findings, legend, group)


def take_away(desk: Desk, search: str | None, kind: str, host: str, now: datetime | None = None) -> tuple[str, bytes]:
    """Make a file of what is shown: its name and its contents. That it was taken is written down first.

    Raises
    ------
    AtlasError
        There is no such kind of file.
    """
    if kind not in export.KINDS:
        kinds = ", ".join(export.KINDS)
        raise AtlasError(f"There is no file of the kind {kind}.", f"Ask for one of {kinds}.", why="no_kind", said=kinds)
    findings, words = find(desk, search)
    address = f"{host}/explore{search_of(findings.question, findings.choices)}"
    said = export.about(desk.catalog, words, findings, address, now or datetime.now(UTC))
    with desk.connection() as connection:
        audit.note(connection, "export", findings.indicator.key, **_noted(findings, kind, findings.question.frame))
    period = f"_{findings.period.number}" if findings.period else ""
    name = f"{findings.indicator.key}_{findings.question.frame}_{findings.question.level}{period}.{kind}"
    return name, _made(desk, findings, words, kind, said)


def _made(desk: Desk, findings: Findings, words: Words, kind: str, said: dict[str, str]) -> bytes:
    rows = export.table(findings)
    if kind in ("csv", "xlsx"):
        write: Callable[..., bytes] = export.as_csv if kind == "csv" else export.as_xlsx
        return write(words, rows, said)
    q, gazetteer = findings.question, findings.gazetteer
    with desk.connection() as connection:
        if kind == "svg":
            drawn, becomes = read_outlines(connection, gazetteer.edition, q.level, q.frame), look_of(findings)
            legend = legend_colours(len(findings.breaks) + 1, becomes)
            return as_svg(words, findings, drawn, said, legend, becomes)
        shapes = export.shaped(connection, findings)
    return export.as_geojson(shapes, said) if kind == "geojson" else export.as_parquet(shapes, said)


def _noted(findings: Findings, what: str, code: str) -> dict[str, Any]:
    q = findings.question
    return {"page": "explore", "what": what, "grid": code, "level": q.level, "period": q.period, "category": q.category}


def search(desk: Desk, asked: str | None, sought: str) -> Children:
    """Find grids, and what lies in one; a result is a link to its grid that keeps the rest of the question."""
    with desk.connection() as connection:
        gazetteer = _gazetteer(desk, connection, asked)
        choices = read_choices(connection, desk.catalog, gazetteer, asked)
        question = read_question(asked, choices, gazetteer)
        words = desk.words[question.language]
        hits = find_all(desk, connection, gazetteer, sought, words)
    if not hits:
        return [html.P(words("search_none", words=sought.strip()[:80]), className="of")] if sought.strip() else []
    return [
        html.A(
            href=search_of(
                question.but(at=hit.code, level="", edition=None if hit.mark else question.edition), choices
            ),
            children=[html.B(hit.name), html.Code(hit.kind or hit.code), html.Span(hit.above)],
        )
        for hit in hits
    ]


def _gazetteer(desk: Desk, connection: psycopg.Connection[Any], search: str | None) -> Gazetteer:
    edition = None
    if "edition=" in (search or ""):
        known = connection.execute("select edition from pub.edition where closed_on is not null").fetchall()
        edition = edition_asked(search, [int(one) for (one,) in known])
    return desk.gazetteer(connection, edition)


def _plain(value: Any) -> float | None:
    return None if value is None or pd.isna(value) or not math.isfinite(value) else float(value)
