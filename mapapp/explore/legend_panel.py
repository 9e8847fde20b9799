"""The legend of the explore page: classes, then what the numbers stand on; each count opens what it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from dash import html

from mapapp.explore.findings import Findings
from mapapp.explore.openings import opens_grids, with_openings
from mapapp.explore.panels import against, title
from mapapp.explore.ranking_panel import grid_table, in_order
from mapapp.pages.legend import class_texts
from mapapp.pages.map import Children
from mapapp.text import Words

GROUPS: Mapping[str, str] = {"all": "grids_all", "rounded": "grids_rounded", "carried": "grids_carried"}
"""Grids that a note of the legend counts, and what they are called; those of a class go by its number, 0 is no data."""

Note = tuple[str, dict[str, tuple[str, str]]]
"""A text and what it is filled with: each a count as it is written, and what that opens."""


def legend(words: Words, findings: Findings, colours: Sequence[str]) -> Children:
    """Classes with their colours and how many grids each has, which opens these; then what the numbers stand on."""
    counts = findings.cells["class"].value_counts()
    said = _said_of_classes(words, findings)
    rows = []
    for one in (*range(len(said) - 1, 0, -1), 0):
        n = int(counts.get(one, 0))
        label = words("grids_in_class", said=said[one], n=words.number(n))
        shown = opens_grids(words.number(n), f"grids/{one}", label)
        rows.append(
            html.Li([html.I(style={"background": colours[one]}), html.Span(said[one], className="span"), shown])
        )
    heading = words("legend_change", what=against(words, findings)) if findings.is_change else title(words, findings)
    notes = [html.Li(html.Span(with_openings(words, *note))) for note in _notes(words, findings)]
    return [
        html.H2([heading, html.Small(words.of(findings.indicator.unit))]),
        html.Ul(rows),
        html.Ul(notes, className="notes"),
    ]


def stands_on(words: Words, findings: Findings) -> list[str]:
    """What the numbers stand on: no data, unplaced, rounded, carried; each counted."""
    return [words(key, **{name: said for name, (said, _) in filled.items()}) for key, filled in _notes(words, findings)]


def grids_of(words: Words, findings: Findings, colours: Sequence[str], group: str) -> Children:
    """The grids that a count of the legend counts as a table like the ranking; none where there is no such group."""
    said, rows = _said_of_classes(words, findings), in_order(findings)
    if group.isascii() and group.isdigit() and int(group) < len(colours):
        rows = rows[rows["class"] == int(group)]
        name = said[int(group)] if int(group) < len(said) else ""
    elif group in GROUPS:
        rows = rows[_belongs(findings, rows, group)]
        name = words(GROUPS[group])
    else:
        return []
    heading = words("grids_in_class", said=name, n=words.number(len(rows)))
    table = grid_table(words, findings, colours, rows, has_carried=group == "carried")
    period = words.period(findings.period.number if findings.period else None)
    what = f"{title(words, findings)} · {words.of(findings.indicator.unit)} · {period}"
    listed = html.Div(table, className="rows") if len(rows) else html.P(words("grids_nothing"), className="empty")
    return [html.H2([heading, " ", html.Small(what)]), listed]


def _belongs(findings: Findings, rows: pd.DataFrame, group: str) -> pd.Series[bool]:
    if group == "carried":
        return rows["carried"] > 0
    return pd.Series(group == "all" or findings.indicator.is_rounded, rows.index)


def _notes(words: Words, findings: Findings) -> list[Note]:
    cells = findings.cells

    n_rounded = int(_belongs(findings, cells, "rounded").sum())
    n_carried = int(_belongs(findings, cells, "carried").sum())
    carried = words.number(findings.n_carried, int(findings.n_carried > 0))
    notes: list[Note] = [
        (
            "legend_none",
            {"n": (words.number(findings.n_none), "grids/0"), "all": (words.number(len(cells)), "grids/all")},
        ),
        ("legend_unplaced", {"n": (words.number(findings.n_unplaced), "unplaced")}),
        ("legend_n_rounded", {"n": (words.number(n_rounded), "grids/rounded")}),
        ("legend_n_carried", {"n": (carried, "grids/carried"), "grids": (words.number(n_carried), "grids/carried")}),
    ]
    if findings.off_by:
        notes.append(("legend_people_summed", {"n": (str(findings.off_by), "")}))
    if findings.is_withheld:
        notes.append(("legend_people_withheld", {}))
    return notes


def _said_of_classes(words: Words, findings: Findings) -> list[str]:
    """What each class says in the legend; no data is the first."""
    drawn = findings.cells["change" if findings.is_change else "value"]
    texts = class_texts(words, findings.breaks, drawn, findings.indicator.digits, is_change=findings.is_change)
    return [words("none"), *texts]
