"""What is behind a number, as the page shows it: counts, then rows, then what is left out and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component

from layers.declare.records import Catalog
from mapapp.explore.behind import Behind
from mapapp.explore.findings import Findings
from mapapp.explore.panels import named, number, title
from mapapp.pages.map import Children
from mapapp.text import Words


def behind_panel(catalog: Catalog, words: Words, findings: Findings, behind: Behind) -> Children:
    """Counts behind a number and the first rows, with what is not shown and why."""
    value, period = findings.value_of(behind.code), words.period(findings.period.number if findings.period else None)
    parts: Children = [html.H2(f"{title(words, findings)} · {findings.name_of(behind.code)} · {period}")]
    if value is not None:
        said = number(words, findings.indicator, value)
        parts.append(html.P([html.B(said), html.Small(words.of(findings.indicator.unit))]))
    return [*parts, *_behind(catalog, words, behind)]


def unplaced_panel(catalog: Catalog, words: Words, findings: Findings, behind: Behind) -> Children:
    """What is counted and lies in no grid of the level shown, with what is not shown and why."""
    period = words.period(findings.period.number if findings.period else None)
    levels = words(f"levels_{findings.question.level}")
    above = findings.gazetteer.named(findings.question.frame).name
    return [
        html.H2(f"{title(words, findings)} · {above} · {period}"),
        html.P(words("behind_unplaced", n=words.number(findings.n_unplaced), levels=levels)),
        *_behind(catalog, words, behind),
    ]


def _behind(catalog: Catalog, words: Words, behind: Behind) -> Children:
    parts: Children = []
    if len(behind.counts):
        parts.append(_table(catalog, words, behind.counts, words("behind_counts")))
    elif not behind.why:
        parts.append(html.P(words("behind_nothing"), className="empty"))
    if behind.why:
        parts.append(html.P(words(f"behind_{behind.why}"), className="hint"))
    if len(behind.rows):
        caption = words("behind_rows", n=words.number(len(behind.rows)), all=words.number(behind.n_rows))
        parts.append(_table(catalog, words, behind.rows, caption))
    return [*parts, html.P(words("behind_logged"), className="hint")]


def _table(catalog: Catalog, words: Words, rows: pd.DataFrame, caption: str) -> Component:
    kept = [column for column in rows.columns if not rows[column].isna().all()]
    heads = [html.Th(words(f"column_{column}"), scope="col") for column in kept]
    body = [
        html.Tr([html.Td(said(catalog, words, column, value)) for column, value in zip(kept, row, strict=True)])
        for row in rows[kept].itertuples(index=False)
    ]
    made = html.Table([html.Caption(caption), html.Thead(html.Tr(heads)), html.Tbody(body)])
    return html.Div(made, className="rows", tabIndex="0", role="region", **named({"aria-label": caption}))


def said(catalog: Catalog, words: Words, column: str, value: Any) -> str:
    """Say one cell in the reader's language."""
    if value is None or value is pd.NaT or (isinstance(value, float) and pd.isna(value)) or value == "":
        return "–"
    if isinstance(value, datetime):
        return words.moment(value, catalog.city.zone)
    named: Any = {"category": catalog.categories, "department": catalog.departments, "dataset": catalog.datasets}
    if value in named.get(column, {}):
        return words.of(named[column][value].name)
    if column == "state" and f"state_{value}" in words.texts:
        return words(f"state_{value}")
    if column in ("n", "of"):
        return words.number(float(value), 0 if float(value).is_integer() else 1)
    return str(value)
