"""What is behind a number, as the page shows it: counts, then rows, then what is left out and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component

from layers.declare.records import Catalog
from mapapp.explore.behind import Behind, Kind
from mapapp.explore.findings import Findings
from mapapp.explore.openings import named, number
from mapapp.explore.panels import title
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
    if behind.kind is not None:
        parts.append(_only(words("behind_all"), "", words("behind_all")))
    if len(behind.counts):
        parts.append(_table(catalog, words, behind.counts, words("behind_counts"), opens=("n", "of")))
    elif not behind.why:
        parts.append(html.P(words("behind_nothing"), className="empty"))
    if behind.why:
        parts.append(html.P(words(f"behind_{behind.why}"), className="hint"))
    if len(behind.rows):
        caption = words("behind_rows", n=words.number(len(behind.rows)), all=words.number(behind.n_rows))
        parts.append(_table(catalog, words, behind.rows, caption))
    if len(behind.rows) < behind.n_rows and not behind.why:
        parts.append(html.P(words("behind_rest"), className="hint"))
    return [*parts, html.P(words("behind_logged"), className="hint")]


def _table(
    catalog: Catalog, words: Words, rows: pd.DataFrame, caption: str, *, opens: tuple[str, ...] = ()
) -> Component:
    """Rows as a table; in the columns that it `opens` are buttons that leave only the rows of their line."""
    kept = [column for column in rows.columns if not rows[column].isna().all()]
    heads = [html.Th(words(f"column_{column}"), scope="col") for column in kept]

    def cell(row: Mapping[Any, Any], column: str) -> Component:
        written = said(catalog, words, column, row[column])
        if column not in opens:
            return html.Td(written)
        names = [said(catalog, words, one, row[one]) for one in kept if one not in opens]
        kind = Kind(_key(row.get("dataset")) or "", _key(row.get("category")), _key(row.get("state")), column)
        label = words("behind_of", name=" · ".join(names), n=written)
        return html.Td(_only(written, str(kind), label))

    body = [html.Tr([cell(row, column) for column in kept]) for row in rows[kept].to_dict("records")]
    kind = "counts" if opens else "listed"
    made = html.Table([html.Caption(caption), html.Thead(html.Tr(heads)), html.Tbody(body)], className=kind)
    return html.Div(made, className="rows", tabIndex="0", role="region", **named({"aria-label": caption}))


def _only(written: str, kind: str, label: str) -> Component:
    """A button that leaves only one kind of what is shown, or shows all again."""
    return html.Button(written, type="button", className="number", **named({"data-only": kind, "aria-label": label}))


def _key(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else str(value)


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
