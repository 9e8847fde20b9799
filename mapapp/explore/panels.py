"""The panels of the explore page as Dash components. Pure functions; every text comes from the words handed in."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from dash import html
from dash.development.base_component import Component

from layers.codes import parent_of
from layers.compare import AGAINSTS
from layers.declare.records import Catalog
from layers.draw.looks import RAMPS, THEMES
from mapapp.explore.findings import Findings
from mapapp.explore.openings import change, figure, named, number, opens_rows
from mapapp.explore.question import CLASSES, METHODS, search_of
from mapapp.pages.map import Children
from mapapp.text import Words


def bar(catalog: Catalog, words: Words, findings: Findings) -> Children:
    """The page's head: what and where this is, how old its data are, theme, language, the way to the map."""
    city, q = catalog.city, findings.question
    other = "en" if words.language == "zh" else "zh"
    theme = THEMES[1 - THEMES.index(q.theme)]
    return [
        html.Div([html.H1(words("explore_title")), html.Span(words.of(city.name))], className="brand"),
        html.Span(words.of(city.notice) if city.notice else "", className="fiction"),
        html.Span(words.age(findings.loaded_at, city.zone), className="age"),
        html.Nav(
            className="ways",
            children=[
                html.A(words("to_map"), href=f"/?at={q.at}&lang={words.language}"),
                html.A(words(f"theme_{theme}"), href=_to(findings, theme=theme)),
                html.A(words("other_language"), href=_to(findings, language=other), lang=other),
                html.A(words("own_account"), href=f"/account?lang={words.language}"),
            ],
        ),
    ]


def choosers(catalog: Catalog, words: Words, findings: Findings) -> Children:
    """Lists to choose from: number, level, time, category, classes, colours, comparison."""
    q, choices = findings.question, findings.choices
    periods: list[tuple[str, str]] = [(str(one), words.period(one)) for one in reversed(choices.periods)]
    categories = [("", words("every_category"))]
    categories += [(one, words.of(catalog.categories[one].name)) for one in choices.categories]
    numbers = [("", words("as_declared")), *((str(n), str(n)) for n in CLASSES)]
    fixed = bool(findings.question.breaks or catalog.indicators[q.indicator].breaks)
    rows: Children = [
        _select("indicator", words("indicator"), q.indicator, [
            (key, words.of(catalog.indicators[key].name)) for key in choices.indicators
        ]),
        _select("level", words("level"), q.level, [(one, words(f"levels_{one}")) for one in choices.levels]),
        _select("period", words("period"), str(q.period or ""), periods or [("", words("period_now"))]),
        _select("category", words("category"), q.category or "", categories),
        _select("against", words("against"), q.against, [(one, words(f"against_{one}")) for one in AGAINSTS]),
        _select("classes", words("classes"), q.method, [(one, words(f"classes_{one}")) for one in METHODS]),
        _select("n", words("n_classes"), str(q.n or ""), numbers),
        _select("ramp", words("ramp"), q.ramp, [(one, words(f"ramp_{one}")) for one in RAMPS]),
    ]  # fmt: skip
    if q.method == "fixed":
        rows.append(html.Label([html.Span(words("thresholds")), _field("breaks", findings, words)]))
        if not fixed:
            rows.append(html.P(words("thresholds_none"), className="hint", role="status"))
    return rows


def _field(key: str, findings: Findings, words: Words) -> Component:
    """A field for thresholds; the script makes it an input that changes the address."""
    written = ",".join(f"{one:g}" for one in findings.question.breaks or findings.indicator.breaks)
    more: dict[str, Any] = {"data-field": key, "data-value": written, "data-label": words("thresholds")}
    return html.Span(**more)


def path(words: Words, findings: Findings) -> Children:
    """Breadcrumb from the top down; the last is where we are, with its code."""
    links: Children = []
    for step in findings.path[:-1]:
        links.append(html.Span([html.A(step.name, href=_to(findings, at=step.code, level="")), html.I(" ›")]))
    here = findings.path[-1]
    links += [
        html.B(here.name),
        html.Span([words(f"level_{here.level}"), " ", html.Code(here.code)], className="where"),
    ]
    if len(findings.editions) > 1:
        links.append(html.Span(words("editions"), className="where"))
        for one in reversed(findings.editions):
            chosen = None if one.closed_on is None else one.edition
            is_here = one.edition == findings.gazetteer.edition
            links.append(html.A(one.name, href=_to(findings, edition=chosen), className="here" if is_here else ""))
    return links


def headline(words: Words, findings: Findings) -> Children:
    """The number of the grid itself, with unit and time, and how it compares."""
    indicator, own = findings.indicator, findings.own
    parts: Children = [
        html.P([html.Span(title(words, findings)), html.Em(words.period(_number(findings)))], className="what"),
        html.P(
            className="figure",
            children=[
                figure(words, findings, findings.question.at, own["value"]),
                html.Small(words.of(indicator.unit)),
            ],
        ),
    ]
    if findings.is_change:
        parts.append(html.P(_compared(words, findings), className="compared"))
    return parts


def _compared(words: Words, findings: Findings) -> Children:
    """How the number compares: each number opens its rows, a mean of siblings those of the grid that holds them all."""
    own, q = findings.own, findings.question
    if not math.isfinite(own["before"]):
        return [words("compared_none", what=against(words, findings))]
    above = parent_of(q.at)
    if findings.before is not None:
        before: Component | str = figure(words, findings, q.at, own["before"], findings.before)
    elif above in findings.gazetteer:
        before = figure(words, findings, str(above), own["before"])
    else:
        before = number(words, findings.indicator, own["before"])
    said = change(words, findings.indicator, own["change"], own["before"])
    changed = opens_rows(words, findings, q.at, said) if math.isfinite(own["change"]) else said
    first, middle, last = words("compared", what=against(words, findings), n="\0", change="\0").split("\0")
    return [first, before, middle, changed, last]


def title(words: Words, findings: Findings) -> str:
    """Name of the number, narrowed to its category if it is."""
    name, category = words.of(findings.indicator.name), findings.category
    return name if category is None else f"{name} · {words.of(category.name)}"


def against(words: Words, findings: Findings) -> str:
    """What is compared with, in words."""
    q = findings.question
    if findings.before is not None:
        return words.period(findings.before.number)
    return words(f"against_{q.against}")


def exports(words: Words, findings: Findings) -> Children:
    """Links to the files that can be taken away, and to this view."""
    search = search_of(findings.question, findings.choices)
    kinds = ("png", "svg", "xlsx", "csv", "geojson", "parquet")
    links = [
        html.A(
            words(f"export_{kind}"),
            href=f"/api/explore/export/{kind if kind != 'png' else 'svg'}{search}",
            className="export",
            **named({"data-kind": kind, "download": ""}),
        )
        for kind in kinds
    ]
    permanent = html.A(
        words("permanent_link"), href=f"/explore{search}", className="export", **named({"data-copy": "1"})
    )
    return [html.H2(words("take_away")), html.Div([*links, permanent], className="files")]


def _to(findings: Findings, **changed: Any) -> str:
    """Address of the same question with something changed; an empty level is the usual one of the grid."""
    return search_of(findings.question.but(**changed), findings.choices)


def _number(findings: Findings) -> int | None:
    return findings.period.number if findings.period else None


def _select(key: str, label: str, chosen: str, options: Iterable[tuple[str, str]]) -> Component:
    listed = list(options)
    made = [
        html.Option(said, value=value, **named({"selected": True} if value == chosen else {})) for value, said in listed
    ]
    more: dict[str, Any] = {"data-set": key} | ({"disabled": "disabled"} if len(listed) < 2 else {})
    return html.Label([html.Span(label), html.Select(made, **more)])
