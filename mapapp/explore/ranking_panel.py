"""The ranking of the explore page, and the lists of grids that a count opens: one table of grids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component

from mapapp.explore.findings import Findings, ranked
from mapapp.explore.openings import change, figure, named, opens_grids, opens_rows, with_openings
from mapapp.explore.question import search_of
from mapapp.pages.map import Children
from mapapp.text import Words

RANKED_MOST = 200
"""Rows of the ranking; the exports have them all."""


def ranking(words: Words, findings: Findings, colours: Sequence[str]) -> Children:
    """Grids in order as a table; a name opens the grid, a number what is behind it; the script adds the sparklines."""
    q, rows = findings.question, in_order(findings)
    first = rows.iloc[:RANKED_MOST]
    how_many = "ranking_all" if len(first) == len(rows) else "ranking_first"
    counted = with_openings(words, how_many, {"n": (words.number(len(first)), "grids/all")})
    return [
        html.H2(
            [
                words("ranking", levels=words(f"levels_{q.level}")),
                html.Small([f"{words.of(findings.indicator.unit)} · ", *counted]),
            ]
        ),
        html.Div(
            className="rows",
            tabIndex="0",
            children=grid_table(words, findings, colours, first),
            role="region",
            **named({"aria-label": words("ranking", levels=words(f"levels_{q.level}"))}),
        ),
    ]


def in_order(findings: Findings) -> pd.DataFrame:
    """Rows of the grids shown in the order of the ranking."""
    return ranked(findings.cells, "change" if findings.is_change else "value")


def grid_table(
    words: Words, findings: Findings, colours: Sequence[str], rows: pd.DataFrame, *, has_carried: bool = False
) -> Component:
    """Grids as a table, each with its number, its change and its sparkline; with what is carried by share if wanted."""
    heads = [("#", "place"), (words("grid"), ""), (words("column_value"), "n")]
    heads += [(words("column_change"), "n")] if findings.is_change else []
    heads += [(words("column_carried"), "n")] if has_carried else []
    heads += [(words("trend"), "spark")] if _has_series(findings) else []
    body = [
        _row(words, findings, colours, place, code, row, has_carried)
        for place, (code, row) in enumerate(rows.iterrows(), 1)
    ]
    return html.Table([
        html.Thead(html.Tr([html.Th(said, className=kind, scope="col") for said, kind in heads])), html.Tbody(body),
    ], className="changes" if findings.is_change else "")  # fmt: skip


def _row(
    words: Words,
    findings: Findings,
    colours: Sequence[str],
    place: int,
    code: Any,
    row: pd.Series[Any],
    has_carried: bool,
) -> Component:
    carried = words.number(row["carried"], 1)
    mark = [opens_grids("*", "grids/carried", words("carried_mark", n=carried))] if row["carried"] else []
    cells: Children = [
        html.Td(place, className="place"),
        html.Th(
            [html.I(style={"background": colours[int(row["class"])]}), html.A(row["name"], href=_into(findings, code))],
            scope="row",
        ),
        html.Td([figure(words, findings, code, row["value"]), *mark], className="n"),
    ]
    if findings.is_change:
        said = change(words, findings.indicator, row["change"], row["before"])
        cells.append(html.Td(opens_rows(words, findings, code, said), className="n"))
    if has_carried:
        cells.append(html.Td(opens_rows(words, findings, code, carried), className="n"))
    if _has_series(findings):
        cells.append(html.Td(className="spark", **named({"data-code": code})))
    here = "here" if code == findings.question.at else ""
    return html.Tr(cells, className=here)


def _has_series(findings: Findings) -> bool:
    return len(findings.choices.periods) > 1


def _into(findings: Findings, code: str) -> str:
    """The grid itself, with the level below; one that has none below stays among its siblings."""
    return search_of(findings.question.but(at=code, level=""), findings.choices)
