"""The legend of the explore page: classes, then what the numbers stand on; each count opens what it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from dash import html
from dash.development.base_component import Component

from mapapp.explore.findings import Findings
from mapapp.explore.panels import against, grid_table, in_order, named, title
from mapapp.pages.legend import class_texts
from mapapp.pages.map import Children
from mapapp.text import Words

GROUPS: Mapping[str, str] = {"all": "grids_all", "rounded": "grids_rounded", "carried": "grids_carried"}
"""Grids that a note of the legend counts, and what they are called; those of a class go by its number, 0 is no data."""

Note = tuple[str, dict[str, tuple[str, str]]]
"""A text and what it is filled with: each a count as it is written, and what that opens; nothing where it is 0."""


def legend(words: Words, findings: Findings, colours: Sequence[str]) -> Children:
    """Classes with their colours and how many grids each has, which opens these; then what the numbers stand on."""
    counts = findings.cells["class"].value_counts()
    said = _said_of_classes(words, findings)
    rows = []
    for one in (*range(len(said) - 1, 0, -1), 0):
        n = int(counts.get(one, 0))
        label = words("grids_in_class", said=said[one], n=words.number(n))
        shown = _opening(words.number(n), f"grids/{one}", label) if n else html.B(words.number(n))
        rows.append(html.Li([html.I(style={"background": colours[one]}), html.Span(said[one]), shown]))
    heading = words("legend_change", what=against(words, findings)) if findings.is_change else title(words, findings)
    notes = [html.Li(html.Span(_with_openings(words, note))) for note in _notes(words, findings)]
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
    return [html.H2([heading, " ", html.Small(what)]), html.Div(table, className="rows")]


def _belongs(findings: Findings, rows: pd.DataFrame, group: str) -> pd.Series[bool]:
    if group == "carried":
        return rows["carried"] > 0
    return pd.Series(group == "all" or findings.indicator.is_rounded, rows.index)


def _notes(words: Words, findings: Findings) -> list[Note]:
    cells = findings.cells

    def counted(n: float, opens: str, digits: int = 0) -> tuple[str, str]:
        return words.number(n, digits), opens if n else ""

    n_rounded = int(_belongs(findings, cells, "rounded").sum())
    n_carried = int(_belongs(findings, cells, "carried").sum())
    notes: list[Note] = [
        ("legend_none", {"n": counted(findings.n_none, "grids/0"), "all": counted(len(cells), "grids/all")}),
        ("legend_unplaced", {"n": counted(findings.n_unplaced, "unplaced")}),
        ("legend_n_rounded", {"n": counted(n_rounded, "grids/rounded")}),
        (
            "legend_n_carried",
            {
                "n": counted(findings.n_carried, "grids/carried" if n_carried else "", int(findings.n_carried > 0)),
                "grids": counted(n_carried, "grids/carried"),
            },
        ),
    ]
    if findings.off_by:
        notes.append(("legend_people_summed", {"n": (str(findings.off_by), "")}))
    if findings.is_withheld:
        notes.append(("legend_people_withheld", {}))
    return notes


def _with_openings(words: Words, note: Note) -> Children:
    """A note whose counts are buttons that open what they count."""
    key, filled = note
    plain = words(key, **{name: said for name, (said, _) in filled.items()})
    pieces: Children = []
    for at, one in enumerate(words(key, **{name: f"\0{name}\0" for name in filled}).split("\0")):
        said, opens = filled[one] if at % 2 else (one, "")
        pieces.append(_opening(said, opens, words("opens_counted", said=plain, n=said)) if opens else said)
    return pieces


def _opening(said: str, opens: str, label: str) -> Component:
    """A button that opens what a count counts."""
    return html.Button(said, type="button", className="number", **named({"data-look": opens, "aria-label": label}))


def _said_of_classes(words: Words, findings: Findings) -> list[str]:
    """What each class says in the legend; no data is the first."""
    drawn = findings.cells["change" if findings.is_change else "value"]
    texts = class_texts(words, findings.breaks, drawn, findings.indicator.digits, is_change=findings.is_change)
    return [words("none"), *texts]
